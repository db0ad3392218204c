"""Every error leaves as problem+json with a stable code, and says nothing of our insides."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from bri_qa.errors import BriQAError, InputError
from bri_qa.web.security import problem, problem_body
from bri_qa.web.service import BusyError, DeadlineError

log = logging.getLogger(__name__)

MEDIA = "application/problem+json"
_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
_BUSY_SECONDS = "2"
_WAIT = {"description": "Seconds after which to come back, where they are known", "schema": {"type": "integer"}}
_SAID: dict[int, tuple[str, tuple[tuple[str, str], ...]]] = {
    400: (
        "The question cannot be used",
        (("question_unusable", "the question is empty; type a question about the articles"),),
    ),
    401: (
        "Nobody is known to have sent it, or the key is not valid",
        (
            ("sign_in_needed", "sign in, or send a key in the header Authorization: Bearer …"),
            ("credentials_invalid", "this key is not known here; ask the operator for another"),
        ),
    ),
    403: (
        "The sender may not do this",
        (("evaluator_only", "this is for the role evaluator and above; you have reader"),),
    ),
    404: (
        "It is not there, or not for the sender",
        (("not_found", "there is no article of this id that you may read"),),
    ),
    413: ("The request is too large", (("too_large", "a request may have at most 1000000 bytes"),)),
    422: ("The request is not as the schema says", (("request_invalid", "body.question: Field required"),)),
    429: ("Asked too often", (("rate_limited", "you have asked very often; go on in 20 seconds"),)),
    503: (
        "Busy, or the index or a model is not available",
        (
            ("busy", "too many questions are waiting; try again in a moment"),
            ("too_slow", "this took longer than 120 seconds; ask again, or ask for less"),
            ("not_available", "there is no index in index; run `bri-qa index` first"),
        ),
    ),
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors of a route with an example each, for the schema: `statuses` and those that every route has."""
    return {status: described(status) for status in sorted({401, 403, 422, 429, 503, *statuses})}


def described(status: int) -> dict[str, Any]:
    """One error of a route, for the schema."""
    text, examples = _SAID[status]
    shown = {code: {"value": _example(status, code, detail)} for code, detail in examples}
    schema = {"$ref": "#/components/schemas/ProblemOut"}
    said: dict[str, Any] = {"description": text, "content": {MEDIA: {"schema": schema, "examples": shown}}}
    return {**said, "headers": {"Retry-After": _WAIT}} if status in (429, 503) else said


def _example(status: int, code: str, detail: str) -> dict[str, Any]:
    return {**problem_body(status, code, detail), "request_id": "5f0c1c2f0d4e4f6b9d3c5a7e8b1d2c3f"}


def told(error: Exception) -> tuple[int, str, str]:
    """Status, code and detail of an error; a fault of ours goes to the log, and nothing of it is told."""
    if isinstance(error, InputError):
        return 400, "question_unusable", str(error)
    if isinstance(error, BusyError):
        return 503, "too_slow" if isinstance(error, DeadlineError) else "busy", str(error)
    if isinstance(error, BriQAError):
        return 503, "not_available", str(error)
    log.error("a request failed", exc_info=error)
    return 500, "internal", "something went wrong here; the operator's log has the details"


def add_problems(app: FastAPI) -> None:
    """The handlers of what routes raise."""

    @app.exception_handler(InputError)
    @app.exception_handler(BriQAError)
    @app.exception_handler(Exception)
    async def failed(_: Request, error: Exception) -> JSONResponse:
        return problem(*told(error))

    @app.exception_handler(BusyError)
    async def busy(_: Request, error: BusyError) -> JSONResponse:
        status, code, detail = told(error)
        return problem(status, code, detail, **{"Retry-After": _BUSY_SECONDS})

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return problem(422, "request_invalid", f"{where}: {first['msg']}")

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == 400 and "parsing the body" in str(error.detail):  # as FastAPI says it
            return problem(422, "request_invalid", "body: it is not JSON in UTF-8; send JSON")
        code = _CODES.get(error.status_code, "refused")
        return problem(error.status_code, code, str(error.detail), **dict(error.headers or {}))
