"""The typed client against the real application on the loopback."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bri_qa import render
from bri_qa.client import (
    Answer,
    Answered,
    Client,
    ClientError,
    Failed,
    Filters,
    ForbiddenError,
    MissingError,
    OverloadedError,
    Progress,
    RefusedError,
    ServerError,
    SignInError,
    StatementReady,
    Turn,
    UnreachableError,
)
from bri_qa.errors import IndexMissingError
from bri_qa.types import Question
from bri_qa.web.access import CredentialsError, Person, Role
from tests.fakes import FakePipeline
from tests.serving import served

QUAY = "How long is the new quay?"
KEY = "a-key-of-the-tests"


def _resolve(connection: Any) -> Person:
    sent = connection.headers.get("authorization", "")
    if not sent:
        return Person()
    if sent != f"Bearer {KEY}":
        raise CredentialsError("this key is not known here")
    return Person(Role.READER, via="key")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(FakePipeline(), resolve=_resolve) as address:
        yield address


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[Client]:
    with Client(address + "/", KEY) as client:
        yield client


def test_an_answer_is_the_object_of_the_contract(client: Client) -> None:
    answer = client.ask(QUAY)
    assert answer.raw == render.as_json(FakePipeline().ask(Question(QUAY)))
    assert (answer.short_answer, answer.abstained, answer.reason) == ("640", False, None)
    assert answer.citations[answer.statements[0].citations[0] - 1].quote == answer.statements[0].text


def test_history_and_filters_come_along(client: Client) -> None:
    turns = [Turn(role="user", text="What did the repairs cost?"), Turn(role="assistant", text="48 million")]
    answer = client.ask("and who paid the rest?", turns)
    assert answer.citations[0].quote.startswith("The repairs cost 48 million crowns")
    nothing = client.ask(QUAY, filters=Filters(publishers=("nobody",)))
    assert (nothing.abstained, nothing.reason) == (True, "no_documents")


def test_a_stream_gives_typed_events_and_the_answer_last(client: Client) -> None:
    *events, last = client.stream(QUAY)
    stages = [event for event in events if isinstance(event, Progress)]
    statements = [event for event in events if isinstance(event, StatementReady)]
    assert isinstance(last, Answered) and last.answer == client.ask(QUAY)
    assert [stage.stage for stage in stages] == ["searching", "reading", "checking"]
    assert [item.text for item in statements] == [item.text for item in last.answer.statements]
    assert statements[0].citations[0] == last.answer.citations[0]


def test_a_batch_of_any_size_is_answered_in_order(client: Client) -> None:
    turns = [Turn(role="user", text="What did the repairs cost?")]
    questions: list[Any] = [QUAY, " ", ("and who paid the rest?", turns), *[f"harbour {n}" for n in range(100)]]
    found = list(client.batch(questions))
    first, second, third, *rest = found
    assert first == client.ask(QUAY) and third == client.ask("and who paid the rest?", turns)
    assert isinstance(second, Failed) and second.message.startswith("the question is empty")
    assert [one.question for one in rest if isinstance(one, Answer)] == [f"harbour {n}" for n in range(100)]


def test_passages_and_documents(client: Client) -> None:
    found = client.search("new quay metres", top_k=3, filters=Filters(published_from="2024"))
    assert found.passages[0].text.startswith("The new quay is 640 metres")
    page = client.documents(limit=1)
    names = [page.documents[0].id]
    while page.next:
        page = client.documents(limit=1, cursor=page.next)
        names += [item.id for item in page.documents]
    assert names == ["harbour", "odd/<i>ledger</i> & co", "tides"] and page.total == 3
    assert [item.id for item in client.documents("tidal bell", Filters(publishers=("Coast Review",))).documents] == [
        "tides"
    ]
    odd = client.document("odd/<i>ledger</i> & co")
    passages = client.passages(odd.id)
    assert passages.document_sha256 == odd.sha256
    assert all(odd.text[one.start : one.end] == one.text for one in passages.passages)


def test_an_answer_of_the_history_is_rated(tmp_path: Path) -> None:
    from bri_qa.settings import Settings
    from bri_qa.web.identity import COOKIE
    from bri_qa.web.records import Records

    records = Records.open(Settings.load({}, history_dir=tmp_path))
    cookie = records.identity.signed("anonymous:anna")
    pipeline = FakePipeline()
    entry = records.history.add("anonymous:anna", pipeline.ask(Question(QUAY)), pipeline.document)
    records.workers.close()
    records.database.close()
    with served(pipeline, history=tmp_path) as address, Client(address, cookies={COOKIE: cookie}) as client:
        rated = client.rate(entry.id, "down", citation=1, reason="wrong", comment="It is longer.")
        assert (rated.rating, rated.citation, rated.reason, rated.comment) == ("down", 1, "wrong", "It is longer.")
        with pytest.raises(MissingError):
            client.rate("nothing", "up")
        with pytest.raises(RefusedError) as caught:
            client.rate(entry.id, "sideways")
        assert (caught.value.status, caught.value.code) == (422, "request_invalid")


def test_errors_say_what_where_and_which_request(address: str, client: Client) -> None:
    with pytest.raises(RefusedError) as caught:
        client.ask(" ")
    error = caught.value
    assert (error.code, error.status, error.retry_after) == ("question_unusable", 400, None)
    assert error.request_id and str(error) == f"question_unusable: {error.detail} (request {error.request_id})"
    with pytest.raises(RefusedError):
        list(client.stream(" "))
    with pytest.raises(MissingError, match="no article of this id"):
        client.document("nothing")
    with Client(address) as nobody, pytest.raises(SignInError, match="sign_in_needed"):
        nobody.ask(QUAY)
    with Client(address, "another") as stranger, pytest.raises(SignInError, match="credentials_invalid"):
        list(stranger.stream(QUAY))


def _answering(status: int, body: Any, **headers: str) -> Client:
    text = body if isinstance(body, str) else json.dumps(body)
    return Client(
        "http://qa.example", transport=httpx.MockTransport(lambda _: httpx.Response(status, text=text, headers=headers))
    )


PROBLEM = {"type": "about:blank", "title": "x", "code": "busy", "detail": "too many questions", "request_id": "r1"}


@pytest.mark.parametrize(
    ("status", "kind"),
    [(403, ForbiddenError), (409, RefusedError), (429, OverloadedError), (500, ServerError), (503, OverloadedError)],
)
def test_each_status_has_its_kind_of_error(status: int, kind: type[ClientError]) -> None:
    with (
        _answering(status, {**PROBLEM, "status": status}, **{"retry-after": "7"}) as client,
        pytest.raises(kind) as caught,
    ):
        client.ask(QUAY)
    assert (caught.value.status, caught.value.request_id, caught.value.retry_after) == (status, "r1", 7.0)


@pytest.mark.parametrize("body", ["<html>", "{}", "[]", '"x"', '{"question": 1}'])
def test_what_no_server_of_ours_would_say_is_an_error_too(body: str) -> None:
    with _answering(200, body) as client:
        for call in (lambda: client.ask(QUAY), client.documents, lambda: list(client.batch([QUAY]))):
            with pytest.raises(ClientError):
                call()
        with pytest.raises(ServerError, match="unreadable"):
            list(client.stream(QUAY))
    with _answering(502, "<html>bad gateway") as client, pytest.raises(ServerError, match="the server answered 502"):
        client.ask(QUAY)


def test_a_stream_that_breaks_off_is_told() -> None:
    progress = 'event: progress\ndata: {"stage": "reading", "done": 0, "total": 1}\n\n: still working\n\nevent: new\ndata: {}\n\n'
    with _answering(200, progress, **{"content-type": "text/event-stream"}) as client:
        stream = client.stream(QUAY)
        assert next(stream) == Progress(stage="reading", done=0, total=1)
        with pytest.raises(UnreachableError, match="broken_off"):
            next(stream)
    late = progress + f"event: error\ndata: {json.dumps({**PROBLEM, 'status': 503})}\n\n"
    with (
        _answering(200, late, **{"content-type": "text/event-stream"}) as client,
        pytest.raises(OverloadedError, match="r1"),
    ):
        list(client.stream(QUAY))


def test_an_index_that_is_missing_is_told_by_its_server() -> None:
    error = IndexMissingError("there is no index in index; run `bri-qa index`")
    with (
        served(FakePipeline(error=error)) as address,
        Client(address) as client,
        pytest.raises(OverloadedError, match="bri-qa index"),
    ):
        client.ask(QUAY)


def test_no_server_and_a_slow_one_are_told_in_time() -> None:
    with Client("http://127.0.0.1:9") as client, pytest.raises(UnreachableError, match="cannot be reached"):
        client.ask(QUAY)
    pipeline = FakePipeline()
    with served(pipeline) as address:
        with Client(address, timeout=0.3) as client, pytest.raises(UnreachableError, match="timed_out"):
            client.ask("please wait, harbour")
        pipeline.gate.set()


def test_the_client_loads_no_part_of_the_server() -> None:
    code = "import bri_qa.client, sys; print([m for m in sys.modules if m.split('.')[0] in %r or m.startswith('bri_qa.web')])"
    heavy = {"torch", "faiss", "gradio", "fastapi", "numpy", "openvino", "starlette", "sqlalchemy"}
    done = subprocess.run([sys.executable, "-c", code % heavy], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
