"""The door: nothing is open to one who has no role, save what signing in and a health check need."""

from __future__ import annotations

from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bri_qa.errors import HistoryError
from bri_qa.web.access.people import KEY, CredentialsError, Person, Resolve
from bri_qa.web.security import HEADERS, problem

SIGN_IN = "/sign-in"
# Each of these guards itself, or holds nothing of the articles.
_OPEN = ("/healthz", "/readyz", "/metrics", "/favicon.ico", "/widget.js", "/api/v1/widget/tokens", SIGN_IN, "/sign-out")
_OPEN_BELOW = ("/ui/", "/static/fonts/", f"{SIGN_IN}/")


def is_open(path: str) -> bool:
    """Whether a path is for everybody."""
    return path in _OPEN or path.startswith(_OPEN_BELOW)


class AccessMiddleware:
    """Finds the person of each request, and keeps out who may do nothing.

    What is presented and not valid is refused, not taken for nobody's; on what is open to everybody it does not matter.
    """

    def __init__(self, app: ASGIApp, resolve: Resolve) -> None:
        self.app = app
        self.resolve = resolve

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        connection, everybody = HTTPConnection(scope), is_open(scope["path"])
        try:
            found = await run_in_threadpool(self.resolve, connection)
        except CredentialsError as error:
            if not everybody or "authorization" in connection.headers:
                await _refused(connection, str(error))(scope, receive, send)
                return
            found = Person()
        except HistoryError as error:
            await problem(503, "not_available", str(error))(scope, receive, send)
            return
        scope[KEY] = found
        if found.role is None and not everybody:
            await _stranger(connection, found)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _refused(connection: HTTPConnection, why: str) -> Response:
    if _wants_page(connection):
        return _to_sign_in(connection)
    return problem(401, "credentials_invalid", why, **{"WWW-Authenticate": "Bearer"})


def _stranger(connection: HTTPConnection, found: Person) -> Response:
    """For one who has shown nothing, or a key that has no role."""
    if found.via != "nothing":
        return problem(403, "reader_only", "this is for readers and above; your key has no role")
    if _wants_page(connection):
        return _to_sign_in(connection)
    detail = "sign in, or send a key in the header Authorization: Bearer …"
    return problem(401, "sign_in_needed", detail, **{"WWW-Authenticate": "Bearer"})


def _wants_page(connection: HTTPConnection) -> bool:
    return (
        connection.scope["method"] in ("GET", "HEAD")
        and "authorization" not in connection.headers
        and "text/html" in connection.headers.get("accept", "")
        and not connection.scope["path"].startswith(("/api/", "/v1/", "/gradio_api/"))
    )


def _to_sign_in(connection: HTTPConnection) -> Response:
    """Back to where they wanted to go, once they have signed in."""
    path, query = connection.scope["path"], connection.scope.get("query_string", b"").decode("latin-1")
    wanted = quote(f"{path}?{query}" if query else path, safe="")
    address = f"{connection.scope.get('root_path', '')}{SIGN_IN}?next={wanted}"
    return RedirectResponse(address, 303, {**HEADERS, "Cache-Control": "no-store"})
