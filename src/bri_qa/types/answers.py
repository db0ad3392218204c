"""What is answered: drafts, which are unverified, and answers, which cannot be built without their proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bri_qa.types.asked import Hit, Question, Source, Span


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
class Rejection:
    """A claimed quote that was not found, or a statement left without one. Kept in the trace."""

    statement: str
    quote: str
    reason: str


@dataclass(frozen=True, slots=True)
class ModelUse:
    """What a language model did for an answer.

    `calls` are requests that were answered; `cost` is in the currency of the configured prices, None where none is
    configured; `fallback` says why its work was not used.
    """

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    cached: bool = False
    fallback: str | None = None

    def __add__(self, other: ModelUse) -> ModelUse:
        """Both together: sums, and what either was told."""
        costs = [item.cost for item in (self, other) if item.cost is not None]
        told = [item.fallback for item in (self, other) if item.fallback]
        return ModelUse(
            self.calls + other.calls,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            sum(costs) if costs else None,
            self.cached or other.cached,
            "; ".join(told) or None,
        )


@dataclass(frozen=True, slots=True)
class Draft:
    """What an answerer proposes, unverified: it never reaches a reader.

    With `reason` set, the answerer abstains and `statements` is empty; `message` may then say it in its own words.
    `mode` is how it came about where that is not the answerer's own mode; `rejected` is what the answerer itself
    dropped; `use` what a language model did for it; `unanswered` are parts of the question that no statement answers.
    """

    statements: tuple[Statement, ...] = ()
    short_answer: Quote | None = None
    confidence: float = 0.0
    reason: AbstainReason | None = None
    message: str | None = None
    mode: str | None = None
    rejected: tuple[Rejection, ...] = ()
    use: ModelUse | None = None
    unanswered: tuple[str, ...] = ()

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
class Trace:
    """How an answer came about: the query, seconds by stage, the models that took part, and a language model's work.

    `unanswered` are the parts of a question of several that the articles do not answer, while they do answer others.
    """

    query: str
    seconds: Mapping[str, float]
    models: Mapping[str, str]
    use: ModelUse | None = None
    unanswered: tuple[str, ...] = ()


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
