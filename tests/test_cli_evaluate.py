"""`bri-qa eval` and `eval compare` on the command line: what they print, write and exit with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.test_cli import CASES, Told, here, indexed, told

__all__ = ["here", "indexed", "told"]  # fixtures


@pytest.fixture
def asked(indexed: Told, here: Path) -> Told:
    """An index, a case file, and a run saved in `first`."""
    (here / "cases.jsonl").write_text("\n".join(json.dumps(case) for case in CASES), encoding="utf-8")
    indexed.fine("eval", "--cases", "cases.jsonl", "--report", "first")
    return indexed


def test_the_same_run_again_differs_in_nothing(asked: Told, here: Path) -> None:
    out = asked.fine("eval", "--cases", "cases.jsonl", "--report", "second", "--against", "first")
    assert "verdict: no difference shown" in out
    assert asked.fine("eval", "compare", "first", "second").splitlines()[-1] == "verdict: no difference shown"
    found = json.loads(asked.fine("eval", "compare", "first", "second", "--json"))
    scores = {name: item["difference"] for name, item in found["metrics"].items() if item["gates"]}
    assert scores and set(scores.values()) == {0}
    assert found["cases"]["compared"] == 2 and not found["failed"]


def test_a_worse_run_exits_with_1(asked: Told, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = json.dumps(CASES[0])
    many = [json.loads(case) | {"id": str(number)} for number in range(8)]
    (here / "cases.jsonl").write_text("\n".join(json.dumps(case) for case in many), encoding="utf-8")
    asked.fine("eval", "--cases", "cases.jsonl", "--report", "good")
    monkeypatch.setenv("BRI_QA_ABSTAIN_BELOW", "1")
    code, out, err = asked("eval", "--cases", "cases.jsonl", "--report", "bad", "--against", "good")
    assert (code, err) == (1, "") and "verdict: worse in " in out and "broken: 8" in out
    assert "settings.abstain_below: 0.3 -> 1.0" in out
    assert asked("eval", "compare", "good", "bad")[0] == 1
    assert asked("eval", "compare", "good", "bad", "--gate", "recall@1")[0] == 0
    assert asked("eval", "compare", "bad", "good")[0] == 0


def test_one_command_varies_gates_and_writes_all_files(asked: Told, here: Path) -> None:
    out = asked.fine("eval", "--cases", "cases.jsonl", "--vary", "retrieval=fused,lexical", "--junit", "j.xml")
    assert out.startswith("(1) retrieval=fused\n(2) retrieval=lexical\n")
    assert (here / "j.xml").read_text(encoding="utf-8").startswith('<?xml version="1.0"')
    asked.fine("eval", "--cases", "cases.jsonl", "--write-baseline", "kept.json")
    asked.fine("eval", "--cases", "cases.jsonl", "--baseline", "kept.json")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["eval", "compare", "first", "none"], "cannot read none/run.json: No such file or directory; name a folder"),
        (["eval", "compare", "first", "first", "--gate", "bleu"], "unknown metric 'bleu'; the known ones are"),
        (["eval", "compare", "first", "first", "--margin", "2"], "the margin is 2; give the loss to put up with"),
        (["eval", "--cases", "cases.jsonl", "--vary", "retrieval"], "--vary retrieval: write a setting and its values"),
        (["eval", "--cases", "cases.jsonl", "--vary", "passage_tokens=100,200"], "passage_tokens bears on the index"),
        (
            ["eval", "--cases", "cases.jsonl", "--junit", "cases.jsonl/j.xml"],
            "cannot use the report folder cases.jsonl",
        ),
    ],
)
def test_an_error_is_one_line(asked: Told, arguments: list[str], said: str) -> None:
    assert asked.error(*arguments).startswith(said)
