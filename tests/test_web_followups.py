from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from bri_qa.errors import IndexMissingError
from bri_qa.types import Span
from bri_qa.web import followups, texts
from bri_qa.web.followups import NextIn, candidates, suggested
from bri_qa.web.schemas import FiltersIn
from tests.fakes import FakePipeline, document
from tests.serving import made

ENGLISH = texts.of(texts.ENGLISH)
HARBOUR = FakePipeline().by_id["harbour"]
NEXT: dict[str, Any] = {
    "asked": ["How long is the new quay?"],
    "places": [{"document": "harbour", "start": 149, "end": 214}],
}


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(made(FakePipeline())) as client:
        yield client


def test_those_who_speak_and_what_is_named_make_questions() -> None:
    asked = [one.text for one in candidates(HARBOUR, Span(149, 214), "", ENGLISH)]
    assert asked[0] == "How long is the new quay?"
    assert "What did Mara Oduya say?" in asked
    assert "What did Tomas Reiner say?" in asked
    assert asked.index("What did Mara Oduya say?") < asked.index("What did Tomas Reiner say?")  # the nearer one first


def test_what_has_been_asked_or_told_makes_no_question() -> None:
    asked = candidates(HARBOUR, Span(149, 214), "and mara oduya?", ENGLISH)
    assert not [one for one in asked if "Oduya" in one.text]


def test_names_within_a_sentence_come_after_those_who_speak() -> None:
    text = "Title\nIt met at the Coast Guard School of Lindum. “So be it,” said Ada Moss. The Old Mill burned."
    asked = candidates(document("x", text), Span(0, 5), "", ENGLISH)
    assert [one.text for one in asked] == [
        "What did Ada Moss say?",
        "What is said about the Coast Guard School of Lindum?",
    ]


def test_what_an_article_names_without_the_makes_a_question_and_days_do_not() -> None:
    text = "Title\nA ship of Harbour Lines came on Mondays and Fridays. It was met by the mayor of Old Lindum, Ada Moss, at “Deeply Knowing and Loving Ships”, on the “North Sea Ferry Road”."
    asked = [one.words for one in candidates(document("x", text), Span(0, 5), "", ENGLISH)]
    assert asked == ["Harbour Lines", "Old Lindum", "Ada Moss"]


def test_an_article_in_another_language_makes_no_question() -> None:
    text = "Titel\nThe bridge cost 7 crowns. Er traf Ada Moss."
    assert candidates(document("x", text, language="de"), Span(0, 5), "", ENGLISH) == []


def test_those_who_ask_go_first() -> None:
    pipeline = FakePipeline()
    assert suggested(NextIn(**NEXT), pipeline, ENGLISH, None, lambda: True) == []
    assert pipeline.asked == []


def test_a_question_that_was_put_is_not_offered() -> None:
    first = suggested(NextIn(**{**NEXT, "asked": []}), FakePipeline(), ENGLISH, None)
    again = suggested(NextIn(**{**NEXT, "asked": [text.upper() for text in first]}), FakePipeline(), ENGLISH, None)
    assert first
    assert not set(first) & set(again)


def test_only_what_the_pipeline_answers_is_offered() -> None:
    pipeline = FakePipeline()
    offered = suggested(NextIn(**NEXT), pipeline, ENGLISH, None)
    assert offered
    assert len(offered) <= followups.OFFERED
    for text in offered:
        assert text in [question.text for question in pipeline.asked]
    refusing = FakePipeline([item for item in pipeline.documents() if item.id != "harbour"])
    refusing.by_id["harbour"] = HARBOUR  # the article is there, but every question about it is answered with an error
    refusing.error = IndexMissingError("gone")
    assert suggested(NextIn(**NEXT), refusing, ENGLISH, None) == []


def test_what_has_been_seen_is_not_offered_again() -> None:
    whole = {**NEXT, "places": [{"document": "harbour", "start": 0, "end": len(HARBOUR.text)}]}
    assert suggested(NextIn(**whole), FakePipeline(), ENGLISH, None) == []


def test_filters_hold_for_what_is_offered() -> None:
    pipeline = FakePipeline()
    suggested(NextIn(**NEXT, filters=FiltersIn(document_ids=["tides"])), pipeline, ENGLISH, None)
    assert {question.filters.document_ids for question in pipeline.asked} == {("tides",)}


def test_the_route_answers_with_questions(client: TestClient) -> None:
    assert client.post("/next", json=NEXT).json()["questions"]
    assert client.post("/next", json={"asked": [], "places": []}).json() == {"questions": []}
    gone = {
        "asked": [],
        "places": [{"document": "gone", "start": 0, "end": 9}, {"document": "harbour", "start": 9, "end": 10**9}],
    }
    assert client.post("/next", json=gone).json() == {"questions": []}
    assert client.post("/next", json=NEXT, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.post("/next", json={"asked": []}).status_code == 422
