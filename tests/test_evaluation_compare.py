"""Two runs held against one another: differences, cases, verdicts, exit codes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bri_qa.errors import CaseError, InputError
from bri_qa.evaluation import Plan, Policy, carry_out, compare
from bri_qa.evaluation.bootstrap import Difference
from bri_qa.evaluation.compare import Comparison, Judgement
from bri_qa.evaluation.report.saved import SavedCase, SavedRun, open_run
from tests.fakes import FakePipeline, document
from tests.test_evaluation import CASES, pipeline


def saved(name: str, cases: list[dict[str, Any]], tmp_path: Path, asked: FakePipeline | None = None) -> SavedRun:
    """A run of `cases`, read back from its folder."""
    file = tmp_path / f"{name}.jsonl"
    file.write_text("".join(json.dumps(case) + "\n" for case in cases), encoding="utf-8")
    settings = {"settings": {"top_k": 8, "reader": name}}
    carry_out(Plan(file, report=tmp_path / name), asked or pipeline(), settings)
    return open_run(tmp_path / name)


def worse() -> FakePipeline:
    """Its first hits are of another document."""
    found = pipeline()
    found.by_id = {"a": document("a", "The repairs cost much.\nRepairs cost a lot of money."), **found.by_id}
    return found


def many(run: SavedRun, times: int, *, suffix: str = "") -> SavedRun:
    """The run with its cases so many times over, under ids of their own."""
    cases = [case.model_copy(update={"id": f"{case.id}{number}"}) for number in range(times) for case in run.cases]
    return SavedRun(Path(f"{run.name}{suffix}"), run.file, tuple(cases), {})


def test_a_run_does_not_differ_from_itself(tmp_path: Path) -> None:
    run = saved("a", CASES, tmp_path)
    found = compare(run, saved("b", CASES, tmp_path), Policy())
    assert found.verdict == "no difference shown" and not found.failed
    assert len(found.changed("same")) == 6
    assert {item.difference.change for item in found.findings if item.gates} == {0}
    assert found.settings == {"settings.reader": ("a", "b")}


def test_what_got_worse_is_told_by_metric_and_by_case(tmp_path: Path) -> None:
    before, after = saved("a", CASES, tmp_path), saved("b", CASES, tmp_path, worse())
    found = compare(many(before, 40), many(after, 40))
    assert found.failed and "citation_precision" in found.judged(Judgement.WORSE)
    assert found.verdict.startswith("worse in ")
    finding = next(item for item in found.findings if item.metric == "citation_precision")
    assert finding.difference.high < 0 and finding.difference.p < 0.01 and finding.moved == 40
    assert {pair.this.id.rstrip("0123456789") for pair in found.changed("different")} == {"cost"}
    back = compare(many(after, 40), many(before, 40))
    assert not back.failed and back.verdict.startswith("better in ")


def test_few_cases_show_no_difference(tmp_path: Path) -> None:
    found = compare(saved("a", CASES, tmp_path), saved("b", CASES, tmp_path, worse()))
    finding = next(item for item in found.findings if item.metric == "citation_precision")
    assert finding.difference.change < 0 and finding.judgement is Judgement.NO_DIFFERENCE
    assert not found.failed


def test_broken_and_improved_cases_are_listed_with_their_verdicts(tmp_path: Path) -> None:
    run = saved("a", CASES, tmp_path)
    cases = list(run.cases)
    cases[0] = cases[0].model_copy(update={"verdict": "not_ranked"})
    cases[3] = cases[3].model_copy(update={"verdict": "ok"})
    found = compare(run, replace(run, cases=tuple(cases)))
    lines = found.text().splitlines()
    assert lines[lines.index("broken: 1") + 1] == "  quay  ok -> not_ranked  How long is the new quay?"
    assert lines[lines.index("improved: 1") + 1].startswith("  moved  wrongly_abstained -> ok  Where will")
    assert lines[-1] == "verdict: no difference shown"
    assert [item["id"] for item in found.as_json()["cases"]["broken"]] == ["quay"]


def test_a_long_list_of_cases_is_cut_and_says_so(tmp_path: Path) -> None:
    run = many(saved("a", CASES, tmp_path), 30)
    broken = [
        case.model_copy(update={"verdict": "not_ranked"}) if case.id.startswith("quay") else case for case in run.cases
    ]
    lines = compare(run, replace(run, cases=tuple(broken))).text().splitlines()
    start = lines.index("broken: 30")
    assert lines[start + 21] == "  … and 10 more (--json names them all)"


def test_cases_that_are_not_the_same_are_named_and_not_compared(tmp_path: Path) -> None:
    changed = [dict(case) for case in CASES]
    changed[0]["question"] = "How long is the quay?"
    changed[1]["answers"] = ["48 million"]
    before = saved("a", [*CASES, {"id": "old", "question": "Old?", "answers": []}], tmp_path)
    after = saved("b", [*changed, {"id": "new", "question": "New?", "answers": []}], tmp_path)
    found = compare(before, after)
    assert (found.only_before, found.only_after, found.altered) == (("old",), ("new",), ("quay", "cost"))
    assert len(found.pairs) == 4
    text = found.text()
    assert "only in the run before, not compared: 1\n  old" in text
    assert "only in the run after, not compared: 1\n  new" in text
    assert "not the same case in both, not compared: 2\n  quay\n  cost" in text


def test_runs_that_share_no_case_cannot_be_compared(tmp_path: Path) -> None:
    before = saved("a", CASES[:2], tmp_path)
    with pytest.raises(CaseError, match="share no case"):
        compare(before, saved("b", CASES[2:], tmp_path))


def without(run: SavedRun, metric: str) -> SavedRun:
    def stripped(case: SavedCase) -> SavedCase:
        return case.model_copy(update={"scores": {name: x for name, x in case.scores.items() if name != metric}})

    return replace(run, cases=tuple(stripped(case) for case in run.cases))


def test_a_metric_that_applies_no_more_is_named_and_fails_if_it_is_a_gate_by_name(tmp_path: Path) -> None:
    run = saved("a", CASES, tmp_path)
    assert not compare(run, without(run, "exact_match")).failed
    lost = compare(run, without(run, "exact_match"), Policy(("exact_match",)))
    assert lost.failed and lost.verdict == "no case left for exact_match"
    assert "apply to no case any more: exact_match" in lost.text()
    gained = compare(without(run, "exact_match"), run)
    assert not gained.failed and gained.gained == ("exact_match",)


def difference(low: float, high: float) -> Difference:
    return Difference(0.5, 0.5 + (low + high) / 2, low, high, 0.01)


@pytest.mark.parametrize(
    ("metric", "interval", "margin", "judgement"),
    [
        ("f1", (-0.05, -0.01), 0.0, Judgement.WORSE),
        ("f1", (-0.05, 0.0), 0.0, Judgement.NO_DIFFERENCE),
        ("f1", (0.01, 0.05), 0.0, Judgement.BETTER),
        ("f1", (-0.05, -0.01), 0.02, Judgement.NO_DIFFERENCE),
        ("f1", (-0.05, -0.03), 0.02, Judgement.WORSE),
        ("false_abstention_rate", (0.01, 0.05), 0.0, Judgement.WORSE),
        ("false_abstention_rate", (-0.05, -0.01), 0.0, Judgement.BETTER),
        ("latency_p95", (0.01, 0.05), 0.0, Judgement.WORSE),
        ("throughput", (0.01, 0.05), 0.0, Judgement.BETTER),
    ],
)
def test_a_metric_is_judged_by_its_interval_and_the_margin(
    metric: str, interval: tuple[float, float], margin: float, judgement: Judgement
) -> None:
    assert Policy(margin=margin).judge(metric, difference(*interval), 6) is judgement
    assert Policy(margin=margin).judge(metric, difference(*interval), 5) is Judgement.NO_DIFFERENCE


def test_which_metrics_gate() -> None:
    assert Policy().holds("f1") and not Policy().holds("latency_p50") and not Policy().holds("peak_memory_mb")
    named = Policy(("latency_p50",))
    assert named.holds("latency_p50") and not named.holds("f1")
    for policy, said in ((("bleu",), "unknown metric 'bleu'"),):
        with pytest.raises(CaseError, match=said):
            Policy(policy)
    for margin in (-0.1, 1.0, float("nan")):
        with pytest.raises(CaseError, match="the margin is"):
            Policy(margin=margin)


def test_a_metric_that_does_not_gate_is_shown_but_fails_nothing(tmp_path: Path) -> None:
    run = many(saved("a", CASES, tmp_path), 20)
    slow = replace(run, cases=tuple(case.model_copy(update={"seconds": 9.0}) for case in run.cases))
    found = compare(run, slow)
    assert not found.failed
    [line] = [line for line in found.text().splitlines() if line.startswith("latency_p50")]
    assert line.endswith("worse (no gate)")
    assert compare(run, slow, Policy(("latency_p50",))).failed


def test_a_run_is_held_against_another_as_it_is_made(tmp_path: Path) -> None:
    saved("a", CASES, tmp_path)
    plan = Plan(tmp_path / "a.jsonl", report=tmp_path / "b", against=tmp_path / "a")
    outcome = carry_out(plan, worse(), {})
    assert isinstance(outcome.comparison, Comparison)
    assert (outcome.comparison.before, outcome.comparison.after) == (open_run(tmp_path / "a").name, "this run")
    written = json.loads((tmp_path / "b" / "run.json").read_text(encoding="utf-8"))["comparison"]
    assert written["verdict"] == outcome.comparison.verdict and written["cases"]["compared"] == 6
    assert outcome.comparison.text() in outcome.text()
    kept = compare(open_run(tmp_path / "a"), open_run(tmp_path / "b"))
    assert kept.as_json()["metrics"] == written["metrics"]


def test_a_run_against_a_folder_that_is_none_asks_nothing(tmp_path: Path) -> None:
    saved("a", CASES, tmp_path)
    asked = pipeline()
    with pytest.raises(InputError, match="none"):
        carry_out(Plan(tmp_path / "a.jsonl", against=tmp_path / "none"), asked)
    assert asked.asked == []
