"""Texts put into an article, without a letter of the article changed and never within gold evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bri_qa.types import Span


@dataclass(frozen=True, slots=True)
class Insertion:
    """`text` to stand before the character `at`. A planted one has a made-up word, which no answer may repeat."""

    at: int
    text: str
    planted: str | None = None


@dataclass(frozen=True, slots=True)
class Edited:
    """The text with its insertions (in order) and where they stand in it."""

    text: str
    insertions: tuple[Insertion, ...]
    places: tuple[Span, ...]

    def moved(self, span: Span) -> Span:
        """Where a span of the old text, into which nothing was put, stands in the new one."""
        before = sum(len(item.text) for item in self.insertions if item.at <= span.start)
        return span.shift(before)

    @property
    def planted(self) -> tuple[tuple[Span, str], ...]:
        """Where something was planted, and its made-up word."""
        pairs = zip(self.insertions, self.places, strict=True)
        return tuple((place, item.planted) for item, place in pairs if item.planted is not None)


def edited(text: str, insertions: Sequence[Insertion], gold: Sequence[Span]) -> Edited:
    """`text` with those `insertions` that would not stand within one of `gold`; those at one place keep their order."""
    kept = [item for item in insertions if not any(span.start < item.at < span.end for span in gold)]
    kept.sort(key=lambda item: item.at)
    parts: list[str] = []
    places: list[Span] = []
    at = length = 0
    for item in kept:
        parts += [text[at : item.at], item.text]
        length += item.at - at
        places.append(Span(length, length + len(item.text)))
        length += len(item.text)
        at = item.at
    return Edited("".join([*parts, text[at:]]), tuple(kept), tuple(places))


def lines_of(text: str) -> list[Span]:
    """The lines that hold a word, without their ends."""
    found, at = [], 0
    for line in text.split("\n"):
        if any(map(str.isalnum, line)):
            found.append(Span(at, at + len(line)))
        at += len(line) + 1
    return found
