"""Gates and baselines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bri_qa.errors import CaseError, InputError
from bri_qa.evaluation.gate import Baseline, baseline_of, load, missed
from bri_qa.evaluation.metrics import MACHINE, METRICS


def baseline(gates: Any, tmp_path: Path, **more: Any) -> Baseline:
    file = tmp_path / "baseline.json"
    file.write_text(json.dumps({"gates": gates, **more}), encoding="utf-8")
    return load(file)


def test_gates_pass_at_their_bound_and_miss_beyond_it(tmp_path: Path) -> None:
    gates = {"false_abstention_rate": {"max": 0.1}, "f1": {"min": 0.5}, "latency_p50": {"max": 1}}
    held = baseline(gates, tmp_path, scores={"f1": 0.6})
    assert missed({"f1": 0.5, "false_abstention_rate": 0.1, "latency_p50": 1.0, "mrr": 0.0}, held) == []
    assert missed({"f1": 0.4999, "false_abstention_rate": 0.2, "latency_p50": 1.5}, held) == [
        "f1 must be at least 0.5, but is 0.4999",
        "false_abstention_rate must be at most 0.1, but is 0.2000",
        "latency_p50 must be at most 1, but is 1.5000",
    ]


def test_a_gate_is_not_passed_by_a_metric_that_applies_to_no_case(tmp_path: Path) -> None:
    held = baseline({"exact_match": {"min": 0.0}}, tmp_path)
    assert missed({"f1": 1.0}, held) == ["exact_match must be at least 0, but applies to no case"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            {"gates": {"accuracy": {"min": 1}}},
            "gates.accuracy: unknown metric 'accuracy'; the known ones are exact_match",
        ),
        ({"gates": {}, "scores": {"bleu": 1}}, "unknown metric 'bleu'"),
        ({"gates": {"f1": {}}}, 'gates.f1: a gate is {"min": x} or {"max": y}'),
        ({"gates": {"f1": {"min": 0.1, "max": 0.2}}}, "a gate is"),
        ({"gates": {"f1": {"least": 0.1}}}, "gates.f1.least: Extra inputs are not permitted"),
        ({"gates": {"f1": {"min": "0.5"}}}, "gates.f1.min: Input should be a valid number"),
        ({"gates": {"f1": {"min": float("nan")}}}, "gates.f1.min: Input should be a finite number"),
        ({"scores": {}}, "gates: Field required"),
        ({"gates": {}, "note": ""}, "note: Extra inputs"),
    ],
)
def test_a_baseline_that_does_not_fit_is_refused(tmp_path: Path, content: Any, reason: str) -> None:
    file = tmp_path / "b.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(CaseError) as caught:
        load(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert reason in str(caught.value)


def test_no_file_and_no_json_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="cannot read the baseline"):
        load(tmp_path / "none.json")
    (tmp_path / "b.json").write_text("{", encoding="utf-8")
    with pytest.raises(CaseError, match="Invalid JSON"):
        load(tmp_path / "b.json")


def test_a_new_baseline_gates_quality_with_slack_and_latency_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "b.json"
    summary = {"latency_p50": 0.1, "citation_validity": 1.0, "f1": 2 / 3, "false_abstention_rate": 0.05, "mrr": 0.01}
    made = baseline_of(summary, file)
    assert made == {
        "gates": {
            "f1": {"min": 0.6466},
            "mrr": {"min": 0.0},
            "citation_validity": {"min": 1.0},
            "false_abstention_rate": {"max": 0.07},
        },
        "scores": {"f1": 0.6667, "mrr": 0.01, "citation_validity": 1.0, "false_abstention_rate": 0.05},
    }
    assert json.loads(file.read_text(encoding="utf-8")) == made
    assert [path.name for path in tmp_path.iterdir()] == ["b.json"]
    assert missed(summary, load(file)) == []


@given(st.dictionaries(st.sampled_from(sorted(METRICS)), st.floats(0, 1)), st.floats(0, 0.3))
def test_what_a_baseline_was_drawn_from_passes_it(summary: dict[str, float], slack: float) -> None:
    made = baseline_of(summary, slack=slack)
    assert missed(summary, Baseline.model_validate(made)) == []
    assert made["gates"].keys() == summary.keys() - MACHINE
    for gate in made["gates"].values():
        assert 0 <= gate.get("min", 0) <= 1
        assert 0 <= gate.get("max", 1) <= 1


def test_a_baseline_is_not_drawn_from_unknown_metrics_nor_written_to_nowhere(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="unknown metric 'bleu'"):
        baseline_of({"bleu": 1.0})
    with pytest.raises(InputError, match="cannot write"):
        baseline_of({"f1": 1.0}, tmp_path / "none" / "b.json")
