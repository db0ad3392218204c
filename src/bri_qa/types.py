"""The nouns of the house: frozen values that stages hand to one another. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


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
    """Where a document comes from. `published` is as the article states it (ISO date, or a part of one)."""

    title: str
    publisher: str | None = None
    published: str | None = None
    url: str | None = None
    language: str | None = None
    licence: str | None = None


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
    """A passage found for a query. `score` is of the last stage; ties are broken by `passage.id`."""

    passage: Passage
    score: float
    reading: Reading | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """Which documents may be searched. An empty field does not restrict; dates are ISO prefixes, inclusive.

    A document dated only by year or month is inside a range that has a part of that year or month.
    """

    document_ids: tuple[str, ...] = ()
    publishers: tuple[str, ...] = ()
    published_from: str | None = None
    published_to: str | None = None

    def allow(self, document_id: str, source: Source) -> bool:
        """Whether a document passes. One without a date is outside every date range."""
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


@dataclass(frozen=True, slots=True)
class Quote:
    """Words that an answerer claims to have found in a passage. `span` (within the passage) is a hint only."""

    passage_id: str
    text: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """One unverified sentence of a draft with the quotes that are to prove it."""

    text: str
    quotes: tuple[Quote, ...]


class AbstainReason(StrEnum):
    """Why there is no answer; the codes are part of the public contract."""

    OFF_TOPIC = "off_topic"  # nothing in the articles is near the question
    NOT_STATED = "not_stated"  # the articles are on the topic but do not say
    NO_DOCUMENTS = "no_documents"  # no article is indexed, or none passes the filters
    UNVERIFIED = "unverified"  # an answer was drafted but none of its quotes stands in an article
    SMALL_TALK = "small_talk"  # a greeting, thanks or a question about the system: nothing to prove


@dataclass(frozen=True, slots=True)
class Draft:
    """What an answerer proposes, unverified: it never reaches a reader.

    With `reason` set, the answerer abstains and `statements` is empty; `message` may then say it in its own words.
    """

    statements: tuple[Statement, ...] = ()
    short_answer: Quote | None = None
    confidence: float = 0.0
    reason: AbstainReason | None = None
    message: str | None = None

    def __post_init__(self) -> None:
        if bool(self.statements) == (self.reason is not None):
            raise ValueError("a draft has either statements or a reason to abstain")


@dataclass(frozen=True, slots=True)
class Citation:
    """A quote that was located. `quote == span.of(document.text)`: always the article's own words."""

    number: int
    document_id: str
    span: Span
    quote: str
    source: Source
    document_sha256: str

    def __post_init__(self) -> None:
        if not self.quote or len(self.quote) != len(self.span):
            raise ValueError("a citation's quote is not empty and is as long as its span")


@dataclass(frozen=True, slots=True)
class CitedStatement:
    """A statement that stands: the numbers of its citations, at least one."""

    text: str
    citations: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.citations:
            raise ValueError("a statement cannot stand with no citation")


@dataclass(frozen=True, slots=True)
class Rejection:
    """A claimed quote that was not found, or a statement left without one. Kept in the trace."""

    statement: str
    quote: str
    reason: str


@dataclass(frozen=True, slots=True)
class Trace:
    """How an answer came about: the query, seconds by stage, and the models that took part."""

    query: str
    seconds: Mapping[str, float]
    models: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """A verified answer: statements that each stand on citations, or an abstention with its reason."""

    question: Question
    statements: tuple[CitedStatement, ...]
    citations: tuple[Citation, ...]
    short_answer: str | None
    reason: AbstainReason | None
    message: str | None
    confidence: float
    mode: str
    hits: tuple[Hit, ...]
    trace: Trace
    rejected: tuple[Rejection, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.statements) == self.abstained:
            raise ValueError("an answer has statements or abstains, never both")
        if [c.number for c in self.citations] != list(range(1, len(self.citations) + 1)):
            raise ValueError("citations are numbered from 1 without a gap")
        cited = {number for statement in self.statements for number in statement.citations}
        if cited != {c.number for c in self.citations}:
            raise ValueError("every citation is used by a statement, and every mark has its citation")

    @property
    def abstained(self) -> bool:
        return self.reason is not None
