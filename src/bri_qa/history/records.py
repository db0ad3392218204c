"""What the history gives back: frozen values, whole when they are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from bri_qa import render
from bri_qa.types import Answer, Document, Turn

TITLE_CHARS = 80


class Rating(StrEnum):
    """Thumbs up or down."""

    UP = "up"
    DOWN = "down"


class Reason(StrEnum):
    """Why an answer or a citation was rated down; the codes are part of the feedback's format."""

    WRONG = "wrong"  # the answer is false
    INCOMPLETE = "incomplete"  # it leaves out what the articles say
    NOT_ASKED = "not_asked"  # it answers another question
    QUOTE_DOES_NOT_SUPPORT = "quote_does_not_support"  # the quote does not prove the statement
    OUT_OF_DATE = "out_of_date"  # a newer article says otherwise
    SHOULD_HAVE_ANSWERED = "should_have_answered"  # the articles do say
    SHOULD_HAVE_ABSTAINED = "should_have_abstained"  # the articles do not say
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Feedback:
    """One user's rating of an answer, or with `citation` of that numbered quote of it."""

    id: str
    created: datetime
    rating: Rating
    reason: Reason | None
    comment: str
    citation: int | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One question of a conversation with its answer, as it was given.

    `documents` are the cited and the nearest articles as they were then: with their source and hash, without their
    text. `contract` is the answer object of the public contract.
    """

    id: str
    conversation_id: str
    asked: datetime
    answer: Answer
    contract: Mapping[str, Any]
    documents: Mapping[str, Document]
    feedback: tuple[Feedback, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation with its entries, oldest first."""

    id: str
    title: str
    created: datetime
    updated: datetime
    entries: tuple[Entry, ...]

    @property
    def turns(self) -> tuple[Turn, ...]:
        """What the pipeline is told of it when the next question is asked."""
        return tuple(
            turn
            for entry in self.entries
            for turn in (
                Turn("user", entry.answer.question.text),
                Turn("assistant", render.as_sentence(entry.answer)),
            )
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """A conversation in a list. `snippet` is text around the first word that was searched for, else empty."""

    id: str
    title: str
    created: datetime
    updated: datetime
    questions: int
    snippet: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Summaries, last used first. `next` is the cursor of the following page, None on the last."""

    conversations: tuple[Summary, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Rated:
    """Feedback as an administrator sees it: with what it is about, without who gave it."""

    feedback: Feedback
    question: str
    history: tuple[Turn, ...]
    contract: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RatedPage:
    """Feedback, newest first. `next` is the cursor of the following page, None on the last."""

    rated: tuple[Rated, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class RatingFilters:
    """Which feedback an administrator wants; None and "" do not restrict. `since` is inclusive, `until` is not."""

    rating: Rating | None = None
    reason: Reason | None = None
    commented: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    search: str = ""


def stamp(moment: datetime) -> str:
    """A moment as JSON has it: ISO 8601 in UTC, `2026-03-01T12:00:00Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def title_of(question: str) -> str:
    """A title of one line, at most `TITLE_CHARS` characters, shortened at a word where there is one."""
    line = " ".join(question.split())
    if len(line) <= TITLE_CHARS:
        return line or "Untitled"
    cut = line[:TITLE_CHARS]  # one more than there is room for beside the ellipsis: a word may end right there
    words = cut.rpartition(" ")[0] if " " in cut[TITLE_CHARS // 2 :] else cut[:-1]
    return words.rstrip(" ,;:.-–—") + "…"
