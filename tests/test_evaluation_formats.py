"""Public formats and the chat's feedback, read as cases; each mistake told by its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bri_qa.errors import CaseError
from bri_qa.evaluation import evaluate, formats
from bri_qa.evaluation.cases import load
from bri_qa.evaluation.formats import Entry, Problem
from bri_qa.evaluation.formats.naming import article_id
from bri_qa.types import Document, Question, Span, Turn
from tests.fakes import HARBOUR_TEXT, FakePipeline, document

HARBOUR = document("harbour", HARBOUR_TEXT)
QUAY = "The new quay is 640 metres long and takes three ships at a time."


def squad(*qas: dict[str, Any], context: str = QUAY, version: str = "1.1") -> dict[str, Any]:
    return {"version": version, "data": [{"title": "Lindum", "paragraphs": [{"context": context, "qas": list(qas)}]}]}


def qa(*answers: tuple[str, int], **keys: Any) -> dict[str, Any]:
    given = [{"text": text, "answer_start": start} for text, start in answers]
    return {"id": "q", "question": "How long is the quay?", "answers": given, **keys}


def written(tmp_path: Path, value: Any, name: str = "cases.json") -> Path:
    file = tmp_path / name
    file.write_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return file


def cases_of(file: Path, *documents: Document) -> Any:
    by_id = {item.id: item for item in documents or (HARBOUR,)}
    return load(file, by_id.get, lambda: list(by_id.values())).cases


def problem(file: Path) -> str:
    [found] = [str(item) for item in formats.read(file).entries if isinstance(item, Problem)]
    return found


def test_squad_answers_become_accepted_answers_and_the_most_given_is_evidence_at_its_offset(tmp_path: Path) -> None:
    again = QUAY.replace("takes", "takes 640 or")
    start = again.index("640 or")
    item = qa(("640 metres", 16), ("640", start), ("640", start))
    [case] = cases_of(written(tmp_path, squad(item, context=again)), document("a", f"Title\n{again}"))
    assert (case.id, case.answers, case.kind) == ("q", ("640", "640 metres"), "fact")
    assert case.evidence[0].spans == (Span(6 + start, 6 + start + 3),)  # the second 640, as the offset says


def test_squad_2_says_what_is_not_answered(tmp_path: Path) -> None:
    items = [
        qa(("640", 16)),
        qa(id="r", is_impossible=True, plausible_answers=[{"text": "640", "answer_start": 16}]),
        qa(id="s"),
    ]
    cases = cases_of(written(tmp_path, squad(*items, version="v2.0")))
    assert [(case.id, case.answerable, case.kind) for case in cases] == [
        ("q", True, "fact"),
        ("r", False, "unanswerable"),
        ("s", False, "unanswerable"),
    ]


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (qa(("641", 16)), "data[0].paragraphs[0].qas[0].answers[0]: the context has '640' at 16, not '641'"),
        (qa(("640", -3)), "data[0].paragraphs[0].qas[0].answers[0]: the context has '' at -3"),
        (qa(), "data[0].paragraphs[0].qas[0]: no answers; give one, or set is_impossible"),
        ({"id": "q", "answers": []}, "data[0].paragraphs[0].qas[0]: question: is missing"),
        (qa(("640", 16), question=" "), "data[0].paragraphs[0].qas[0]: question: must not be blank"),
    ],
)
def test_a_mistake_in_squad_is_told_by_its_json_path(tmp_path: Path, bad: dict[str, Any], told: str) -> None:
    file = written(tmp_path, squad(bad))
    assert problem(file).startswith(f"{file}, {told}")
    with pytest.raises(CaseError, match=r"cases\.json, data"):
        cases_of(file)


def test_a_context_is_found_in_whichever_document_holds_it_white_space_aside(tmp_path: Path) -> None:
    spaced = document("b", HARBOUR_TEXT.replace("quay is 640", "quay\nis  640"))
    file = written(tmp_path, squad(qa(("640 metres", 16))))
    [case] = cases_of(file, document("a", "Nothing here"), spaced)
    [evidence] = case.evidence
    assert (evidence.document_id, evidence.quote) == ("b", "640 metres")
    assert evidence.spans[0].of(spaced.text) == "640 metres"
    with pytest.raises(CaseError, match=r"no indexed document holds 'The new quay .*--corpus-to"):
        cases_of(file, document("a", "Nothing here"))


def beir(tmp_path: Path, **files: str) -> Path:
    usual = {
        "corpus.jsonl": "".join(
            json.dumps(item) + "\n"
            for item in (
                {"_id": "d1", "title": "Quay", "text": QUAY, "metadata": {}},
                {"_id": "d2", "title": "", "text": "The repairs cost 48 million crowns."},
            )
        ),
        "queries.jsonl": "".join(
            json.dumps({"_id": name, "text": text}) + "\n" for name, text in (("1", "quay length"), ("2", "repairs"))
        ),
        "test.tsv": "query-id\tcorpus-id\tscore\n1\td1\t2\n1\td2\t1\n2\td2\t0\n",
    }
    folder = tmp_path / "beir"
    (folder / "qrels").mkdir(parents=True)
    for name, text in {**usual, **{key.replace("_", "."): text for key, text in files.items()}}.items():
        (folder / ("qrels" if name.endswith("tsv") else ".") / name).write_text(text, encoding="utf-8")
    return folder


def test_beir_judgements_above_0_make_whole_documents_evidence(tmp_path: Path) -> None:
    folder = beir(tmp_path)
    [case] = cases_of(
        folder, document("d1", f"Quay\n\n{QUAY}"), document("other", "x The repairs cost 48 million crowns.")
    )
    assert (case.id, case.question.text, case.split, case.answers) == ("1", "quay length", "test", ())
    assert [(item.document_id, item.relevance, item.whole) for item in case.evidence] == [
        ("d1", 2, True),
        ("other", 1, True),
    ]
    assert case.quoted == ()
    assert case.answerable


def test_judged_documents_are_judged_by_retrieval_and_not_by_quotes(tmp_path: Path) -> None:
    folder = beir(tmp_path, queries_jsonl='{"_id": "1", "text": "How long is the quay?"}\n')
    quay, repairs = document("d1", f"Quay\n\n{QUAY}"), document("d2", "Money\nThe repairs cost 48 million crowns.")
    outcome = evaluate(FakePipeline([quay, repairs]), folder)
    assert (outcome.summary["recall@1"], outcome.summary["mrr"], outcome.summary["citation_precision"]) == (0.5, 1, 1)
    assert not {"evidence_coverage", "citation_recall", "f1"} & outcome.summary.keys()
    assert [record.verdict for record in outcome.run.records] == ["ok"]  # one of the two judged ones is cited


def test_a_query_of_two_beir_splits_is_two_cases(tmp_path: Path) -> None:
    folder = beir(tmp_path, dev_tsv="1\td2\t1\n")
    entries = [item for item in formats.read(folder).entries if isinstance(item, Entry)]
    assert [(item.case.id, item.case.split) for item in entries] == [("1", "dev"), ("1-test", "test")]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"test_tsv": "1\td1\n"}, "test.tsv, line 1: 2 columns"),
        ({"test_tsv": "a\tb\tc\n1\td1\thigh\n"}, "test.tsv, line 2: the score 'high' is not a whole number"),
        ({"test_tsv": "7\td1\t1\n"}, "test.tsv, line 1: no query '7'"),
        ({"test_tsv": "1\td9\t1\n"}, "test.tsv, line 1: no document 'd9' in corpus.jsonl"),
        ({"queries_jsonl": '{"_id": "1", "text": "q"}\n{"_id": 2}\n'}, "queries.jsonl, line 2: _id: must be a text"),
    ],
)
def test_a_mistake_in_beir_is_told_by_file_and_line(tmp_path: Path, files: dict[str, str], told: str) -> None:
    assert told in " ".join(
        str(item) for item in formats.read(beir(tmp_path, **files)).entries if isinstance(item, Problem)
    )


CSV = """Question,Answer,unanswerable,document_id,quote,document_id_2,quote_2,kind,tags,split
"How long, in metres?",640 | 640 metres,,harbour,640 metres long,,The repairs cost 48 million crowns,number,easy|short,dev
When will it be lit?,,yes,,,,,,,
What does the council say?,,,harbour,,,,search,,
"""


@pytest.mark.parametrize(("name", "sign"), [("a.csv", ","), ("a.tsv", "\t"), ("a.csv", ";")])
def test_a_table_is_read_by_its_column_names(tmp_path: Path, name: str, sign: str) -> None:
    text = "\ufeff" + CSV.replace("How long, in", "How long in").replace(",", sign)
    first, second, third = cases_of(written(tmp_path, text, name))
    assert (first.id, first.question, first.answers) == (
        "row-2",
        Question("How long in metres?"),
        ("640", "640 metres"),
    )
    assert [item.quote for item in first.evidence] == ["640 metres long", "The repairs cost 48 million crowns"]
    assert (first.kind, first.tags, first.split) == ("number", ("easy", "short"), "dev")
    assert (second.answerable, second.kind) == (False, "unanswerable")
    assert third.evidence[0].whole


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("query,answer\na,b\n", "line 1: the first row names no column `question`"),
        ("question,anwser\na,b\n", "line 1: unknown column 'anwser'"),
        ("question,answer,answer\na,b,c\n", "line 1: the column 'answer' stands twice"),
        ("question,answer\n\na,b,c\n", "line 3: 3 cells under 2 columns"),
        ("question,answer\na,\n", "line 2: neither an answer nor a quote"),
        ("question,answer\n,b\n", "line 2: question: must not be blank"),
        ("question,unanswerable\na,perhaps\n", "line 2: unanswerable is 'perhaps'; write yes or no"),
        ("question,answer,unanswerable\na,b,yes\n", "line 2: unanswerable is yes, yet"),
        ("question,quote\na,b\n", "line 2: evidence.0.document_id: must not be blank"),
        ("question,answer,history\na,b,once\n", "line 2: history is not JSON"),
        ('question,answer\n"a"b,c\n', "line 2: not CSV"),
    ],
)
def test_a_mistake_in_a_table_is_told_by_line(tmp_path: Path, text: str, told: str) -> None:
    file = written(tmp_path, text, "t.csv")
    assert problem(file).startswith(f"{file}, {told}")


ANSWER = {
    "question": "How long is the quay?",
    "abstained": False,
    "short_answer": "640 metres",
    "citations": [
        {"number": 1, "document_id": "harbour", "start": 122, "end": 187, "quote": QUAY},
        {"number": 2, "document_id": "harbour", "start": 0, "end": 11, "quote": "The harbour"},
    ],
}


def rated(**keys: Any) -> dict[str, Any]:
    usual = {"id": "7", "created": "2025-01-01T00:00:00Z", "rating": "down", "reason": None, "comment": None}
    return {**usual, "citation": None, "question": "How long?", "history": [], "answer": ANSWER, **keys}


def draft(tmp_path: Path, **keys: Any) -> Any:
    content = formats.read(written(tmp_path, json.dumps(rated(**keys)) + "\n", "feedback.jsonl"))
    assert content.format == "feedback"
    [entry] = content.entries
    assert isinstance(entry, Entry)
    return entry.case


def test_an_up_rated_answer_proposes_its_quotes_and_short_answer(tmp_path: Path) -> None:
    case = draft(tmp_path, rating="up", history=[{"role": "user", "text": "Hello"}])
    assert (case.id, case.tags, case.answers) == ("feedback-7", ("draft", "feedback"), ("640 metres",))
    assert [item.quote for item in case.evidence] == [QUAY, "The harbour"]
    assert case.evidence[0].start == 122
    assert Turn(case.history[0].role, case.history[0].text) == Turn("user", "Hello")
    assert [item.quote for item in draft(tmp_path, rating="up", citation=2).evidence] == ["The harbour"]
    silent = {**ANSWER, "abstained": True, "citations": [], "short_answer": None}
    assert draft(tmp_path, rating="up", answer=silent).answers == ()


def test_a_down_rated_answer_is_left_to_be_completed_with_the_comment_as_a_note(tmp_path: Path) -> None:
    case = draft(tmp_path, reason="wrong quote", citation=1, comment=" It is of\n2024. ")
    assert (case.answers, case.evidence) == (None, ())
    assert case.note == "down, wrong quote, citation 1: It is of\n2024."
    said = draft(tmp_path, answer={**ANSWER, "answer": "It is\n640 metres long. [1]"})
    assert said.note == "down; answered: It is 640 metres long. [1]"
    assert problem(written(tmp_path, rated(rating="so"), "bad.jsonl")).endswith("rating: must be 'up' or 'down'")


def test_feedback_itself_is_no_case_file(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="is feedback; make cases of it first: bri-qa eval import"):
        cases_of(written(tmp_path, rated(), "feedback.jsonl"))


@pytest.mark.parametrize("text", ["[]", '{\n"id": "a"\n}', '[\n{"id": "a"}\n]'])
def test_json_of_no_known_format_is_told_so(tmp_path: Path, text: str) -> None:
    with pytest.raises(CaseError, match="is JSON, but not SQuAD"):
        formats.read(written(tmp_path, text))


def test_squad_is_known_however_it_is_laid_out_and_named(tmp_path: Path) -> None:
    value = squad(qa(("640", 16)))
    for name, indent in (("a.json", 1), ("b.jsonl", None), ("c", 2)):
        assert formats.read(written(tmp_path, json.dumps(value, indent=indent), name)).format == "squad"


def test_ids_of_articles_stay_what_they_can_and_never_meet() -> None:
    assert article_id("Super_Bowl_50") == "Super_Bowl_50"
    assert article_id("a b") != article_id("a-b") == "a-b"
    assert article_id("a b").startswith("a-b-")
    assert article_id("???").startswith("article-")
