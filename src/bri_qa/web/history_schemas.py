"""What the routes of the history and of the feedback take and give: pydantic models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from bri_qa.history import Conversation, Entry, Feedback, Page, Rated, RatedPage, Rating, Reason, Summary, stamp
from bri_qa.history.conversations import MAX_TITLE_CHARS
from bri_qa.history.ratings import MAX_COMMENT_CHARS, exported
from bri_qa.web.schemas import AnswerOut


class TitleIn(BaseModel):
    """Another title for a conversation."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: str = Field(min_length=1, max_length=MAX_TITLE_CHARS, examples=["The new quay"])


class FeedbackIn(BaseModel):
    """A rating of an answer, or with `citation` of that numbered quote of it; it replaces the one before."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    entry: str = Field(max_length=100, description="id of the entry of a conversation")
    citation: int | None = Field(default=None, ge=1, le=1_000)
    rating: Rating
    reason: Reason | None = Field(default=None, description="why; with a thumbs-down alone")
    comment: str = Field(default="", max_length=MAX_COMMENT_CHARS)


class DeletedOut(BaseModel):
    """How many conversations were deleted."""

    deleted: int


class SummaryOut(BaseModel):
    """A conversation in a list; `snippet` is text around the words that were searched for."""

    id: str
    title: str
    created: AwareDatetime
    updated: AwareDatetime
    questions: int
    snippet: str

    @classmethod
    def of(cls, item: Summary) -> SummaryOut:
        return cls(
            id=item.id,
            title=item.title,
            created=item.created,
            updated=item.updated,
            questions=item.questions,
            snippet=item.snippet,
        )


class PageOut(BaseModel):
    """Conversations, last used first; `next` is the `cursor` of the next page."""

    conversations: list[SummaryOut]
    next: str | None

    @classmethod
    def of(cls, page: Page) -> PageOut:
        return cls(conversations=[SummaryOut.of(item) for item in page.conversations], next=page.next)


class FeedbackOut(BaseModel):
    """A rating that the user gave."""

    id: str
    created: AwareDatetime
    citation: int | None
    rating: Rating
    reason: Reason | None
    comment: str

    @classmethod
    def of(cls, item: Feedback) -> FeedbackOut:
        return cls(
            id=item.id,
            created=item.created,
            citation=item.citation,
            rating=item.rating,
            reason=item.reason,
            comment=item.comment,
        )


class EntryOut(BaseModel):
    """A question with its answer as it was given."""

    id: str
    asked: AwareDatetime
    answer: AnswerOut
    feedback: list[FeedbackOut]


class ConversationOut(BaseModel):
    """A conversation with its entries, oldest first."""

    id: str
    title: str
    created: AwareDatetime
    updated: AwareDatetime
    entries: list[EntryOut]


class TurnOut(BaseModel):
    """One earlier message of the conversation."""

    role: Literal["user", "assistant"]
    text: str


class RatedOut(FeedbackOut):
    """A rating with what it is about: one line of the export, which the eval suite reads."""

    question: str
    history: list[TurnOut]
    answer: AnswerOut


class CountsOut(BaseModel):
    """How many there are of each kind; `reasons` are those of the thumbs-downs."""

    up: int
    down: int
    reasons: dict[str, int]


class RatedPageOut(BaseModel):
    """Feedback, newest first, and how much of each kind passes the filters; `next` is the `cursor` of the next page."""

    feedback: list[RatedOut]
    counts: CountsOut
    next: str | None


# The answers were checked when they were given, by the program of that day: they leave as they were kept.


def conversation_json(item: Conversation) -> dict[str, Any]:
    """As `ConversationOut` describes it."""
    return {
        "id": item.id,
        "title": item.title,
        "created": stamp(item.created),
        "updated": stamp(item.updated),
        "entries": [entry_json(entry) for entry in item.entries],
    }


def entry_json(entry: Entry) -> dict[str, Any]:
    """As `EntryOut` describes it."""
    return {
        "id": entry.id,
        "asked": stamp(entry.asked),
        "answer": entry.contract,
        "feedback": [FeedbackOut.of(item).model_dump(mode="json") for item in entry.feedback],
    }


def rated_json(page: RatedPage, counts: dict[str, Any]) -> dict[str, Any]:
    """As `RatedPageOut` describes it."""
    return {"feedback": _exported(page.rated), "counts": counts, "next": page.next}


def _exported(rated: Sequence[Rated]) -> list[dict[str, Any]]:
    return [exported(item) for item in rated]
