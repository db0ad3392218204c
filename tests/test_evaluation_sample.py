"""Metrics of a set of cases: worked out by hand, and against scikit-learn and NumPy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bri_qa.evaluation.metrics import METRICS
from bri_qa.evaluation.sample import Row, Sample, bearing


def row(
    confidence: float = 0.5,
    *,
    known: bool = True,
    quiet: bool = False,
    right: bool = True,
    seconds: float | None = None,
    citations: int = 1,
    **scores: float,
) -> Row:
    return Row(scores, known, quiet, right, confidence, citations, seconds)


def test_a_mean_is_over_the_cases_that_a_metric_applies_to() -> None:
    summary = Sample([row(f1=1.0), row(f1=0.5), row()]).summary
    assert summary["f1"] == 0.75
    assert "mrr" not in summary and "latency_p50" not in summary
    assert list(summary) == [name for name in METRICS if name in summary]


def test_validity_weighs_each_citation_the_same() -> None:
    assert Sample(
        [row(citations=1, citation_validity=0.0), row(citations=3, citation_validity=1.0), row(citations=0)]
    ).summary["citation_validity"] == pytest.approx(3 / 4)


def test_abstention_by_hand() -> None:
    answerable = [True, True, True, True, False, False, False]
    abstained = [False, False, False, True, True, True, False]
    confidence = [0.9, 0.8, 0.4, 0.3, 0.2, 0.3, 0.6]
    rows = [
        row(score, known=known, quiet=quiet)
        for known, quiet, score in zip(answerable, abstained, confidence, strict=True)
    ]
    found = Sample(rows).summary
    assert {name: found[name] for name in found if "abstention" in name} == {
        "abstention_precision": pytest.approx(2 / 3),
        "abstention_recall": pytest.approx(2 / 3),
        "abstention_f1": pytest.approx(2 / 3),
        "abstention_auroc": pytest.approx((3 + 3 + 2 + 1.5) / 12),
        "false_abstention_rate": 1 / 4,
    }


@pytest.mark.parametrize(
    ("only", "names"),
    [
        (row(0.9), {"false_abstention_rate", "aurc", "calibration_error"}),
        (row(0.1, quiet=True, right=False), {"abstention_precision", "abstention_f1", "false_abstention_rate"}),
        (row(0.9, known=False, right=False), {"abstention_recall", "abstention_f1", "aurc", "calibration_error"}),
    ],
)
def test_a_metric_that_does_not_apply_is_absent(only: Row, names: set[str]) -> None:
    assert Sample([only]).summary.keys() == names
    assert Sample([]).summary == {}
    assert (Sample([]).risk_coverage(), Sample([]).calibration()) == ([], [])


SCORED = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0]), st.booleans()), min_size=1, max_size=30)


@given(SCORED)
def test_auroc_is_that_of_scikit_learn(scored: list[tuple[float, bool]]) -> None:
    from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]

    found = Sample([row(score, known=known) for score, known in scored]).summary
    kinds = [known for _, known in scored]
    if len(set(kinds)) == 2:
        assert found["abstention_auroc"] == pytest.approx(roc_auc_score(kinds, [score for score, _ in scored]))
    else:
        assert "abstention_auroc" not in found


def test_risk_and_coverage_by_hand() -> None:
    rows = [row(0.9), row(0.8, right=False), row(0.8), row(0.4, right=False), row(0.95, quiet=True, right=False)]
    sample = Sample(rows)
    assert sample.risk_coverage() == [(1 / 5, 0), (3 / 5, pytest.approx(1 / 3)), (4 / 5, 1 / 2)]
    assert sample.summary["aurc"] == pytest.approx((0 + 1 / 3 + 1 / 3 + 1 / 2) / 4)


def test_calibration_by_hand() -> None:
    rows = [row(1.0), row(0.92, right=False), row(0.15), row(0.1, right=False), row(0.05, quiet=True)]
    sample = Sample(rows)
    assert sample.calibration() == [
        {"low": 0.1, "high": 0.2, "confidence": 0.125, "right": 0.5, "count": 2},
        {"low": 0.9, "high": 1.0, "confidence": 0.96, "right": 0.5, "count": 2},
    ]
    assert sample.summary["calibration_error"] == pytest.approx((2 * 0.375 + 2 * 0.46) / 4)


@pytest.mark.parametrize("metric", sorted(METRICS.keys() - {"peak_memory_mb"}))
def test_rows_alike_in_what_bears_on_a_metric_give_the_same_score(metric: str) -> None:
    """The part of a row that `bearing` leaves out is changed; the metric must not move."""
    first = replace(row(0.9, seconds=0.1), scores={metric: 0.5})
    others = [
        row(0.9, seconds=0.7, citations=5, quiet=True, right=False, f1=0.1) if metric != "f1" else row(0.2, f1=0.5),
        row(0.3, seconds=0.1),
        row(0.9, quiet=True),
        row(0.9, right=False),
    ]
    for other in others:
        changed = replace(other, scores=other.scores | ({metric: 0.5} if metric in first.scores else {}))
        if bearing(metric, first) == bearing(metric, changed):
            rest = [row(0.4, known=False, seconds=0.3), row(0.8, right=False, seconds=0.2)]
            kept = Sample([first, *rest]).summary.get(metric)
            assert Sample([changed, *rest]).summary.get(metric) == pytest.approx(kept)


TIMES = st.lists(st.floats(0.001, 10), min_size=1, max_size=40)


@given(TIMES)
def test_latency_is_interpolated_as_numpy_does(seconds: list[float]) -> None:
    found = Sample([row(seconds=taken) for taken in [*seconds, None]]).summary
    for name, share in (("latency_p50", 50), ("latency_p90", 90), ("latency_p95", 95), ("latency_p99", 99)):
        assert found[name] == pytest.approx(np.percentile(seconds, share))
    assert found["throughput"] == pytest.approx(len(seconds) / sum(seconds))


ROWS = st.lists(
    st.builds(
        lambda confidence, flags, f1, seconds: row(
            confidence,
            known=flags[0],
            quiet=flags[1],
            right=flags[2],
            seconds=seconds,
            **({} if f1 is None else {"f1": f1}),
        ),
        st.sampled_from([0.0, 0.3, 0.31, 0.9, 1.0]),
        st.tuples(st.booleans(), st.booleans(), st.booleans()),
        st.sampled_from([None, 0.0, 0.5, 1.0]),
        st.sampled_from([0.1, 0.2, 0.7]),
    ),
    min_size=1,
    max_size=8,
)


@given(ROWS, st.data())
def test_a_weight_counts_a_case_that_often(rows: list[Row], data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)).filter(any))
    weighed = Sample(rows).statistics(np.array([weights], dtype=np.float64))
    repeated = Sample([item for item, count in zip(rows, weights, strict=True) for _ in range(count)]).summary
    found = {name: float(values[0]) for name, values in weighed.items() if not np.isnan(values[0])}
    assert found == pytest.approx(repeated)
