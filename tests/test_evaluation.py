"""A whole run over a small pipeline: scores worked out by hand, files, tables, gates."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from bri_qa.errors import CaseError, InputError, ModelError
from bri_qa.evaluation import baseline_of, evaluate
from bri_qa.evaluation.metrics import MACHINE, METRICS, PERCENTILES
from tests.fakes import HARBOUR_TEXT, FakePipeline, document
from tests.saved_runs import COMMON

CASES: list[dict[str, Any]] = [
    {
        "id": "quay",
        "question": "How long is the new quay?",
        "answers": ["640 metres"],
        "evidence": [{"document_id": "harbour", "quote": "The new quay is 640 metres long and takes three ships"}],
        "kind": "number",
    },
    {
        "id": "cost",
        "question": "How much did the repairs cost?",
        "answers": ["48", "forty-eight"],
        "evidence": [{"document_id": "harbour", "quote": "The repairs cost 48 million crowns"}],
        "kind": "number",
    },
    *COMMON,
]


def pipeline() -> FakePipeline:
    return FakePipeline([document("harbour", HARBOUR_TEXT)])


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    file = tmp_path / "cases.jsonl"
    file.write_text("".join(json.dumps(case) + "\n" for case in CASES), encoding="utf-8")
    return file


def test_the_summary_is_what_a_hand_works_out(cases: Path) -> None:
    summary = evaluate(pipeline(), cases).summary
    assert list(summary) == [name for name in METRICS if name in summary]
    assert summary.keys() == METRICS.keys()
    assert {name: value for name, value in summary.items() if name not in MACHINE} == pytest.approx(
        {
            "exact_match": 1 / 2,  # "640" is not "640 metres"; "48" is "48"
            "f1": (2 / 3 + 1 + 0) / 3,  # one word of two shared; all; abstained
            "short_answer_rate": 2 / 3,
            "answer_stated": 2 / 3,
            "recall@1": 3 / 4,  # "moved": no hit scores, so they stand by id, the gold one seventh
            "recall@3": 3 / 4,
            "recall@5": 3 / 4,
            "recall@8": 1,
            "mrr": (1 + 1 + 1 + 1 / 7) / 4,
            "ndcg@8": (1 + 1 + 1 + 1 / 3) / 4,  # rank 7 gains 1 / log2(8)
            "evidence_coverage": 3 / 4,
            "evidence_containment": 3 / 4,
            "evidence_coverage@3": 3 / 4,
            "citation_precision": (1 + 1 / 2 + 1) / 3,
            "citation_recall": 3 / 4,
            "alce_citation_recall": (1 + 1 / 2 + 1) / 3,
            "alce_citation_precision": (1 + 1 / 2 + 1) / 3,
            "statement_coverage": 1,
            "citation_validity": 1,
            "at_most_3_quotes": 1,
            "abstention_precision": 1 / 2,
            "abstention_recall": 1 / 2,
            "abstention_f1": 1 / 2,
            "abstention_auroc": 6.5 / 8,  # confidence 1 1 1 0 against 0 0.5: six pairs won, one tied
            "false_abstention_rate": 1 / 4,
            "aurc": (0 + 0 + 0 + 1 / 4) / 4,  # three right answers at confidence 1 and 0.75, then a wrong one at 0.5
            "calibration_error": (2 * 0 + 1 / 4 + 1 / 2) / 4,  # right at 0.75, wrong at 0.5
        }
    )
    times = [summary[name] for name in PERCENTILES]
    assert times[0] > 0 and times == sorted(times)
    assert summary["throughput"] > 0 and summary["peak_memory_mb"] > 1


def test_a_kind_has_only_the_metrics_that_apply_to_it(cases: Path) -> None:
    by_kind = evaluate(pipeline(), cases).by_kind
    assert list(by_kind) == ["name", "none", "number", "place"]
    assert by_kind["number"]["exact_match"] == 0.5
    assert "exact_match" not in by_kind["name"]
    assert "f1" not in by_kind["name"]
    assert "citation_precision" not in by_kind["place"]
    assert by_kind["place"]["f1"] == 0
    assert by_kind["none"]["abstention_recall"] == 0.5
    assert not {"recall@5", "evidence_coverage", "false_abstention_rate", "abstention_auroc"} & by_kind["none"].keys()


def test_each_case_says_where_it_went_wrong(cases: Path) -> None:
    records = evaluate(pipeline(), cases).run.records
    assert {record.case.id: record.verdict.value for record in records} == {
        "quay": "ok",
        "cost": "ok",
        "owner": "ok",
        "moved": "wrongly_abstained",
        "elephant": "ok",
        "lit": "should_have_abstained",
    }


def test_every_case_is_asked_once_in_order_after_one_warm_up(cases: Path) -> None:
    asked, told = pipeline(), []
    evaluate(asked, cases, progress=lambda done, total: told.append((done, total)))
    longest, *rest = [question.text for question in asked.asked]
    assert longest == "Where will fishmongers trade this summer?"
    assert rest == [case["question"] for case in CASES]
    assert [turn.text for turn in asked.asked[3].history] == ["Who owns the harbour?", "The town."]
    assert told == [(done, 6) for done in range(1, 7)]


def test_the_report_holds_the_run_and_every_case(cases: Path, tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "first"
    outcome = evaluate(pipeline(), cases, report=folder, identity={"models": {"reader": "fake"}, "index": Path("x")})
    assert {path.name for path in folder.iterdir()} >= {"cases.jsonl", "run.json"}
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert run["identity"] == {"models": {"reader": "fake"}, "index": "x"}
    assert run["cases_file"] == {"name": "cases.jsonl", "sha256": hashlib.sha256(cases.read_bytes()).hexdigest()}
    assert run["files"]["cases.jsonl"] == hashlib.sha256((folder / "cases.jsonl").read_bytes()).hexdigest()
    assert run["counts"] == {
        "cases": 6,
        "answerable": 4,
        "unanswerable": 2,
        "abstained": 2,
        "verdicts": {"ok": 4, "wrongly_abstained": 1, "should_have_abstained": 1},
    }
    assert run["summary"] == pytest.approx(outcome.summary, abs=1e-6)
    assert run["by_kind"]["number"]["counts"]["cases"] == 2
    assert list(run["by_tag"]) == ["follow-up"] and run["by_tag"]["follow-up"]["counts"]["answerable"] == 1
    assert list(run["by_document"]) == ["harbour"] and run["by_document"]["harbour"]["summary"]["f1"] > 0
    low, high = run["intervals"]["f1"]
    assert low <= run["summary"]["f1"] <= high and run["by_kind"]["number"]["intervals"]["f1"] != [low, high]
    assert run["risk_coverage"][-1] == {"coverage": round(4 / 6, 6), "risk": 0.25}
    assert sum(item["count"] for item in run["calibration"]) == 4
    assert "by_split" not in run
    assert {key: run[key] for key in outcome.as_json()} == json.loads(json.dumps(outcome.as_json(), default=str))
    lines = (folder / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    owner = [json.loads(line) for line in lines][2]
    assert (owner["id"], owner["verdict"], owner["tags"], owner["kind"]) == ("owner", "ok", ["follow-up"], "name")
    place, citation = owner["evidence"][0]["places"][0], owner["answer"]["citations"][0]
    assert HARBOUR_TEXT[place["start"] : place["end"]] == "Tomas Reiner, who owns the fish market"
    assert citation["start"] == place["start"]
    assert owner["scores"]["evidence_containment"] == 1
    assert "“" in "".join(lines)  # not escaped


def test_two_runs_differ_in_nothing_but_time(cases: Path, tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        evaluate(pipeline(), cases, report=tmp_path / name)
        lines = (tmp_path / name / "cases.jsonl").read_text(encoding="utf-8").splitlines()
        found.append([{**json.loads(line), "seconds": 0} for line in lines])
    assert found[0] == found[1]


def test_the_table_shows_metrics_verdicts_and_kinds(cases: Path) -> None:
    lines = evaluate(pipeline(), cases).text().splitlines()
    assert lines[0] == "6 cases: 4 answerable, 2 not; 2 abstentions"
    assert ["abstention_auroc", "0.812"] in [line.split() for line in lines]
    assert "verdicts: ok 4, wrongly_abstained 1, should_have_abstained 1" in lines
    [number] = [line.split() for line in lines if line.startswith("number")]
    assert number[:7] == ["number", "2", "1.000", "1.000", "0.750", "0.500", "0.833"]
    [name] = [line.split() for line in lines if line.startswith("name")]
    assert name[5:7] == ["-", "-"]
    assert max(map(len, lines)) <= 100


def test_a_baseline_of_a_run_passes_that_run_and_stops_a_worse_one(cases: Path, tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    baseline_of(evaluate(pipeline(), cases).summary, file)
    same = evaluate(pipeline(), cases, baseline=file)
    assert same.missed == () and same.text().splitlines()[-1] == f"gates held: all {len(same.checks)}"
    worse = pipeline()
    worse.by_id = {"harbour": worse.by_id["harbour"], "z": document("z", "The repairs cost much.\nRepairs cost a lot.")}
    changed = json.loads(file.read_text(encoding="utf-8"))
    changed["gates"] = {"citation_precision": {"min": 0.8}, "false_abstention_rate": {"max": 0.1}}
    file.write_text(json.dumps(changed), encoding="utf-8")
    outcome = evaluate(worse, cases, baseline=file)
    assert outcome.missed == (
        "citation_precision must be at least 0.8, but is 0.7778",
        "false_abstention_rate must be at most 0.1, but is 0.2500",
    )
    assert outcome.text().splitlines()[-3:] == ["missed gates:", *(f"  {line}" for line in outcome.missed)]


def test_files_are_checked_before_a_question_is_asked(cases: Path, tmp_path: Path) -> None:
    asked = pipeline()
    with pytest.raises(CaseError, match=r"no-such\.json"):
        evaluate(asked, cases, baseline=tmp_path / "no-such.json")
    with pytest.raises(CaseError, match=r"no-such\.jsonl"):
        evaluate(asked, tmp_path / "no-such.jsonl")
    with pytest.raises(InputError, match=r"report folder .*cases\.jsonl"):
        evaluate(asked, cases, report=cases)
    assert asked.asked == []


def test_an_unwritable_report_leaves_the_old_one(cases: Path, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    evaluate(pipeline(), cases, report=folder)
    old = len((folder / "cases.jsonl").read_bytes().splitlines())
    (folder / "run.json").unlink()
    (folder / "run.json").mkdir()  # in the way of the file
    with pytest.raises(InputError, match=r"cannot write .*run\.json"):
        evaluate(pipeline(), cases, report=folder)
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]  # no half-written file
    assert len((folder / "cases.jsonl").read_bytes().splitlines()) == old


def test_a_question_that_the_product_refuses_is_named(tmp_path: Path) -> None:
    file = tmp_path / "long.jsonl"
    file.write_text(json.dumps({"id": "much", "question": "x" * 5_000, "answers": []}), encoding="utf-8")
    with pytest.raises(CaseError, match="case 'much' cannot be asked: the question is longer"):
        evaluate(pipeline(), file)


def test_a_broken_product_is_an_error_and_not_a_score(cases: Path) -> None:
    broken = pipeline()
    broken.error = ModelError("the reader cannot be loaded")
    with pytest.raises(ModelError, match="reader"):
        evaluate(broken, cases)
