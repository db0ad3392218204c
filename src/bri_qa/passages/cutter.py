"""Fills passages with sentences, under limits that are counted on the joined text."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bri_qa.errors import InputError
from bri_qa.passages.paragraphs import paragraphs
from bri_qa.passages.sentences import pieces, sentences_of
from bri_qa.types import Document, Passage, Span

_CHARS_PER_TOKEN = 16  # a sentence with more than this is cut before its tokens are counted


@dataclass(frozen=True, slots=True)
class Limit:
    """`count(text) <= maximum` must hold for the text of every passage; `count` need not be additive."""

    count: Callable[[str], int]
    maximum: int


class _Atom(NamedTuple):
    """A sentence, or a piece of an overlong one; `cost` counts it up to the start of the next one."""

    span: Span
    cost: int
    paragraph: int
    section: int


def cut(document: Document, limits: Sequence[Limit], overlap: int) -> list[Passage]:
    """The passages of a document in reading order; each non-space character is in at least one.

    A passage holds whole sentences and, where possible, whole paragraphs; a heading starts a passage and is
    its section. A sentence over a limit is split between words, and a word over a limit between graphemes.

    Args:
        limits: the first is the budget that a passage is filled to; all hold for every passage.
        overlap: tokens of `limits[0]` that a passage repeats of the one before, at most, in whole sentences.

    Raises:
        InputError: the overlap is not smaller than the budget, or a single character is over a limit.
    """
    if not limits or not 0 <= overlap < limits[0].maximum:
        raise InputError(f"an overlap of {overlap} tokens does not fit the passage limits; make it smaller")
    cutter = _Cutter(document.text, limits, overlap)
    return [
        Passage(
            id=f"{document.id}#{span.start}-{span.end}",
            document_id=document.id,
            span=span,
            section=section,
            text=span.of(document.text),
        )
        for span, section in cutter.passages()
    ]


class _Cutter:
    """Fills passages with atoms, first to last. Texts are counted joined, as counts are not additive."""

    def __init__(self, text: str, limits: Sequence[Limit], overlap: int) -> None:
        self._text = text
        self._limits = limits
        self._overlap = overlap
        self._sections = [""]
        self._atoms = self._cut_atoms()

    def passages(self) -> Iterator[tuple[Span, str]]:
        """The span and the section of each passage."""
        before, first = -1, 0
        while first < len(self._atoms):
            start, end = self._fill(self._overlap_start(before, first), first)
            yield self._span(start, end), self._sections[self._atoms[first].section]
            before, first = start, end

    def _cut_atoms(self) -> list[_Atom]:
        """All atoms; a heading counts to the paragraph below it, so that the two stay together."""
        atoms: list[_Atom] = []
        number, after_heading = 0, False
        for paragraph in paragraphs(self._text):
            if paragraph.heading is not None:
                self._sections[len(self._sections) - after_heading :] = [paragraph.heading]
            number += not after_heading
            after_heading = paragraph.heading is not None
            for sentence in sentences_of(self._text, paragraph):
                spans = self._bounded(sentence)
                atoms += [_Atom(span, 0, number, len(self._sections) - 1) for span in spans]
        return self._costed(atoms, len(self._text))

    def _bounded(self, sentence: Span) -> list[Span]:
        budget = self._limits[0].maximum
        parts = pieces(self._text, sentence, budget * _CHARS_PER_TOKEN)
        return [span for part in parts for span in self._divide(part, self._limits[:1])]

    def _costed(self, atoms: list[_Atom], end: int) -> list[_Atom]:
        ends = [atom.span.start for atom in atoms[1:]] + [end]
        count = self._limits[0].count
        return [
            atom._replace(cost=count(self._text[atom.span.start : stop]))
            for atom, stop in zip(atoms, ends, strict=False)
        ]

    def _divide(self, span: Span, limits: Sequence[Limit]) -> list[Span]:
        """`span`, or pieces of it that keep the limits."""
        excess = self._excess(span, limits)
        if excess <= 1:
            return [span]
        if len(span) == 1:
            raise InputError("a passage limit is too small to hold a single character; raise it")
        width = math.ceil(len(span) / max(2, math.ceil(excess)))
        return [part for piece in pieces(self._text, span, width) for part in self._divide(piece, limits)]

    def _excess(self, span: Span, limits: Sequence[Limit]) -> float:
        """How many times over its limits a span is; 1 or less keeps them."""
        text, excess = span.of(self._text), 0.0
        for limit in limits:
            excess = max(excess, limit.count(text) / limit.maximum)
            if excess > 1:
                break
        return excess

    def _span(self, start: int, end: int) -> Span:
        return Span(self._atoms[start].span.start, self._atoms[end - 1].span.end)

    def _fits(self, start: int, end: int) -> bool:
        """Whether atoms[start:end] keep the budget; the costlier limits wait until a passage is planned."""
        return self._excess(self._span(start, end), self._limits[:1]) <= 1

    def _overlap_start(self, before: int, first: int) -> int:
        """The first atom that is repeated: later than the last passage's first, and of the same section."""
        atoms, start, spent = self._atoms, first, 0
        while start - 1 > before and atoms[start - 1].section == atoms[first].section:
            spent += atoms[start - 1].cost
            if spent > self._overlap:
                break
            start -= 1
        count = self._limits[0].count
        while start < first and count(self._span(start, first).of(self._text)) > self._overlap:
            start += 1
        return start

    def _fill(self, start: int, first: int) -> tuple[int, int]:
        """Where the passage starts that adds atoms from `first` on, and where it ends.

        It gives up overlap where that keeps a whole paragraph, or else a whole sentence, in it.
        """
        least = first + 1
        if first == 0 or self._atoms[first - 1].paragraph != self._atoms[first].paragraph:
            end = self._paragraph_end(first)
            least = end if self._fits(first, end) else least
        while start < first and not self._fits(start, least):
            start += 1
        end = self._whole(self._furthest(start, least), least)
        while (excess := self._excess(self._span(start, end), self._limits)) > 1:
            if end > least:
                end = max(least, min(end - 1, start + int((end - start) / excess)))
                end = self._whole(end, least)
            elif start < first:
                start += 1
            elif least > first + 1:
                least = first + 1
            else:
                self._split(first)
        return start, end

    def _split(self, at: int) -> None:
        """Replace an atom that is over a limit by pieces that are not."""
        atom = self._atoms[at]
        parts = [atom._replace(span=span) for span in self._divide(atom.span, self._limits)]
        self._atoms[at : at + 1] = self._costed(parts, atom.span.end)

    def _paragraph_end(self, at: int) -> int:
        end = at + 1
        while end < len(self._atoms) and self._atoms[end].paragraph == self._atoms[at].paragraph:
            end += 1
        return end

    def _furthest(self, start: int, least: int) -> int:
        """The largest end, not below `least`, up to which atoms of one section keep the budget."""
        atoms, end, budget = self._atoms, least, self._limits[0].maximum
        spent = sum(atom.cost for atom in atoms[start:end])
        while end < len(atoms) and atoms[end].section == atoms[start].section and spent < budget:
            spent += atoms[end].cost
            end += spent <= budget
        while end > least and not self._fits(start, end):
            end -= 1
        return end

    def _whole(self, end: int, least: int) -> int:
        """`end`, or the paragraph bound before it if the paragraph that it breaks can stay whole after it."""
        atoms, bound = self._atoms, end
        if end == len(atoms):
            return end
        while bound > least and atoms[bound - 1].paragraph == atoms[end].paragraph:
            bound -= 1
        broken = bound < end and atoms[bound - 1].paragraph != atoms[bound].paragraph
        return bound if broken and self._fits(bound, self._paragraph_end(bound)) else end
