"""How the one who sends a request is known: by a key, by what a trusted proxy says, by a session, or not at all.

The first that is presented decides. What is presented and not valid is refused; it is never taken for nobody's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from bri_qa.history import Keys
from bri_qa.history.keys import PREFIX, Key
from bri_qa.web.access.people import CredentialsError, Person, Resolve, Role

Known = Callable[[HTTPConnection], Person | None]
"""Who is known by one way of being known; None where a request does not take that way."""

BEARER = "bearer"


def person_of(key: Key) -> Person:
    """Whoever shows this key."""
    role = Role(key.role) if key.role is not None else None
    return Person(role, frozenset(key.groups), f"key:{key.id}", "key", key.name, frozenset(key.scopes))


@dataclass(frozen=True, slots=True)
class ByKey:
    """Known by `Authorization: Bearer <key>`."""

    keys: Keys

    def __call__(self, connection: HTTPConnection) -> Person | None:
        sent = connection.headers.getlist("authorization")
        if not sent:
            return None
        scheme, _, secret = sent[0].partition(" ")
        if len(sent) > 1 or scheme.lower() != BEARER:
            raise CredentialsError("send one header Authorization: Bearer …, with a key that `bri-qa keys new` made")
        found = self.keys.find(secret.strip())
        if found is None and connection.scope["path"].startswith("/v1/") and PREFIX not in secret:
            return None  # clients of OpenAI's protocol cannot send none: "none", "sk-…" is no key of ours
        if found is None:
            raise CredentialsError("the key is not known here, or has been revoked or expired; make a new one")
        return person_of(found)


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Whoever is not known: a reader of what is open to all, with the history of a cookie, or nobody at all."""

    cookie: Callable[[HTTPConnection], str | None]
    allowed: bool = True

    def __call__(self, connection: HTTPConnection) -> Person:
        if not self.allowed:
            return Person()
        return Person(Role.READER, user=self.cookie(connection), via="anonymous")


def resolver(ways: Sequence[Known], otherwise: Resolve) -> Resolve:
    """The person whom the first of `ways` knows; where none does, what `otherwise` says."""

    def resolve(connection: HTTPConnection) -> Person:
        for way in ways:
            found = way(connection)
            if found is not None:
                return found
        return otherwise(connection)

    return resolve
