"""`/api/v1` and the health checks. Each route parses, calls one function, and shows the result."""

from __future__ import annotations

import logging
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from bri_qa import render
from bri_qa.errors import BriQAError, InputError
from bri_qa.web.access import Person, Role
from bri_qa.web.guards import needs
from bri_qa.web.schemas import AnswerOut, AskIn, ProblemOut
from bri_qa.web.security import problem
from bri_qa.web.service import BusyError, Pipeline, Workers

Reader = Annotated[Person, Depends(needs(Role.READER))]

log = logging.getLogger(__name__)

_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "model": ProblemOut, "content": {"application/problem+json": {}}}
    for status, text in (
        (400, "The question cannot be used"),
        (413, "The request is too large"),
        (422, "The request is not as the schema says"),
        (503, "Busy, or the index or a model is not available"),
    )
}


def router(pipeline: Pipeline, workers: Workers) -> APIRouter:
    """The routes of the API."""
    routes = APIRouter()

    @routes.post("/api/v1/ask", response_model=AnswerOut, responses=_PROBLEMS)
    async def ask(request: AskIn, who: Reader) -> JSONResponse:
        """Ask a question. An abstention is an answer with a reason (200), not an error."""
        question = request.to_question(who)
        return JSONResponse(render.as_json(await workers.run(lambda: pipeline.ask(question))))

    # Gradio, mounted at `/`, would answer these in its own way.
    @routes.api_route("/api/v1/ask", methods=["GET", "PUT", "PATCH", "DELETE"], include_in_schema=False)
    async def not_posted() -> None:
        raise HTTPException(405, "questions are asked with POST", {"Allow": "POST"})

    @routes.api_route("/api/{rest:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False)
    async def nothing() -> None:
        raise HTTPException(404, "there is nothing at this address")

    @routes.get("/healthz", include_in_schema=False)
    async def healthz() -> JSONResponse:
        return JSONResponse({"status": "up"})

    @routes.get("/readyz", include_in_schema=False)
    async def readyz() -> JSONResponse:
        return JSONResponse({"status": "ready", "documents": len(await workers.run(lambda: pipeline.documents(frozenset())))})

    return routes


def add_problems(app: FastAPI) -> None:
    """Every error leaves as problem+json with a stable code, and says nothing of our insides."""

    @app.exception_handler(InputError)
    async def unusable(_: Request, error: InputError) -> JSONResponse:
        return problem(400, "question_unusable", str(error))

    @app.exception_handler(BriQAError)
    async def unavailable(_: Request, error: BriQAError) -> JSONResponse:
        return problem(503, "not_available", str(error))

    @app.exception_handler(BusyError)
    async def busy(_: Request, error: BusyError) -> JSONResponse:
        return problem(503, "busy", str(error), **{"Retry-After": "2"})

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return problem(422, "request_invalid", f"{where}: {first['msg']}")

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> JSONResponse:
        code = _CODES.get(error.status_code, "refused")
        return problem(error.status_code, code, str(error.detail), **dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def broken(_: Request, error: Exception) -> JSONResponse:
        log.error("a request failed", exc_info=error)
        return problem(500, "internal", "something went wrong here; the operator's log has the details")
