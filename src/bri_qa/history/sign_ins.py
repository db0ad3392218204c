"""Who is signed in: one row a session, under a hash of the id that the browser's cookie holds."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete

from bri_qa.history.database import Database
from bri_qa.history.models import SignInRow


@dataclass(frozen=True, slots=True)
class SignIn:
    """A person as they were known when they signed in; `key_id` names the API key that they showed, if it was one."""

    user: str
    name: str
    role: str
    groups: tuple[str, ...] = ()
    key_id: str | None = None


class SignIns:
    """The sessions in the database. A copy of the file opens none: an id is 256 random bits, kept as a hash."""

    def __init__(self, database: Database, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database, self._now = database, now

    def begin(self, who: SignIn, life: timedelta) -> str:
        """The id of a new session that ends by itself after `life`. Those that have ended are deleted with it.

        Raises:
            HistoryError: it cannot be written.
        """
        identity, now = secrets.token_urlsafe(32), self._now()
        row = SignInRow(
            id_hash=_hash(identity),
            user=who.user,
            name=who.name,
            role=who.role,
            groups=sorted(set(who.groups)),
            key_id=who.key_id,
            created=now,
            expires=now + life,
        )
        with self._database.writing() as session:
            session.execute(delete(SignInRow).where(SignInRow.expires <= now))
            session.add(row)
        return identity

    def find(self, identity: str) -> SignIn | None:
        """Whose session it is; None once it has ended.

        Raises:
            HistoryError: the file cannot be read.
        """
        with self._database.reading() as session:
            row = session.get(SignInRow, _hash(identity))
            if row is None or row.expires <= self._now():
                return None
            return SignIn(row.user, row.name, row.role, tuple(row.groups), row.key_id)

    def end(self, identity: str) -> None:
        """It is over, in every browser that holds it.

        Raises:
            HistoryError: it cannot be written.
        """
        with self._database.writing() as session:
            session.execute(delete(SignInRow).where(SignInRow.id_hash == _hash(identity)))


def _hash(identity: str) -> str:
    return sha256(identity.encode()).hexdigest()
