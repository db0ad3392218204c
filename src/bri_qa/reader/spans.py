"""From a cross-encoder's numbers to spans of a passage's text. Pure arithmetic."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bri_qa.types import Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST = 40  # tokens of a span
_REACH = 60  # characters looked at on either side
_PAIRS = {"(": ")", "[": "]", "“": "”", "‘": "’", "«": "»", "（": "）", "《": "》"}
_WHOLE = re.compile(r"\d+(?:[.,]\d+)*|\w+")


@dataclass(frozen=True, slots=True)
class Window:
    """A run of a passage's tokens as the network sees it: `offset` tokens of the row come before it."""

    passage: int
    offset: int
    places: Sequence[tuple[int, int]]  # (start, end) of each token in the passage's text


def best_in(logits: NDArray[np.float32], window: Window, sentence: Span, text: str) -> tuple[Span, float] | None:
    """The best span within a sentence, and its margin over "no answer" (the first token's logits).

    None where the window holds no token of the sentence.

    Args:
        logits: f32[tokens, 2], start and end, of the row that holds the window.
    """
    inside = [i for i, (start, end) in enumerate(window.places) if start < sentence.end and sentence.start < end]
    if not inside:
        return None
    first, count = inside[0], len(inside)
    part = logits[window.offset + first : window.offset + first + count]
    sums = part[:, 0][:, None] + part[:, 1][None, :]
    band = np.triu(np.ones((count, count), bool)) & np.tri(
        count, k=LONGEST - 1, dtype=bool
    )  # start <= end, not too far
    best = int(np.where(band, sums, -np.inf).argmax())
    start, end = divmod(best, count)
    span = Span(window.places[first + start][0], window.places[first + end][1])
    return closed(text, whole_words(text, span), sentence), float(sums[start, end]) - float(logits[0].sum())


def whole_words(text: str, span: Span) -> Span:
    """The span, grown so that it cuts no word in two and no number, thousands and decimals included."""
    start, end = span.start, span.end
    for word in _WHOLE.finditer(text, max(0, start - _REACH), min(len(text), end + _REACH)):
        if word.start() < start < word.end():
            start = word.start()
        if word.start() < end < word.end():
            end = word.end()
    return Span(start, end)


def closed(text: str, span: Span, within: Span) -> Span:
    """The span, grown to the end of a bracket or quotation that it opens, if that ends soon in the same sentence."""
    open_: list[str] = []
    for letter in span.of(text):
        if letter in _PAIRS:
            open_.append(_PAIRS[letter])
        elif open_ and letter == open_[-1]:
            open_.pop()
    end = span.end
    while open_:
        found = text.find(open_.pop(), end, min(within.end, span.end + _REACH))
        if found < 0:
            break
        end = found + 1
    if span.of(text).count('"') % 2 and text[end : end + 1] == '"':
        end += 1
    return Span(span.start, end)
