"""Every route of the application against everyone who may send a request: a new route without an entry fails here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, Mount

from bri_qa.web.access import Person, Role
from tests.fakes import FakePipeline
from tests.serving import made

OPEN, READER, EVALUATOR, ADMINISTRATOR, MINTER = "open", "reader", "evaluator", "administrator", "minter"
PEOPLE = {
    "nobody": Person(),
    "anonymous": Person(Role.READER, user="anonymous:a", via="anonymous"),
    "reader": Person(Role.READER, user="key:r", via="key"),
    "evaluator": Person(Role.EVALUATOR, user="key:e", via="key"),
    "administrator": Person(Role.ADMINISTRATOR, user="key:a", via="key"),
    "minter": Person(None, user="key:m", via="key", scopes=frozenset({"mint"})),
}
MAY = {
    OPEN: set(PEOPLE),
    READER: {"anonymous", "reader", "evaluator", "administrator"},
    EVALUATOR: {"evaluator", "administrator"},
    ADMINISTRATOR: {"administrator"},
    MINTER: {"minter"},
}
TABLE = {
    OPEN: """
        GET /healthz
        GET /readyz
        GET /favicon.ico
        GET /widget.js
    """,
    READER: """
        GET /api/v1/openapi.json
        GET /api/v1/history
        DELETE /api/v1/history
        GET /api/v1/history/{conversation_id}
        PATCH /api/v1/history/{conversation_id}
        DELETE /api/v1/history/{conversation_id}
        PUT /api/v1/feedback
        DELETE /api/v1/feedback
        GET /api/v1/export/conversations/{conversation_id}
        GET /api/v1/export/answers/{entry_id}
        POST /api/v1/ask
        POST /api/v1/ask/stream
        POST /api/v1/ask/batch
        POST /api/v1/search
        GET /api/v1/documents
        GET /api/v1/documents/{document_id:path}/passages
        GET /api/v1/documents/{document_id:path}
        GET /v1/models
        GET /v1/models/{name}
        POST /v1/chat/completions
        GET /source/{document_id:path}
        POST /quoted
        GET /articles
        GET /scope
        POST /next
    """,
    EVALUATOR: """
        GET /api/v1/feedback
        GET /api/v1/feedback/export
        GET /api/v1/evaluation
        GET /admin/feedback
    """,
    ADMINISTRATOR: """
        GET /metrics
        GET /admin
        GET /admin/articles
        GET /admin/rebuild
        POST /admin/rebuild
        GET /admin/add
        POST /admin/add
        GET /admin/uploads/{upload}
        POST /admin/uploads/{upload}
        GET /admin/remove
        POST /admin/remove
        GET /admin/trash
        POST /admin/trash
        GET /api/v1/admin/overview
        GET /api/v1/admin/articles
        POST /api/v1/admin/uploads
        GET /api/v1/admin/uploads/{upload_id}
        POST /api/v1/admin/uploads/{upload_id}/apply
        DELETE /api/v1/admin/uploads/{upload_id}
        POST /api/v1/admin/remove
        GET /api/v1/admin/trash
        POST /api/v1/admin/trash/{trash_id}/restore
        GET /api/v1/admin/rebuild
        POST /api/v1/admin/rebuild
    """,
    MINTER: """
        POST /api/v1/widget/tokens
    """,
}
ENTRIES = {line.strip(): who for who, lines in TABLE.items() for line in lines.splitlines() if line.strip()}
SIGNING_IN = ("/sign-in", "/sign-out")  # these guard themselves; see test_web_sign_in
NOWHERE = ("/api/{rest:path}", "/v1/{rest:path}", "/v1", "/openapi.json")  # answers 404 or 405 to those who may ask
FORWARDED = {"/v1/chat/completions": {"DELETE", "GET", "PATCH", "PUT"}}


def _resolve(connection: HTTPConnection) -> Person:
    return PEOPLE[connection.headers["x-test-person"]]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    corpus = tmp_path_factory.mktemp("corpus")
    return made(
        FakePipeline(), Path(corpus), resolve=_resolve, widget_origins="https://portal.example", allow_upload=True
    )


@pytest.fixture(scope="module")
def client(app: FastAPI) -> TestClient:
    return TestClient(app, raise_server_exceptions=False, follow_redirects=False)


def walk(routes: list[BaseRoute]) -> Iterator[tuple[str, str, bool]]:
    """Method and path of each route; whether it is Gradio's."""
    for route in routes:
        inner: Any = getattr(route, "original_router", None)
        if inner is not None:
            yield from walk(inner.routes)
        elif isinstance(route, Mount):
            yield from ((method, path, True) for method, path, _ in walk(list(getattr(route.app, "routes", []))))
        else:
            found: Any = route
            yield from ((method, found.path, False) for method in sorted(found.methods or []))


def test_every_route_has_an_entry_and_every_entry_a_route(app: FastAPI) -> None:
    found = {
        f"{method} {path}"
        for method, path, gradio in walk(list(app.routes))
        if not gradio
        and method != "HEAD"
        and path not in NOWHERE
        and not path.startswith(SIGNING_IN)
        and method not in FORWARDED.get(path, ())
    }
    assert found == set(ENTRIES)


@pytest.mark.parametrize("name", PEOPLE)
def test_who_may_do_what(client: TestClient, name: str) -> None:
    wrong = []
    for entry, needed in ENTRIES.items():
        method, _, path = entry.partition(" ")
        filled = re.sub(r"\{[^}]*\}", "harbour", path)
        status = client.request(method, filled, headers={"x-test-person": name}).status_code
        unknown = name == "nobody" or (name == "anonymous" and needed == MINTER)
        expected = "may" if name in MAY[needed] else 401 if unknown else 403
        if (status if status in (401, 403) else "may") != expected:
            wrong.append((entry, needed, status))
    assert wrong == []


def test_strangers_reach_nothing_of_the_chat(app: FastAPI, client: TestClient) -> None:
    """Nor anything that Gradio mounts: it is shut, or behind the door."""
    tried = 0
    for method, path, gradio in walk(list(app.routes)):
        filled = re.sub(r"\{[^}]*\}", "x", path)
        if gradio and method in ("GET", "POST") and filled not in ("/favicon.ico", "/openapi.json"):
            status = client.request(method, filled, headers={"x-test-person": "nobody"}).status_code
            assert status in (401, 404), (method, filled, status)
            tried += 1
    assert tried > 50
    assert client.get("/", headers={"x-test-person": "nobody", "accept": "text/html"}).headers["location"] == (
        "/sign-in?next=%2F"
    )


def test_the_files_of_gradio_are_shut_for_everybody(client: TestClient) -> None:
    for path in (
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/upload",
        "/gradio_api/proxy=http://evil.example/",
        "/config",
    ):
        for method in ("GET", "POST"):
            response = client.request(method, path, headers={"x-test-person": "administrator"})
            assert response.status_code == 404, (method, path)
