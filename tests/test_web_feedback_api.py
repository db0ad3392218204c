from __future__ import annotations

import json
from dataclasses import replace

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from bri_qa.history import Rating
from bri_qa.web import feedback_api, guards
from bri_qa.web.history_schemas import FeedbackOut, RatedOut, RatedPageOut
from tests.housing import ANNA, BEN, House, assert_problem
from tests.keeping import MILL, QUAY

ADMIN = {"X-Test-Role": "administrator"}
FEEDBACK = feedback_api.PATH


def test_feedback_is_given_changed_and_taken_back(house: House) -> None:
    entry, anna = house.add(ANNA), house.browser(ANNA)
    anna.put(FEEDBACK, json={"entry": entry.id, "rating": "up"})
    said = {"entry": entry.id, "rating": "down", "reason": "out_of_date", "comment": "Old."}
    body = anna.put(FEEDBACK, json=said).json()
    assert FeedbackOut.model_validate(body).model_dump(mode="json") == body
    assert {key: body[key] for key in ("rating", "reason", "comment", "citation")} == {
        "rating": "down",
        "reason": "out_of_date",
        "comment": "Old.",
        "citation": None,
    }
    anna.put(FEEDBACK, json={**said, "citation": 1})
    assert [item.citation for item in house.records.history.entry(ANNA, entry.id).feedback] == [None, 1]
    assert anna.delete(FEEDBACK, params={"entry": entry.id}).status_code == 204
    assert anna.delete(FEEDBACK, params={"entry": entry.id, "citation": 1}).status_code == 204
    assert_problem(anna.delete(FEEDBACK, params={"entry": entry.id}), 404, "not_found", "you gave no feedback")


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://testserver"}, {}])
def test_pages_of_ours_change_what_is_their_users(house: House, headers: dict[str, str]) -> None:
    entry = house.add(ANNA)
    response = house.browser(ANNA).put(FEEDBACK, json={"entry": entry.id, "rating": "up"}, headers=headers)
    assert response.status_code == 200


def test_a_form_cannot_change_anything(house: House) -> None:
    entry = house.add(ANNA)
    content = json.dumps({"entry": entry.id, "rating": "up"})
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        response = house.browser(ANNA).put(FEEDBACK, content=content, headers={"Content-Type": kind})
        assert_problem(response, 422, "request_invalid")
    assert house.records.history.entry(ANNA, entry.id).feedback == ()


def test_administrators_read_everyones_feedback(house: House) -> None:
    for user, question in ((ANNA, QUAY), (BEN, MILL)):
        house.records.ratings.rate(user, house.add(user, question).id, Rating.DOWN, comment=f"of {question}")
    client = house.browser(None)
    client.headers.update(ADMIN)
    body = client.get(FEEDBACK).json()
    assert [item["question"] for item in body["feedback"]] == [MILL, QUAY]
    assert (body["counts"]["down"], body["counts"]["reasons"]["none"], body["next"]) == (2, 2, None)
    assert [item.question for item in RatedPageOut.model_validate(body).feedback] == [MILL, QUAY]
    filtered = client.get(FEEDBACK, params={"q": "ledger", "rating": "down", "commented": "true"}).json()
    assert [item["question"] for item in filtered["feedback"]] == [MILL]
    assert client.get(FEEDBACK, params={"since": "2999-01-01T00:00:00Z"}).json()["feedback"] == []
    part = client.get(FEEDBACK, params={"limit": 1}).json()
    rest = client.get(FEEDBACK, params={"limit": 1, "cursor": part["next"]}).json()
    assert [item["question"] for item in rest["feedback"]] == [QUAY]
    for query, detail in (({"rating": "x"}, "query.rating"), ({"since": "2026-01-01"}, "query.since"), ({"z": "1"}, "query.z")):  # fmt: skip
        assert_problem(client.get(FEEDBACK, params=query), 422, "request_invalid", detail)


def test_administrators_export_feedback_as_json_lines(house: House) -> None:
    entry = house.add(ANNA)
    house.records.ratings.rate(ANNA, entry.id, Rating.DOWN)
    client = house.browser(None)
    client.headers.update(ADMIN)
    response = client.get(FEEDBACK + "/export")
    assert response.headers["content-type"].startswith("application/jsonl")
    assert response.headers["content-disposition"] == 'attachment; filename="feedback.jsonl"'
    assert response.text.endswith("\n")
    (line,) = response.text.splitlines()
    assert json.loads(line)["answer"] == entry.contract
    assert RatedOut.model_validate_json(line).question == QUAY
    assert client.get(FEEDBACK + "/export", params={"rating": "up"}).text == ""
    assert_problem(client.get(FEEDBACK + "/export", params={"limit": 3}), 422, "request_invalid", "query.limit")


def test_only_evaluators_and_above_see_what_was_rated(house: House) -> None:
    closed = FastAPI()
    guards.add_problems(closed)
    closed.include_router(feedback_api.router(house.records, house.pipeline))
    for path in (FEEDBACK, FEEDBACK + "/export"):
        assert_problem(house.browser(ANNA).get(path), 403, "evaluator_only", "this is for the role evaluator and above")
        assert_problem(TestClient(closed, headers=ADMIN).get(path), 401, "sign_in_needed", "sign in")


def test_an_evaluator_sees_what_is_about_articles_that_the_evaluator_may_read(house: House) -> None:
    entry = house.add(ANNA)
    house.browser(ANNA).put(FEEDBACK, json={"entry": entry.id, "rating": "up"})
    client = TestClient(house.app, headers=ADMIN)
    assert len(client.get(FEEDBACK).json()["feedback"]) == 1 == len(client.get(f"{FEEDBACK}/export").text.splitlines())
    for name, item in house.pipeline.by_id.items():
        house.pipeline.by_id[name] = replace(item, source=replace(item.source, groups=("board",)))
    assert client.get(FEEDBACK).json()["feedback"] == []
    assert client.get(f"{FEEDBACK}/export").text == ""
