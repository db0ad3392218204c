"""Run by alembic with the open connection that `bri_qa.history.database` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from bri_qa.history.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
