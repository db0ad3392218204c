"""The tables. A change here needs a migration; a test holds the two together."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, DateTime, Dialect, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class Moment(TypeDecorator[datetime]):
    """A moment with its time zone; kept as UTC without one, which sorts as text."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """All tables of the history."""


class ConversationRow(Base):
    """`folded` is the title as it is searched: compatible forms made one, no case."""

    __tablename__ = "conversations"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    folded: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime] = mapped_column(Moment)
    updated: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (
        Index("conversations_of", "user", "updated", "id"),
        Index("conversations_by_age", "updated"),
    )


class EntryRow(Base):
    """`answer` is the contract's object; `details` is what the contract leaves out; `folded` is what is searched."""

    __tablename__ = "entries"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(Text, unique=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    asked: Mapped[datetime] = mapped_column(Moment)
    folded: Mapped[str] = mapped_column(Text)
    answer: Mapped[dict[str, Any]] = mapped_column(JSON)
    details: Mapped[dict[str, Any]] = mapped_column(JSON)

    __table_args__ = (Index("entries_of", "conversation_id", "number"), {"sqlite_autoincrement": True})


class FeedbackRow(Base):
    """A copy of what it is about, so that it outlives the retention of the conversation.

    `citation` is 0 for the answer itself. `entry_id` is null once the conversation was purged.
    """

    __tablename__ = "feedback"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user: Mapped[str] = mapped_column(Text)
    entry_id: Mapped[str | None] = mapped_column(ForeignKey("entries.id", ondelete="SET NULL"))
    citation: Mapped[int]
    created: Mapped[datetime] = mapped_column(Moment)
    rating: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    comment: Mapped[str] = mapped_column(Text)
    folded: Mapped[str] = mapped_column(Text)
    question: Mapped[str] = mapped_column(Text)
    history: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    answer: Mapped[dict[str, Any]] = mapped_column(JSON)

    __table_args__ = (
        UniqueConstraint("user", "entry_id", "citation", name="one_rating"),
        CheckConstraint("rating IN ('up', 'down')", name="rating_known"),
        Index("feedback_by_age", "created", "id"),
        Index("feedback_on", "entry_id"),
    )


class ApiKeyRow(Base):
    """`sha256` is of the whole secret; `role` null is a key that has only its scopes."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(Text)
    role: Mapped[str | None] = mapped_column(Text)
    groups: Mapped[list[str]] = mapped_column(JSON)
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created: Mapped[datetime] = mapped_column(Moment)
    expires: Mapped[datetime | None] = mapped_column(Moment)
    revoked: Mapped[datetime | None] = mapped_column(Moment)
    last_used: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (Index("api_keys_named", "name"),)


class SignInRow(Base):
    """`id_hash` is the SHA-256 of what the browser holds; `key_id` is the API key that was shown, if it was one."""

    __tablename__ = "sign_ins"

    id_hash: Mapped[str] = mapped_column(Text, primary_key=True)
    user: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    groups: Mapped[list[str]] = mapped_column(JSON)
    key_id: Mapped[str | None] = mapped_column(Text)
    created: Mapped[datetime] = mapped_column(Moment)
    expires: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (Index("sign_ins_by_end", "expires"),)
