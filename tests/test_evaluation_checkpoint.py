"""A run that was stopped goes on where it stopped, and ends as if it had not been."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bri_qa.errors import InputError
from bri_qa.evaluation import Plan, carry_out
from bri_qa.evaluation.checkpoint import NAME, Journal, answer_of, program
from bri_qa.render import as_json
from bri_qa.types import Answer, Question
from tests.fakes import FakePipeline
from tests.test_evaluation import CASES, pipeline

IDENTITY = {"settings": {"top_k": 8}}


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    file = tmp_path / "cases.jsonl"
    file.write_text("".join(json.dumps(case) + "\n" for case in CASES), encoding="utf-8")
    return Plan(file, report=tmp_path / "report")


def folder_of(plan: Plan) -> Path:
    assert plan.report is not None
    return plan.report


class Stopping(FakePipeline):
    """Stops the program in the place of its `left`-th answer."""

    def __init__(self, left: int, stop: Callable[[], None]) -> None:
        super().__init__(list(pipeline().by_id.values()))
        self.left = left
        self.stop = stop

    def ask(self, question: Question) -> Answer:
        self.left -= 1
        if self.left == 0:
            self.stop()
        return super().ask(question)


def interrupt() -> None:
    raise KeyboardInterrupt


def stopped(plan: Plan, answers: int) -> None:
    """Run until so many answers are put down; one more is given before them, to warm up."""
    with pytest.raises(KeyboardInterrupt):
        carry_out(plan, Stopping(answers + 2, interrupt), IDENTITY)


def lines_of(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    timeless = [json.loads(line) | {"seconds": 0} for line in lines]
    for line in timeless:
        line["answer"]["trace"]["seconds"] = {}
    return timeless


def test_a_stopped_run_goes_on_and_ends_as_if_it_had_not_been(plan: Plan, tmp_path: Path) -> None:
    stopped(plan, 4)
    assert [path.name for path in folder_of(plan).iterdir()] == [NAME]
    asked, told = pipeline(), []
    outcome = carry_out(plan, asked, IDENTITY, lambda done, total: told.append((done, total)))
    assert [question.text for question in asked.asked[1:]] == [case["question"] for case in CASES[4:]]
    assert told == [(done, 6) for done in range(1, 7)]
    assert "4 answers were taken from the unfinished run in the report folder" in outcome.text()
    run = json.loads((folder_of(plan) / "run.json").read_text(encoding="utf-8"))
    assert run["resumed"] == 4
    assert not (folder_of(plan) / NAME).exists()
    whole = Plan(plan.cases, report=tmp_path / "whole")
    carry_out(whole, pipeline(), IDENTITY)
    assert lines_of(folder_of(plan)) == lines_of(tmp_path / "whole")
    other = json.loads((tmp_path / "whole" / "run.json").read_text(encoding="utf-8"))
    assert "resumed" not in other
    timed = ("latency", "throughput", "peak")
    for name in other["summary"]:
        if not name.startswith(timed):
            assert run["summary"][name] == other["summary"][name]
            assert run["intervals"][name] == other["intervals"][name]


def test_a_finished_run_is_run_anew(plan: Plan) -> None:
    carry_out(plan, pipeline(), IDENTITY)
    asked = pipeline()
    assert carry_out(plan, asked, IDENTITY).run.resumed == 0
    assert len(asked.asked) == 7


def test_a_run_of_which_only_the_report_was_missing_asks_nothing(plan: Plan) -> None:
    stopped(plan, 5)
    folder = folder_of(plan)
    with pytest.raises(InputError, match=r"cannot write .*run\.json"):
        (folder / "run.json").mkdir()
        carry_out(plan, pipeline(), IDENTITY)
    (folder / "run.json").rmdir()
    asked = pipeline()
    assert carry_out(plan, asked, IDENTITY).run.resumed == 6
    assert asked.asked == []


@pytest.mark.parametrize("cut", [1, 20, 300])
def test_a_line_that_was_cut_short_is_dropped(plan: Plan, cut: int) -> None:
    stopped(plan, 3)
    file = folder_of(plan) / NAME
    file.write_bytes(file.read_bytes()[:-cut])
    asked = pipeline()
    assert carry_out(plan, asked, IDENTITY).run.resumed == 2
    assert [question.text for question in asked.asked[1:]] == [case["question"] for case in CASES[2:]]


def test_a_run_that_is_stopped_again_after_a_cut_line_still_goes_on(plan: Plan) -> None:
    stopped(plan, 3)
    file = folder_of(plan) / NAME
    file.write_bytes(file.read_bytes()[:-20])
    stopped(plan, 2)
    assert carry_out(plan, pipeline(), IDENTITY).run.resumed == 4


def test_a_journal_cut_within_its_first_line_is_begun_anew(plan: Plan) -> None:
    folder_of(plan).mkdir()
    (folder_of(plan) / NAME).write_bytes(b'{"format": 1, "conf')
    assert carry_out(plan, pipeline(), IDENTITY).run.resumed == 0


@pytest.mark.parametrize("change", ["identity", "cases"])
def test_an_unfinished_run_of_something_else_is_refused_unless_it_is_thrown_away(plan: Plan, change: str) -> None:
    stopped(plan, 3)
    identity = {"settings": {"top_k": 4}} if change == "identity" else IDENTITY
    if change == "cases":
        plan.cases.write_text(plan.cases.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    asked = pipeline()
    with pytest.raises(InputError, match=r"unfinished run with other cases, settings, .* --fresh"):
        carry_out(plan, asked, identity)
    assert asked.asked == []
    fresh = Plan(plan.cases, report=plan.report, fresh=True)
    assert carry_out(fresh, asked, identity).run.resumed == 0
    assert len(asked.asked) == 7


def test_a_spoilt_journal_is_refused_by_its_line(plan: Plan) -> None:
    stopped(plan, 3)
    file = folder_of(plan) / NAME
    heading, _, *rest = file.read_bytes().split(b"\n")
    for spoilt in (b"{", b"[]", b'{"id": "quay"}'):
        file.write_bytes(b"\n".join([heading, spoilt, *rest]))
        with pytest.raises(InputError, match=r"answers\.jsonl, line 2: not .*--fresh"):
            carry_out(plan, pipeline(), IDENTITY)


def test_two_runs_do_not_write_to_one_folder(plan: Plan) -> None:
    folder_of(plan).mkdir()
    held = Journal.open(folder_of(plan), {})
    with pytest.raises(InputError, match="another run is writing to"):
        carry_out(plan, pipeline(), IDENTITY)
    held.close()


def test_a_folder_that_cannot_hold_a_journal_is_an_error(plan: Plan) -> None:
    (folder_of(plan) / NAME).mkdir(parents=True)
    with pytest.raises(InputError, match=r"cannot use .*answers\.jsonl"):
        carry_out(plan, pipeline(), IDENTITY)


def test_a_killed_process_leaves_what_it_was_told(plan: Plan) -> None:
    script = (
        "import os, sys; from pathlib import Path; from bri_qa.evaluation import Plan, carry_out; "
        "from tests.test_evaluation_checkpoint import IDENTITY, Stopping; "
        "carry_out(Plan(Path(sys.argv[1]), report=Path(sys.argv[2])), Stopping(5, lambda: os._exit(9)), IDENTITY)"
    )
    root = Path(__file__).parent.parent
    command = [sys.executable, "-c", script, str(plan.cases), str(folder_of(plan))]
    assert subprocess.run(command, cwd=root, env=os.environ, check=False).returncode == 9
    assert carry_out(plan, pipeline(), IDENTITY).run.resumed == 3


@pytest.mark.parametrize("text", ["How long is the new quay?", "What colour is the elephant?", "hello"])
def test_an_answer_is_read_back_as_it_was_shown(text: str) -> None:
    answer = pipeline().ask(Question(text))
    shown = json.loads(json.dumps(as_json(answer)))
    assert as_json(answer_of(answer.question, shown)) == shown


def test_the_program_is_the_same_as_long_as_its_code_is() -> None:
    assert program() == program()
    assert len(program()) == 64
