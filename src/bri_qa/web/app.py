"""`create_app`: chat, API and articles as one FastAPI application, closed by default."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from bri_qa.compose import without_language_model
from bri_qa.errors import SettingsError
from bri_qa.pipeline import QAPipeline
from bri_qa.settings import Settings
from bri_qa.web import (
    api,
    blocks,
    catalogue_page,
    chat,
    export_api,
    feedback_api,
    followups,
    guards,
    history_api,
    source,
)
from bri_qa.web.access import AccessMiddleware, Person, Resolve, Role
from bri_qa.web.identity import CookieMiddleware
from bri_qa.web.records import Records
from bri_qa.web.security import GateMiddleware, HeadersMiddleware
from bri_qa.web.service import Pipeline, Workers
from bri_qa.web.shell import ShellMiddleware

STATIC = Path(__file__).parent / "static"


def create_app(settings: Settings, pipeline: Pipeline, resolve: Resolve | None = None) -> FastAPI:
    """The application over `pipeline`. It keeps nothing of a user outside that user's session and history.

    `resolve` says who sent a request; by default everyone is a reader of what is open to all.

    Raises:
        HistoryError: the history cannot be opened.
    """
    workers, records = Workers(), Records.open(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with records.kept():
            yield
        workers.close()

    app = FastAPI(
        title="bri_qa",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=lifespan,
    )
    api.add_problems(app)
    guards.add_problems(app)
    app.include_router(history_api.router(records))
    app.include_router(feedback_api.router(records))
    app.include_router(export_api.router(records, settings.public_url))
    app.include_router(api.router(pipeline, workers))
    app.include_router(source.router(pipeline, workers))
    app.include_router(catalogue_page.router(pipeline, workers))
    app.include_router(followups.router(_checker(settings, pipeline), workers))
    app.mount("/ui", StaticFiles(directory=STATIC))

    @app.get("/favicon.ico", include_in_schema=False)
    async def favicon() -> FileResponse:
        return FileResponse(STATIC / "favicon.ico")

    # The last one added is the outermost. CORS with no origin also stops Gradio from adding its own, open one.
    app.add_middleware(
        ShellMiddleware,
        pipeline=pipeline,
        workers=workers,
        max_question_chars=settings.max_question_chars,
        keeps=True,
    )
    app.add_middleware(AccessMiddleware, resolve=resolve or (lambda _: Person(Role.READER, via="anonymous")))
    app.add_middleware(CookieMiddleware, identity=records.identity)
    app.add_middleware(CORSMiddleware, allow_origins=[])
    app.add_middleware(GateMiddleware)
    app.add_middleware(HeadersMiddleware)
    handlers = chat.Chat(pipeline, workers, settings.corpus_dir / "examples.txt", records)
    return blocks.mount(app, handlers)


def _checker(settings: Settings, pipeline: Pipeline) -> Pipeline:
    """What checks the questions that the page may offer."""
    return without_language_model(pipeline, settings) if isinstance(pipeline, QAPipeline) else pipeline


def serve(settings: Settings, pipeline: Pipeline, announce: Callable[[str], None] | None = None) -> None:
    """Run the application until it is told to stop; what is being answered then is finished first.

    `announce` is told the address once connections to it are taken.

    Raises:
        SettingsError: the address cannot be bound.
    """
    import uvicorn

    config = uvicorn.Config(
        create_app(settings, pipeline),
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    with _bound(settings.host, settings.port) as listener:
        host, port = listener.getsockname()[:2]
        if announce is not None:
            announce(f"http://{f'[{host}]' if ':' in host else host}:{port}")
        uvicorn.Server(config).run(sockets=[listener])


def _bound(host: str, port: int) -> socket.socket:
    """A listening socket."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise SettingsError(
            f"{host}:{port} cannot be bound ({error.strerror}); name another address with --host or --port"
        ) from error
