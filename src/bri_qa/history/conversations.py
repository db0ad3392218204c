"""Conversations: kept, listed, searched, renamed, deleted, purged. Every method is of one user, except `purge`."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, ScalarSelect, and_, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from bri_qa.errors import HistoryFullError, HistoryInputError, NotFoundError
from bri_qa.history import inputs, stored
from bri_qa.history.database import Database
from bri_qa.history.models import ConversationRow, EntryRow, FeedbackRow
from bri_qa.history.ratings import feedback_of
from bri_qa.history.records import Conversation, Entry, Feedback, Page, Summary, title_of
from bri_qa.types import Answer, Document

MAX_TITLE_CHARS = 200
MAX_ENTRIES = 500
MAX_CONVERSATIONS = 2_000
PURGED_AT_ONCE = 200


def now() -> datetime:
    return datetime.now(UTC)


class History:
    """Conversations by user key. What belongs to another user is missing, like what never was."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = now) -> None:
        self._database = database
        self._clock = clock

    def add(
        self,
        user: str,
        answer: Answer,
        document: Callable[[str], Document | None],
        conversation_id: str | None = None,
    ) -> Entry:
        """Keep a question and its answer, in a new conversation or behind the entries of one.

        Raises:
            NotFoundError: the user has no such conversation (it may have been deleted meanwhile).
            HistoryFullError: the conversation has `MAX_ENTRIES` entries, or the user `MAX_CONVERSATIONS` conversations.
            HistoryError: the file cannot be written; nothing was kept.
        """
        user, moment = inputs.user_key(user), self._clock()
        contract, details = stored.kept(answer, document)
        with self._database.writing() as session:
            if conversation_id is None:
                conversation = _begun(session, user, answer.question.text, moment)
            else:
                conversation = _owned(session, user, conversation_id)
                _check_room(session, conversation.id)
                conversation.updated = max(moment, conversation.updated)
            row = EntryRow(
                id=_identity(),
                conversation_id=conversation.id,
                asked=moment,
                folded=_searched(contract),
                answer=contract,
                details=details,
            )
            session.add(row)
            session.flush()
            return _entry(row, ())

    def conversations(self, user: str, search: str = "", limit: int = 50, after: str | None = None) -> Page:
        """The user's conversations, last used first; with `search`, those that hold all its words, in any letter case.

        A word may stand anywhere in the title, the questions, the answers or the titles of the cited articles.

        Raises:
            HistoryInputError: the search is too long, the limit out of bounds, or `after` no cursor of ours.
        """
        words, limit = inputs.words(search), inputs.page_size(limit)
        query = select(ConversationRow, _count()).where(ConversationRow.user == inputs.user_key(user))
        for word in words:
            query = query.where(or_(func.instr(ConversationRow.folded, word) > 0, _says(word)))
        if after is not None:
            query = query.where(_before(*inputs.after(after)))
        query = query.order_by(ConversationRow.updated.desc(), ConversationRow.id.desc()).limit(limit + 1)
        with self._database.reading() as session:
            rows = session.execute(query).all()
            summaries = tuple(
                Summary(row.id, row.title, row.created, row.updated, count, _snippet(session, row.id, words))
                for row, count in rows[:limit]
            )
        more = len(rows) > limit
        return Page(summaries, inputs.cursor(summaries[-1].updated, summaries[-1].id) if more else None)

    def conversation(self, user: str, conversation_id: str) -> Conversation:
        """One conversation with all its entries and the feedback that the user gave on them.

        Raises:
            NotFoundError: the user has no such conversation.
        """
        with self._database.reading() as session:
            row = _owned(session, inputs.user_key(user), conversation_id)
            query = select(EntryRow).where(EntryRow.conversation_id == row.id).order_by(EntryRow.number)
            entries = session.scalars(query).all()
            given = _feedback(session, user, [entry.id for entry in entries])
            return Conversation(
                row.id,
                row.title,
                row.created,
                row.updated,
                tuple(_entry(entry, given.get(entry.id, ())) for entry in entries),
            )

    def entry(self, user: str, entry_id: str) -> Entry:
        """One question with its answer.

        Raises:
            NotFoundError: the user has no such entry.
        """
        query = (
            select(EntryRow)
            .join(ConversationRow, ConversationRow.id == EntryRow.conversation_id)
            .where(EntryRow.id == entry_id, ConversationRow.user == inputs.user_key(user))
        )
        with self._database.reading() as session:
            row = session.scalar(query)
            if row is None:
                raise NotFoundError("there is no such answer in your conversations; it may have been deleted")
            return _entry(row, _feedback(session, user, [row.id]).get(row.id, ()))

    def rename(self, user: str, conversation_id: str, title: str) -> Summary:
        """Give a conversation another title; its place in the list stays.

        Raises:
            NotFoundError: the user has no such conversation.
            HistoryInputError: the title is empty or too long.
        """
        title = inputs.bounded(inputs.one_line(title), MAX_TITLE_CHARS, "a title")
        if not title:
            raise HistoryInputError("the title is empty; type one")
        with self._database.writing() as session:
            row = _owned(session, inputs.user_key(user), conversation_id)
            row.title, row.folded = title, inputs.fold(title)
            count = session.scalar(select(func.count()).where(EntryRow.conversation_id == row.id)) or 0
            return Summary(row.id, row.title, row.created, row.updated, count)

    def delete(self, user: str, conversation_id: str) -> None:
        """Delete a conversation and the user's feedback on it; the text is overwritten in the file.

        Raises:
            NotFoundError: the user has no such conversation.
        """
        with self._database.writing() as session:
            row = _owned(session, inputs.user_key(user), conversation_id)
            entries = select(EntryRow.id).where(EntryRow.conversation_id == row.id)
            session.execute(delete(FeedbackRow).where(FeedbackRow.entry_id.in_(entries)))
            session.delete(row)
        self._database.settle()

    def delete_all(self, user: str) -> int:
        """Delete all that is kept of a user, feedback included; how many conversations it were."""
        mine = ConversationRow.user == inputs.user_key(user)
        with self._database.writing() as session:
            session.execute(delete(FeedbackRow).where(FeedbackRow.user == user))
            deleted = session.scalars(delete(ConversationRow).where(mine).returning(ConversationRow.id)).all()
        self._database.settle()
        return len(deleted)

    def purge(self, days: int) -> int:
        """Delete every user's conversations that were not used for `days` days; how many it were.

        Feedback on them stays: it carries its own copy and has its own retention.
        """
        old = ConversationRow.updated < self._clock() - timedelta(days=days)
        purged = 0
        while True:
            with self._database.writing() as session:
                some = select(ConversationRow.id).where(old).limit(PURGED_AT_ONCE)
                gone = delete(ConversationRow).where(ConversationRow.id.in_(some)).returning(ConversationRow.id)
                count = len(session.scalars(gone).all())
            purged += count
            if count < PURGED_AT_ONCE:
                break
        if purged:
            self._database.settle()
        return purged


