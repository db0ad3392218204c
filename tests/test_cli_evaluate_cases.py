"""`bri-qa eval new | check | import | slices` as they are typed."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.test_cli import Told, here, indexed, told
from tests.test_evaluation_formats import qa, rated, squad

__all__ = ["here", "indexed", "told"]  # fixtures

QUAY = ["--question", "How long is the new quay?", "--quote", "640  metres long", "--answer", "640 metres"]


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(name).read_text(encoding="utf-8").splitlines()]


def piped(monkeypatch: pytest.MonkeyPatch, *given: str) -> None:
    content = io.BytesIO("".join(f"{line}\n" for line in given).encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(content, encoding="utf-8"))


def test_a_case_is_written_by_options_alone(indexed: Told) -> None:
    out = indexed.fine("eval", "new", "--to", "a.jsonl", *QUAY, "--kind", "number", "--tag", "x", "--split", "dev")
    assert json.loads(out) == lines("a.jsonl")[0]
    indexed.fine("eval", "new", "--to", "a.jsonl", "--question", "When will it be lit?", "--unanswerable")
    first, second = lines("a.jsonl")
    assert first["evidence"] == [{"document_id": "harbour", "quote": "640 metres long"}]
    assert (first["id"], first["tags"], first["split"]) == ("a-number-01", ["x"], "dev")
    assert (second["id"], second["answers"]) == ("a-unanswerable-near-01", [])


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ([*QUAY[:2], "--quote", "640 metres wide"], "the quote '640 metres wide' does not stand in any article"),
        ([*QUAY[:4], "--document", "clinic"], "does not stand in 'clinic'"),
        ([*QUAY[:4], "--document", "port"], "no document 'port' is indexed"),
        ([*QUAY[:4], "--document", "harbour", "--document", "clinic"], "2 documents for 1 quote"),
        ([*QUAY[:2], "--document", "harbour"], "--document needs a --quote"),
        ([*QUAY, "--unanswerable"], "leave --answer and --quote out"),
        (QUAY[:2], "neither answers nor evidence"),
        (QUAY[2:], "--question is missing"),
    ],
)
def test_options_that_make_no_case_are_refused(indexed: Told, options: list[str], reason: str) -> None:
    assert reason in indexed.error("eval", "new", "--to", "a.jsonl", *options)
    assert not Path("a.jsonl").exists()


def test_a_case_is_written_from_a_pipe(indexed: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    piped(
        monkeypatch, "How long is the new quay?", "640 metres long", "", "640 metres", "", "number", "", "", "And then?"
    )
    out = indexed.fine("eval", "new", "--to", "a.jsonl")
    assert lines("a.jsonl")[0]["evidence"] == [{"document_id": "harbour", "quote": "640 metres long"}]
    assert out.endswith("1 case saved in a.jsonl\n")


def test_ctrl_c_keeps_what_is_saved(indexed: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted:
        def __init__(self, content: str) -> None:
            self._lines = iter(content.splitlines(keepends=True))

        def readline(self) -> str:
            line = next(self._lines, None)
            if line is None:
                raise KeyboardInterrupt
            return line

        def isatty(self) -> bool:
            return False

    content = "Why?\nnone\n\n\n\nHow long is the new quay?\n640 metres long\n"
    monkeypatch.setattr(sys, "stdin", Interrupted(content))
    code, out, err = indexed("eval", "new", "--to", "a.jsonl")
    assert (code, err) == (130, "")
    assert out.endswith("1 case saved in a.jsonl\n")
    assert [case["question"] for case in lines("a.jsonl")] == ["Why?"]


def test_check_exits_1_when_something_is_found(indexed: Told) -> None:
    indexed.fine("eval", "new", "--to", "a.jsonl", *QUAY)
    assert indexed.fine("eval", "check", "a.jsonl").endswith("nothing found\n")
    Path("b.jsonl").write_text(Path("a.jsonl").read_text(encoding="utf-8").replace("a-other", "b"), encoding="utf-8")
    code, out, _ = indexed("eval", "check", "a.jsonl", "b.jsonl", "--corpus", "corpus", "--json")
    report = json.loads(out)
    assert (code, [item["sort"] for item in report["findings"]]) == (1, ["leak"])
    assert "give --corpus or --index" in indexed.error("eval", "check", "a.jsonl", "--corpus", "x", "--index", "y")


def test_check_needs_no_index_where_a_corpus_is_named(told: Told) -> None:
    Path("a.jsonl").write_text('{"id": "a", "question": "Why?", "answers": []}', encoding="utf-8")
    told.fine("eval", "check", "a.jsonl", "--corpus", "corpus")
    assert "bri-qa index" in told.error("eval", "check", "a.jsonl")


def test_a_public_set_is_imported_indexed_and_run(told: Told) -> None:
    context = "The new quay is 640 metres long and takes three ships at a time."
    Path("squad.json").write_text(json.dumps(squad(qa(("640 metres", 16)), context=context)), encoding="utf-8")
    out = told.fine("eval", "import", "squad.json", "--to", "cases.jsonl", "--corpus-to", "articles")
    assert out.splitlines() == [
        "1 case of squad written to cases.jsonl",
        "1 article written to articles; bri-qa index --corpus articles",
    ]
    for cases in ("cases.jsonl", "squad.json"):
        report = json.loads(told.fine("eval", "--cases", cases, "--corpus", "articles", "--json"))
        assert report["summary"]["evidence_coverage"] == 1


def test_feedback_becomes_drafts_that_eval_refuses(indexed: Told) -> None:
    Path("feedback.jsonl").write_text(json.dumps(rated(comment="No.")), encoding="utf-8")
    out = indexed.fine("eval", "import", "feedback.jsonl", "--to", "drafts.jsonl")
    assert "1 draft: complete each, then drop its tag `draft`" in out
    assert "drafts.jsonl, line 1: the draft 'feedback-7' is not completed; fill in `evidence`" in indexed.error(
        "eval", "--cases", "drafts.jsonl"
    )
    with Path("drafts.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"id": "a", "question": "Why?", "answers": []}\n')
    assert "1 case: " in indexed.fine("eval", "--cases", "drafts.jsonl", "--skip-drafts")
    assert "1 case left out" in indexed.fine("eval", "import", "feedback.jsonl", "--to", "drafts.jsonl", "--append")


def test_slices_are_written_and_run(indexed: Told) -> None:
    indexed.fine("eval", "new", "--to", "a.jsonl", *QUAY)
    told_of = indexed.fine("eval", "slices", "--cases", "a.jsonl", "--to", "s", "--only", "typos,html").splitlines()
    assert told_of == ["typos: s/typos/cases.jsonl over corpus", "html: s/html/cases.jsonl over s/html/corpus"]
    indexed.fine("eval", "--cases", "s/html/cases.jsonl", "--corpus", "s/html/corpus")
    ran = ["eval", "slices", "--cases", "a.jsonl", "--run", "--only", "injection"]
    report = json.loads(indexed.fine(*ran, "--json"))
    assert [item["name"] for item in report["slices"]] == ["plain", "injection"]
    assert report["slices"][1]["summary"]["injection_rate"] == 0
    assert indexed.fine(*ran).splitlines()[0].startswith("slice ")
    assert "give --to DIR" in indexed.error("eval", "slices", "--cases", "a.jsonl")
    assert "there is no slice 'x'" in indexed.error("eval", "slices", "--cases", "a.jsonl", "--run", "--only", "x")
