"""What changed from another run to this one: scores, and case by case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bri_qa.evaluation.metrics import LOWER_IS_BETTER, METRICS
from bri_qa.evaluation.report.saved import SavedCase, SavedRun


@dataclass(frozen=True, slots=True)
class Difference:
    """`this - other` of one metric, with the 95 % interval of the difference where it is known."""

    metric: str
    this: float
    other: float
    interval: tuple[float, float] | None = None

    @property
    def change(self) -> float:
        return self.this - self.other

    @property
    def certain(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.interval is not None and (self.interval[0] > 0 or self.interval[1] < 0)

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
    """`only_this` and `only_other` count the cases that cannot be paired: no case of that id and question there."""

    name: str
    differences: tuple[Difference, ...]
    pairs: Mapping[str, Pair]
    only_this: int
    only_other: int

    def of(self, change: str) -> Sequence[Pair]:
        return [pair for pair in self.pairs.values() if pair.change == change]


def changes(this: SavedRun, other: SavedRun) -> Changes:
    """Pair the cases by id and question. A score that one of the runs lacks has no difference."""
    before = {case.id: case for case in other.cases}
    pairs = {
        case.id: Pair(case, before[case.id])
        for case in this.cases
        if case.id in before and before[case.id].question == case.question
    }
    now, then = this.file.summary, other.file.summary
    names = [*METRICS, *(name for name in now if name not in METRICS)]
    differences = tuple(Difference(name, now[name], then[name]) for name in names if name in now and name in then)
    return Changes(other.name, differences, pairs, len(this.cases) - len(pairs), len(other.cases) - len(pairs))