def _identity() -> str:
    return secrets.token_urlsafe(12)


def _begun(session: Session, user: str, question: str, moment: datetime) -> ConversationRow:
    count = session.scalar(select(func.count()).where(ConversationRow.user == user)) or 0
    if count >= MAX_CONVERSATIONS:
        raise HistoryFullError(f"you keep {MAX_CONVERSATIONS:,} conversations; delete some, so that new ones are kept")
    title = title_of(inputs.writable(question))
    row = ConversationRow(
        id=_identity(), user=user, title=title, folded=inputs.fold(title), created=moment, updated=moment
    )
    session.add(row)
    session.flush()
    return row


def _owned(session: Session, user: str, conversation_id: str) -> ConversationRow:
    query = select(ConversationRow).where(ConversationRow.id == conversation_id, ConversationRow.user == user)
    row = session.scalar(query)
    if row is None:
        raise NotFoundError("there is no such conversation of yours; it may have been deleted")
    return row


def _check_room(session: Session, conversation_id: str) -> None:
    count = session.scalar(select(func.count()).where(EntryRow.conversation_id == conversation_id)) or 0
    if count >= MAX_ENTRIES:
        raise HistoryFullError(f"this conversation has {MAX_ENTRIES} questions; begin a new one")


def _count() -> ScalarSelect[int]:
    own = EntryRow.conversation_id == ConversationRow.id
    return select(func.count()).select_from(EntryRow).where(own).correlate(ConversationRow).scalar_subquery()


def _says(word: str) -> ColumnElement[bool]:
    return exists().where(EntryRow.conversation_id == ConversationRow.id, func.instr(EntryRow.folded, word) > 0)


def _before(moment: datetime, identity: str) -> ColumnElement[bool]:
    return or_(ConversationRow.updated < moment, and_(ConversationRow.updated == moment, ConversationRow.id < identity))


def _snippet(session: Session, conversation_id: str, words: Sequence[str]) -> str:
    """From the newest entry that holds one of the words."""
    if not words:
        return ""
    found = or_(*(func.instr(EntryRow.folded, word) > 0 for word in words))
    query = select(EntryRow).where(EntryRow.conversation_id == conversation_id, found).order_by(EntryRow.number.desc())
    row = session.scalar(query.limit(1))
    return "" if row is None else inputs.snippet(f"{row.answer['question']} {row.answer['answer']}", list(words))


def _searched(contract: stored.Json) -> str:
    titles = [item["title"] for item in contract["citations"]]
    return inputs.fold(" ".join([contract["question"], contract["answer"], *dict.fromkeys(titles)]))


def _entry(row: EntryRow, given: Sequence[Feedback]) -> Entry:
    return Entry(
        id=row.id,
        conversation_id=row.conversation_id,
        asked=row.asked,
        answer=stored.restored(row.answer, row.details),
        contract=row.answer,
        documents=stored.documents(row.details),
        feedback=tuple(given),
    )


def _feedback(session: Session, user: str, entry_ids: Sequence[str]) -> dict[str, list[Feedback]]:
    """The user's feedback on some entries, the answer's own first."""
    query = (
        select(FeedbackRow)
        .join(EntryRow, EntryRow.id == FeedbackRow.entry_id)
        .where(FeedbackRow.user == user, FeedbackRow.entry_id.in_(entry_ids))
        .order_by(FeedbackRow.citation)
    )
    given: dict[str, list[Feedback]] = {}
    for row in session.scalars(query):
        given.setdefault(str(row.entry_id), []).append(feedback_of(row))
    return given
