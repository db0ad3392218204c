"""A history for tests: in a folder of its own, on a clock that each look moves on by a second."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bri_qa.history import Database, Entry, History, Ratings
from bri_qa.types import Answer, Question
from tests.fakes import FakePipeline

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
QUAY = "How long is the new quay?"
MOON = "When is the lamp of the moon due?"
MILL = "clerk wrote in the ledger of the mill"


class Clock:
    def __init__(self, moment: datetime = START) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment


@dataclass
class Kept:
    """An open history over the fake pipeline's answers."""

    database: Database
    clock: Clock
    history: History
    ratings: Ratings
    pipeline: FakePipeline

    @classmethod
    def open(cls, folder: Path, clock: Clock | None = None) -> Kept:
        database, clock = Database.open(folder), clock or Clock()
        return cls(database, clock, History(database, clock), Ratings(database, clock), FakePipeline())

    def answer(self, question: str = QUAY) -> Answer:
        return self.pipeline.ask(Question(question))

    def add(self, user: str, question: str = QUAY, conversation: str | None = None) -> Entry:
        return self.history.add(user, self.answer(question), self.pipeline.document, conversation)

    def titles(self, user: str, search: str = "") -> list[str]:
        return [item.title for item in self.history.conversations(user, search).conversations]
