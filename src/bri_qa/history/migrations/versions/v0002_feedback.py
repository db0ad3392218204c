"""Feedback on answers and citations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("entry_id", sa.Text, sa.ForeignKey("entries.id", ondelete="SET NULL")),
        sa.Column("citation", sa.Integer, nullable=False),
        sa.Column("created", sa.DateTime, nullable=False),
        sa.Column("rating", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("folded", sa.Text, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("history", sa.JSON, nullable=False),
        sa.Column("answer", sa.JSON, nullable=False),
        sa.UniqueConstraint("user", "entry_id", "citation", name="one_rating"),
        sa.CheckConstraint("rating IN ('up', 'down')", name="rating_known"),
    )
    op.create_index("feedback_by_age", "feedback", ["created", "id"])
    op.create_index("feedback_on", "feedback", ["entry_id"])
