"""What Gradio takes as JSON but cannot write again (NaN, 1e999, half a character) is refused before it gets there."""

from __future__ import annotations

import json
import math
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bri_qa.web.security import problem

PATHS = ("/gradio_api/queue/join", "/gradio_api/run/predict")


class StrictJsonMiddleware:
    """Lets a post to `PATHS` pass if its body is JSON that can be written again. The body is bounded further outside."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"].rstrip("/") not in PATHS:
            await self.app(scope, receive, send)
            return
        try:
            body = await Request(scope, receive).body()
        except ClientDisconnect:
            return
        try:
            json.dumps(json.loads(body, parse_constant=_refused, parse_float=_number), ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            await problem(422, "request_invalid", "the body is not JSON that can be read")(scope, receive, send)
            return
        given = False

        async def again() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, again, send)


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _number(text: str) -> float:
    found = float(text)
    if not math.isfinite(found):
        raise ValueError(f"{text} is too large")
    return found
