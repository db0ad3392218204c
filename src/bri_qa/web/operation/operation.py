"""The parts of operation as one: made from the settings, and put around the application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from bri_qa.errors import BriQAError
from bri_qa.settings import Settings
from bri_qa.web.access import Person, Role, person
from bri_qa.web.guards import needs
from bri_qa.web.operation import limits
from bri_qa.web.operation.forwarded import ForwardedMiddleware, is_local, trusted
from bri_qa.web.operation.limits import Limits, LimitsMiddleware
from bri_qa.web.operation.measured import Measured
from bri_qa.web.operation.metrics import Metrics, StateCollector
from bri_qa.web.operation.patience import PatienceMiddleware
from bri_qa.web.operation.requests import RequestsMiddleware
from bri_qa.web.operation.rooted import RootedMiddleware
from bri_qa.web.operation.state import State
from bri_qa.web.operation.tracing import Tracing
from bri_qa.web.security import problem
from bri_qa.web.service import Pipeline, Workers


def _watcher(request: Request) -> Person:
    """Who may read the metrics: whoever is on this machine, and administrators."""
    return person(request) if is_local(request) else needs(Role.ADMINISTRATOR)(request)


@dataclass(frozen=True, slots=True)
class Operation:
    """`pipeline` is the one that answers, measured; `workers` run it."""

    settings: Settings
    pipeline: Pipeline
    workers: Workers
    limits: Limits
    metrics: Metrics
    tracing: Tracing
    state: State

    @classmethod
    def open(cls, settings: Settings, pipeline: Pipeline) -> Operation:
        """
        Raises:
            MissingExtraError: a setting asks for an extra that is not installed.
            SettingsError: trusted proxies that are no addresses.
        """
        trusted(settings.trusted_proxies)
        workers = Workers(settings.answer_threads, settings.answer_queue, settings.answer_timeout)
        made, metrics, tracing = Limits.open(settings), Metrics(), Tracing.open(settings.otel_endpoint)
        state = State(pipeline)
        metrics.registry.register(StateCollector(workers, made, state))
        measured = Measured(pipeline, metrics, tracing, settings.log_questions)
        return cls(settings, measured, workers, made, metrics, tracing, state)

    def router(self) -> APIRouter:
        """Metrics, and whether it is ready. It goes before the other routes."""
        routes = APIRouter()

        @routes.get("/metrics", include_in_schema=False)
        def metrics(_: Annotated[Person, Depends(_watcher)]) -> Response:
            return Response(self.metrics.page(), media_type=CONTENT_TYPE_LATEST)

        @routes.get("/healthz", include_in_schema=False)
        async def healthz() -> JSONResponse:
            return JSONResponse({"status": "up"})

        @routes.get("/readyz", include_in_schema=False)
        def readyz(request: Request) -> JSONResponse:  # not among the workers: it does not wait behind questions
            groups = None if is_local(request) else frozenset[str]()  # anyone may ask: articles of groups do not count
            try:
                return JSONResponse({"status": "ready", **self.state.index(groups).as_json()})
            except BriQAError as error:
                return problem(503, "not_available", str(error))

        return routes

    def add_problems(self, app: FastAPI) -> None:
        limits.add_problems(app)

    def add_inner(self, app: FastAPI) -> None:
        """Goes inside of what finds out who asks."""
        app.add_middleware(LimitsMiddleware, limits=self.limits)

    def add_outer(self, app: FastAPI) -> None:
        """Goes around everything."""
        app.add_middleware(PatienceMiddleware, seconds=self.settings.body_timeout)
        if self.settings.root_path:
            app.add_middleware(RootedMiddleware, root=self.settings.root_path)
        app.add_middleware(RequestsMiddleware, metrics=self.metrics, tracing=self.tracing)
        app.add_middleware(ForwardedMiddleware, proxies=trusted(self.settings.trusted_proxies))

    async def close(self) -> None:
        """Running questions are finished, within the setting's bound."""
        self.workers.close(self.settings.shutdown_timeout)
        await self.limits.close()
        self.tracing.close()
