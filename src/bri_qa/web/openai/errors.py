"""Errors under `/v1` in the shape of the OpenAI protocol; everywhere else they leave as problem+json."""

from __future__ import annotations

import json
import logging
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bri_qa.web.security import HEADERS

_PROBLEM = "application/problem+json"
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}

log = logging.getLogger(__name__)


def error(status: int, code: str, message: str, param: str | None = None) -> dict[str, Any]:
    """The error object; `code` is stable, `message` is for people, `param` the part of the request that is at fault."""
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return {"error": {"message": message, "type": kind, "code": code, "param": param}}


def refusal(status: int, code: str, message: str, param: str | None = None) -> JSONResponse:
    """An error as a response."""
    return JSONResponse(error(status, code, message, param), status, HEADERS)


class ErrorsMiddleware:
    """Rewrites each problem+json that leaves under `/v1`, wherever it was made; status and headers stay."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_ours(scope):
            await self.app(scope, receive, send)
            return
        rewriting = _Rewriting(send)
        try:
            await self.app(scope, receive, rewriting.send)
        except Exception:  # the edge: the handler of such errors stands outside of every middleware
            if rewriting.started:
                raise
            log.exception("a request failed")
            told = "something went wrong here; the operator's log has the details"
            await refusal(500, "internal", told)(scope, receive, send)


def _is_ours(scope: Scope) -> bool:
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    return path == "/v1" or path.startswith("/v1/")


class _Rewriting:
    """Holds a problem back until it is whole; lets all else pass."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._held: Message | None = None
        self._body = b""
        self.started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            if MutableHeaders(scope=message).get("content-type", "").startswith(_PROBLEM):
                self._held = message
                return
        if self._held is None or message["type"] != "http.response.body":
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if not message.get("more_body", False):
            await self._flush(self._held)

    async def _flush(self, start: Message) -> None:
        body = json.dumps(_of_problem(json.loads(self._body)), ensure_ascii=False).encode()
        headers = MutableHeaders(scope=start)
        headers["content-type"] = "application/json"
        headers["content-length"] = str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


def _of_problem(problem: dict[str, Any]) -> dict[str, Any]:
    """The same in OpenAI's words; of a request that does not fit the schema, the part at fault is named."""
    detail, param = str(problem["detail"]), None
    if problem["code"] == "request_invalid":
        param = detail.partition(": ")[0].removeprefix("body.")
    return error(int(problem["status"]), str(problem["code"]), detail, param)
