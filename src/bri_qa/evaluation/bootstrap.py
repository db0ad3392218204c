"""Intervals and paired differences by the bootstrap over cases (Efron & Tibshirani 1993, chapters 13 and 16).

Whole cases are drawn with replacement, as many as there are; the 2.5th and 97.5th percentile of the scores of the
resamples bound the 95 % interval. The draws are seeded: the same cases give the same interval. Where every case scores
alike, so does every resample, and the interval has no width: it then says nothing on cases of another sort.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bri_qa.evaluation.metrics import METRICS
from bri_qa.evaluation.sample import Numbers, Sample

RESAMPLES = 2_000
SEED = 1993
LEAST = 0.5  # share of the resamples that a metric must apply to, to have an interval
_CELLS = 1_000_000  # resamples times cases at once
_PLACES = 12  # of a difference; beyond them is the noise of sums


@dataclass(frozen=True, slots=True)
class Difference:
    """`after - before` of one metric over the same cases, its 95 % interval and two-sided p."""

    before: float
    after: float
    low: float
    high: float
    p: float

    @property
    def change(self) -> float:
        return self.after - self.before


def draws(size: int, resamples: int = RESAMPLES, seed: int = SEED) -> Iterator[Numbers]:
    """How often each of `size` cases is drawn, [resamples, size] in batches. Rows sum to `size`."""
    rng = np.random.default_rng(seed)
    batch = max(1, min(resamples, _CELLS // max(1, size)))
    for start in range(0, resamples, batch):
        rows = min(batch, resamples - start)
        drawn = rng.integers(0, size, size=(rows, size)) + np.arange(rows)[:, None] * size
        yield np.bincount(drawn.ravel(), minlength=rows * size).reshape(rows, size).astype(np.float64)


def intervals(sample: Sample, resamples: int = RESAMPLES, seed: int = SEED) -> dict[str, tuple[float, float]]:
    """The 95 % interval of each metric of `sample` that applies, in the order of `METRICS`."""
    if not sample.size:
        return {}
    scores = _gathered([sample.statistics(weights) for weights in draws(sample.size, resamples, seed)])
    applies = sample.summary.keys()
    found = {name: _interval(values) for name, values in scores.items() if name in applies}
    return {name: bounds for name, bounds in found.items() if bounds is not None}


def paired(before: Sample, after: Sample, resamples: int = RESAMPLES, seed: int = SEED) -> dict[str, Difference]:
    """The difference of each metric that applies to both; row i of each sample is of the same case.

    p is twice the smaller share of resamples in which the difference is not above, or not below, 0 (at most 1); with
    one added to both counts, as no finite number of draws gives a p of 0 (Davison & Hinkley 1997).
    """
    if before.size != after.size:
        raise ValueError(f"paired samples are of the same cases, got {before.size} and {after.size}")
    if not before.size:
        return {}
    then, now = before.summary, after.summary
    batches = []
    for weights in draws(before.size, resamples, seed):
        left, right = before.statistics(weights), after.statistics(weights)
        batches.append({name: np.round(right[name] - left[name], _PLACES) for name in right if name in left})
    found = {}
    for name, values in _gathered(batches).items():
        bounds = _interval(values)
        if bounds is not None and name in then and name in now:
            found[name] = Difference(then[name], now[name], *bounds, _p(values[~np.isnan(values)]))
    return found


def _gathered(batches: list[dict[str, Numbers]]) -> dict[str, Numbers]:
    return {name: np.concatenate([batch[name] for batch in batches]) for name in METRICS if name in batches[0]}


def _interval(values: Numbers) -> tuple[float, float] | None:
    valid = values[~np.isnan(values)]
    if valid.size < LEAST * values.size:
        return None
    low, high = np.percentile(valid, [2.5, 97.5])
    return float(low), float(high)


def _p(differences: Numbers) -> float:
    count = differences.size
    tail = min(int((differences <= 0).sum()), int((differences >= 0).sum()))
    return min(1.0, 2 * (tail + 1) / (count + 1))
