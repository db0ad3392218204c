"""What `check` finds in case files, and what it lets pass."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bri_qa.evaluation.check import FINDINGS, Checked, check
from bri_qa.evaluation.similar import near_pairs
from tests.fakes import HARBOUR_TEXT, document

HARBOUR = document("harbour", HARBOUR_TEXT)


def case(identity: str, question: str, **keys: Any) -> dict[str, Any]:
    return {"id": identity, "question": question, "answers": [], **keys}


def checked(tmp_path: Path, near: bool = True, **files: list[dict[str, Any]]) -> Checked:
    paths = []
    for name, cases in files.items():
        paths.append(tmp_path / f"{name}.jsonl")
        paths[-1].write_text("".join(json.dumps(item) + "\n" for item in cases), encoding="utf-8")
    return check(paths, {"harbour": HARBOUR}.get, near=near)


def found(result: Checked) -> list[tuple[str, str | None]]:
    assert all(item.sort in FINDINGS for item in result.findings)
    return [(item.sort, item.id) for item in result.findings]


def test_a_sound_file_has_no_finding_and_is_counted(tmp_path: Path) -> None:
    proof = [{"document_id": "harbour", "quote": "The new quay is 640 metres long"}]
    result = checked(
        tmp_path,
        dev=[
            case("a", "How long is the quay?", answers=["640 metres"], evidence=proof, kind="number", tags=["x"]),
            case("b", "When will the lamp be lit?", split="held-out"),
        ],
    )
    assert result.findings == ()
    assert (result.cases, result.splits, result.kinds, result.tags) == (
        2,
        {"dev": 1, "held-out": 1},
        {"number": 1, "other": 1},
        {"x": 1},
    )
    assert result.text().endswith("nothing found")


def test_the_same_question_in_a_file_is_a_duplicate_and_across_splits_a_leak(tmp_path: Path) -> None:
    result = checked(
        tmp_path,
        dev=[
            case("a", "Who owns the market?"),
            case("b", "who owns  market"),
            case("c", "Who owns the market?", split="test"),
        ],
        test=[case("d", "WHO OWNS THE MARKET")],
    )
    assert found(result) == [("duplicate", "b"), ("leak", "c"), ("leak", "d")]
    assert "dev.jsonl, line 2: 'who owns  market' is the same question as 'a'" in result.text()


def test_a_follow_up_is_the_same_only_after_the_same_turns(tmp_path: Path) -> None:
    ferry, market = ([{"role": "user", "text": text}] for text in ("The ferry?", "The market?"))
    result = checked(
        tmp_path,
        dev=[
            case("a", "And when?", history=ferry),
            case("b", "And when?", history=market),
            case("c", "And when?"),
            case("d", "And when", history=ferry),
        ],
    )
    assert found(result) == [("duplicate", "d")]


def test_nearly_the_same_is_told_unless_it_is_let_pass(tmp_path: Path) -> None:
    files: dict[str, Any] = {
        "dev": [
            case("a", "How many ships called at the port in 2023?"),
            case("b", "How many ships called at the port in 2024?"),
        ],
        "test": [case("c", "Please tell me how many shisp called at the port in 2023")],
    }
    assert found(checked(tmp_path, **files)) == [("near-leak", "c")]
    assert found(checked(tmp_path, near=False, **files)) == []


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("When was the hospital of Orrin founded?", "Where was the hospital of Orrin founded?", False),
        ("When was the hospital of Orrin founded?", "On what date was the Orrin hospital founded?", True),
        ("Who owns the fish market?", "Who owned the fish markets?", True),
        ("What share of the budget went to schools?", "What share of the budget went to roads?", False),
        ("And why?", "And who?", False),
        ("谁拥有鱼市场", "谁拥有鱼市场呢", True),
    ],
)
def test_questions_are_near_by_what_they_are_about(one: str, other: str, near: bool) -> None:
    assert bool(list(near_pairs([one, other]))) is near


def test_near_pairs_are_found_across_the_blocks_that_are_compared_at_a_time() -> None:
    names = [f"{a}{b}{c}" for a in "bdfg" for b in "aeio" for c in "lmnr"]
    questions = [f"Which person {name * 3} {other * 2} knows" for name in names for other in names[:20]]
    far = "Who paid for the lighthouse lamp at the harbour?"
    pairs = list(near_pairs([far, *questions[:600], "Who payed for the lighthouse lamp at the harbour?"]))
    assert (0, 601) in [(one, other) for one, other, _ in pairs]
    assert all(one < other for one, other, _ in pairs)


def test_cases_that_cannot_be_used_are_told_all_at_once(tmp_path: Path) -> None:
    proof = {"document_id": "harbour", "quote": "The new quay is 640 metres long"}
    result = checked(
        tmp_path,
        dev=[
            case("a", "One?", answers=["48 million"], evidence=[proof]),
            {"id": "b", "question": "Two?", "evidence": [{**proof, "document_id": "port"}]},
            {"id": "c", "question": "Three?", "evidence": [{**proof, "quote": "641"}]},
            {"id": "d", "question": "Four?"},
            case("a", "Five?"),
            {"id": "e", "question": "Six?", "tags": ["draft"]},
        ],
        test=[case("a", "Seven?")],
    )
    assert found(result) == [
        ("answer-not-in-evidence", "a"),
        ("unknown-document", None),
        ("quote-not-found", None),
        ("invalid", None),
        ("repeated-id", None),
        ("draft", "e"),
        ("repeated-id", "a"),
    ]
    lines = [item.where.rpartition(" ")[2] for item in result.findings]
    assert lines == ["1", "2", "3", "4", "5", "6", "1"]


def test_a_file_that_cannot_be_read_is_a_finding_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "good.jsonl").write_text(json.dumps(case("a", "One?")), encoding="utf-8")
    result = check([tmp_path / "none.jsonl", tmp_path / "good.jsonl"], lambda _: None)
    assert (found(result), result.cases) == ([("invalid", None)], 1)
    assert json.loads(json.dumps(result.as_json()))["findings"][0]["sort"] == "invalid"
