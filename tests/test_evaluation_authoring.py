"""Writing a case: picking, refusing, saving; and the conversation, line by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bri_qa.errors import CaseError
from bri_qa.evaluation.authoring import CaseBook, Place, Written, doubts, named, quoted, search, shown_sentences
from bri_qa.evaluation.dialogue import Dialogue
from bri_qa.types import Question, Span
from tests.fakes import HARBOUR_TEXT, FakePipeline, document

HARBOUR = document("harbour", HARBOUR_TEXT)
FERRY = document("ferry", "The ferry\nThe night ferry to Sor sails at 22:40. The rest came from the coast fund.")
BOTH = [FERRY, HARBOUR]


def case(question: str = "How long?", **keys: Any) -> Written:
    usual: dict[str, Any] = {"answers": ("640 metres",), "evidence": (), "kind": "number"}
    return Written(question, **{**usual, **keys})


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_pasted_quote_is_cut_from_the_article_that_holds_it() -> None:
    place = quoted('"We  built it for the fishing boats first,"', BOTH)
    assert (place.document.id, place.text) == ("harbour", "“We built it for the fishing boats first,”")
    with pytest.raises(CaseError, match="'640 metres wide' does not stand in any article; copy it"):
        quoted("640 metres wide", BOTH)
    with pytest.raises(CaseError, match=r"does not stand in 'ferry' \(upper and lower case differ\)"):
        quoted("the night Ferry", [FERRY])
    with pytest.raises(CaseError, match=r"stands in several articles \(ferry, harbour\)"):
        quoted("The rest came from the coast fund.", BOTH)
    with pytest.raises(CaseError, match="no document 'port' is indexed; some that are: ferry, harbour"):
        named("port", BOTH)


def test_sentences_are_found_by_all_their_words() -> None:
    assert [place.text for place in search("NIGHT ferry", BOTH)] == [
        "The night ferry to Sor sails at 22:40.",
        "She added that the night ferry to Sor would start in May.",
    ]
    assert search("ferry lamp", BOTH) == search(" ", BOTH) == []
    assert len(search("the", BOTH, most=3)) == 3


def test_what_is_shown_is_each_quote_and_sentence_once() -> None:
    answer = FakePipeline([HARBOUR]).ask(Question("How long is the new quay?"))
    shown = shown_sentences(answer, [HARBOUR])
    assert shown[0].text == "The new quay is 640 metres long and takes three ships at a time."
    assert len({place.span for place in shown}) == len(shown) > 3


def test_evidence_that_stands_twice_keeps_its_place() -> None:
    item = document("a", "The bell. A door. The bell.")
    assert Place(item, Span(18, 26)).as_evidence().start == 18
    assert Place(item, Span(10, 16)).as_evidence().start is None


def test_a_case_is_appended_with_the_next_id(tmp_path: Path) -> None:
    file = tmp_path / "dev.jsonl"
    file.write_text(
        json.dumps({"id": "dev-number-07", "question": "Old?", "answers": []}), encoding="utf-8"
    )  # no line end
    book = CaseBook(file)
    for question in ("One?", "Two?"):
        book.append(book.line(case(question, tags=("a",), split="dev")))
    assert [item["id"] for item in lines(file)] == ["dev-number-07", "dev-number-08", "dev-number-09"]
    assert lines(file)[1]["tags"] == ["a"]
    assert (book.saved, sorted(path.name for path in tmp_path.iterdir())) == (2, ["dev.jsonl"])


def test_a_case_that_another_process_adds_meanwhile_is_kept(tmp_path: Path) -> None:
    one, other = CaseBook(tmp_path / "a.jsonl"), CaseBook(tmp_path / "a.jsonl")
    other.append(other.line(case("Theirs?")))
    one.append(one.line(case("Ours?", kind="name")))
    assert [item["question"] for item in lines(one.file)] == ["Theirs?", "Ours?"]


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (case(" "), "question: must not be blank"),
        (case(answers=None), "neither answers nor evidence"),
        (case(answers=(), evidence=(Place(HARBOUR, Span(0, 3)),)), "yet there is evidence"),
        (case("how OLD"), "'old' in .* asks the same; reword"),
        (case(id="old"), "the id 'old' is used in"),
    ],
)
def test_a_case_that_cannot_be_is_refused(tmp_path: Path, bad: Written, told: str) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(json.dumps({"id": "old", "question": "How old?", "answers": []}) + "\n", encoding="utf-8")
    with pytest.raises(CaseError, match=told):
        CaseBook(file).line(bad)


def test_a_file_with_a_mistake_or_of_another_format_is_not_added_to(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text("{}\n", encoding="utf-8")
    with pytest.raises(CaseError, match="line 1: id: is missing"):
        CaseBook(file)
    file.write_text('{"data": []}', encoding="utf-8")
    with pytest.raises(CaseError, match="is not of our own format; convert it"):
        CaseBook(file)


def test_doubts_are_told(tmp_path: Path) -> None:
    place = quoted("The new quay is 640 metres long", [HARBOUR])
    line = CaseBook(tmp_path / "a").line(case(answers=("48 million", "!!"), evidence=(place,)))
    assert [doubt.partition(";")[0] for doubt in doubts(line)] == [
        "none of the accepted answers stands in the evidence",
        "the answer '!!' has no word in it",
    ]
    assert doubts(CaseBook(tmp_path / "a").line(case(evidence=(place,)))) == []


class Terminal:
    """Gives lines one after the other, None at the end; Ctrl-C where a line says so."""

    def __init__(self, *given: str) -> None:
        self._given = list(given)
        self.shown: list[str] = []

    def read(self, prompt: str) -> str | None:
        self.shown.append(prompt)
        if not self._given:
            return None
        line = self._given.pop(0)
        if line == "^C":
            raise KeyboardInterrupt
        return line


def conversed(file: Path, *given: str, pipeline: FakePipeline | None = None) -> str:
    terminal = Terminal(*given)
    talk = Dialogue(pipeline or FakePipeline(BOTH), CaseBook(file), terminal.shown.append, terminal.read, "dev")
    talk.run()
    return "\n".join(terminal.shown)


QUAY = ("How long is the new quay?", "640 metres long", "", "640 metres", "640", "", "number", "easy, short", "")


def test_a_case_is_written_in_a_conversation(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    shown = conversed(file, *QUAY)
    assert lines(file) == [
        {
            "id": "a-number-01",
            "question": "How long is the new quay?",
            "answers": ["640 metres", "640"],
            "evidence": [{"document_id": "harbour", "quote": "640 metres long"}],
            "kind": "number",
            "tags": ["easy", "short"],
            "split": "dev",
        }
    ]
    assert "[1] The harbour of Lindum opens again" in shown
    assert "saved as a-number-01 in " in shown


def test_gold_is_picked_by_number_by_words_and_by_quote_and_taken_back(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    shown = conversed(
        file, "How long is the new quay?", "1", "1", "/lamp dark", "99", "640 metres wide", "-", "22:40",
        "@ferry came from the coast fund", "", "", "", "", "y",
    )  # fmt: skip
    [case_written] = lines(file)
    assert [item["quote"] for item in case_written["evidence"]] == ["22:40", "came from the coast fund"]
    assert "answers" not in case_written
    for told in (
        "picked already",
        "there is no sentence 99",
        "'640 metres wide' does not stand",
        "taken back: 'The new",
    ):
        assert told in shown
    assert "Its lamp has been dark since the storm" in shown


def test_what_the_articles_do_not_say_and_a_follow_up(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    conversed(file, "Who owns the fish market?", "none", "", "", "", "+And the lighthouse?", "none", "", "", "", "")
    first, second = lines(file)
    assert (first["answers"], first["kind"], "history" in first) == ([], "unanswerable-near", False)
    assert [turn["role"] for turn in second["history"]] == ["user", "assistant"]
    assert second["history"][0]["text"] == "Who owns the fish market?"
    assert "[1]" not in second["history"][1]["text"]


def test_refusals_and_a_no_save_nothing(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    conversed(file, *QUAY)
    shown = conversed(file, "how long is new quay", "x" * 5_000, *("Who?", "none", "", "", "n"))
    assert len(lines(file)) == 1
    assert "'a-number-01' in " in shown and "shorten it" in shown and "not saved" in shown


@pytest.mark.parametrize("cut", range(1, len(QUAY)))
def test_the_end_of_the_input_or_ctrl_c_anywhere_loses_nothing_saved(tmp_path: Path, cut: int) -> None:
    file = tmp_path / "a.jsonl"
    half = [line.replace("new quay", "quay") for line in QUAY[:cut]]
    conversed(file, *QUAY, *half)
    assert [item["id"] for item in lines(file)] == ["a-number-01"]
    with pytest.raises(KeyboardInterrupt):
        conversed(file, *half, "^C")
    assert [item["id"] for item in lines(file)] == ["a-number-01"]


def test_a_case_needs_an_answer_or_evidence_and_articles(tmp_path: Path) -> None:
    shown = conversed(tmp_path / "a.jsonl", "Who?", "", "", "Mara Oduya", "", "", "", "")
    assert "without evidence a case needs an answer" in shown
    assert lines(tmp_path / "a.jsonl")[0]["answers"] == ["Mara Oduya"]
    with pytest.raises(CaseError, match="no article is indexed"):
        conversed(tmp_path / "b.jsonl", "Who?", pipeline=FakePipeline([]))
