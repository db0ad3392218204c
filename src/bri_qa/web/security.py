"""Closed by default: headers on every response, small requests, no foreign origin, no part of Gradio that is unused."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Mapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bri_qa.web import request_ids

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 1_000_000

_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
SOURCE_CSP = f"{_NOTHING}; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'"
LISTING_CSP = SOURCE_CSP.replace("form-action 'none'", "form-action 'self'")

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with no-referrer our own forms would be sent with `Origin: null`
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Content-Security-Policy": _NOTHING,
}

# All that a page of another origin may call, once it is on the list; nothing here changes anything or reads a cookie.
WIDGET_ROUTES = {"/api/v1/ask", "/api/v1/ask/stream", "/api/v1/search"}
_READ_ONLY_PAGES = re.compile(r"/source/.+|/articles")

# What the chat page calls; the rest of what Gradio mounts (upload, files, proxy, run history, API pages,
# monitoring, login …) has no use here and is not reachable.
_GRADIO_OPEN = ("run/predict", "queue/join", "queue/data", "heartbeat/", "startup-events", "app_id")
_GRADIO_SHUT = (
    "/config",
    "/monitoring",
    "/login",
    "/logout",
    "/pwa_icon",
    "/manifest.json",
    "/svelte",
    "/openapi.json",
)


def chat_csp(script_hashes: list[str]) -> str:
    """For the chat page: own scripts and exactly the given inline ones, no eval; Gradio needs inline styles."""
    return (
        f"default-src 'self'; script-src 'self' {' '.join(script_hashes)}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'self'; "
        "form-action 'self'; frame-ancestors 'none'"
    )


def problem_body(status: int, code: str, detail: str) -> dict[str, Any]:
    """An RFC 9457 problem; `code` is stable, `detail` is for people. It names the request, for the operator's log."""
    told = detail.encode("utf-8", "backslashreplace").decode()
    body = {"type": "about:blank", "title": code.replace("_", " "), "status": status, "code": code, "detail": told}
    request_id = request_ids.current.get()
    return {**body, "request_id": request_id} if request_id else body


def problem(status: int, code: str, detail: str, **headers: str) -> JSONResponse:
    """The response for a problem."""
    body = problem_body(status, code, detail)
    known = {request_ids.HEADER: body["request_id"]} if "request_id" in body else {}
    return JSONResponse(body, status, {**HEADERS, **known, **headers}, media_type="application/problem+json")


class OriginsMiddleware:
    """Tells browsers that pages of `origins` may call the widget's routes, without cookies; nothing else is shared."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self.app = app
        self.paths = WIDGET_ROUTES if origins else set()
        self.shared = CORSMiddleware(
            self._told,
            allow_origins=sorted(origins),
            allow_methods=["POST"],
            allow_headers=["Authorization", "Content-Type"],
            expose_headers=["Retry-After", request_ids.HEADER],
            max_age=600,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_shared = scope["type"] == "http" and scope["path"] in self.paths
        await (self.shared if is_shared else self.app)(scope, receive, send)

    async def _told(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What breaks is told from within, so that the page may read it: Starlette would answer from outside of here."""
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception as error:
            if begun:
                raise
            log.error("a request failed", exc_info=error)
            told = problem(500, "internal", "something went wrong here; the operator's log has the details")
            await told(scope, receive, send)


class HeadersMiddleware:
    """Adds each of `HEADERS` that the response has not set itself. `framing` may frame the articles' pages."""

    def __init__(self, app: ASGIApp, framing: Collection[str] = ()) -> None:
        self.app = app
        self.framing = " ".join(sorted(framing))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def harden(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if self.framing and _READ_ONLY_PAGES.fullmatch(scope["path"]):
                    self._open_to_frames(headers)
            await send(message)

        await self.app(scope, receive, harden)

    def _open_to_frames(self, headers: MutableHeaders) -> None:
        del headers["X-Frame-Options"]  # it knows no list; every browser that matters reads frame-ancestors
        policy = headers["Content-Security-Policy"]
        headers["Content-Security-Policy"] = policy.replace("frame-ancestors 'none'", f"frame-ancestors {self.framing}")


class GateMiddleware:
    """Refuses what has no business here: shut paths, posts from foreign pages, oversize bodies."""

    def __init__(
        self,
        app: ASGIApp,
        max_body_bytes: int = MAX_BODY_BYTES,
        larger: Mapping[str, int] | None = None,
        origins: Collection[str] = (),
    ) -> None:
        """`larger` is the bound of the paths that have another one; pages of `origins` may call the widget's routes."""
        self.app = app
        self.origins = origins
        self.max_body_bytes = max_body_bytes
        self.larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self.app(scope, self._bounded(receive, self._most(scope)), send)

    def _most(self, scope: Scope) -> int:
        return self.larger.get(scope.get("path", ""), self.max_body_bytes)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        headers = Headers(scope=scope)
        if _is_shut(scope["path"]):
            return problem(404, "not_found", "there is nothing at this address")
        if scope["method"] not in ("GET", "HEAD", "OPTIONS") and self._is_foreign(scope["path"], headers):
            return problem(403, "cross_site", "requests from other sites are not accepted")
        length = headers.get("content-length", "0")
        most = self._most(scope)
        if not length.isdigit() or int(length) > most:
            return problem(413, "too_large", _too_large(most))
        return None

    def _is_foreign(self, path: str, headers: Headers) -> bool:
        """Whether a page of another origin sends it that may not; a cookie is never taken from one."""
        if not is_foreign(headers):
            return False
        if "sec-fetch-site" not in headers and headers.get("authorization", "").lower().startswith("bearer "):
            return False  # a program; no browser sends a key by itself
        allowed = path in WIDGET_ROUTES and headers.get("origin") in self.origins
        return not allowed or "cookie" in headers

    def _bounded(self, receive: Receive, most: int) -> Receive:
        """A body that names no length is refused when it has grown too large."""
        received = 0

        async def bounded() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > most:
                    raise HTTPException(413, _too_large(most))
            return message

        return bounded


def is_foreign(headers: Headers) -> bool:
    """Whether a browser says that a page of another origin sends it; one of a sibling host or port is another.

    Browsers say it by `Sec-Fetch-Site` where the connection is encrypted or local, and else by `Origin` alone.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is None and origin is not None:
        return origin.partition("://")[2] != headers.get("host", "")
    return site not in (None, "same-origin", "none")


def _too_large(most: int) -> str:
    return f"a request may have at most {most} bytes"


def _is_shut(path: str) -> bool:
    _, found, rest = path.partition("/gradio_api/")
    if found:
        return not rest.startswith(_GRADIO_OPEN)
    return path.startswith(_GRADIO_SHUT)
