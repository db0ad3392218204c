"""Every request has an id: the one that it brings, if it is well-formed, else a new one. Every response tells it."""

from __future__ import annotations

import re
from contextvars import ContextVar
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Request-Id"
KEY = "bri_qa.request_id"  # in the scope of a request
_FORM = re.compile(r"[A-Za-z0-9._-]{1,64}")

current: ContextVar[str] = ContextVar("bri_qa_request_id", default="")
"""The id of the request that is being answered, for its problems and its log lines; "" outside of one."""

address: ContextVar[str] = ContextVar("bri_qa_address", default="")
"""The address of the one who sent it, as far as it is to be believed; "" outside of one."""


class RequestIdMiddleware:
    """Puts the id into the scope (`KEY`), into `current` and on the response; and the address into `address`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        brought = Headers(scope=scope).get(HEADER, "")
        identity = brought if _FORM.fullmatch(brought) else uuid4().hex
        scope[KEY] = identity
        current.set(identity)  # not taken back: a fault is told after this has returned
        address.set(scope["client"][0] if scope.get("client") else "")

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = identity
            await send(message)

        await self.app(scope, receive, marked)
