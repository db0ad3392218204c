"""Feedback on answers and citations: given and taken back by users, read and exported by administrators."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, select
from sqlalchemy.orm import Session

from bri_qa.errors import HistoryInputError, NotFoundError
from bri_qa.history import inputs
from bri_qa.history.database import Database
from bri_qa.history.models import ConversationRow, EntryRow, FeedbackRow
from bri_qa.history.records import Feedback, Rated, RatedPage, Rating, RatingFilters, Reason, stamp
from bri_qa.types import Turn

MAX_COMMENT_CHARS = 2_000
TURNS_KEPT = 20
EXPORTED_AT_ONCE = 100
EVERYTHING = RatingFilters()


def now() -> datetime:
    return datetime.now(UTC)


class Ratings:
    """Feedback, at most one a user for an answer and one for each of its citations."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = now) -> None:
        self._database = database
        self._clock = clock

    def rate(
        self,
        user: str,
        entry_id: str,
        rating: Rating,
        citation: int | None = None,
        *,
        reason: Reason | None = None,
        comment: str = "",
    ) -> Feedback:
        """Rate an answer of the user's, or one citation of it; what was said of the same before is replaced.

        Raises:
            NotFoundError: the user has no such entry, or its answer no such citation.
            HistoryInputError: the comment is too long, or a reason is given for a thumbs-up.
        """
        comment = inputs.bounded(inputs.writable(comment).strip(), MAX_COMMENT_CHARS, "a comment")
        if reason is not None and rating is Rating.UP:
            raise HistoryInputError("a reason goes with a thumbs-down; leave it out")
        with self._database.writing() as session:
            entry = _entry_of(session, inputs.user_key(user), entry_id)
            if citation is not None and citation not in {item["number"] for item in entry.answer["citations"]}:
                raise NotFoundError(f"this answer has no citation {citation}")
            number = citation or 0
            session.execute(delete(FeedbackRow).where(*_about(user, entry.id, number)))
            row = FeedbackRow(
                id=secrets.token_urlsafe(12),
                user=user,
                entry_id=entry.id,
                citation=number,
                created=self._clock(),
                rating=rating.value,
                reason=reason.value if reason else None,
                comment=comment,
                folded=inputs.fold(" ".join([entry.answer["question"], comment, entry.answer["answer"]])),
                question=inputs.writable(entry.answer["question"]),
                history=_turns_before(session, entry),
                answer=entry.answer,
            )
            session.add(row)
            session.flush()
            return feedback_of(row)

    def withdraw(self, user: str, entry_id: str, citation: int | None = None) -> None:
        """Take back what the user said of an answer or a citation.

        Raises:
            NotFoundError: the user said nothing of it.
        """
        about = _about(inputs.user_key(user), entry_id, citation or 0)
        with self._database.writing() as session:
            if session.scalar(delete(FeedbackRow).where(*about).returning(FeedbackRow.id)) is None:
                raise NotFoundError("you gave no feedback on this")
        self._database.settle()

    def listed(self, filters: RatingFilters = EVERYTHING, limit: int = 50, after: str | None = None) -> RatedPage:
        """For an administrator: every user's feedback that passes the filters, newest first, without who gave it.

        Raises:
            HistoryInputError: a search that is too long, a limit out of bounds, or no cursor of ours.
        """
        limit, conditions = inputs.page_size(limit), _conditions(filters)
        if after is not None:
            moment, identity = inputs.after(after)
            same = and_(FeedbackRow.created == moment, FeedbackRow.id < identity)
            conditions.append(or_(FeedbackRow.created < moment, same))
        order = (FeedbackRow.created.desc(), FeedbackRow.id.desc())
        with self._database.reading() as session:
            rows = session.scalars(select(FeedbackRow).where(*conditions).order_by(*order).limit(limit + 1)).all()
            rated = tuple(_rated(row) for row in rows[:limit])
        more = len(rows) > limit
        last = rated[-1].feedback if more else None
        return RatedPage(rated, inputs.cursor(last.created, last.id) if last else None)

    def counts(self, filters: RatingFilters = EVERYTHING) -> dict[str, Any]:
        """For an administrator: `{"up": 3, "down": 2, "reasons": {"wrong": 1, …}}` of what passes the filters.

        `reasons` has every reason, in the order of `Reason`, and `none` for a thumbs-down without one.
        """
        query = (
            select(FeedbackRow.rating, FeedbackRow.reason, func.count())
            .where(*_conditions(filters))
            .group_by(FeedbackRow.rating, FeedbackRow.reason)
        )
        ratings = dict.fromkeys(Rating, 0)
        reasons = dict.fromkeys([*(reason.value for reason in Reason), "none"], 0)
        with self._database.reading() as session:
            for rating, reason, count in session.execute(query):
                ratings[Rating(rating)] += count
                if rating == Rating.DOWN:
                    reasons[reason or "none"] += count
        return {"up": ratings[Rating.UP], "down": ratings[Rating.DOWN], "reasons": reasons}

    def lines(
        self, filters: RatingFilters = EVERYTHING, keep: Callable[[Rated], bool] = lambda _: True
    ) -> Iterator[str]:
        """For an administrator: each feedback that `keep` lets pass as one line of JSON, oldest first, as the
        eval suite reads it.

        What comes in while the lines are read may be among them or not; none is told twice.
        """
        moment, identity = datetime.min.replace(tzinfo=UTC), ""
        conditions, order = _conditions(filters), (FeedbackRow.created, FeedbackRow.id)
        while True:
            same = and_(FeedbackRow.created == moment, FeedbackRow.id > identity)
            query = select(FeedbackRow).where(*conditions, or_(FeedbackRow.created > moment, same)).order_by(*order)
            with self._database.reading() as session:
                rated = [_rated(row) for row in session.scalars(query.limit(EXPORTED_AT_ONCE))]
            for item in filter(keep, rated):
                yield json.dumps(exported(item), ensure_ascii=False)
            if len(rated) < EXPORTED_AT_ONCE:
                return
            moment, identity = rated[-1].feedback.created, rated[-1].feedback.id

    def purge(self, days: int) -> int:
        """Delete every user's feedback that is older than `days` days; how many it were."""
        old = FeedbackRow.created < self._clock() - timedelta(days=days)
        with self._database.writing() as session:
            purged = session.scalars(delete(FeedbackRow).where(old).returning(FeedbackRow.id)).all()
        if purged:
            self._database.settle()
        return len(purged)


