"""The one who sends a request: found once, at the door, from what the request proves; never from what it merely says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from starlette.requests import HTTPConnection

from bri_qa.types import Filters, Groups, Question, Turn

KEY = "bri_qa.person"  # in the scope of a request


class Role(StrEnum):
    """What a person may do; each role includes those before it."""

    READER = "reader"  # ask, search, read articles, keep a history, rate answers
    EVALUATOR = "evaluator"  # also see how the evaluation stands and what was rated
    ADMINISTRATOR = "administrator"  # also change the corpus and its index


_ORDER = tuple(Role)


@dataclass(frozen=True, slots=True)
class Person:
    """`user` is the key of their history, None where nothing is kept of them; `via` says how they are known.

    `role` None may do nothing. `groups` are the access groups whose articles they may read besides those open to all.
    """

    role: Role | None = None
    groups: Groups = frozenset()
    user: str | None = None
    via: str = "nothing"
    name: str = ""  # for people to read
    scopes: frozenset[str] = frozenset()  # of an API key: what it may do beyond its role

    def may(self, role: Role) -> bool:
        return self.role is not None and _ORDER.index(self.role) >= _ORDER.index(role)

    def question(self, text: str, turns: tuple[Turn, ...], filters: Filters) -> Question:
        """A question of this person: it reaches only what this person may read."""
        return Question(text, turns, self.narrowed(filters))

    def narrowed(self, filters: Filters) -> Filters:
        """`filters` within what this person may read."""
        return replace(filters, groups=self.groups)


Resolve = Callable[[HTTPConnection], Person]


class CredentialsError(Exception):
    """A request carries a key, a token or a session that is not valid (any more); says what to do."""


def person(connection: HTTPConnection) -> Person:
    """Who sent a request; where no door was passed, somebody who may do nothing."""
    found = connection.scope.get(KEY)
    return found if isinstance(found, Person) else Person()
