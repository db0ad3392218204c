"""The description of the API (OpenAPI): what it says of itself beyond its routes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic.json_schema import models_json_schema

from bri_qa.web.api.problems import MEDIA, described
from bri_qa.web.api.shapes import ProgressEvent, StatementEvent
from bri_qa.web.schemas import ProblemOut

VERSION = "1"
BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    description="An API key, where the server asks for one. Pages of the server itself send a cookie instead.",
)
_TEXT = """Questions to a body of articles, answered with quotes that are cut from them.

- Every answer, from the command line, the chat or here, is the same object (`AnswerOut`).
- Every error is `application/problem+json` (RFC 9457) with a stable `code`.
- Every response has an `X-Request-Id`: yours, if you send one of at most 64 letters, digits, `.`, `_` and `-`.
- What you may not read is not there: it is in no answer, list or count.
- A field that is not listed is refused (422). Requests have at most 1 MB (413).
- Where a response says `Retry-After`, come back after that many seconds.
- What changes something is `PUT`, `PATCH` or `DELETE`, and the same when it is sent twice; asking and searching keep
  nothing. So no idempotency key is needed, and one that is sent is not looked at.
- Administration uses `POST`, too: what is sent a second time finds that it is done already."""
_TAGS = [
    {"name": "ask", "description": "Questions: one, one told as it is answered, many."},
    {"name": "search", "description": "Passages without an answer."},
    {"name": "documents", "description": "The articles themselves."},
    {"name": "history", "description": "A user's own conversations, kept by the chat."},
    {"name": "export", "description": "Conversations and answers as files."},
    {"name": "feedback", "description": "What users say of their answers."},
    {"name": "evaluation", "description": "How good the answers are."},
    {"name": "administration", "description": "The articles changed and indexed, by administrators."},
]


def describe(app: FastAPI) -> None:
    """Make the application's description whole: the shapes of problems and of events, and the request ids."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(plain())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _completed(schema: dict[str, Any]) -> dict[str, Any]:
    shapes = [(model, "serialization") for model in (ProblemOut, ProgressEvent, StatementEvent)]
    _, made = models_json_schema(shapes, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    schema["components"].setdefault("schemas", {}).update(made["$defs"])
    for operation in _operations(schema):
        for status in (429, *((413,) if "requestBody" in operation else ())):
            operation["responses"].setdefault(str(status), described(status))
    for response in (one for operation in _operations(schema) for one in operation["responses"].values()):
        response.setdefault("headers", {})["X-Request-Id"] = {
            "description": "The id of the request, for the operator's log",
            "schema": {"type": "string"},
        }
        content = response.get("content", {})
        if MEDIA in content:
            content.pop("application/json", None)
            content[MEDIA].setdefault("schema", {"$ref": "#/components/schemas/ProblemOut"})
    return schema


def _operations(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in schema["paths"].values():
        yield from (operation for operation in path.values() if isinstance(operation, dict))


def _name(route: APIRoute) -> str:
    """The id of an operation that names none itself: its router and its function, as long as these stay."""
    return "_".join([*(str(tag) for tag in route.tags[:1]), route.name])


ABOUT: dict[str, Any] = {
    "title": "bri_qa",
    "version": VERSION,
    "description": _TEXT,
    "openapi_tags": _TAGS,
    "generate_unique_id_function": _name,
}
