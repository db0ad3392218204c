"""What is searched and asked: articles, their passages, questions, and what a reader finds in a passage."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Groups: TypeAlias = "frozenset[str] | None"
"""The access groups of the one who asks; None is who may read everything (the command line)."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of code points: `text[start:end]`."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"a span needs 0 <= start <= end, got {self.start}..{self.end}")

    def __len__(self) -> int:
        return self.end - self.start

    def of(self, text: str) -> str:
        """The slice of `text` that the span names."""
        return text[self.start : self.end]

    def shift(self, offset: int) -> Span:
        """The same range, `offset` code points further on."""
        return Span(self.start + offset, self.end + offset)

    def contains(self, other: Span) -> bool:
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: Span) -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Source:
    """Where a document comes from. `published` is as the article states it (ISO date, or a part of one).

    `groups` names who may read it, sorted; empty is everyone.
    """

    title: str
    publisher: str | None = None
    published: str | None = None
    url: str | None = None
    language: str | None = None
    licence: str | None = None
    groups: tuple[str, ...] = ()

    def open_to(self, groups: Groups) -> bool:
        """Whether someone in `groups` may read it."""
        return groups is None or not self.groups or not groups.isdisjoint(self.groups)


@dataclass(frozen=True, slots=True)
class Document:
    """An article. `text` is canonical (NFC, line ends `\\n`), normalised once at load; `sha256` is of its UTF-8."""

    id: str
    text: str
    source: Source
    sha256: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrievable slice. Invariant: `text == span.of(document.text)`."""

    id: str
    document_id: str
    span: Span
    section: str
    text: str

    def __post_init__(self) -> None:
        if len(self.span) != len(self.text):
            raise ValueError(f"passage {self.id}: the text is not as long as its span")


@dataclass(frozen=True, slots=True)
class ScoredSpan:
    """A span of a passage's text (offsets within the passage) that may answer, with the reader's score."""

    span: Span
    score: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader makes of one passage for one question.

    `relevance` and `no_answer` are in [0, 1]; `spans` are best first, offsets within the passage's text.
    `exact` says that the spans are answers of a few words, not whole sentences.
    """

    passage_id: str
    relevance: float
    no_answer: float
    spans: tuple[ScoredSpan, ...]
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a query. `score` is of the last stage; ties are broken by `passage.id`.

    `cosine` is that of its vector and the query's, in [-1, 1]; None where the query has no vector. `dense` is
    the reciprocal of its rank in dense retrieval, in (0, 1]; 0 where that did not find it.
    """

    passage: Passage
    score: float
    reading: Reading | None = None
    cosine: float | None = None
    dense: float = 0.0


@dataclass(frozen=True, slots=True)
class Filters:
    """Which documents may be searched. An empty field does not restrict; dates are ISO prefixes, inclusive.

    A document dated only by year or month is inside a range that has a part of that year or month. `groups` are the
    access groups of the one who asks: not a wish, and never read from what that person sends.
    """

    document_ids: tuple[str, ...] = ()
    publishers: tuple[str, ...] = ()
    published_from: str | None = None
    published_to: str | None = None
    groups: Groups = None

    def allow(self, document_id: str, source: Source) -> bool:
        """Whether a document passes. One without a date is outside every date range."""
        if not source.open_to(self.groups):
            return False
        if self.document_ids and document_id not in self.document_ids:
            return False
        if self.publishers and source.publisher not in self.publishers:
            return False
        if self.published_from is None and self.published_to is None:
            return True
        if source.published is None:
            return False
        after = self.published_from is None or source.published >= self.published_from[: len(source.published)]
        before = self.published_to is None or source.published[: len(self.published_to)] <= self.published_to
        return after and before

    def __bool__(self) -> bool:
        return self != Filters()

    @property
    def narrows(self) -> bool:
        """Whether the reader chose some of the articles; the groups are no choice of theirs."""
        return bool(self.document_ids or self.publishers or self.published_from or self.published_to)


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of the conversation."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """What the user asked, the turns before it, and which documents it is put to."""

    text: str
    history: tuple[Turn, ...] = ()
    filters: Filters = field(default_factory=Filters)
