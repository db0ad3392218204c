"""Case files: what is read, and how each mistake is told by line and reason."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from bri_qa.errors import CaseError
from bri_qa.evaluation import formats
from bri_qa.evaluation.cases import load, located
from bri_qa.evaluation.formats.record import Problem
from bri_qa.types import Question, Span, Turn
from tests.fakes import document

CAFE = document("café", "The Café of Lindum\nThe café opens at nine. The café closes at five.\nThe\nend.")


def read(tmp_path: Path, *lines: str | bytes) -> Any:
    file = tmp_path / "cases.jsonl"
    file.write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines))
    return load(file, {CAFE.id: CAFE}.get)


def line(**keys: Any) -> str:
    return json.dumps({"id": "a", "question": "When?", **keys})


def proof(quote: str, document_id: str = "café") -> list[dict[str, str]]:
    return [{"document_id": document_id, "quote": quote}]


GOOD = line(answers=["nine"])


def test_a_case_is_read_with_its_evidence_located(tmp_path: Path) -> None:
    full = line(
        answers=["nine"],
        history=[{"role": "user", "text": "Hello"}, {"role": "assistant", "text": "Hello."}],
        evidence=proof("opens at nine"),
        kind="time",
        tags=["easy"],
    )
    content = read(tmp_path, full)
    [case] = content.cases
    assert case.question == Question("When?", (Turn("user", "Hello"), Turn("assistant", "Hello.")))
    assert (case.id, case.answers, case.kind, case.tags) == ("a", ("nine",), "time", ("easy",))
    [evidence] = case.evidence
    assert [span.of(CAFE.text) for span in evidence.spans] == ["opens at nine"]
    assert (content.name, content.sha256) == ("cases.jsonl", hashlib.sha256(full.encode()).hexdigest())


def test_a_quote_is_gold_wherever_it_stands(tmp_path: Path) -> None:
    [case] = read(tmp_path, line(evidence=proof("The café "))).cases
    assert case.evidence[0].spans == (Span(19, 28), Span(43, 52))


@pytest.mark.parametrize(
    ("keys", "answerable"),
    [
        ({"answers": []}, False),
        ({"answers": [], "evidence": []}, False),
        ({"answers": ["nine"]}, True),
        ({"evidence": proof("nine")}, True),
        ({"answers": ["nine"], "evidence": proof("nine")}, True),
    ],
)
def test_no_answers_means_unanswerable_and_no_key_means_by_evidence(
    tmp_path: Path, keys: dict[str, Any], answerable: bool
) -> None:
    [case] = read(tmp_path, line(**keys)).cases
    assert case.answerable is answerable
    assert case.kind == "other"


def test_order_blank_lines_line_ends_and_a_byte_order_mark(tmp_path: Path) -> None:
    odd = json.dumps({"id": "ü\u2028", "question": "\u2028?", "answers": []}, ensure_ascii=False)
    content = read(tmp_path, b"\xef\xbb\xbf" + line(id="z", answers=[]).encode() + b"\r", "  ", odd, "")
    assert [case.id for case in content.cases] == ["z", "ü\u2028"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("{", "not JSON: EOF while parsing an object at character 1"),
        ("[]", "must be an object, {…}"),
        (line(answers="nine"), 'answers: must be a list, such as ["…"]'),
        (line(answers=[""]), "answers.0: must not be blank"),
        (line(answers=[9]), "answers.0: must be a text in quotes"),
        (line(id=1, answers=[]), "id: must be a text in quotes"),
        (line(question="  ", answers=[]), "question: must not be blank"),
        (json.dumps({"id": "b", "answers": []}), "question: is missing"),
        (line(answers=[], answer=["x"]), "unknown key 'answer'; the known ones are id, question, history, answers,"),
        (
            line(evidence=[{"document_id": "café", "quote": "nine", "begin": 3}]),
            "unknown key 'evidence.0.begin'; the known ones are document_id, quote, start, relevance",
        ),
        (line(answers=[], history=[{"role": "robot", "text": ""}]), "history.0.role: must be 'user' or 'assistant'"),
        (line(), "neither answers nor evidence"),
        (line(answers=[], evidence=proof("nine")), "yet there is evidence"),
        (line(evidence=proof(" ")), "evidence.0.quote: must not be blank"),
        (line(evidence=proof("nine", "bar")), "no document 'bar' is indexed"),
        (line(evidence=proof("opens at ten")), "the quote 'opens at ten' does not stand in 'café'; copy"),
        (line(evidence=proof("Opens at nine")), "(upper and lower case differ)"),
        (line(evidence=proof("five. The end")), "(white space differs)"),
        (line(evidence=proof(unicodedata.normalize("NFD", "The café opens"))), "(its accents are written in another"),
        (line(evidence=proof("x" * 200)), "x" * 79 + "…'"),
        (GOOD, "the id 'a' was used on line 1"),
        (b'{"id": "\xff"}', "not UTF-8"),
    ],
)
def test_a_mistake_is_told_by_line_and_reason(tmp_path: Path, bad: str | bytes, reason: str) -> None:
    with pytest.raises(CaseError) as caught:
        read(tmp_path, GOOD, "", bad, line(id="c", answers=[]))
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'cases.jsonl'}, line 3: ")
    assert reason in message
    assert "\n" not in message


def test_of_several_mistakes_the_first_is_told_and_how_many_more_there_are(tmp_path: Path) -> None:
    lost = line(id="b", evidence=proof("opens at ten"))
    with pytest.raises(CaseError, match=r"line 2: the quote .*; 1 more place is wrong, `bri-qa eval check .*` names"):
        read(tmp_path, GOOD, lost, "{")
    with pytest.raises(CaseError, match=r"line 1: not JSON.*; 2 more places are wrong"):
        read(tmp_path, "{", lost, "{")


def test_an_id_is_used_by_a_case_whose_quote_is_not_found_too(tmp_path: Path) -> None:
    lost, again = line(id="b", evidence=proof("opens at ten")), line(id="b", answers=[])
    file = tmp_path / "cases.jsonl"
    file.write_text(f"{lost}\n{again}\n", encoding="utf-8")
    found = [str(item) for item in located(formats.read(file), {CAFE.id: CAFE}.get) if isinstance(item, Problem)]
    assert len(found) == 2
    assert found[1].endswith("line 2: the id 'b' was used on line 1; give each case its own")


def test_a_file_without_cases_or_none_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="has no case"):
        read(tmp_path, "", " ")
    with pytest.raises(CaseError, match="No such file"):
        load(tmp_path / "none.jsonl", {CAFE.id: CAFE}.get)
    with pytest.raises(CaseError, match="directory"):
        load(tmp_path, {CAFE.id: CAFE}.get)


def test_split_note_and_the_place_of_a_quote_are_read(tmp_path: Path) -> None:
    [case] = read(tmp_path, line(evidence=[{**proof("The café ")[0], "start": 43}], split="dev", note="why")).cases
    assert (case.split, case.note) == ("dev", "why")
    assert case.evidence[0].spans == (Span(43, 52),)
    with pytest.raises(CaseError, match="stands at 19, 43 in 'café', not at 44"):
        read(tmp_path, line(evidence=[{**proof("The café ")[0], "start": 44}]))
    with pytest.raises(CaseError, match="has a `start` but no `quote`"):
        read(tmp_path, line(evidence=[{"document_id": "café", "start": 1}]))


def test_evidence_without_a_quote_is_the_whole_document(tmp_path: Path) -> None:
    [case] = read(tmp_path, line(evidence=[{"document_id": "café", "relevance": 3}])).cases
    [evidence] = case.evidence
    assert (evidence.whole, evidence.relevance, evidence.spans) == (True, 3, (Span(0, len(CAFE.text)),))
    assert case.quoted == ()


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({}, "the draft 'a' is not completed; fill in `evidence`"),
        ({"answers": ["nine"]}, "the draft 'a' is not confirmed; look at its answers and evidence"),
    ],
)
def test_a_draft_is_refused_with_what_to_do_or_skipped(tmp_path: Path, keys: dict[str, Any], told: str) -> None:
    draft = line(tags=["draft"], **keys)
    with pytest.raises(CaseError, match=told):
        read(tmp_path, line(id="b", answers=[]), draft)
    kept = load(tmp_path / "cases.jsonl", {CAFE.id: CAFE}.get, skip_drafts=True)
    assert ([case.id for case in kept.cases], kept.drafts) == (["b"], 1)
    read_one = tmp_path / "one.jsonl"
    read_one.write_text(draft, encoding="utf-8")
    with pytest.raises(CaseError, match="has no case but drafts"):
        load(read_one, {CAFE.id: CAFE}.get, skip_drafts=True)
