"""Who asks: until there are logins, an anonymous id in a signed cookie that no script can read.

The id is the user's key in the history. It is made when the chat page is opened and renewed while it is used. It holds
no name and no address, and nobody can make one up: it is signed with a key that is kept beside the history.
"""

from __future__ import annotations

import os
import secrets
from hashlib import sha256
from pathlib import Path

from itsdangerous import BadSignature, TimestampSigner
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bri_qa.errors import HistoryCorruptError, HistoryWriteError
from bri_qa.web.access.people import person

COOKIE = "bri_qa_user"
KEY_FILE = "cookie.key"
KEY_BYTES = 32
LIFE_SECONDS = 400 * 24 * 3600  # browsers keep no cookie for longer
RENEWED_AFTER = 24 * 3600
PREFIX = "anonymous:"


def secret(folder: Path) -> bytes:
    """The key of the cookies in `folder`, made there at the first start and readable by its owner alone.

    Raises:
        HistoryWriteError: it can be neither read nor made.
        HistoryCorruptError: what is there is no key.
    """
    path = folder / KEY_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make(path)
        key = path.read_bytes()
    except OSError as error:
        raise HistoryWriteError(
            f"{path} cannot be used ({error.strerror}); make the folder writable, or name another with BRI_QA_HISTORY_DIR"
        ) from error
    if len(key) != KEY_BYTES:
        raise HistoryCorruptError(f"{path} is no key; move it away: a new one is made, and browsers get new ids")
    return key


def _make(path: Path) -> None:
    """Whole or not at all, and never in the place of one that is there: two processes may start at once."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


class Identity:
    """Makes and reads the cookie."""

    def __init__(self, key: bytes) -> None:
        self._signer = TimestampSigner(key, salt="bri_qa.web.identity", digest_method=sha256)

    def user(self, connection: HTTPConnection) -> str | None:
        """The key of the user who sent a request, or None when it carries no cookie of ours that is valid."""
        found = self._read(connection)
        return found[0] if found else None

    def new(self, connection: HTTPConnection) -> str | None:
        """The cookie's next value: a new id where there is none, the same one signed anew where it is old, else None."""
        found = self._read(connection)
        if found is None:
            return self.signed(PREFIX + secrets.token_urlsafe(18))
        user, age = found
        return self.signed(user) if age > RENEWED_AFTER else None

    def signed(self, user: str) -> str:
        return self._signer.sign(user).decode()

    def _read(self, connection: HTTPConnection) -> tuple[str, float] | None:
        """The user and the age of the signature in seconds."""
        try:
            value, moment = self._signer.unsign(
                connection.cookies.get(COOKIE, ""), max_age=LIFE_SECONDS, return_timestamp=True
            )
        except (BadSignature, UnicodeError):
            return None
        return value.decode(), self._signer.get_timestamp() - moment.timestamp()


class CookieMiddleware:
    """Gives everyone who opens the chat page an id. No other response sets it."""

    def __init__(self, app: ASGIApp, identity: Identity) -> None:
        self.app = app
        self.identity = identity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        value = self.identity.new(HTTPConnection(scope))

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start" and value is not None and _anonymous(scope):
                MutableHeaders(scope=message).append("Set-Cookie", _cookie(value, scope))
            await send(message)

        await self.app(scope, receive, marked)


def _anonymous(scope: Scope) -> bool:
    """Who is known otherwise needs no cookie; the door, further inside, has found out by now."""
    return person(HTTPConnection(scope)).via == "anonymous"


def _cookie(value: str, scope: Scope) -> str:
    """Lax, not strict: who follows a link from another site to the chat is still the same person."""
    secure = "; Secure" if scope["scheme"] == "https" else ""
    path = scope.get("root_path") or "/"
    return f"{COOKIE}={value}; Path={path}; Max-Age={LIFE_SECONDS}; HttpOnly; SameSite=Lax{secure}"
