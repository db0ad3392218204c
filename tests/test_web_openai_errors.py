"""Errors under `/v1`, in the protocol's shape and as the official client's exceptions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from bri_qa.errors import IndexMissingError, ModelError
from bri_qa.web import guards
from bri_qa.web.openai import ErrorsMiddleware
from bri_qa.web.security import problem
from bri_qa.web.service import DeadlineError
from tests.chatting import KEY, QUAY, resolve, said
from tests.fakes import FakePipeline
from tests.serving import served


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with served(FakePipeline(), resolve=resolve) as address:
        yield address


@pytest.fixture
def client(base: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{base}/v1", api_key=KEY, max_retries=0) as client:
        yield client


def _status(base: str, body: Any, key: str = KEY, path: str = "/v1/chat/completions") -> tuple[int, dict[str, Any]]:
    response = httpx.post(base + path, json=body, headers={"authorization": f"Bearer {key}"})
    assert response.headers["content-type"] == "application/json"
    assert set(response.json()) == {"error"}
    error = response.json()["error"]
    assert set(error) == {"message", "type", "code", "param"}
    return response.status_code, error


@pytest.mark.parametrize(
    ("change", "status", "code", "param"),
    [
        ({"model": "gpt"}, 404, "model_not_found", "model"),
        ({"n": 2}, 400, "unsupported_value", "n"),
        ({"tool_choice": "required"}, 400, "unsupported_value", "tool_choice"),
        ({"response_format": {"type": "json_object"}}, 400, "unsupported_value", "response_format"),
        ({"modalities": ["text", "audio"]}, 400, "unsupported_value", "modalities"),
        ({"messages": [{"role": "system", "content": "x"}]}, 400, "no_question", "messages"),
        ({"messages": [{"role": "user", "content": " "}]}, 400, "question_unusable", None),
        ({"messages": [{"role": "user", "content": "x" * 4_001}]}, 400, "question_unusable", None),
        ({"messages": []}, 422, "request_invalid", "messages"),
        ({"messages": [{"content": "x"}]}, 422, "request_invalid", "messages.0.role"),
        ({"bri_qa": {"source": True}}, 422, "request_invalid", "bri_qa.source"),
        ({"user": "x" * 1_000_000}, 413, "too_large", None),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_what_cannot_be_asked_is_refused_in_the_protocols_shape(
    base: str, change: dict[str, Any], status: int, code: str, param: str | None, stream: bool
) -> None:
    told, error = _status(base, {"model": "bri_qa", "messages": said(QUAY), "stream": stream, **change})
    assert (told, error["code"], error["param"], error["type"]) == (status, code, param, "invalid_request_error")


@pytest.mark.parametrize("kind", ["image_url", "input_audio", "file"])
def test_a_part_that_is_no_text_is_named(base: str, kind: str) -> None:
    parts = [{"type": "text", "text": QUAY}, {"type": kind, kind: {"url": "data:image/png;base64,AA"}}]
    status, error = _status(base, {"model": "bri_qa", "messages": [{"role": "user", "content": parts}]})
    assert (status, error["code"], error["param"]) == (400, "unsupported_content", "messages.0.content.1")
    assert f"of the type {kind} cannot be read here; send text alone" in error["message"]


def test_errors_are_the_exceptions_of_the_client(base: str, client: openai.OpenAI) -> None:
    create = client.chat.completions.create
    with pytest.raises(openai.BadRequestError, match="leave out n"):
        create(model="bri_qa", messages=said(QUAY), n=2)
    with pytest.raises(openai.NotFoundError):
        create(model="gpt", messages=said(QUAY))
    with pytest.raises(openai.UnprocessableEntityError):
        create(model="bri_qa", messages=[])
    with pytest.raises(openai.InternalServerError, match="operator's log") as broken:
        create(model="bri_qa", messages=said("crash"))
    assert "secret" not in str(broken.value)
    for key in ("wrong", "nobody"):
        stranger = client.with_options(api_key=key)
        with pytest.raises(openai.AuthenticationError):
            stranger.chat.completions.create(model="bri_qa", messages=said(QUAY))
        with pytest.raises(openai.AuthenticationError) as refused:
            stranger.models.list()
        assert refused.value.type == "authentication_error"
    with pytest.raises(openai.NotFoundError, match="there are /v1/models"):
        client.embeddings.create(model="bri_qa", input="x")


def test_other_methods_are_refused(base: str) -> None:
    response = httpx.get(f"{base}/v1/chat/completions", headers={"authorization": f"Bearer {KEY}"})
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert response.json()["error"]["code"] == "method_not_allowed"


def test_an_index_that_is_missing_is_told_before_a_stream_begins() -> None:
    error = IndexMissingError("there is no index in index; run `bri-qa index`")
    with served(FakePipeline(error=error), resolve=resolve) as base:
        client = openai.OpenAI(base_url=f"{base}/v1", api_key=KEY, max_retries=0)
        for stream in (True, False):
            with pytest.raises(openai.InternalServerError, match="run `bri-qa index`") as refused:
                client.chat.completions.create(model="bri_qa", messages=said(QUAY), stream=stream)
            assert (refused.value.status_code, refused.value.code) == (503, "not_available")
        client.close()


def test_limits_and_load_are_told_as_the_protocol_does() -> None:
    app = FastAPI()
    guards.add_problems(app)
    app.add_middleware(ErrorsMiddleware)

    @app.get("/v1/limited")
    @app.get("/api/v1/limited")
    async def limited() -> Any:
        return problem(429, "limited", "go on in 7 seconds", **{"Retry-After": "7"})

    @app.get("/v1/busy")
    async def busy() -> Any:
        return problem(503, "busy", "too many questions are waiting", **{"Retry-After": "2"})

    client = TestClient(app)
    response = client.get("/v1/limited")
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")
    assert response.json() == {
        "error": {"message": "go on in 7 seconds", "type": "rate_limit_error", "code": "limited", "param": None}
    }
    assert response.headers["x-content-type-options"] == "nosniff"
    assert client.get("/v1/busy").json()["error"]["type"] == "server_error"
    assert client.get("/api/v1/limited").headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (ModelError("the model is gone"), "not_available"),
        (DeadlineError("it took too long"), "too_slow"),
        (RuntimeError("secret"), "internal"),
    ],
)
def test_what_goes_wrong_in_a_stream_is_told_in_the_stream(trouble: Exception, code: str) -> None:
    pipeline = FakePipeline()
    pipeline.breaks = trouble
    with served(pipeline, resolve=resolve) as base:
        client = openai.OpenAI(base_url=f"{base}/v1", api_key=KEY, max_retries=0)
        with pytest.raises(openai.APIError) as told:
            list(client.chat.completions.create(model="bri_qa", messages=said(QUAY), stream=True))
        assert told.value.code == code and "secret" not in str(told.value)
        client.close()
