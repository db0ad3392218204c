from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bri_qa.errors import AnswerFileError, InputError
from bri_qa.exchange import answers, lines_of, saved_citations
from bri_qa.render import as_json
from bri_qa.types import Question, Span, Turn
from tests.fakes import HARBOUR_TEXT, FakePipeline


def _batch(*lines: str | bytes, pipeline: FakePipeline | None = None) -> list[tuple[dict[str, Any], bool]]:
    given_ = [line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line for line in lines]
    return [(json.loads(line), fine) for line, fine in answers(given_, (pipeline or FakePipeline()).ask)]


def _line(**fields: Any) -> str:
    return json.dumps(fields)


def test_each_question_gets_the_answer_object_with_its_id_first_in_order() -> None:
    asked = ["How long is the new quay?", "hello", "Which planet has rings?"]
    found = _batch(*(_line(id=at, question=text) for at, text in enumerate(asked)))
    assert [item["id"] for item, _ in found] == [0, 1, 2] and all(fine for _, fine in found)
    for (item, _), text in zip(found, asked, strict=True):
        again = as_json(FakePipeline().ask(Question(text)))
        assert item == {"id": item["id"], **again}
        assert next(iter(item)) == "id"


def test_history_is_handed_on() -> None:
    pipeline = FakePipeline()
    history = [{"role": "user", "text": "How long is the new quay?"}, {"role": "assistant", "text": "640 metres."}]
    _batch(_line(id="a", question="and how many ships?", history=history), pipeline=pipeline)
    turns = (Turn("user", "How long is the new quay?"), Turn("assistant", "640 metres."))
    assert pipeline.asked == [Question("and how many ships?", turns)]


@pytest.mark.parametrize(
    ("line", "identity", "said"),
    [
        ("not json", None, "not JSON: Expecting value at column 1"),
        ('{"id": 1', None, "not JSON: Expecting ',' delimiter at column 9"),
        ("[1]", None, "Input should be a valid dictionary"),
        ("null", None, "Input should be a valid dictionary"),
        (_line(id=7), 7, "question: Field required"),
        (_line(question="hello"), None, "id: Field required"),
        (_line(id=7, question=5), 7, "question: Input should be a valid string"),
        (_line(id=7, question="hello", topk=3), 7, "topk: Extra inputs are not permitted"),
        (_line(id=7, question="hello", history=[{"role": "system", "text": "x"}]), 7, '"user" or "assistant"'),
        (_line(id=7, question=" "), 7, "the question is empty; type a question about the articles"),
        ('{"id": NaN, "question": "hello"}', None, "NaN is not JSON"),
        (b'{"id": 7, "question": "\xff"}', None, "'utf-8' codec can't decode byte 0xff"),
        ("[" * 100_000, None, "recursion"),
    ],
)
def test_a_bad_line_is_answered_by_what_is_wrong_and_the_rest_goes_on(
    line: str | bytes, identity: int | None, said: str
) -> None:
    found = _batch(_line(id="before", question="hello"), line, "", "  ", _line(id="after", question="hello"))
    assert [(item["id"], fine) for item, fine in found] == [("before", True), (identity, False), ("after", True)]
    bad = found[1][0]
    assert set(bad) == {"id", "error"} and bad["error"]["line"] == 2
    assert said in bad["error"]["message"] and "\n" not in bad["error"]["message"]


def test_every_line_out_is_one_line_of_json_with_words_as_they_are() -> None:
    question = _line(id="é", question="hello\u2028\n城").encode()
    ((line, _),) = answers([question], FakePipeline().ask)
    assert "\n" not in line and "é" in line and "城" in line


@settings(deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=8))
def test_any_bytes_at_all_get_a_line_each(lines: list[bytes]) -> None:
    found = list(answers(lines, FakePipeline().ask))
    assert len(found) == sum(bool(line.strip()) for line in lines)
    assert all("id" in json.loads(line) for line, _ in found)


def test_a_file_is_cut_at_line_feeds_alone(tmp_path: Path) -> None:
    path = tmp_path / "batch.jsonl"
    path.write_bytes("\ufeff{“a\u2028b”}\r\nc\x85\n".encode())
    assert [line.decode() for line in lines_of(path)] == ["\ufeff{“a\u2028b”}\r", "c\x85", ""]
    assert _batch(b"\xef\xbb\xbf" + _line(id=1, question="hello").encode() + b"\r")[0][1]


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"cannot be read \(.*\); give a file of JSON lines"):
        lines_of(tmp_path / name)


def _saved(tmp_path: Path, **changes: Any) -> Path:
    answer = {**as_json(FakePipeline().ask(Question("How long is the new quay?"))), **changes}
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(answer), encoding="utf-8")
    return path


def test_a_saved_answer_gives_its_citations_back(tmp_path: Path) -> None:
    (citation,) = saved_citations(_saved(tmp_path))
    assert (citation.number, citation.document_id) == (1, "harbour")
    assert citation.span == Span(
        HARBOUR_TEXT.index(citation.quote), HARBOUR_TEXT.index(citation.quote) + len(citation.quote)
    )


def test_a_saved_abstention_has_none(tmp_path: Path) -> None:
    assert saved_citations(_saved(tmp_path, abstained=True, citations=[])) == []


CITATION = {"number": 1, "document_id": "harbour", "start": 0, "end": 3, "quote": "The", "document_sha256": "0"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"citations": []}, "an answer has citations, an abstention has none"),
        ({"abstained": True}, "an answer has citations, an abstention has none"),
        ({"citations": [{**CITATION, "start": "x"}]}, r"citations\.0\.start: Input should be a valid integer"),
        ({"citations": [{**CITATION, "start": -1}]}, "a span needs 0 <= start <= end"),
        ({"citations": [{**CITATION, "end": 9}]}, "as long as its span"),
        ({"citations": [{**CITATION, "quote": "", "end": 0}]}, "a citation's quote is not empty"),
        ({"citations": "none"}, "citations: Input should be a valid (list|array)"),
    ],
)
def test_a_saved_answer_that_is_not_the_contracts_is_refused(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(
        AnswerFileError, match=rf"answer\.json is not a saved answer \(.*{said}.*\); give the output of"
    ):
        saved_citations(_saved(tmp_path, **changes))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_file_that_is_no_json_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "answer.json"
    path.write_bytes(content)
    with pytest.raises(AnswerFileError, match="is not a saved answer"):
        saved_citations(path)
    with pytest.raises(AnswerFileError, match="is not a saved answer"):
        saved_citations(tmp_path / "missing.json")
