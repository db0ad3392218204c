"""How sure an answer is, in words, and what was measured about the words. Pure.

A score travels with its model: the words hold for every reader, whose confidence is calibrated, but the measured
meaning only for the one that it was measured with.
"""

from __future__ import annotations

from dataclasses import dataclass

from bri_qa.types import Answer

MEASURED_READER = "bri-reader-3"


@dataclass(frozen=True, slots=True)
class Band:
    """From `least` upwards. Of `asked` test answers in the band, `right` had the right words and the right quotes."""

    kind: str
    least: float
    right: int
    asked: int


# Answers to the cases of eval/cases (dev and test), each judged by `bri-qa eval` (verdict `ok`), 2026-11-25.
BANDS = (Band("high", 0.5, 80, 87), Band("medium", 0.2, 94, 123), Band("low", 0.0, 61, 107))


def band(confidence: float) -> Band:
    """The band of a confidence in [0, 1]."""
    return next(item for item in BANDS if confidence >= item.least or item is BANDS[-1])


def is_measured(answer: Answer) -> bool:
    """Whether the answer's reader is the one that the bands were measured with."""
    return answer.trace.models.get("reader", "").startswith(MEASURED_READER)
