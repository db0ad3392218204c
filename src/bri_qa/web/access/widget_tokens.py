"""Tokens of the widget: short-lived, signed, bound to the origin of the page that they are for.

The portal's server gets one with its key and hands it to the page; the key never reaches the page. A token holds its
whole meaning, so any replica with the same key in its history folder accepts it and nothing is kept.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from itsdangerous import BadData, URLSafeSerializer
from starlette.requests import HTTPConnection

from bri_qa.web.access.people import CredentialsError, Person, Resolve, Role

PREFIX = "bqt."
SCOPE = "mint"
MAX_MINUTES = 60
USER_CHARS = 32


@dataclass(frozen=True, slots=True)
class WidgetToken:
    """`expires_at` is in seconds since the epoch."""

    token: str
    expires_at: int


class WidgetTokens:
    """Mints and reads them; `key` is the server's own secret."""

    def __init__(self, key: bytes, now: Callable[[], float] = time.time) -> None:
        self._key, self._now = key, now
        self._signer = URLSafeSerializer(
            key, salt="bri_qa.web.access.widget_tokens", signer_kwargs={"digest_method": sha256}
        )

    def mint(self, origin: str, minutes: int, user: str | None = None, groups: Collection[str] = ()) -> WidgetToken:
        """A reader's token for the pages of `origin`. `user` is what the portal calls its user; it is kept as a hash."""
        expires = int(self._now()) + minutes * 60
        content = {"o": origin, "e": expires, "g": sorted(groups), "u": self._hidden(user) if user else None}
        return WidgetToken(PREFIX + str(self._signer.dumps(content)), expires)

    def person(self, token: str, origin: str | None) -> Person:
        """Who shows `token` from a page of `origin`.

        Raises:
            CredentialsError: it is not ours, has ended, or is for another origin.
        """
        try:
            content: dict[str, Any] = self._signer.loads(token.removeprefix(PREFIX))
        except BadData:
            raise CredentialsError("the token is not valid; get a new one from the portal's server") from None
        if content["e"] <= self._now():
            raise CredentialsError("the token has expired; get a new one from the portal's server")
        if content["o"] != origin:
            raise CredentialsError("the token is for the pages of another origin")
        return Person(Role.READER, frozenset(content["g"]), content["u"], via="widget")

    def _hidden(self, user: str) -> str:
        digest = hmac.new(self._key, b"widget user " + user.encode("utf-8", "backslashreplace"), sha256).hexdigest()
        return f"widget:{digest[:USER_CHARS]}"


def resolving(tokens: WidgetTokens, origins: Collection[str], paths: Collection[str], others: Resolve) -> Resolve:
    """Who sends a request: the token's person where it carries one, else whom `others` find.

    A token opens `paths` alone, and only while its origin is among `origins`.
    """

    def resolve(connection: HTTPConnection) -> Person:
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip().startswith(PREFIX):
            return others(connection)
        found = tokens.person(token.strip(), connection.headers.get("origin"))
        if connection.headers.get("origin") not in origins:
            raise CredentialsError("pages of this origin may not ask here (any more); see BRI_QA_WIDGET_ORIGINS")
        if connection.scope["path"] not in paths:
            raise CredentialsError("a widget's token does not open this address; send a key")
        return found

    return resolve
