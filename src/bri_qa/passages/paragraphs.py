"""The paragraphs of a text: lines, wrapped lines made one, and headings by Markdown's signs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from bri_qa.types import Span

_ENDS = "\n\v\f\x85\u2028\u2029"
_LINE = re.compile(f"[^{_ENDS}]+")
_FENCE = re.compile(r"```|~~~")
_HEADING = re.compile(r"#{1,6}[ \t]+")
_UNDERLINE = re.compile(r"(={2,}|-{3,})\Z")
_MARKER = re.compile(r"[-*+•][ \t]|[>|]|\(?(\d{1,3}|[A-Za-z])[.)][ \t]")
_HEADING_CHARS = 200  # a longer line is no heading
_WRAP_COLUMNS = range(40, 121)  # widths that wrapped prose has


class Paragraph(NamedTuple):
    """A span without outer white space, and the words of the heading if it is one."""

    span: Span
    heading: str | None


def paragraphs(text: str) -> list[Paragraph]:
    """The paragraphs in reading order; every character but outer white space is in exactly one."""
    found: list[Paragraph] = []
    fence: str | None = None
    block: list[Span] = []  # neighbouring lines of prose
    for line in _lines(text):
        words = line.of(text)
        mark = _FENCE.match(words)
        heading = None if fence or mark else _heading(words)
        if block and (mark or fence or heading is not None or _apart(text, block[-1], line)):
            found += _joined(text, block)
            block = []
        if mark:
            fence = _after(fence, mark[0])
        if fence or mark or heading is not None:
            found.append(Paragraph(line, heading))
        elif len(block) == 1 and len(block[0]) <= _HEADING_CHARS and _UNDERLINE.match(words):
            found.append(Paragraph(Span(block[0].start, line.end), block.pop().of(text)))
        else:
            block.append(line)
    return found + _joined(text, block)


def trim(text: str, start: int, end: int) -> Span:
    """text[start:end] without its outer white space."""
    words = text[start:end].lstrip()
    return Span(end - len(words), end - len(words) + len(words.rstrip()))


def _lines(text: str) -> Iterator[Span]:
    for match in _LINE.finditer(text):
        line = trim(text, match.start(), match.end())
        if line:
            yield line


def _heading(line: str) -> str | None:
    """The words of `# A heading` or `## A heading ##`."""
    sign = _HEADING.match(line) if len(line) <= _HEADING_CHARS else None
    if sign is None:
        return None
    words = line[sign.end() :]
    closed = words.rstrip("#")
    return words if closed and not closed[-1].isspace() else closed.rstrip()


def _after(fence: str | None, mark: str) -> str | None:
    """The open code fence after a fence line: only its own sign closes it."""
    if fence is None:
        return mark
    return None if fence == mark else fence


def _apart(text: str, one: Span, other: Span) -> bool:
    """Whether a blank line parts two lines."""
    between = text[one.end : other.start]
    return sum(between.count(end) for end in _ENDS) > 1


def _joined(text: str, block: list[Span]) -> list[Paragraph]:
    """A block as one paragraph if its lines were wrapped: none had room for the first word of the next."""
    columns = max(map(len, block), default=0)
    if len(block) > 1 and columns in _WRAP_COLUMNS:
        lines = [line.of(text) for line in block]
        heads = [line.split(None, 1)[0] for line in lines]
        full = all(len(line) + 1 + len(head) > columns for line, head in zip(lines, heads[1:], strict=False))
        prose = max(map(len, heads)) < _WRAP_COLUMNS.start and not any(map(_MARKER.match, lines))
        if full and prose and (len(block) > 2 or heads[1][0].islower()):
            return [Paragraph(Span(block[0].start, block[-1].end), None)]
    return [Paragraph(line, None) for line in block]
