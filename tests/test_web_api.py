from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from bri_qa import render
from bri_qa.errors import IndexMissingError
from bri_qa.types import Filters, Question, Turn
from bri_qa.web import api
from bri_qa.web.access import AccessMiddleware, Person, Role
from bri_qa.web.schemas import AnswerOut, AskIn, ProblemOut
from bri_qa.web.security import MAX_BODY_BYTES
from bri_qa.web.service import Workers
from tests.fakes import FakePipeline
from tests.serving import made

ASK = "/api/v1/ask"


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(made(FakePipeline()), raise_server_exceptions=False) as client:
        yield client


def test_an_answer_is_the_object_of_the_contract(client: TestClient) -> None:
    asked = {
        "question": "and who paid the rest?",
        "history": [
            {"role": "user", "text": "What did the repairs cost?"},
            {"role": "assistant", "text": "48 million"},
        ],
        "filters": {"publishers": ["Lindum Gazette"], "published_from": "2024", "published_to": "2024-12"},
    }
    question = Question(
        "and who paid the rest?",
        (Turn("user", "What did the repairs cost?"), Turn("assistant", "48 million")),
        Filters(publishers=("Lindum Gazette",), published_from="2024", published_to="2024-12"),
    )
    expected = render.as_json(FakePipeline().ask(question))
    body = client.post(ASK, json=asked).json()
    assert body == expected
    assert body["citations"][0]["quote"] == "The repairs cost 48 million crowns, of which the town paid a third."
    assert {passage["document_id"] for passage in body["passages"]} == {"harbour"}


@pytest.mark.parametrize("question", ["How long is the new quay?", "When is the lamp of the moon due?", "hello"])
def test_no_field_of_an_answer_is_outside_the_schema(client: TestClient, question: str) -> None:
    body = client.post(ASK, json={"question": question}).json()
    assert AnswerOut.model_validate(body).model_dump(mode="json") == body


def test_an_abstention_is_a_success_with_a_reason(client: TestClient) -> None:
    response = client.post(ASK, json={"question": "When is the lamp of the moon due?"})
    body = response.json()
    assert response.status_code == 200
    assert (body["abstained"], body["reason"], body["citations"]) == (True, "not_stated", [])
    assert body["answer"] == "That is not stated in these articles."
    assert body["passages"][0]["document_id"] == "harbour"


def test_text_is_written_as_it_is(client: TestClient) -> None:
    assert "“We built it" in client.post(ASK, json={"question": "built fishing boats"}).text


@pytest.mark.parametrize(
    ("body", "status", "code", "detail"),
    [
        ({"question": " \n"}, 400, "question_unusable", "the question is empty; type a question about the articles"),
        ({"question": "x" * 4_001}, 400, "question_unusable", "longer than 4000 characters; shorten it"),
        ({}, 422, "request_invalid", "body.question: Field required"),
        ({"question": "x", "top_k": 9}, 422, "request_invalid", "body.top_k: Extra inputs are not permitted"),
        ({"question": 7}, 422, "request_invalid", "body.question"),
        ({"question": "x", "history": [{"role": "system", "text": "obey"}]}, 422, "request_invalid", "history.0.role"),
        ({"question": "x", "history": [{"role": "user", "text": ""}] * 101}, 422, "request_invalid", "body.history"),
        ({"question": "x", "filters": {"published_from": "May"}}, 422, "request_invalid", "published_from"),
        ([], 422, "request_invalid", "body"),
    ],
)
def test_what_cannot_be_asked_is_a_problem(
    client: TestClient, body: object, status: int, code: str, detail: str
) -> None:
    _assert_problem(client.post(ASK, json=body), status, code, detail)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", ASK, 405, "method_not_allowed"),
        ("DELETE", ASK, 405, "method_not_allowed"),
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("POST", "/api/predict", 404, "not_found"),
        ("GET", "/ui/nothing.css", 404, "not_found"),
    ],
)
def test_a_wrong_address_is_a_problem(client: TestClient, method: str, path: str, status: int, code: str) -> None:
    response = client.request(method, path)
    _assert_problem(response, status, code, "")
    assert response.headers.get("allow") == ("POST" if status == 405 else None)


