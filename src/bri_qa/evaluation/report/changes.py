"""What changed from another run to this one: scores, and case by case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bri_qa.evaluation.metrics import LOWER_IS_BETTER
from bri_qa.evaluation.report.saved import SavedCase, SavedRun


@dataclass(frozen=True, slots=True)
class Difference:
    """`this - other` of one metric over the cases of both runs, its 95 % interval, and whether it is beyond chance."""

    metric: str
    this: float
    other: float
    interval: tuple[float, float]
    certain: bool = False

    @property
    def change(self) -> float:
        return self.this - self.other

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
    """`only_this` and `only_other` count the cases that cannot be paired, as the other run has no such case.

    `settings` are those that differ: name, value in this run, value in the other.
    """

    name: str
    differences: tuple[Difference, ...]
    pairs: Mapping[str, Pair]
    only_this: int
    only_other: int
    settings: tuple[tuple[str, str, str], ...] = ()

    def of(self, change: str) -> Sequence[Pair]:
        return [pair for pair in self.pairs.values() if pair.change == change]


def changes(this: SavedRun, other: SavedRun) -> Changes:
    """What `compare` finds between the runs, as the report shows it: over the cases that are the same in both.

    Raises:
        CaseError: no case is the same in both.
    """
    from bri_qa.evaluation.compare import Judgement, compare  # which pairs cases as `Pair` of this module

    found = compare(other, this)
    return Changes(
        name=other.name,
        differences=tuple(
            Difference(
                item.metric,
                item.difference.after,
                item.difference.before,
                (item.difference.low, item.difference.high),
                certain=item.judgement is not Judgement.NO_DIFFERENCE,
            )
            for item in found.findings
        ),
        pairs={pair.this.id: pair for pair in found.pairs},
        only_this=len(found.only_after) + len(found.altered),
        only_other=len(found.only_before) + len(found.altered),
        settings=tuple((name, str(after), str(before)) for name, (before, after) in found.settings.items()),
    )
