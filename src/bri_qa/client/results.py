"""What the client gives: the public contract as frozen models. Fields that a newer server adds are passed over."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter

read_object = TypeAdapter(dict[str, Any]).validate_json
"""JSON to an object; raises ValueError for what is none."""


class _Told(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Turn(_Told):
    """One earlier message of the conversation."""

    role: Literal["user", "assistant"]
    text: str


class Filters(_Told):
    """Which documents are asked; an empty field does not restrict. Dates are ISO prefixes, inclusive."""

    document_ids: tuple[str, ...] = ()
    publishers: tuple[str, ...] = ()
    published_from: str | None = None
    published_to: str | None = None


class Statement(_Told):
    """One sentence of an answer and the numbers of its citations."""

    text: str
    citations: tuple[int, ...]


class Citation(_Told):
    """A located quote: exactly the document's text from `start` to `end`, in code points."""

    number: int
    document_id: str
    title: str
    publisher: str | None = None
    published: str | None = None
    url: str | None = None
    start: int
    end: int
    quote: str
    document_sha256: str


class Passage(_Told):
    """A passage that was read for an answer."""

    document_id: str
    start: int
    end: int
    score: float
    text: str


class Answer(_Told):
    """The answer object; `raw` is all of it as the server sent it."""

    question: str
    answer: str
    short_answer: str | None
    abstained: bool
    reason: str | None
    confidence: float
    mode: str
    statements: tuple[Statement, ...]
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    trace: dict[str, Any]
    raw: dict[str, Any]

    @classmethod
    def of(cls, raw: dict[str, Any]) -> Answer:
        """
        Raises:
            ValueError: it is no answer.
        """
        return cls.model_validate({**raw, "raw": raw})


class Failed(_Told):
    """Why a question of a batch has no answer."""

    message: str


class Found(_Told):
    """A passage that was found, with its document."""

    document_id: str
    title: str
    publisher: str | None = None
    published: str | None = None
    url: str | None = None
    section: str
    start: int
    end: int
    score: float
    text: str
    document_sha256: str


class SearchResult(_Told):
    """What was searched, and the passages, best first."""

    query: str
    passages: tuple[Found, ...]


class DocumentSummary(_Told):
    """A document in a list; `characters` are code points."""

    id: str
    title: str
    publisher: str | None = None
    published: str | None = None
    url: str | None = None
    language: str | None = None
    licence: str | None = None
    characters: int
    sha256: str


class Documents(_Told):
    """A page of documents; `total` and `publishers` count all that fit."""

    documents: tuple[DocumentSummary, ...]
    total: int
    publishers: dict[str, int]
    next: str | None


class Document(DocumentSummary):
    """A document with its text."""

    text: str


class DocumentPassage(_Told):
    """A passage of a document."""

    id: str
    section: str
    start: int
    end: int
    text: str


class DocumentPassages(_Told):
    """The passages that a document is searched by, in reading order."""

    document_id: str
    document_sha256: str
    passages: tuple[DocumentPassage, ...]


class Rated(_Told):
    """A rating that was kept."""

    id: str
    created: AwareDatetime
    citation: int | None
    rating: Literal["up", "down"]
    reason: str | None
    comment: str
