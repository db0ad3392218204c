"""What changed from another run to this one: scores, and case by case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bri_qa.evaluation.bootstrap import paired
from bri_qa.evaluation.metrics import LOWER_IS_BETTER
from bri_qa.evaluation.report.saved import SavedCase, SavedRun
from bri_qa.evaluation.sample import Row, Sample


@dataclass(frozen=True, slots=True)
class Difference:
    """`this - other` of one metric over the cases of both runs, with the 95 % interval of the difference."""

    metric: str
    this: float
    other: float
    interval: tuple[float, float]

    @property
    def change(self) -> float:
        return self.this - self.other

    @property
    def certain(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.interval[0] > 0 or self.interval[1] < 0

    @property
    def better(self) -> bool:
        return self.change < 0 if self.metric in LOWER_IS_BETTER else self.change > 0


@dataclass(frozen=True, slots=True)
class Pair:
    """A case of this run and the same case of the other one."""

    this: SavedCase
    other: SavedCase

    @property
    def change(self) -> str:
        """`improved` (became right), `broken` (was right), `different` (another answer or verdict) or `same`."""
        if self.this.right != self.other.right:
            return "improved" if self.this.right else "broken"
        return "same" if _shown(self.this) == _shown(self.other) else "different"


def _shown(case: SavedCase) -> tuple[Any, ...]:
    return case.verdict, case.answer.answer, case.answer.short_answer


@dataclass(frozen=True, slots=True)
class Changes:
    """`only_this` and `only_other` count the cases that cannot be paired, as the other run has no such case."""

    name: str
    differences: tuple[Difference, ...]
    pairs: Mapping[str, Pair]
    only_this: int
    only_other: int

    def of(self, change: str) -> Sequence[Pair]:
        return [pair for pair in self.pairs.values() if pair.change == change]


def changes(this: SavedRun, other: SavedRun) -> Changes:
    """Pair the cases of one id that ask the same and expect the same.

    Differences are over the pairs, their intervals by the paired bootstrap.
    """
    before = {case.id: case for case in other.cases}
    pairs = {
        case.id: Pair(case, before[case.id])
        for case in this.cases
        if case.id in before and _asked(before[case.id]) == _asked(case)
    }
    found = paired(
        Sample([_row(pair.other) for pair in pairs.values()]), Sample([_row(pair.this) for pair in pairs.values()])
    )
    differences = tuple(
        Difference(name, item.after, item.before, (item.low, item.high)) for name, item in found.items()
    )
    return Changes(other.name, differences, pairs, len(this.cases) - len(pairs), len(other.cases) - len(pairs))


def _asked(case: SavedCase) -> tuple[Any, ...]:
    """What makes it the same case."""
    gold = tuple((item.document_id, item.quote) for item in case.evidence)
    return case.question, case.history, case.answers, gold


def _row(case: SavedCase) -> Row:
    return Row(
        scores=case.scores,
        answerable=case.answerable,
        abstained=case.answer.abstained,
        right=case.right,
        confidence=case.answer.confidence or 0.0,
        citations=len(case.answer.citations),
        seconds=case.seconds,
    )
