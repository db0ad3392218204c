"""Who may use a route: the user of the cookie, pages of this origin, a role. Closed by default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse

from bri_qa.errors import HistoryFullError, HistoryInputError, NotFoundError
from bri_qa.web.access import Person, Role, person
from bri_qa.web.schemas import ProblemOut
from bri_qa.web.security import is_foreign, problem

_TEXTS = {
    400: "What was sent cannot be used",
    401: "The request carries no session",
    403: "Another site sent it, or it is for administrators",
    404: "You have nothing of that name",
    409: "There is no room for more",
    422: "The request is not as the schema says",
    503: "Busy, or the history is not available",
}


class SessionMissingError(Exception):
    """The request does not say whose it is."""


class SignInError(Exception):
    """The route is not for everyone, and the request does not say who sent it."""


class ForbiddenError(Exception):
    """The request may not be made from there, or not by this user."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors of a route, for the schema of the API."""
    content: dict[str, Any] = {"application/problem+json": {}}
    return {
        status: {"description": _TEXTS[status], "model": ProblemOut, "content": content}
        for status in (401, *statuses, 422, 503)
    }


def add_problems(app: FastAPI) -> None:
    """Refusals leave as problem+json with a stable code."""

    @app.exception_handler(SessionMissingError)
    async def unknown(_: Request, error: SessionMissingError) -> JSONResponse:
        return problem(401, "session_missing", str(error))

    @app.exception_handler(SignInError)
    async def stranger(_: Request, error: SignInError) -> JSONResponse:
        return problem(401, "sign_in_needed", str(error), **{"WWW-Authenticate": "Bearer"})

    @app.exception_handler(ForbiddenError)
    async def forbidden(_: Request, error: ForbiddenError) -> JSONResponse:
        return problem(403, error.code, str(error))

    @app.exception_handler(NotFoundError)
    async def missing(_: Request, error: NotFoundError) -> JSONResponse:
        return problem(404, "not_found", str(error))

    @app.exception_handler(HistoryInputError)
    async def unusable(_: Request, error: HistoryInputError) -> JSONResponse:
        return problem(400, "input_unusable", str(error))

    @app.exception_handler(HistoryFullError)
    async def full(_: Request, error: HistoryFullError) -> JSONResponse:
        return problem(409, "history_full", str(error))


def user_of(request: Request) -> str:
    """The key of the history of the one who sent a request."""
    found = person(request).user
    if found is None:
        raise SessionMissingError("your session is not known here; open the chat page again, with cookies allowed")
    return found


def needs(role: Role) -> Callable[[Request], Person]:
    """A dependency that lets pass who may do what `role` may do, and gives that person.

    Who has shown nothing is asked to (401), who is known and may not is told so (403).
    """

    def guard(request: Request) -> Person:
        who = person(request)
        if who.may(role):
            return who
        if who.via == "nothing":
            raise SignInError("sign in, or send a key in the header Authorization: Bearer …")
        raise ForbiddenError(f"{role}_only", f"this is for the role {role} and above; you have {who.role or 'none'}")

    return guard


def same_origin(request: Request) -> None:
    """A dependency for what changes something: a browser may send it only from a page of ours.

    Browsers say where a request comes from; the cookie alone would also come along from a sibling host or port.
    """
    if person(request).via in ("key", "widget"):
        return  # no browser sends a key by itself
    if is_foreign(request.headers):
        raise ForbiddenError("cross_site", "requests from other sites are not accepted")
