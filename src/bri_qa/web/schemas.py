"""What strangers send to the API and what they get back: pydantic models of the public contract."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bri_qa.types import Filters, Question, Turn
from bri_qa.web.access import Person

MAX_CHARS = 100_000
MAX_TURNS = 100
DATE = r"^[0-9]{4}(-[0-9]{2}){0,2}$"
MAX_BATCH = 100
MAX_FOUND = 50
_QUESTION = "How many cities does the China-Europe freight train reach?"
_FOLLOW_UP: dict[str, Any] = {
    "question": "and how many countries?",
    "history": [
        {"role": "user", "text": _QUESTION},
        {"role": "assistant", "text": "229 cities in 26 European countries."},
    ],
    "filters": {"publishers": ["Securities Times"], "published_from": "2025"},
}


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TurnIn(_Closed):
    """One earlier message of the conversation."""

    role: Literal["user", "assistant"] = Field(description="who said it")
    text: str = Field(max_length=MAX_CHARS, description="what was said")


class FiltersIn(_Closed):
    """Which documents may be searched; an absent field does not restrict. Dates are ISO prefixes, inclusive."""

    document_ids: list[str] = Field(default=[], max_length=1_000, description="ids of documents")
    publishers: list[str] = Field(default=[], max_length=1_000, description="publishers, letter for letter")
    published_from: str | None = Field(
        default=None, pattern=DATE, description="first day, month or year", examples=["2025-01"]
    )
    published_to: str | None = Field(
        default=None, pattern=DATE, description="last day, month or year", examples=["2025-12-31"]
    )

    def to_filters(self) -> Filters:
        return Filters(tuple(self.document_ids), tuple(self.publishers), self.published_from, self.published_to)


class AskIn(_Closed):
    """A question, with the turns before it and which documents it is put to."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"question": _QUESTION}, _FOLLOW_UP]}
    )
    question: str = Field(max_length=MAX_CHARS, description="in plain words; the server bounds its length further")
    history: list[TurnIn] = Field(
        default=[], max_length=MAX_TURNS, description="the earlier turns of the conversation, oldest first"
    )
    filters: FiltersIn = Field(default=FiltersIn(), description="which documents are asked; all by default")

    def to_question(self, who: Person) -> Question:
        """The question of the one who sent it."""
        turns = tuple(Turn(turn.role, turn.text) for turn in self.history)
        return who.question(self.question, turns, self.filters.to_filters())


class BatchLineIn(AskIn):
    """One question of a batch; the `id` comes back with its answer."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"id": 1, **_FOLLOW_UP}]})
    id: str | int = Field(description="yours; it is not looked at")


class SearchIn(_Closed):
    """What is looked for, and how many passages are wanted."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"query": "freight train", "top_k": 5, "filters": {"published_from": "2025"}}]},
    )
    query: str = Field(max_length=MAX_CHARS, description="a question or a few words")
    history: list[TurnIn] = Field(
        default=[], max_length=MAX_TURNS, description="earlier turns, where the query leans on them"
    )
    filters: FiltersIn = Field(default=FiltersIn(), description="which documents are searched; all by default")
    top_k: int = Field(default=10, ge=1, le=MAX_FOUND, description="passages wanted, at most")

    def to_question(self, who: Person) -> Question:
        """The query as a question of the one who sent it."""
        turns = tuple(Turn(turn.role, turn.text) for turn in self.history)
        return who.question(self.query, turns, self.filters.to_filters())


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
    unanswered: list[str] = Field(
        default=[],
        exclude_if=lambda value: not value,
        description="Of a question of several parts, those that the articles do not answer while they do answer others.",
    )


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
    """An error as RFC 9457 problem+json; `code` is stable, `detail` is for people."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str | None = Field(
        default=None, exclude_if=lambda value: value is None, description="as in the header X-Request-Id"
    )
