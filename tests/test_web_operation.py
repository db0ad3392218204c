"""What an operator sees of the server: metrics, log, traces, readiness; and a server below a sub-path."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bri_qa.compose import open_index
from bri_qa.errors import IndexMissingError, MissingExtraError
from bri_qa.settings import Settings
from bri_qa.types import Answered, Event, ModelUse, Question
from bri_qa.web import guards
from bri_qa.web.access import AccessMiddleware, Person, Role
from bri_qa.web.api import problems
from bri_qa.web.operation import logs
from bri_qa.web.operation.measured import Measured
from bri_qa.web.operation.metrics import Metrics, _fallback
from bri_qa.web.operation.operation import Operation
from bri_qa.web.operation.tracing import Tracing
from bri_qa.web.request_ids import RequestIdMiddleware
from bri_qa.web.service import Pipeline
from tests.articles import built_in, pipeline_over
from tests.fakes import FakePipeline

QUAY = "How long is the new quay?"
UNLIMITED = {"rate_limit_ask": "", "rate_limit_address": "", "rate_limit_request": ""}


def _app(pipeline: Pipeline, client: str = "127.0.0.1", **settings: Any) -> tuple[TestClient, Operation]:
    """A route that asks, with operation around it; the role is in the header x-role."""
    operation, app = Operation.open(Settings.load({}, **{**UNLIMITED, **settings}), pipeline), FastAPI()
    problems.add_problems(app)
    guards.add_problems(app)
    operation.add_problems(app)
    app.include_router(operation.router())

    @app.post("/api/v1/ask/{name}")
    async def ask(name: str, question: str) -> str:
        return (await operation.workers.run(lambda: operation.pipeline.ask(Question(question)))).mode

    operation.add_inner(app)
    app.add_middleware(AccessMiddleware, resolve=lambda it: Person(Role(it.headers.get("x-role", "reader")), via="key"))
    app.add_middleware(RequestIdMiddleware)
    operation.add_outer(app)
    return TestClient(app, raise_server_exceptions=False, client=(client, 1)), operation


def _values(client: TestClient, **headers: str) -> dict[str, float]:
    page = client.get("/metrics", headers=headers)
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/plain")
    lines = (line.rpartition(" ") for line in page.text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def test_questions_are_counted_by_outcome_and_channel_without_a_word_of_them() -> None:
    client, _ = _app(FakePipeline())
    for question in (QUAY, "What is tungsten?", "crash"):
        client.post("/api/v1/ask/x", params={"question": question})
    client.post("/api/v1/ask/x", params={"question": ""})  # a fault of whoever asks
    found = _values(client)
    assert found['bri_qa_questions_total{channel="api",outcome="answered"}'] == 1
    assert found['bri_qa_questions_total{channel="api",outcome="off_topic"}'] == 1
    assert found['bri_qa_questions_total{channel="api",outcome="error"}'] == 1
    assert sum(value for name, value in found.items() if name.startswith("bri_qa_questions_total")) == 3
    assert found["bri_qa_question_seconds_count"] == 2
    assert found['bri_qa_stage_seconds_count{stage="read"}'] == 2
    assert found["bri_qa_statements_total"] >= 1
    assert found["bri_qa_documents"] == 3 and found["bri_qa_index_usable"] == 1
    route = 'method="POST",route="/api/v1/ask/{name}"'
    assert found[f'bri_qa_http_request_seconds_count{{{route},status="2xx"}}'] == 2
    assert "quay" not in client.get("/metrics").text


def test_outside_of_a_request_it_is_the_chat_and_what_the_model_did_is_added_up() -> None:
    class Spending(FakePipeline):
        def stream(self, question: Question) -> Generator[Event]:
            for event in super().stream(question):
                if not isinstance(event, Answered):
                    yield event
                    continue
                use = ModelUse(2, 300, 40, 0.5, fallback="the language model did not answer within 3 s")
                yield replace(event, answer=replace(event.answer, trace=replace(event.answer.trace, use=use)))

    metrics = Metrics()
    measured = Measured(Spending(), metrics, Tracing())
    for _ in range(2):
        measured.ask(Question(QUAY))
    page = metrics.page().decode()
    assert 'bri_qa_questions_total{channel="chat",outcome="answered"} 2.0' in page
    assert "bri_qa_language_model_calls_total 4.0" in page and "bri_qa_language_model_cost_total 1.0" in page
    assert 'bri_qa_language_model_tokens_total{kind="completion"} 80.0' in page
    assert 'bri_qa_language_model_fallbacks_total{reason="timeout"} 2.0' in page


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ("the language model's server cannot be reached (refused)", "refused"),
        ("nothing that the language model wrote stood in the articles", "not_in_articles"),
        ("2 questions are with the language model already", "busy"),
        ("the language model's answer broke off", "broke_off"),
        ("any words of a stranger", "other"),
    ],
)
def test_a_fallback_has_one_of_a_few_reasons(told: str, word: str) -> None:
    assert _fallback(told) == word


def test_metrics_are_for_this_machine_and_for_administrators() -> None:
    client, _ = _app(FakePipeline(), client="192.0.2.1")
    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers={"x-role": "evaluator"}).status_code == 403
    assert _values(client, **{"x-role": "administrator"})["bri_qa_documents"] == 3
    near, _ = _app(FakePipeline())
    assert near.get("/metrics", headers={"x-forwarded-for": "127.0.0.1"}).status_code == 403


def test_an_index_that_is_gone_is_not_ready_and_shows_in_the_metrics() -> None:
    client, _ = _app(FakePipeline(error=IndexMissingError("there is no index; run `bri-qa index`")))
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["code"]) == (503, "not_available")
    assert client.get("/healthz").json() == {"status": "up"}
    assert _values(client)["bri_qa_index_usable"] == 0


def test_only_this_machine_is_told_of_the_whole_index(tmp_path: Path) -> None:
    settings = built_in(tmp_path)
    pipeline = pipeline_over(open_index(settings))
    near, far = _app(pipeline)[0], _app(pipeline, client="192.0.2.1")[0]
    told = near.get("/readyz").json()
    assert (told["status"], told["documents"], told["index_generation"]) == ("ready", 4, 1)
    assert told["passages"] > 4 and told["index_age_seconds"] >= 0 and told["index_built"]
    assert far.get("/readyz").json() == {"status": "ready", "documents": 4}
    assert _values(near)["bri_qa_passages"] == told["passages"]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged as JSON; afterwards logging is as it was."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    logs.configure(Settings.load({}, log_format="json"), stream)
    yield stream
    root.handlers, root.level = handlers, level
    logging.captureWarnings(False)


def _lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_a_request_leaves_one_line_with_its_id_and_without_its_words(log: io.StringIO) -> None:
    client, _ = _app(FakePipeline())
    client.post("/api/v1/ask/secret-name", params={"question": QUAY}, headers={"x-request-id": "abc-1"})
    question, request = _lines(log)
    assert (question["event"], question["outcome"], question["channel"]) == ("question", "answered", "api")
    assert {key: request[key] for key in ("event", "method", "route", "status", "via", "request_id")} == {
        "event": "request",
        "method": "POST",
        "route": "/api/v1/ask/{name}",
        "status": 200,
        "via": "key",
        "request_id": "abc-1",
    }
    assert question["request_id"] == "abc-1" and request["ms"] >= 0
    assert "quay" not in log.getvalue() and "secret-name" not in log.getvalue()


def test_questions_are_logged_where_that_is_set(log: io.StringIO) -> None:
    client, _ = _app(FakePipeline(), log_questions=True)
    client.post("/api/v1/ask/x", params={"question": QUAY})
    assert _lines(log)[0]["question"] == QUAY


def test_a_fault_is_logged_with_the_id_that_its_problem_names(log: io.StringIO) -> None:
    client, _ = _app(FakePipeline())
    told = client.post("/api/v1/ask/x", params={"question": "crash"}).json()
    fault = next(line for line in _lines(log) if "exception" in line)
    assert fault["request_id"] == told["request_id"] and "RuntimeError" in fault["exception"]


def test_the_console_s_log_is_for_people_and_the_libraries_are_in_it(log: io.StringIO) -> None:
    logs.configure(Settings.load({}), log)
    logging.getLogger("uvicorn.error").warning("trouble %d", 7)
    logging.getLogger("alembic").info("chatter")
    assert "trouble 7" in log.getvalue() and "chatter" not in log.getvalue()


def test_a_trace_has_the_request_the_question_and_its_stages() -> None:
    spans = InMemorySpanExporter()
    tracing = Tracing.to(spans, SimpleSpanProcessor)
    with tracing.request("POST") as told:
        Measured(FakePipeline(), Metrics(), tracing).ask(Question(QUAY))
        told["http.route"] = "/api/v1/ask"
    tracing.close()
    stage, question, request = spans.get_finished_spans()
    assert (stage.name, question.name, request.name) == ("read", "question", "POST /api/v1/ask")
    assert stage.parent is not None and question.parent is not None
    assert (stage.parent.span_id, question.parent.span_id) == (question.context.span_id, request.context.span_id)
    assert "quay" not in str([span.attributes for span in (stage, question, request)])


def test_the_extra_is_named_where_opentelemetry_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bri_qa.web.operation.tracing.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"bri-qa\[otel\]"):
        Tracing.open("http://127.0.0.1:4318/v1/traces")
    assert Tracing.open(None).provider is None
