"""Sessions of people who have signed in: a random id in a signed cookie that no script can read; the rest is kept here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from itsdangerous import BadSignature, Signer
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bri_qa.history import Database
from bri_qa.history.sign_ins import SignIn, SignIns
from bri_qa.web.access.people import CredentialsError, Person, Role

COOKIE = "bri_qa_session"
_VOID = "bri_qa.session_void"


class Sessions:
    """`key` is the server's own secret. `alive` says of an API key's id whether that key may still be used.

    A session ends with its life, with its sign-out, and with the API key that it was begun with.
    """

    def __init__(
        self,
        database: Database,
        key: bytes,
        alive: Callable[[str], bool],
        hours: int = 12,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sign_ins, self._alive, self._life = SignIns(database, now), alive, timedelta(hours=hours)
        self._signer = Signer(key, salt="bri_qa.web.access.sessions", digest_method=sha256)

    @property
    def seconds(self) -> int:
        """How long a session may last."""
        return int(self._life.total_seconds())

    def person(self, connection: HTTPConnection) -> Person | None:
        """Who is signed in; None where nobody is, or is not any more.

        Raises:
            CredentialsError: the cookie is not ours. The browser is told to drop it.
            HistoryError: the sessions cannot be read.
        """
        if not connection.cookies.get(COOKIE):
            return None
        identity = self._identity(connection)
        if identity is None:
            connection.scope[_VOID] = True
            raise CredentialsError("the session's cookie is not one of this server; load the page again and sign in")
        found = self._sign_ins.find(identity)
        if found is None or (found.key_id is not None and not self._alive(found.key_id)):
            connection.scope[_VOID] = True
            return None
        return Person(Role(found.role), frozenset(found.groups), found.user, via="session", name=found.name)

    def start(self, person: Person, key_id: str | None = None) -> str:
        """The cookie's value for a new session of `person`, who has a role and a user's key.

        Raises:
            ValueError: they have not.
            HistoryError: it cannot be written.
        """
        if person.role is None or person.user is None:
            raise ValueError("nobody without a role and a user's key can be signed in")
        who = SignIn(person.user, person.name, person.role.value, tuple(person.groups or ()), key_id)
        return self._signer.sign(self._sign_ins.begin(who, self._life)).decode()

    def end(self, connection: HTTPConnection) -> None:
        """The session of the one who sent a request is over; nothing happens where there is none.

        Raises:
            HistoryError: it cannot be written.
        """
        identity = self._identity(connection)
        if identity is not None:
            self._sign_ins.end(identity)

    def _identity(self, connection: HTTPConnection) -> str | None:
        try:
            return self._signer.unsign(connection.cookies.get(COOKIE, "")).decode()
        except (BadSignature, UnicodeError):
            return None


class VoidMiddleware:
    """Goes around what finds out who asks: a cookie that opened nothing is taken from the browser."""

    def __init__(self, app: ASGIApp, public_url: str | None = None) -> None:
        self.app = app
        self.public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def dropped(message: Message) -> None:
            if message["type"] == "http.response.start" and scope.get(_VOID):
                headers = MutableHeaders(scope=message)
                if not any(value.startswith(f"{COOKIE}=") for value in headers.getlist("set-cookie")):
                    headers.append("Set-Cookie", cookie(COOKIE, "", 0, scope, self.public_url))
            await send(message)

        await self.app(scope, receive, dropped if scope["type"] == "http" else send)


def cookie(name: str, value: str, seconds: int, scope: Scope, public_url: str | None) -> str:
    """A `Set-Cookie` for this server alone. Lax, not strict: who follows a link to it from a mail is still signed in."""
    is_safe = scope["scheme"] == "https" or (public_url or "").startswith("https://")
    path = scope.get("root_path") or "/"
    return f"{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{'; Secure' if is_safe else ''}"
