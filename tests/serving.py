"""The web application made and served as it is in the product, for tests."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from bri_qa.settings import Settings
from bri_qa.web import create_app
from bri_qa.web.service import Pipeline

NO_CORPUS = Path("/nonexistent")  # no examples of its own


def made(pipeline: Pipeline, corpus: Path = NO_CORPUS) -> FastAPI:
    """The application, made inside an event loop: outside of one, Gradio opens loops that it never closes."""

    async def make() -> FastAPI:
        return create_app(Settings(corpus_dir=corpus), pipeline)

    return asyncio.run(make())


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The address of `app` while it is served by uvicorn on a free port of the loopback."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=2))
    started = threading.Event()

    async def run() -> None:
        serving = asyncio.create_task(server.serve([listener]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.02)
        started.set()
        await serving

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    try:
        if not started.wait(30) or not server.started:
            raise RuntimeError("the server did not start")
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()
