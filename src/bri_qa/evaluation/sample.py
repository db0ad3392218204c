"""The metrics of a set of cases, with each case counted as often as a weight says.

One definition serves three uses: all weights 1 give the scores of a run, the counts of a bootstrap resample give the
scores of that resample, and the same counts put to two runs give their paired difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from bri_qa.evaluation.metrics import METRICS, PERCENTILES

Numbers: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]

BINS = 10


@dataclass(frozen=True, slots=True)
class Row:
    """What a case adds to the metrics. `right` is of the verdict, `citations` how many, `seconds` None if unknown."""

    scores: dict[str, float]
    answerable: bool
    abstained: bool
    right: bool
    confidence: float
    citations: int
    seconds: float | None


def bearing(metric: str, row: Row) -> tuple[Any, ...]:
    """What of a row bears on `metric`: rows that are alike in it count alike."""
    if metric in _OF_ALL:
        return tuple(getattr(row, name) for name in _OF_ALL[metric])
    return row.scores.get(metric), row.citations if metric == "citation_validity" else None


_SELECTIVE = ("abstained", "right", "confidence")
_OF_ALL = {
    **dict.fromkeys((*PERCENTILES, "throughput"), ("seconds",)),
    **dict.fromkeys(("abstention_precision", "abstention_recall", "abstention_f1"), ("abstained",)),
    "false_abstention_rate": ("abstained",),
    "abstention_auroc": ("confidence",),
    "aurc": _SELECTIVE,
    "calibration_error": _SELECTIVE,
}


class Sample:
    """Rows as columns. Every statistic takes weights of shape [resamples, cases] and gives [resamples]; where a
    metric applies to no case of a resample, it is NaN."""

    def __init__(self, rows: Sequence[Row]) -> None:
        scores = {name: _column([row.scores.get(name) for row in rows]) for name in METRICS}
        self._scores = {name: values for name, values in scores.items() if not np.isnan(values).all()}
        columns = np.column_stack([*self._scores.values()]) if self._scores else np.empty((len(rows), 0))
        self._applies = (~np.isnan(columns)).astype(np.float64)
        self._values = np.nan_to_num(columns)
        self._known = _flags([row.answerable for row in rows])
        self._quiet = _flags([row.abstained for row in rows])
        self._right = _flags([row.right for row in rows])
        self._confidence = _column([row.confidence for row in rows])
        self._citations = _column([float(row.citations) for row in rows])
        self._seconds = _column([row.seconds for row in rows])
        self.size = len(rows)

    @property
    def summary(self) -> dict[str, float]:
        """The metrics that apply, each case counted once, in the order of `METRICS`."""
        if not self.size:
            return {}
        found = self.statistics(np.ones((1, self.size)))
        return {name: float(values[0]) for name, values in found.items() if not np.isnan(values[0])}

    def statistics(self, weights: Numbers) -> dict[str, Numbers]:
        """Every metric that a case can bear on, in the order of `METRICS`."""
        with np.errstate(divide="ignore", invalid="ignore"):
            means = _nan_divided(weights @ self._values, weights @ self._applies)
            found = {name: means[:, place] for place, name in enumerate(self._scores)}
            if "citation_validity" in found:
                found["citation_validity"] = _mean(self._scores["citation_validity"], weights * self._citations)
            found |= self._abstention(weights) | self._latency(weights)
            found |= {"abstention_auroc": self._auroc(weights), "aurc": self._aurc(weights)}
            found["calibration_error"] = self._calibration_error(weights)
        return {name: found[name] for name in METRICS if name in found}

    def _abstention(self, weights: Numbers) -> dict[str, Numbers]:
        quiet, known = weights @ self._quiet, weights @ self._known
        right, unknown = weights @ (self._quiet & ~self._known), weights @ ~self._known
        return {
            "abstention_precision": right / quiet,
            "abstention_recall": right / unknown,
            "abstention_f1": 2 * right / (quiet + unknown),
            "false_abstention_rate": (quiet - right) / known,
        }

    def _auroc(self, weights: Numbers) -> Numbers:
        """The Mann-Whitney statistic over levels of confidence: pairs won plus half of those tied, over all pairs."""
        levels = _Levels(self._confidence)
        positive, negative = levels.sums(weights * self._known), levels.sums(weights * ~self._known)
        below = np.cumsum(negative, axis=1) - negative
        won = (positive * (below + negative / 2)).sum(axis=1)
        return _nan_divided(won, positive.sum(axis=1) * negative.sum(axis=1))

    def _aurc(self, weights: Numbers) -> Numbers:
        """The mean over the answers of the risk at the confidence of each."""
        answered, wrong = self._selective(weights)
        total = np.cumsum(answered, axis=1)
        risk = np.where(total > 0, np.cumsum(wrong, axis=1) / total, 0.0)
        return _nan_divided((answered * risk).sum(axis=1), answered.sum(axis=1))

    def _selective(self, weights: Numbers) -> tuple[Numbers, Numbers]:
        """How many answers, and wrong ones, stand at each level of confidence, the highest first."""
        levels = _Levels(-self._confidence)
        given = weights * ~self._quiet
        return levels.sums(given), levels.sums(given * ~self._right)

    def risk_coverage(self) -> list[tuple[float, float]]:
        """(coverage, risk) for each level of confidence at which an answer stands, the highest first.

        Coverage is the share of all cases answered with at least that confidence, risk the share of those that are
        wrong.
        """
        if not self.size:
            return []
        answered, wrong = (found[0] for found in self._selective(np.ones((1, self.size))))
        total, failed = np.cumsum(answered), np.cumsum(wrong)
        stands = answered > 0
        return [(float(n) / self.size, float(w / n)) for n, w in zip(total[stands], failed[stands], strict=True)]

    def _bins(self, weights: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """For each bin of confidence: how many answers, the sum of their confidence, and how many are right."""
        place = np.minimum((self._confidence * BINS).astype(int), BINS - 1)
        member = (place[:, None] == np.arange(BINS)) & ~self._quiet[:, None]
        confidence, right = member * self._confidence[:, None], member & self._right[:, None]
        return weights @ member, weights @ confidence, weights @ right

    def _calibration_error(self, weights: Numbers) -> Numbers:
        count, confidence, right = self._bins(weights)
        return _nan_divided(np.abs(confidence - right).sum(axis=1), count.sum(axis=1))

    def calibration(self) -> list[dict[str, Any]]:
        """The bins of confidence that hold an answer: mean confidence, share that is right, and how many."""
        if not self.size:
            return []
        rows = zip(*(found[0] for found in self._bins(np.ones((1, self.size)))), strict=True)
        return [
            {
                "low": number / BINS,
                "high": (number + 1) / BINS,
                "confidence": round(float(confidence / count), 6),
                "right": round(float(right / count), 6),
                "count": int(count),
            }
            for number, (count, confidence, right) in enumerate(rows)
            if count
        ]

    def _latency(self, weights: Numbers) -> dict[str, Numbers]:
        """Percentiles, interpolated between neighbours, and questions a second of asking."""
        timed = ~np.isnan(self._seconds)
        if not timed.any():
            return {}
        order = np.argsort(self._seconds[timed], kind="stable")
        seconds, counts = self._seconds[timed][order], weights[:, timed][:, order]
        upto = np.cumsum(counts, axis=1)
        total = upto[:, -1]

        def at(place: Numbers) -> Numbers:
            value: Numbers = seconds[(upto > place[:, None]).argmax(axis=1)]
            return value

        found = {}
        for name, share in PERCENTILES.items():
            place = np.maximum(total - 1, 0) * share
            low = np.floor(place)
            value = at(low) + (at(np.ceil(place)) - at(low)) * (place - low)
            found[name] = np.where(total > 0, value, np.nan)
        return found | {"throughput": total / (counts @ seconds)}


class _Levels:
    """Columns put together where `values` are equal, in rising order."""

    def __init__(self, values: Numbers) -> None:
        self._order = np.argsort(values, kind="stable")
        ordered = values[self._order]
        self._starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))

    def sums(self, weights: Numbers) -> Numbers:
        summed: Numbers = np.add.reduceat(weights[:, self._order], self._starts, axis=1)
        return summed


def _column(values: Sequence[float | None]) -> Numbers:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _flags(values: Sequence[bool]) -> Flags:
    return np.array(values, dtype=np.bool_)


def _mean(values: Numbers, weights: Numbers) -> Numbers:
    applies = ~np.isnan(values)
    return _nan_divided(weights @ np.where(applies, values, 0.0), weights @ applies)


def _nan_divided(above: Numbers, below: Numbers) -> Numbers:
    return np.where(below > 0, above / np.where(below > 0, below, 1.0), np.nan)
