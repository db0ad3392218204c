"""The web application made and served as it is in the product, for tests."""

from __future__ import annotations

import asyncio
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request

from bri_qa.settings import Settings
from bri_qa.web import create_app  # sets up Gradio's environment: it goes before Gradio
from bri_qa.web.access import Person, Resolve, Role
from bri_qa.web.access.people import KEY
from bri_qa.web.service import Pipeline

import gradio as gr  # isort: skip

NO_CORPUS = Path("/nonexistent")  # no examples of its own
UNLIMITED = {"rate_limit_ask": "", "rate_limit_address": "", "rate_limit_request": ""}


def made(
    pipeline: Pipeline,
    corpus: Path = NO_CORPUS,
    history: Path | None = None,
    resolve: Resolve | None = None,
    **more: Any,
) -> FastAPI:
    """The application, made inside an event loop: outside of one, Gradio opens loops that it never closes."""
    return asyncio.run(_make(pipeline, corpus, history, resolve, **more))


async def _make(
    pipeline: Pipeline, corpus: Path, history: Path | None, resolve: Resolve | None = None, **more: Any
) -> FastAPI:
    folder = history or Path(tempfile.mkdtemp(prefix="bri-qa-history-"))  # a history of its own
    own = {"index_dir": folder / "index", **UNLIMITED, **more}  # a rebuild must not touch the index of this checkout
    settings = Settings.load({}, corpus_dir=corpus, history_dir=folder, **own)
    return create_app(settings, pipeline, resolve)


def visiting(query: str = "", language: str = "en", user: str | None = None) -> gr.Request:
    """What a handler of the chat is told of the page whose event it handles."""
    headers = [(b"accept-language", language.encode())]
    scope: dict[str, object] = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": query.encode(),
        "headers": headers,
    }
    scope[KEY] = Person(Role.READER, None, user, via="anonymous")
    return gr.Request(request=Request(scope))


@contextmanager
def served(
    pipeline: Pipeline,
    corpus: Path = NO_CORPUS,
    history: Path | None = None,
    port: int = 0,
    resolve: Resolve | None = None,
    **more: Any,
) -> Iterator[str]:
    """The address of the application while uvicorn serves it, in a thread, by default on a free port; `more` are settings."""
    listener = socket.create_server(("127.0.0.1", port))
    servers: list[uvicorn.Server] = []
    ready = threading.Event()

    async def run() -> None:
        app = await _make(pipeline, corpus, history, resolve, **more)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
        servers.append(server)
        serving = asyncio.create_task(server.serve([listener]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.02)
        ready.set()
        await serving

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    try:
        if not ready.wait(60) or not servers[0].started:
            raise RuntimeError("the server did not start")
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        for server in servers:
            server.should_exit = True
        thread.join(30)
        listener.close()
