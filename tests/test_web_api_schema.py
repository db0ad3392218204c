"""The description of the API is whole and valid, and the server keeps to it whatever it is sent."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, settings
from openapi_spec_validator import validate
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.types import Receive, Scope, Send

from bri_qa.settings import Settings
from bri_qa.web import create_app
from bri_qa.web.access import Person, Role
from tests.fakes import FakePipeline, document, web_documents
from tests.serving import UNLIMITED

PATH = "/api/v1/openapi.json"
OURS = ("ask", "ask_stream", "ask_batch", "search", "documents", "document", "document_passages", "evaluation")
OTHERS = ("conversations", "conversation", "ratings", "rate", "withdraw_rating", "export_ratings", "export_answer")


async def _made() -> FastAPI:
    folder = Path(tempfile.mkdtemp(prefix="bri-qa-history-"))
    pipeline = FakePipeline([*web_documents(), document("a/b", "Another article\nIt says little.", publisher="Desk")])
    chosen = Settings.load({}, corpus_dir=folder, history_dir=folder, runs_dir=folder, **UNLIMITED)
    return create_app(chosen, pipeline, lambda _: Person(Role.EVALUATOR, frozenset(), via="test"))


APP = asyncio.run(_made())
SCHEMA: dict[str, Any] = APP.openapi()
OPERATIONS = {operation["operationId"]: operation for path in SCHEMA["paths"].values() for operation in path.values()}


def test_the_description_is_valid_openapi() -> None:
    validate(SCHEMA)
    assert SCHEMA["openapi"].startswith("3.1")
    assert {*OURS, *OTHERS} <= OPERATIONS.keys()
    assert len(OPERATIONS) == sum(len(path) for path in SCHEMA["paths"].values())


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_operation_says_what_it_does_and_what_may_go_wrong(name: str) -> None:
    operation = OPERATIONS[name]
    assert operation["summary"] and operation["description"] and operation["tags"]
    assert {"401", "422", "429", "503"} <= operation["responses"].keys()
    for status, response in operation["responses"].items():
        assert response["description"] and "X-Request-Id" in response["headers"]
        if status >= "400":
            assert list(response["content"]) == ["application/problem+json"]
            assert response["content"]["application/problem+json"]["schema"] == {
                "$ref": "#/components/schemas/ProblemOut"
            }


@pytest.mark.parametrize("name", OURS)
def test_every_parameter_is_described_and_every_request_and_error_has_an_example(name: str) -> None:
    operation = OPERATIONS[name]
    for parameter in operation.get("parameters", []):
        assert parameter.get("description") or parameter["in"] == "path", parameter
    for status, response in operation["responses"].items():
        if status >= "400":
            assert response["content"]["application/problem+json"]["examples"]
    if "requestBody" in operation:
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        body = SCHEMA["components"]["schemas"][body["$ref"].rpartition("/")[2]] if "$ref" in body else body
        assert body["examples"]


def test_every_field_of_a_request_is_described() -> None:
    for name in ("AskIn", "BatchLineIn", "SearchIn", "TurnIn", "FiltersIn"):
        shape = SCHEMA["components"]["schemas"][name]
        assert shape["description"] and all(field.get("description") for field in shape["properties"].values()), name


async def _open(scope: Scope, receive: Receive, send: Send) -> None:
    """The application without its end: each request is made as if it were the first and the last."""
    if scope["type"] == "lifespan":
        for what in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{what}.complete"})
        return
    await APP(scope, receive, send)


def _loaded() -> Any:
    loaded = schemathesis.openapi.from_asgi(PATH, _open)
    return loaded.include(operation_id=[*OURS, *OTHERS])


CHECKS = (not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance)
LOADED = _loaded()


@LOADED.parametrize()  # type: ignore[untyped-decorator]
@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_whatever_is_sent_the_answer_is_one_that_the_description_knows(case: Any) -> None:
    case.call_and_validate(checks=list(CHECKS))