def exported(rated: Rated) -> dict[str, Any]:
    """One feedback as an object of JSON."""
    feedback = rated.feedback
    return {
        "id": feedback.id,
        "created": stamp(feedback.created),
        "rating": feedback.rating.value,
        "reason": feedback.reason.value if feedback.reason else None,
        "comment": feedback.comment,
        "citation": feedback.citation,
        "question": rated.question,
        "history": [{"role": turn.role, "text": turn.text} for turn in rated.history],
        "answer": rated.contract,
    }


def feedback_of(row: FeedbackRow) -> Feedback:
    """The value of a row."""
    reason = Reason(row.reason) if row.reason else None
    return Feedback(row.id, row.created, Rating(row.rating), reason, row.comment, row.citation or None)


def _rated(row: FeedbackRow) -> Rated:
    turns = tuple(Turn("user" if item["role"] == "user" else "assistant", item["text"]) for item in row.history)
    return Rated(feedback_of(row), row.question, turns, row.answer)


def _about(user: str, entry_id: str, citation: int) -> tuple[ColumnElement[bool], ...]:
    return (FeedbackRow.user == user, FeedbackRow.entry_id == entry_id, FeedbackRow.citation == citation)


def _entry_of(session: Session, user: str, entry_id: str) -> EntryRow:
    query = (
        select(EntryRow)
        .join(ConversationRow, ConversationRow.id == EntryRow.conversation_id)
        .where(EntryRow.id == entry_id, ConversationRow.user == user)
    )
    row = session.scalar(query)
    if row is None:
        raise NotFoundError("there is no such answer in your conversations; it may have been deleted")
    return row


def _turns_before(session: Session, entry: EntryRow) -> list[dict[str, str]]:
    """The last turns that the question followed, oldest first."""
    query = (
        select(EntryRow.answer)
        .where(EntryRow.conversation_id == entry.conversation_id, EntryRow.number < entry.number)
        .order_by(EntryRow.number.desc())
        .limit(TURNS_KEPT // 2)
    )
    contracts: list[Mapping[str, Any]] = list(session.scalars(query))
    return [
        {"role": role, "text": contract[key]}
        for contract in reversed(contracts)
        for role, key in (("user", "question"), ("assistant", "answer"))
    ]


def _conditions(filters: RatingFilters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.rating is not None:
        conditions.append(FeedbackRow.rating == filters.rating.value)
    if filters.reason is not None:
        conditions.append(FeedbackRow.reason == filters.reason.value)
    if filters.commented is not None:
        conditions.append((FeedbackRow.comment != "") == filters.commented)
    if filters.since is not None:
        conditions.append(FeedbackRow.created >= filters.since)
    if filters.until is not None:
        conditions.append(FeedbackRow.created < filters.until)
    conditions += [func.instr(FeedbackRow.folded, word) > 0 for word in inputs.words(filters.search)]
    return conditions
