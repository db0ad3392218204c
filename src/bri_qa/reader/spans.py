"""From a cross-encoder's numbers to spans of a passage's text. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bri_qa.types import Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST = 40  # tokens of a span
KEPT = 6  # spans of a window


@dataclass(frozen=True, slots=True)
class Window:
    """A run of a passage's tokens as the network sees it: `offset` tokens of the row come before it."""

    passage: int
    offset: int
    places: Sequence[tuple[int, int]]  # (start, end) of each token in the passage's text


def best_spans(logits: NDArray[np.float32], window: Window, text: str) -> list[tuple[Span, float]]:
    """Spans that do not overlap, best first, with their margin over "no answer" (the first token's logits).

    Args:
        logits: f32[tokens, 2], start and end, of the row that holds the window.
    """
    null = float(logits[0].sum())
    count = len(window.places)
    inside = logits[window.offset : window.offset + count]
    sums = inside[:, 0][:, None] + inside[:, 1][None, :]
    sums = np.where(np.tri(count, k=-1, dtype=bool) | ~np.tri(count, k=LONGEST - 1, dtype=bool), -np.inf, sums)
    found: list[tuple[Span, float]] = []
    for flat in np.argsort(-sums, axis=None, kind="stable")[: KEPT * 20]:
        first, last = divmod(int(flat), count)
        if not np.isfinite(sums[first, last]):
            break
        span = whole_words(text, Span(window.places[first][0], window.places[last][1]))
        if not any(span.overlaps(other) for other, _ in found):
            found.append((span, float(sums[first, last]) - null))
        if len(found) == KEPT:
            break
    return found


def whole_words(text: str, span: Span) -> Span:
    """The span, grown so that it cuts no word or number in two."""
    start, end = span.start, span.end
    while 0 < start < len(text) and text[start].isalnum() and text[start - 1].isalnum():
        start -= 1
    while 0 < end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    return Span(start, end)
