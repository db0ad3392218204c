"""`create_app`: chat, API and articles as one FastAPI application, closed by default."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from bri_qa.compose import without_language_model
from bri_qa.history import Keys
from bri_qa.pipeline import QAPipeline
from bri_qa.settings import Settings, origins
from bri_qa.tokens import Tokenizer
from bri_qa.web import (
    admin,
    api,
    blocks,
    catalogue_page,
    chat,
    export_api,
    feedback_api,
    followups,
    guards,
    history_api,
    openai,
    sign_in,
    source,
    widget,
)
from bri_qa.web.access import AccessMiddleware, Resolve
from bri_qa.web.access.proxy import ProxyIdentity
from bri_qa.web.access.resolver import Anonymous, ByKey, Known, resolver
from bri_qa.web.access.sessions import Sessions, VoidMiddleware
from bri_qa.web.access.widget_tokens import WidgetTokens, resolving
from bri_qa.web.audit import Audit
from bri_qa.web.identity import CookieMiddleware, secret
from bri_qa.web.operation.operation import Operation
from bri_qa.web.records import Records
from bri_qa.web.request_ids import RequestIdMiddleware
from bri_qa.web.security import WIDGET_ROUTES, GateMiddleware, HeadersMiddleware, OriginsMiddleware
from bri_qa.web.service import Pipeline
from bri_qa.web.shell import ShellMiddleware
from bri_qa.web.strict import StrictJsonMiddleware

STATIC = Path(__file__).parent / "static"


def create_app(settings: Settings, pipeline: Pipeline, resolve: Resolve | None = None) -> FastAPI:
    """The application over `pipeline`. It keeps nothing of a user outside that user's session and history.

    `resolve` says who sent a request; by default it is as the settings say.

    Raises:
        HistoryError: the history cannot be opened.
        SettingsError: a proxy is to say who asks, and cannot be believed.
    """
    operation, records = Operation.open(settings, pipeline), Records.open(settings)
    tokens, sharing = WidgetTokens(secret(settings.history_dir)), origins(settings.widget_origins)
    checker, audit = _checker(settings, pipeline), Audit(settings.history_dir)
    keys = Keys(records.database)
    sessions = Sessions(records.database, secret(settings.history_dir), keys.alive, settings.session_hours)
    pipeline, workers = operation.pipeline, operation.workers

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with records.kept():
            yield
        await operation.close()

    app = FastAPI(
        **api.ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=lifespan,
    )
    api.add_problems(app)
    guards.add_problems(app)
    operation.add_problems(app)
    app.include_router(operation.router())
    app.include_router(history_api.router(records))
    app.include_router(feedback_api.router(records, pipeline))
    app.include_router(export_api.router(records, settings.public_url))
    app.include_router(api.router(pipeline, workers, settings.runs_dir))
    app.include_router(openai.router(pipeline, workers, Tokenizer.load().count, settings.public_url))
    app.include_router(source.router(pipeline, workers))
    app.include_router(catalogue_page.router(pipeline, workers))
    app.include_router(followups.router(checker, workers))
    app.include_router(admin.router(settings, pipeline, records, audit))
    app.include_router(widget.router(tokens, sharing, audit))
    app.include_router(sign_in.router(settings, sessions, keys))
    app.include_router(api.nowhere())  # after all other routes of the API
    api.describe(app)
    app.mount("/ui", StaticFiles(directory=STATIC))

    @app.get("/favicon.ico", include_in_schema=False)
    async def favicon() -> FileResponse:
        return FileResponse(STATIC / "favicon.ico")

    app.add_middleware(
        ShellMiddleware,
        pipeline=pipeline,
        workers=workers,
        max_question_chars=settings.max_question_chars,
        keeps=True,
        entrance=sign_in.entrance(settings, keys),
    )
    operation.add_inner(app)
    others = resolve or _resolve(settings, records, keys, sessions)
    _surround(app, settings, records, resolving(tokens, sharing, WIDGET_ROUTES, others))
    operation.add_outer(app)
    handlers = chat.Chat(pipeline, workers, settings.corpus_dir / "examples.txt", records)
    return blocks.mount(app, handlers, settings.root_path)


def _surround(app: FastAPI, settings: Settings, records: Records, resolve: Resolve) -> None:
    """What a request passes before it comes to the routes; the last one added is the outermost."""
    sharing = origins(settings.widget_origins)
    app.add_middleware(StrictJsonMiddleware)
    app.add_middleware(AccessMiddleware, resolve=resolve)
    app.add_middleware(VoidMiddleware, public_url=settings.public_url)
    app.add_middleware(CookieMiddleware, identity=records.identity)
    app.add_middleware(CORSMiddleware, allow_origins=[])  # no origin at all; else Gradio would add its own, open one
    app.add_middleware(GateMiddleware, larger=admin.larger(settings), origins=sharing)
    app.add_middleware(openai.ErrorsMiddleware)
    app.add_middleware(OriginsMiddleware, origins=sharing)
    app.add_middleware(HeadersMiddleware, framing=origins(settings.frame_origins))
    app.add_middleware(RequestIdMiddleware)


def _resolve(settings: Settings, records: Records, keys: Keys, sessions: Sessions) -> Resolve:
    """Who sends a request, as the settings say how people are known."""
    ways: list[Known] = [ByKey(keys)]
    proxy = ProxyIdentity.open(settings)
    if proxy is not None:
        ways.append(proxy.person)
    ways.append(sessions.person)
    return resolver(ways, Anonymous(records.identity.user, not settings.signs_in()))


def _checker(settings: Settings, pipeline: Pipeline) -> Pipeline:
    """What checks the questions that the page may offer."""
    return without_language_model(pipeline, settings) if isinstance(pipeline, QAPipeline) else pipeline
