"""Intervals and paired differences: reproducible, as wide as theory says, and in agreement with SciPy."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from bri_qa.evaluation.bootstrap import draws, intervals, paired
from bri_qa.evaluation.sample import Sample
from tests.test_evaluation_sample import row


def sample(values: list[float]) -> Sample:
    return Sample([row(f1=value) for value in values])


def test_every_resample_has_as_many_cases_as_there_are() -> None:
    batches = list(draws(700, resamples=3_000))
    assert len(batches) > 1
    drawn = np.concatenate(batches)
    assert drawn.shape == (3_000, 700)
    assert (drawn.sum(axis=1) == 700).all()
    assert drawn.mean(axis=0) == pytest.approx(1, abs=0.1)
    assert len({bytes(line) for line in drawn}) == 3_000


def test_an_interval_of_a_share_is_as_wide_as_theory_says_and_the_same_each_time() -> None:
    values = [1.0] * 300 + [0.0] * 100
    low, high = intervals(sample(values))["f1"]
    spread = 1.96 * sqrt(0.75 * 0.25 / 400)
    assert (low, high) == pytest.approx((0.75 - spread, 0.75 + spread), abs=0.006)
    assert intervals(sample(values))["f1"] == (low, high)
    assert intervals(sample(values), seed=2)["f1"] != (low, high)


def test_an_interval_is_that_of_scipy() -> None:
    from scipy.stats import bootstrap  # type: ignore[import-untyped]

    values = np.random.default_rng(5).beta(2, 1, size=150)
    theirs = bootstrap((values,), np.mean, n_resamples=5_000, method="percentile", rng=np.random.default_rng(6))
    ours = intervals(sample(list(values)), resamples=5_000)["f1"]
    assert ours == pytest.approx(tuple(theirs.confidence_interval), abs=0.005)


def test_only_metrics_that_apply_have_intervals() -> None:
    found = intervals(sample([1.0, 0.0, 1.0]))
    assert found.keys() == {"f1", "false_abstention_rate", "aurc", "calibration_error"}
    assert intervals(Sample([])) == {}
    rare = Sample([row(f1=1.0), *[row(known=False, quiet=True)] * 2, *[row()] * 40])
    assert "f1" in intervals(rare)  # it is drawn in 63 % of the resamples


def test_a_difference_is_between_the_same_cases() -> None:
    before = [float(n % 2) for n in range(200)]
    after = [*before[:180], *[1.0] * 20]  # ten cases got better, none worse
    found = paired(sample(before), sample(after))["f1"]
    assert [found.before, found.after, found.change] == pytest.approx([0.5, 0.55, 0.05])
    assert 0.02 <= found.low <= 0.03 and 0.075 <= found.high <= 0.085  # unpaired, it would reach from -0.05 to 0.15
    assert found.p < 0.01
    back = paired(sample(after), sample(before))["f1"]
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low))


def test_the_same_scores_differ_by_nothing() -> None:
    found = paired(sample([0.1, 0.7, 0.2]), sample([0.1, 0.7, 0.2]))
    assert {(item.change, item.low, item.high, item.p) for item in found.values()} == {(0, 0, 0, 1)}


def test_one_case_in_a_hundred_is_no_proof() -> None:
    found = paired(sample([1.0] * 100), sample([1.0] * 99 + [0.0]))["f1"]
    assert (found.low < 0, found.high) == (True, 0)
    assert found.p > 0.3


def test_a_metric_of_one_run_alone_has_no_difference() -> None:
    assert "f1" not in paired(Sample([row(), row()]), sample([1.0, 0.0]))
    assert paired(Sample([]), Sample([])) == {}
    with pytest.raises(ValueError, match="same cases"):
        paired(sample([1.0]), sample([1.0, 1.0]))