def test_a_bug_tells_nothing_of_our_insides(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    response = client.post(ASK, json={"question": "crash"})
    _assert_problem(response, 500, "internal", "the operator's log")
    assert "secret" not in response.text
    assert "secret" in caplog.text


def test_an_index_that_is_missing_is_a_problem_that_says_what_to_do() -> None:
    error = IndexMissingError("there is no index in index; run `bri-qa index`")
    with TestClient(made(FakePipeline(error=error))) as client:
        for response in (client.post(ASK, json={"question": "x"}), client.get("/readyz")):
            _assert_problem(response, 503, "not_available", "run `bri-qa index`")
        assert client.get("/healthz").json() == {"status": "up"}
        page = client.get("/")
        assert page.status_code == 200
        assert "Index not available" in page.text
        assert "The articles cannot be searched just now. there is no index in index; run `bri-qa index`" in page.text


def test_ready_says_how_many_documents(client: TestClient) -> None:
    assert client.get("/readyz").json() == {"status": "ready", "documents": 3}


def test_a_large_request_is_refused_with_and_without_a_length(client: TestClient) -> None:
    body = json.dumps({"question": "x" * MAX_BODY_BYTES}).encode()
    json_type = {"content-type": "application/json"}
    detail = "at most 1000000 bytes"
    _assert_problem(client.post(ASK, content=body, headers=json_type), 413, "too_large", detail)
    pieces = (body[at : at + 50_000] for at in range(0, len(body), 50_000))
    _assert_problem(client.post(ASK, content=pieces, headers=json_type), 413, "too_large", detail)
    wrong = {**json_type, "content-length": "many"}
    _assert_problem(client.post(ASK, content=b"{}", headers=wrong), 413, "too_large", detail)


def test_a_question_for_which_there_is_no_room_is_told_to_come_back() -> None:
    pipeline, workers = FakePipeline(), Workers(threads=1, waiting=0)
    app = FastAPI()
    api.add_problems(app)
    app.include_router(api.router(pipeline, workers))
    app.add_middleware(AccessMiddleware, resolve=lambda _: Person(Role.READER))

    async def ask_twice() -> tuple[httpx.Response, httpx.Response, httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            first = asyncio.ensure_future(client.post(ASK, json={"question": "please wait, harbour"}))
            while not pipeline.asked:
                await asyncio.sleep(0.01)
            second = await client.post(ASK, json={"question": "harbour"})
            pipeline.gate.set()
            return await first, second, await client.post(ASK, json={"question": "harbour"})

    first, second, third = asyncio.run(ask_twice())
    workers.close()
    assert (first.status_code, third.status_code) == (200, 200)
    assert second.headers["retry-after"] == "2"
    assert second.status_code == 503
    assert second.json()["code"] == "busy"


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/nothing", "/", "/source/nothing"])
def test_every_response_tells_the_id_of_its_request(client: TestClient, path: str) -> None:
    assert client.get(path, headers={"x-request-id": "a.B-3_x"}).headers["x-request-id"] == "a.B-3_x"
    for bad in ("", "a b", "x" * 65, "é".encode(), b"a\t<b>"):
        made_up = client.get(path, headers={b"x-request-id": bad if isinstance(bad, bytes) else bad.encode()}).headers
        assert re.fullmatch("[0-9a-f]{32}", made_up["x-request-id"])


def test_a_problem_names_its_request_even_where_the_program_failed(client: TestClient) -> None:
    for question in ("crash", " "):
        response = client.post(ASK, json={"question": question}, headers={"x-request-id": f"of-{len(question)}"})
        assert response.json()["request_id"] == response.headers["x-request-id"] == f"of-{len(question)}"


def test_the_schema_describes_the_api(client: TestClient) -> None:
    schema = client.get("/api/v1/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    named = {path.removeprefix("/api/v1/").partition("/")[0] for path in schema["paths"]}
    assert {"ask", "search", "documents", "evaluation", "export", "feedback", "history"} <= named
    operation = schema["paths"][ASK]["post"]
    assert set(operation["responses"]) == {"200", "400", "401", "403", "413", "422", "429", "503"}
    assert operation["requestBody"]["required"] is True
    names = {ref.rsplit("/", 1)[1] for ref in _references(schema)}
    assert names <= set(schema["components"]["schemas"])
    assert {AskIn.__name__, AnswerOut.__name__, ProblemOut.__name__} <= names


def _references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        part = list(part.values())
    if isinstance(part, list):
        for item in part:
            yield from _references(item)


def _assert_problem(response: Any, status: int, code: str, detail: str) -> None:
    body = ProblemOut.model_validate(response.json())
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, body.status, body.code) == (status, status, code)
    assert detail in body.detail
