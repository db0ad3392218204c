"""What answers from the first moment on: that the server lives, and until it can answer, that it is starting."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from html import escape
from threading import Thread
from typing import Any, TypeVar

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bri_qa.web import texts
from bri_qa.web.security import HEADERS, problem

log = logging.getLogger(__name__)
T = TypeVar("T")

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem}"
)
_CSP = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_AGAIN = 2  # seconds


class Front:
    """Loads in the background; hands everything on to the application once that stands.

    `load` runs in a thread and gives what `made`, in the event loop, makes the application of; `ended` is told when it
    stands (None) or why it never will.
    """

    def __init__(
        self, load: Callable[[], T], made: Callable[[T], FastAPI], ended: Callable[[BaseException | None], None]
    ) -> None:
        self.app: ASGIApp | None = None
        self._load: Callable[[], Any] = load
        self._made: Callable[[Any], FastAPI] = made
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._life(receive, send)
        elif self.app is not None:
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await starting(scope)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1013})

    async def _life(self, receive: Receive, send: Send) -> None:
        await receive()
        stop = asyncio.Event()
        life = asyncio.create_task(self._lived(stop))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        stop.set()
        await life
        await send({"type": "lifespan.shutdown.complete"})

    async def _lived(self, stop: asyncio.Event) -> None:
        """From the loading to the end of the application."""
        async with AsyncExitStack() as stack:
            try:
                loaded = await _first(_in_thread(self._load), stop)
                if stop.is_set():
                    return
                app = self._made(loaded)
                await stack.enter_async_context(app.router.lifespan_context(app))
            except BaseException as error:
                self._ended(error)
                return
            self.app = app
            self._ended(None)
            await stop.wait()


async def _in_thread(function: Callable[[], Any]) -> Any:
    """The result of `function`, run in a thread that the end of the process does not wait for."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def settle(result: Any, error: BaseException | None) -> None:
        if not future.done():
            future.set_result(result) if error is None else future.set_exception(error)

    def work() -> None:
        result, fault = None, None
        try:
            result = function()
        except BaseException as error:
            fault = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, fault)

    Thread(target=work, name="bri-qa-load", daemon=True).start()
    return await future


async def _first(work: Awaitable[T], stop: asyncio.Event) -> T | None:
    """The result of `work`, or None if `stop` comes first."""
    running, stopped = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if running.done():
        return running.result()
    running.cancel()
    return None


def starting(scope: Scope) -> Response:
    """The answer to any request before the application stands."""
    if scope["path"] == "/healthz":
        return JSONResponse({"status": "up"}, headers=HEADERS)
    again = {"Retry-After": str(_AGAIN), "Cache-Control": "no-store"}
    if scope["method"] in ("GET", "HEAD") and "text/html" in Headers(scope=scope).get("accept", ""):
        return HTMLResponse(_page(scope), 503, {**HEADERS, **again, "Content-Security-Policy": _CSP})
    return problem(503, "starting", "the server is starting; come back in a few seconds", **again)


def _page(scope: Scope) -> str:
    connection = HTTPConnection(scope)
    words = texts.chosen(connection.cookies.get(texts.COOKIE), connection.headers.get("accept-language"))
    title = escape(words("starting.title"))
    return (
        f'<!doctype html><html lang="{words.language}"><head><meta charset="utf-8"><title>{title} · bri_qa</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><meta http-equiv="refresh" content="{_AGAIN}">'
        f"<style>{_STYLE}</style></head><body><main><h1>{title}</h1><p>{escape(words('starting.why'))}</p></main></body></html>"
    )
