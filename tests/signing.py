"""Routes of signing in over a database, behind the door, for tests with a browser of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from bri_qa.history import Database, Keys
from bri_qa.settings import Settings
from bri_qa.web import guards, sign_in
from bri_qa.web.access import AccessMiddleware, person
from bri_qa.web.access.resolver import Anonymous, ByKey, Known, resolver
from bri_qa.web.access.sessions import Sessions, VoidMiddleware
from bri_qa.web.identity import secret
from bri_qa.web.security import HeadersMiddleware

SAME = {"sec-fetch-site": "same-origin"}


class Watch:
    """The time, as far as a test moves it on."""

    def __init__(self) -> None:
        self.ahead = datetime.now(UTC) - datetime.now(UTC)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Entrance:
    """A server that lets in who signs in, and tells at `/me` who that is."""

    app: FastAPI
    keys: Keys
    sessions: Sessions
    database: Database
    watch: Watch

    def browser(self, address: str = "http://testserver") -> TestClient:
        client = TestClient(self.app, base_url=address, follow_redirects=False)
        client.headers.update(SAME | {"accept": "text/html"})
        return client

    def key(self, name: str = "ada", role: str | None = "reader", groups: tuple[str, ...] = ()) -> str:
        return self.keys.new(name, role, groups, (), None)[1]

    def signed_in(self, **changes: Any) -> TestClient:
        browser = self.browser()
        assert browser.post("/sign-in/key", data={"key": self.key(**changes)}).status_code == 303
        return browser


@contextmanager
def entered(folder: Path, **given: Any) -> Iterator[Entrance]:
    """The server, with the settings that are `given`."""
    settings = Settings.load({}, history_dir=folder, **given)
    database, watch = Database.open(folder), Watch()
    keys = Keys(database)
    sessions = Sessions(database, secret(folder), keys.alive, settings.session_hours, watch)
    app = FastAPI()
    guards.add_problems(app)
    app.include_router(sign_in.router(settings, sessions, keys))

    @app.get("/me")
    async def me(request: Request) -> dict[str, Any]:
        who = person(request)
        return {
            "role": who.role,
            "groups": sorted(who.groups or ()),
            "user": who.user,
            "name": who.name,
            "via": who.via,
        }

    ways: list[Known] = [ByKey(keys), sessions.person]
    app.add_middleware(AccessMiddleware, resolve=resolver(ways, Anonymous(lambda _: None, allowed=False)))
    app.add_middleware(VoidMiddleware, public_url=settings.public_url)
    app.add_middleware(HeadersMiddleware)
    try:
        yield Entrance(app, keys, sessions, database, watch)
    finally:
        database.close()
