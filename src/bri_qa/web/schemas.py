"""What strangers send to the API and what they get back: pydantic models of the public contract."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bri_qa.types import Filters, Question, Turn
from bri_qa.web.access import Person

MAX_CHARS = 100_000


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TurnIn(_Closed):
    """One earlier message of the conversation."""

    role: Literal["user", "assistant"]
    text: str = Field(max_length=MAX_CHARS)


class FiltersIn(_Closed):
    """Which documents may be searched; an absent field does not restrict. Dates are ISO prefixes, inclusive."""

    document_ids: list[str] = Field(default=[], max_length=1_000)
    publishers: list[str] = Field(default=[], max_length=1_000)
    published_from: str | None = Field(default=None, pattern=r"^\d{4}(-\d{2}){0,2}$", examples=["2025-01"])
    published_to: str | None = Field(default=None, pattern=r"^\d{4}(-\d{2}){0,2}$", examples=["2025-12-31"])

    def to_filters(self) -> Filters:
        return Filters(tuple(self.document_ids), tuple(self.publishers), self.published_from, self.published_to)


class AskIn(_Closed):
    """A question, with the turns before it and which documents it is put to."""

    question: str = Field(max_length=MAX_CHARS, examples=["Who is quoted?"])
    history: list[TurnIn] = Field(default=[], max_length=100)
    filters: FiltersIn = FiltersIn()

    def to_question(self, who: Person) -> Question:
        """The question of the one who sent it."""
        turns = tuple(Turn(turn.role, turn.text) for turn in self.history)
        return who.question(self.question, turns, self.filters.to_filters())


class StatementOut(BaseModel):
    """One sentence of the answer and the numbers of its citations."""

    text: str
    citations: list[int]


class CitationOut(BaseModel):
    """A located quote: `quote` is exactly the document's text from `start` to `end` (code points)."""

    number: int
    document_id: str
    title: str
    publisher: str | None
    published: str | None
    url: str | None = None
    start: int
    end: int
    quote: str
    document_sha256: str


class PassageOut(BaseModel):
    """A passage that was read, best first."""

    document_id: str
    start: int
    end: int
    score: float
    text: str


class RejectionOut(BaseModel):
    """A claimed quote that was not found."""

    statement: str
    quote: str
    reason: str


class ModelUseOut(BaseModel):
    """What a language model did for the answer; `fallback` says why its work was not used."""

    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    cached: bool
    fallback: str | None


class TraceOut(BaseModel):
    """How the answer came about."""

    query: str
    seconds: dict[str, float]
    models: dict[str, str]
    rejected: list[RejectionOut] = []
    language_model: ModelUseOut | None = Field(default=None, exclude_if=lambda value: value is None)


class AnswerOut(BaseModel):
    """The answer object of the public contract: the same on the command line and in the chat."""

    question: str
    answer: str
    short_answer: str | None
    abstained: bool
    reason: str | None
    confidence: float
    mode: str
    statements: list[StatementOut]
    citations: list[CitationOut]
    passages: list[PassageOut]
    trace: TraceOut


class ProblemOut(BaseModel):
    """An error as RFC 9457 problem+json; `code` is stable."""

    type: str
    title: str
    status: int
    code: str
    detail: str
