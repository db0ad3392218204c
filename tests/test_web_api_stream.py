"""Answers told as they are made, and many at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from bri_qa import exchange, render
from bri_qa.errors import ChatModelError
from bri_qa.types import Progress, Question
from bri_qa.web.access import AccessMiddleware, Person, Role
from bri_qa.web.api import add_problems, ask
from bri_qa.web.api.streaming import beating
from bri_qa.web.schemas import AnswerOut, ProblemOut
from bri_qa.web.service import Workers
from tests.fakes import FakePipeline
from tests.serving import made

ASK, STREAM, BATCH = "/api/v1/ask", "/api/v1/ask/stream", "/api/v1/ask/batch"
QUAY = "How long is the new quay?"


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(made(FakePipeline()), raise_server_exceptions=False) as client:
        yield client


def _events(text: str) -> list[tuple[str, Any]]:
    parts = [part.split("\n") for part in text.split("\n\n") if part and not part.startswith(":")]
    assert all(len(part) == 2 for part in parts)
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in parts]


def test_a_stream_tells_stages_then_statements_with_their_quotes_then_the_same_answer(client: TestClient) -> None:
    response = client.post(STREAM, json={"question": QUAY})
    assert response.headers["content-type"].startswith("text/event-stream")
    assert (response.headers["cache-control"], response.headers["x-accel-buffering"]) == ("no-store", "no")
    events = _events(response.text)
    names = [name for name, _ in events]
    assert names[:3] == ["progress"] * 3 and names[-1] == "answer" and set(names[3:-1]) == {"statement"}
    answer = events[-1][1]
    assert answer == client.post(ASK, json={"question": QUAY}).json()
    assert events[0][1] == {"stage": "searching", "done": 0, "total": 0}
    by_number = {item["number"]: item for item in answer["citations"]}
    assert [data for name, data in events if name == "statement"] == [
        {"text": item["text"], "citations": [by_number[number] for number in item["citations"]]}
        for item in answer["statements"]
    ]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"question": " "}, 400, "question_unusable"),
        ({}, 422, "request_invalid"),
        ({"question": "crash"}, 500, "internal"),
    ],
)
def test_what_goes_wrong_before_the_first_event_is_an_ordinary_problem(
    client: TestClient, body: dict[str, str], status: int, code: str
) -> None:
    problem = ProblemOut.model_validate(client.post(STREAM, json=body).json())
    assert (problem.status, problem.code) == (status, code)


class Failing(FakePipeline):
    """Breaks in the middle of an answer."""

    def __init__(self, late: Exception) -> None:
        super().__init__()
        self.late = late

    def stream(self, question: Question) -> Any:
        del question
        yield Progress("searching")
        raise self.late


@pytest.mark.parametrize(
    ("late", "code", "detail"),
    [
        (ChatModelError("the model is gone"), "not_available", "the model is gone"),
        (KeyError("a secret"), "internal", "the operator's log"),
    ],
)
def test_what_goes_wrong_later_is_the_last_event(late: Exception, code: str, detail: str) -> None:
    with TestClient(made(Failing(late))) as client:
        response = client.post(STREAM, json={"question": QUAY}, headers={"x-request-id": "mine"})
    (first, _), (name, problem) = _events(response.text)
    assert (response.status_code, first, name) == (200, "progress", "error")
    assert (problem["code"], problem["request_id"]) == (code, "mine") and detail in problem["detail"]
    assert "secret" not in response.text


def _app(pipeline: FakePipeline, workers: Workers, beat: float = 15.0) -> FastAPI:
    app = FastAPI()
    add_problems(app)
    app.include_router(ask.router(pipeline, workers, beat))
    app.add_middleware(AccessMiddleware, resolve=lambda _: Person(Role.READER))
    return app


def test_silence_is_filled_with_comments_and_the_work_stops_when_the_client_leaves() -> None:
    pipeline, workers = FakePipeline(), Workers(threads=1, waiting=0)
    app, closed = _app(pipeline, workers, beat=0.01), []
    plain = pipeline.stream

    def stream(question: Question) -> Any:
        try:
            yield from plain(question)
        finally:
            closed.append(question.text)

    pipeline.stream = stream  # type: ignore[method-assign]

    async def leave() -> str:
        received: list[bytes] = []
        body = json.dumps({"question": "please wait, harbour"}).encode()
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            while not messages and sum(item.count(b": still working") for item in received) < 3:
                await asyncio.sleep(0.005)
            return messages.pop() if messages else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            received.append(message.get("body", b""))

        scope = {
            "type": "http", "method": "POST", "path": STREAM, "raw_path": STREAM.encode(), "query_string": b"", "scheme": "http",
            "headers": [(b"content-type", b"application/json")], "http_version": "1.1", "asgi": {"version": "3.0", "spec_version": "2.3"},
        }  # fmt: skip
        await asyncio.wait_for(app(scope, receive, send), 20)  # type: ignore[arg-type]
        pipeline.gate.set()
        while not closed:
            await asyncio.sleep(0.005)
        return b"".join(received).decode()

    text = asyncio.run(leave())
    workers.close()
    assert text.count(": still working\n\n") >= 3
    assert "event: answer" not in text and closed == ["please wait, harbour"]


def test_no_room_is_a_problem_that_says_when_to_come_back() -> None:
    pipeline, workers = FakePipeline(), Workers(threads=1, waiting=0)

    async def ask_twice() -> list[httpx.Response]:
        transport = httpx.ASGITransport(_app(pipeline, workers))
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            first = asyncio.ensure_future(client.post(ASK, json={"question": "please wait, harbour"}))
            while not pipeline.asked and not first.done():
                await asyncio.sleep(0.01)
            others = [
                await client.post(STREAM, json={"question": QUAY}),
                await client.post(BATCH, json=[{"id": 1, "question": QUAY}]),
            ]
            pipeline.gate.set()
            return [await first, *others]

    first, *others = asyncio.run(ask_twice())
    workers.close()
    assert first.status_code == 200
    assert [(one.status_code, one.json()["code"], one.headers["retry-after"]) for one in others] == [
        (503, "busy", "2")
    ] * 2


def test_beats_close_what_they_are_given() -> None:
    closed = []

    async def slow() -> AsyncGenerator[int]:
        try:
            yield 1
            await asyncio.sleep(0.05)
            yield 2
        finally:
            closed.append(True)

    async def all_of(most: int) -> list[int | None]:
        items = beating(slow(), 0.01)
        found = []
        async for item in items:
            found.append(item)
            if len(found) == most:
                break
        await items.aclose()
        return found

    whole = asyncio.run(all_of(100))
    assert (whole[0], whole[-1]) == (1, 2) and None in whole[1:-1]
    assert asyncio.run(all_of(2)) == [1, None]
    assert closed == [True, True]


LINES: list[Any] = [
    {"id": "a", "question": QUAY},
    {"id": 7, "question": " "},
    {
        "id": "c",
        "question": "and who paid the rest?",
        "history": [{"role": "user", "text": "What did the repairs cost?"}],
    },
    {"question": "no id"},
    {"id": "e", "question": "crash"},
    "no object",
    {"id": "\ud800", "question": QUAY, "top_k": 3},
    {"id": "h", "question": QUAY, "filters": {"publishers": ["nobody"]}},
]


def test_a_batch_is_answered_line_by_line_in_order_and_a_bad_line_stops_nothing(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    body = json.dumps(LINES)  # a lone surrogate is only sent escaped
    response = client.post(BATCH, content=body, headers={"content-type": "application/json"})
    assert (response.status_code, response.headers["content-type"]) == (200, "application/jsonl")
    lines = [json.loads(line) for line in response.text.splitlines()]
    assert [line["id"] for line in lines] == ["a", 7, "c", None, "e", None, "\ud800", "h"]
    assert [line["error"]["message"] if "error" in line else line["reason"] for line in lines] == [
        None,
        "the question is empty; type a question about the articles",
        None,
        "id: Field required",
        "something went wrong here; the operator's log has the details",
        "a question of a batch is an object with id and question",
        "top_k: Extra inputs are not permitted",
        "no_documents",
    ]
    assert [line["error"]["line"] for line in lines if "error" in line] == [2, 4, 5, 6, 7]
    assert "secret" not in response.text and "secret" in caplog.text
    assert AnswerOut.model_validate(lines[0]).model_dump(mode="json") | {"id": "a"} == lines[0]


def test_a_batch_is_what_the_command_line_makes_of_the_same_lines(client: TestClient) -> None:
    lines = LINES[:4]
    told = [line for line, _ in exchange.answers((json.dumps(line).encode() for line in lines), FakePipeline().ask)]
    assert client.post(BATCH, json=lines).text.splitlines() == told
    assert json.loads(told[0]) == {"id": "a", **render.as_json(FakePipeline().ask(Question(QUAY)))}


@pytest.mark.parametrize("body", [[], {}, "x", None, [{"id": 1, "question": "x"}] * 101])
def test_what_is_no_batch_is_a_problem(client: TestClient, body: Any) -> None:
    problem = ProblemOut.model_validate(client.post(BATCH, json=body).json())
    assert (problem.status, problem.code) == (422, "request_invalid")
