"""How errors of administration leave: as a page where a page was asked for, else as problem+json with a stable code."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote

from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request

from bri_qa.errors import BriQAError, CorpusEditError, CorpusError, InputError
from bri_qa.web.admin import words
from bri_qa.web.guards import ForbiddenError, SignInError
from bri_qa.web.security import LISTING_CSP, problem
from bri_qa.web.service import BusyError

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

STATUS = {
    "upload_closed": 403,
    "upload_empty": 400,
    "too_many_files": 400,
    "upload_gone": 404,
    "article_missing": 404,
    "trash_missing": 404,
    "preview_stale": 409,
    "nothing_to_add": 409,
    "name_taken": 409,
    "corpus_unwritable": 503,
}
"""By the code of a `CorpusEditError`."""

SIGN_IN = "/sign-in"
_CSP = f"{LISTING_CSP}; connect-src 'self'"
_HEADERS = {
    "Content-Security-Policy": _CSP,
    "Cache-Control": "no-store",
    "Vary": "Accept-Language, Authorization, Cookie",
}


class ProblemRoute(APIRoute):
    """A route of the API whose refused changes leave as problems."""

    def get_route_handler(self) -> Handler:
        plain = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await plain(request)
            except CorpusEditError as error:
                return problem(STATUS[error.code], error.code, str(error))
            except CorpusError as error:
                return problem(503, "corpus_unreadable", str(error))

        return handler


class PageRoute(APIRoute):
    """A route of a page: whoever is not known is led to the door, and what fails is told in a page."""

    def get_route_handler(self) -> Handler:
        plain = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await plain(request)
            except SignInError:
                return RedirectResponse(f"{SIGN_IN}?next={quote(request.url.path)}", 303)
            except ForbiddenError as error:
                return _refused(request, error)
            except (BriQAError, BusyError, HTTPException) as error:
                return _failed(request, error)

        return handler


def shown(request: Request, template: str, title: str, /, *, status: int = 200, **values: object) -> HTMLResponse:
    """The page of a template. `title` names a text."""
    return HTMLResponse(words.page(request, template, words.texts_of(request)(title), **values), status, _HEADERS)


def _refused(request: Request, error: ForbiddenError) -> Response:
    texts = words.texts_of(request)
    role = error.code.removesuffix("_only")
    line = texts("admin.forbidden.site") if error.code == "cross_site" else texts("admin.forbidden.text", role=role)
    return shown(request, "trouble", "admin.forbidden.title", status=403, line=line, detail="")


def _failed(request: Request, error: BriQAError | BusyError | HTTPException) -> Response:
    status, line, detail = 503, str(error), ""
    if isinstance(error, HTTPException):
        status, line = error.status_code, str(error.detail)
    elif isinstance(error, CorpusEditError):
        status, line = STATUS[error.code], words.texts_of(request)(f"admin.edit.{error.code}")
        detail = str(error) if error.code == "corpus_unwritable" else ""
    elif isinstance(error, InputError) and not isinstance(error, CorpusError):
        status = 400
    return shown(request, "trouble", "admin.error.title", status=status, line=line, detail=detail)
