"""A document as escaped HTML with its cited places highlighted, and the address of such a place. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from urllib.parse import quote, urlsplit

from bri_qa.types import Document, Span

WINDOW_CHARS = 400_000
HASH_CHARS = 16


@dataclass(frozen=True, slots=True)
class Mark:
    """A numbered place to highlight."""

    number: int
    span: Span


def address(document: Document, span: Span | None = None) -> str:
    """The path of the source page, opened at `span`; it carries the hash of the text that the span was cut from."""
    path = "/source/" + quote(document.id, safe="/")
    if span is None:
        return path
    return f"{path}?start={span.start}&end={span.end}&v={document.sha256[:HASH_CHARS]}#quote-1"


def safe_url(url: str | None) -> str | None:
    """`url` if it is an ordinary web address, else None: a link of the article's metadata is a stranger's text."""
    if url is None:
        return None
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    return url.strip() if parts.scheme in ("http", "https") and parts.netloc else None


def window(text: str, around: Span | None, limit: int = WINDOW_CHARS) -> Span:
    """The part of a very long text that is shown: at most `limit` characters, `around` in its middle, whole lines."""
    if len(text) <= limit:
        return Span(0, len(text))
    middle = (around.start + around.end) // 2 if around is not None else 0
    start = min(max(0, middle - limit // 2), len(text) - limit)
    end = start + limit
    line = text.find("\n", start, start + limit // 8) if start else -1
    last = text.rfind("\n", end - limit // 8, end) if end < len(text) else -1
    return Span(line + 1 if line >= 0 else start, last if last >= 0 else end)


def body(document: Document, marks: Sequence[Mark], shown: Span) -> str:
    """The paragraphs of `shown`, escaped; each marked place is a `<mark>` with the numbers it belongs to.

    The first piece of number n has the id `quote-n`. Opening lines that repeat the title are classed as such.
    """
    opened: set[int] = set()
    paragraphs = []
    opening = shown.start == 0
    for line in _lines(document.text, shown):
        words = line.of(document.text)
        if not words.strip():
            continue
        opening = opening and words.strip() == document.source.title.strip()
        inside = [mark for mark in marks if mark.span.overlaps(line)]
        name = ' class="bri-repeat"' if opening and not inside else ""
        paragraphs.append(f"<p{name}>{_paragraph(document.text, line, inside, opened)}</p>")
    return "\n".join(paragraphs)


def _lines(text: str, shown: Span) -> Iterator[Span]:
    start = shown.start
    while start < shown.end:
        end = text.find("\n", start, shown.end)
        end = shown.end if end < 0 else end
        yield Span(start, end)
        start = end + 1


def _paragraph(text: str, line: Span, marks: Sequence[Mark], opened: set[int]) -> str:
    """`opened` collects the numbers that have had their first piece."""
    cuts = {line.start, line.end}
    for mark in marks:
        cuts.update((max(mark.span.start, line.start), min(mark.span.end, line.end)))
    edges = sorted(cuts)
    return "".join(_piece(text, Span(start, end), marks, opened) for start, end in pairwise(edges))


def _piece(text: str, piece: Span, marks: Sequence[Mark], opened: set[int]) -> str:
    numbers = sorted(mark.number for mark in marks if mark.span.contains(piece))
    words = escape(piece.of(text))
    if not numbers:
        return words
    first = next((number for number in numbers if number not in opened), None)
    opened.update(numbers)
    name = f' id="quote-{first}"' if first is not None else ""
    return f'<mark{name} data-n="{" ".join(map(str, numbers))}" tabindex="-1">{words}</mark>'
