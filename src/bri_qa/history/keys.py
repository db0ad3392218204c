"""API keys: shown once when they are made, kept as a hash, revocable in a running server."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from sqlalchemy import select, update

from bri_qa.errors import HistoryError, HistoryInputError, NotFoundError
from bri_qa.history.database import Database
from bri_qa.history.models import ApiKeyRow

PREFIX = "bqk_"
MINT = "mint"
SCOPES = (MINT,)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_GROUP = re.compile(r"[a-z0-9._-]{1,64}")
_SECRET = re.compile(rf"{PREFIX}([0-9a-f]{{12}})_[A-Za-z0-9_-]{{43}}")
_USED_EVERY = timedelta(hours=1)  # how exactly the last use is kept: a write per question would be too much


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key; never the key itself. `last_used` is right to the hour. Moments are UTC."""

    id: str
    name: str
    role: str | None
    groups: tuple[str, ...]
    scopes: tuple[str, ...]
    created: datetime
    expires: datetime | None
    revoked: datetime | None
    last_used: datetime | None

    def alive(self, now: datetime) -> bool:
        return self.revoked is None and (self.expires is None or now < self.expires)


class Keys:
    """The keys in the history's database.

    A key is 256 random bits, so its SHA-256 cannot be guessed back: a slow hash would cost time on each request and
    protect nothing. It is looked up by its public id, and the hashes are compared in constant time.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def new(
        self, name: str, role: str | None, groups: tuple[str, ...], scopes: tuple[str, ...], days: int | None
    ) -> tuple[Key, str]:
        """A new key and its secret, which cannot be shown again. With `role` None it has only its scopes.

        Raises:
            HistoryInputError: a name or group that cannot be used, or a name that a key in use has.
        """
        if not _NAME.fullmatch(name):
            raise HistoryInputError(f"{name!r} is no name for a key; use letters, digits and . _ - (at most 64)")
        for group in groups:
            if not _GROUP.fullmatch(group):
                raise HistoryInputError(f"{group!r} is no group; use small letters, digits and . _ -")
        now, identity = datetime.now(UTC), secrets.token_hex(6)
        secret = f"{PREFIX}{identity}_{secrets.token_urlsafe(32)}"
        row = ApiKeyRow(
            id=identity,
            name=name,
            sha256=_hash(secret),
            role=role,
            groups=sorted(set(groups)),
            scopes=sorted(set(scopes)),
            created=now,
            expires=None if days is None else now + timedelta(days=days),
        )
        with self._database.writing() as session:
            rows = session.scalars(select(ApiKeyRow).where(ApiKeyRow.name == name)).all()
            if any(_key(old).alive(now) for old in rows):
                raise HistoryInputError(f"a key named {name} is in use; revoke it first, or take another name")
            session.add(row)
            session.flush()
            return _key(row), secret

    def find(self, secret: str) -> Key | None:
        """The key whose secret this is, if it is neither revoked nor expired."""
        found = _SECRET.fullmatch(secret)
        if found is None:
            return None
        now = datetime.now(UTC)
        with self._database.reading() as session:
            row = session.get(ApiKeyRow, found[1])
            known = row.sha256 if row is not None else "0" * 64
            same = secrets.compare_digest(_hash(secret), known)
            key = _key(row) if row is not None and same else None
        if key is None or not key.alive(now):
            return None
        self._used(key, now)
        return key

    def alive(self, identity: str) -> bool:
        """Whether the key of this id may still be used."""
        with self._database.reading() as session:
            row = session.get(ApiKeyRow, identity)
            return row is not None and _key(row).alive(datetime.now(UTC))

    def all(self) -> list[Key]:
        """All keys that were ever made, by name and age."""
        with self._database.reading() as session:
            rows = session.scalars(select(ApiKeyRow).order_by(ApiKeyRow.name, ApiKeyRow.created)).all()
            return [_key(row) for row in rows]

    def any_alive(self) -> bool:
        """Whether there is a key that somebody could sign in with."""
        now = datetime.now(UTC)
        return any(key.role is not None and key.alive(now) for key in self.all())

    def revoke(self, name: str) -> Key:
        """The key of that name or id, which opens nothing from here on.

        Raises:
            NotFoundError: no key in use has that name or id.
        """
        now = datetime.now(UTC)
        with self._database.writing() as session:
            wanted = (ApiKeyRow.name == name) | (ApiKeyRow.id == name)
            for row in session.scalars(select(ApiKeyRow).where(wanted)).all():
                if _key(row).alive(now):
                    row.revoked = now
                    session.flush()
                    return _key(row)
        raise NotFoundError(f"no key in use is named {name}; `bri-qa keys list` shows them")

    def _used(self, key: Key, now: datetime) -> None:
        if key.last_used is not None and now - key.last_used < _USED_EVERY:
            return
        try:
            with self._database.writing() as session:
                session.execute(update(ApiKeyRow).where(ApiKeyRow.id == key.id).values(last_used=now))
        except HistoryError:
            return  # a full disk keeps nobody from asking


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _key(row: ApiKeyRow) -> Key:
    return Key(
        row.id,
        row.name,
        row.role,
        tuple(row.groups),
        tuple(row.scopes),
        row.created,
        row.expires,
        row.revoked,
        row.last_used,
    )
