"""The server's routes about what it keeps of its users, for tests with several browsers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from bri_qa.history import Entry
from bri_qa.settings import Settings
from bri_qa.types import Question
from bri_qa.web import api, export_api, feedback_api, guards, history_api
from bri_qa.web.access import AccessMiddleware, Person, Role
from bri_qa.web.identity import COOKIE, CookieMiddleware
from bri_qa.web.records import Records
from bri_qa.web.schemas import ProblemOut
from tests.fakes import FakePipeline
from tests.keeping import QUAY

ANNA, BEN = "anonymous:anna", "anonymous:ben"


@dataclass
class House:
    """The routes of the history, the feedback and the export without the chat."""

    records: Records
    app: FastAPI
    pipeline: FakePipeline

    @classmethod
    @contextmanager
    def opened(cls, folder: Path) -> Iterator[House]:
        pipeline = FakePipeline()
        records = Records.open(Settings.load({}, history_dir=folder))
        app = FastAPI()
        api.add_problems(app)
        guards.add_problems(app)
        app.include_router(history_api.router(records))
        app.include_router(feedback_api.router(records, pipeline))
        app.include_router(export_api.router(records))

        @app.get("/")
        async def page() -> dict[str, str]:
            return {}

        app.add_middleware(
            AccessMiddleware,
            resolve=lambda asked: Person(
                Role(asked.headers.get("x-test-role", "reader")), user=records.identity.user(asked), via="anonymous"
            ),
        )
        app.add_middleware(CookieMiddleware, identity=records.identity)
        yield cls(records, app, pipeline)
        records.workers.close()
        records.database.close()

    def add(self, user: str, question: str = QUAY, conversation: str | None = None) -> Entry:
        answer = self.pipeline.ask(Question(question))
        return self.records.history.add(user, answer, self.pipeline.document, conversation)

    def browser(self, user: str | None) -> TestClient:
        client = TestClient(self.app, raise_server_exceptions=False)
        if user is not None:
            client.cookies.set(COOKIE, self.records.identity.signed(user))
        return client


def assert_problem(response: Any, status: int, code: str, detail: str = "") -> None:
    body = ProblemOut.model_validate(response.json())
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, body.status, body.code) == (status, status, code)
    assert detail in body.detail
