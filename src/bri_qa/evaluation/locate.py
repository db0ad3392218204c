"""Evidence to spans of indexed documents: quotes of our own format, and the texts that public formats bring along."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from bri_qa.citations import locate
from bri_qa.evaluation.formats.record import EvidenceLine, Gold
from bri_qa.types import Document, Quote, Span

Documents = Callable[[str], Document | None]
Everything = Callable[[], Sequence[Document]]


class NotLocated(Exception):  # noqa: N818 - a verdict on one piece of evidence, caught in this package
    """Evidence stands in no document; the message is the reason, `sort` says whether the document itself is unknown."""

    def __init__(self, reason: str, sort: str = "quote-not-found") -> None:
        super().__init__(reason)
        self.sort = sort


def places(line: EvidenceLine, documents: Documents) -> tuple[Span, ...]:
    """Where the quote stands, at least one place; with no quote the whole document.

    Raises:
        NotLocated: there is no such document, or the quote does not stand in it (or not at its `start`).
    """
    document = documents(line.document_id)
    if document is None:
        raise NotLocated(
            f"no document {line.document_id!r} is indexed; build its corpus or mend the id", "unknown-document"
        )
    if line.quote is None:
        return (Span(0, len(document.text)),)
    found = tuple(standing(line.quote, document.text))
    if not found:
        raise NotLocated(
            f"the quote {shortened(line.quote)!r} does not stand in {line.document_id!r}"
            f"{near(line.quote, document.text)}; copy it from the article letter for letter"
        )
    if line.start is None:
        return found
    meant = tuple(span for span in found if span.start == line.start)
    if not meant:
        where = ", ".join(str(span.start) for span in found[:3])
        raise NotLocated(
            f"the quote {shortened(line.quote)!r} stands at {where} in {line.document_id!r}, not at {line.start}; "
            "mend `start`, or leave it out"
        )
    return meant


def standing(quote: str, text: str) -> list[Span]:
    """Every place where `quote` stands letter for letter, overlapping ones too."""
    return [Span(found.start(), found.start() + len(quote)) for found in re.finditer(f"(?={re.escape(quote)})", text)]


def near(quote: str, text: str) -> str:
    """What alone keeps the quote from matching, where that is easily said."""
    if unicodedata.normalize("NFC", quote) in text:
        return " (its accents are written in another Unicode form)"
    if " ".join(quote.split()) in " ".join(text.split()):
        return " (white space differs)"
    return " (upper and lower case differ)" if quote.casefold() in text.casefold() else ""


def shortened(text: str, width: int = 80) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


@dataclass(slots=True)
class Shelf:
    """The documents that evidence is located in; remembers where it found a text, and looks there first."""

    documents: Documents
    everything: Everything = tuple
    _plain: dict[str, str] = field(default_factory=dict)
    _found: dict[str, tuple[Document, Span] | None] = field(default_factory=dict)
    _last: Document | None = None

    def line(self, gold: Gold) -> EvidenceLine:
        """`gold` as evidence of our own format.

        Raises:
            NotLocated: no document holds its text.
        """
        key = f"{gold.article}\0{gold.text}"
        if key not in self._found:
            self._found[key] = self._search(gold)
        found = self._found[key]
        if found is None:
            raise NotLocated(
                f"no indexed document holds {shortened(gold.text)!r}; `bri-qa eval import FILE --to CASES "
                "--corpus-to DIR` writes the articles that come with the cases, index them",
                "unknown-document",
            )
        document, place = found
        if gold.span is None:
            return EvidenceLine(document_id=document.id, relevance=gold.relevance)
        span = _within(gold.span, gold.text, place, document.text)
        quote = span.of(document.text)
        several = len(standing(quote, document.text)) > 1
        return EvidenceLine(
            document_id=document.id, quote=quote, start=span.start if several else None, relevance=gold.relevance
        )

    def _search(self, gold: Gold) -> tuple[Document, Span] | None:
        if not any(map(str.isalnum, gold.text)):
            named = self.documents(gold.article)
            return (named, Span(0, len(named.text))) if named is not None else None
        likely = [item for item in (self.documents(gold.article), self._last) if item is not None]
        for documents in (likely, self.everything()):
            for document in documents:
                at = document.text.find(gold.text)
                if at >= 0:
                    self._last = document
                    return document, Span(at, at + len(gold.text))
        return self._search_words(gold.text, [*likely, *self.everything()])

    def _search_words(self, text: str, documents: Iterable[Document]) -> tuple[Document, Span] | None:
        """Where the words of `text` stand with other white space between them."""
        words = " ".join(text.split())
        for document in documents:
            plain = self._plain.setdefault(document.id, " ".join(document.text.split()))
            span = locate(Quote("", text), document.text) if words in plain else None
            if span is not None:
                return document, span
        return None


def _within(span: Span, text: str, place: Span, whole: str) -> Span:
    """Where `span` of `text` stands in `whole`, `text` standing at `place`, perhaps with other white space."""
    if place.of(whole) == text:
        return span.shift(place.start)
    letters = [at for at in range(place.start, place.end) if not whole[at].isspace()]
    before = sum(not char.isspace() for char in text[: span.start])
    inside = sum(not char.isspace() for char in span.of(text))
    return Span(letters[before], letters[before + inside - 1] + 1)
