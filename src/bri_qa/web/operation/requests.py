"""Every request leaves a line in the log, a measurement and, where they are wanted, a span. None has a word of it."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bri_qa.web import request_ids
from bri_qa.web.access import person
from bri_qa.web.operation import channels
from bri_qa.web.operation.metrics import Metrics
from bri_qa.web.operation.tracing import Tracing

log = logging.getLogger(__name__)

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_QUIET = ("/ui", "/assets", "/static", "/theme.css", "/gradio_api", "/healthz", "/readyz", "/metrics", "/favicon.ico")


@dataclass(frozen=True, slots=True)
class RequestsMiddleware:
    """Watches requests from outside of all other parts."""

    app: ASGIApp
    metrics: Metrics
    tracing: Tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        channels.current.set(channels.of_path(scope["path"]))
        start, status = time.perf_counter(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        method = scope["method"] if scope["method"] in _METHODS else "other"
        with self.tracing.request(method) as told:
            try:
                await self.app(scope, receive, watched)
            finally:
                route = template(scope)
                told |= {"http.route": route, "http.response.status_code": status}
                told |= {"bri_qa.request_id": scope.get(request_ids.KEY, "")}
                self._over(scope, method, route, status, time.perf_counter() - start)

    def _over(self, scope: Scope, method: str, route: str, status: int, seconds: float) -> None:
        self.metrics.requests.labels(method, route, f"{status // 100}xx").observe(seconds)
        level = logging.DEBUG if route.startswith(_QUIET) and status < 400 else logging.INFO
        told: dict[str, Any] = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 1)}
        told |= {"request_id": scope.get(request_ids.KEY, ""), "via": person(HTTPConnection(scope)).via}
        log.log(logging.ERROR if status >= 500 and status != 503 else level, "request", extra=told)


def template(scope: Scope) -> str:
    """The route's pattern, never what stands in its place; what no route took is "other"."""
    found = getattr(scope.get("route"), "path", None)
    if isinstance(found, str):
        return found
    path = scope["path"]
    return next((start for start in ("/ui", "/assets") if path.startswith(start + "/")), "other")
