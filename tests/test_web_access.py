"""The door: who is known how, who is kept out, and what is told them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, Request
from fastapi.testclient import TestClient

from bri_qa.errors import HistoryWriteError
from bri_qa.history import Database, Keys
from bri_qa.web import guards
from bri_qa.web.access import AccessMiddleware, CredentialsError, Person, Role, person
from bri_qa.web.access.resolver import Anonymous, ByKey, resolver
from tests.housing import assert_problem

PAGE = {"accept": "text/html"}


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[Keys]:
    database = Database.open(tmp_path)
    yield Keys(database)
    database.close()


def _client(keys: Keys, anonymous: bool = True) -> TestClient:
    app = FastAPI()
    guards.add_problems(app)

    def who(request: Request) -> dict[str, object]:
        found = person(request)
        return {"role": found.role, "user": found.user, "via": found.via, "groups": sorted(found.groups or [])}

    for path in ("/api/v1/who", "/v1/who", "/page", "/sign-in", "/ui/x"):
        app.get(path)(who)

    @app.get("/api/v1/rated")
    def rated(found: Annotated[Person, Depends(guards.needs(Role.EVALUATOR))]) -> str:
        return found.name

    app.add_middleware(
        AccessMiddleware, resolve=resolver([ByKey(keys)], Anonymous(lambda _: "anonymous:anna", anonymous))
    )
    return TestClient(app, follow_redirects=False)


def _with(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def test_who_shows_nothing_is_an_anonymous_reader_where_that_is_allowed(keys: Keys) -> None:
    found = _client(keys).get("/api/v1/who").json()
    assert found == {"role": "reader", "user": "anonymous:anna", "via": "anonymous", "groups": []}


def test_who_shows_a_key_is_known_by_it(keys: Keys) -> None:
    key, secret = keys.new("nightly", "evaluator", ("board",), (), None)
    for anonymous in (True, False):
        client = _client(keys, anonymous)
        found = client.get("/api/v1/who", headers=_with(secret)).json()
        assert found == {"role": "evaluator", "user": f"key:{key.id}", "via": "key", "groups": ["board"]}
        assert client.get("/api/v1/rated", headers=_with(secret)).json() == "nightly"
    keys.revoke("nightly")
    assert_problem(_client(keys).get("/api/v1/who", headers=_with(secret)), 401, "credentials_invalid", "revoked")


@pytest.mark.parametrize(
    "value", ["Bearer", "Bearer no-key", "Basic YTpi", "bqk_0", "Bearer bqk_000000000000_" + "a" * 43]
)
def test_what_is_presented_and_not_valid_is_refused(keys: Keys, value: str) -> None:
    for path in ("/api/v1/who", "/page", "/sign-in"):
        response = _client(keys).get(path, headers={"authorization": value, **PAGE})
        assert_problem(response, 401, "credentials_invalid")
        assert response.headers["www-authenticate"] == "Bearer"


def test_a_placeholder_of_a_client_that_cannot_send_no_key_is_no_key(keys: Keys) -> None:
    _, secret = keys.new("a", "reader", (), (), None)
    keys.revoke("a")
    placeholder = {"authorization": "Bearer none"}
    assert _client(keys).get("/v1/who", headers=placeholder).json()["via"] == "anonymous"
    assert_problem(_client(keys, anonymous=False).get("/v1/who", headers=placeholder), 401, "sign_in_needed")
    assert_problem(_client(keys).get("/v1/who", headers=_with(secret)), 401, "credentials_invalid")
    assert_problem(_client(keys).get("/v1/who", headers=_with("bqk_0")), 401, "credentials_invalid")


def test_two_keys_at_once_are_refused(keys: Keys) -> None:
    _, secret = keys.new("a", "reader", (), (), None)
    twice = [("authorization", f"Bearer {secret}")] * 2
    assert_problem(_client(keys).get("/api/v1/who", headers=twice), 401, "credentials_invalid", "one header")


def test_strangers_are_shown_to_the_sign_in_page_or_told(keys: Keys) -> None:
    client = _client(keys, anonymous=False)
    page = client.get("/page?a=1&next=//evil.example", headers=PAGE)
    assert (page.status_code, page.headers["location"]) == (
        303,
        "/sign-in?next=%2Fpage%3Fa%3D1%26next%3D%2F%2Fevil.example",
    )
    assert page.headers["cache-control"] == "no-store" and "content-security-policy" in page.headers
    assert_problem(client.get("/page"), 401, "sign_in_needed", "sign in, or send a key")
    assert_problem(client.get("/api/v1/who", headers=PAGE), 401, "sign_in_needed")
    assert_problem(client.post("/page", headers=PAGE), 401, "sign_in_needed")
    for path in ("/sign-in", "/ui/x"):
        assert client.get(path).json()["role"] is None


def test_paths_that_look_open_are_not(keys: Keys) -> None:
    client = _client(keys, anonymous=False)
    for path in ("/sign-in-now", "/uix", "//ui/x", "/UI/x", "/ui", "/healthz/x", "/api/v1/widget/tokens/x"):
        assert_problem(client.get(path), 401, "sign_in_needed")


def test_a_key_without_a_role_opens_nothing(keys: Keys) -> None:
    _, secret = keys.new("portal", None, (), ("mint",), None)
    for anonymous in (True, False):
        client = _client(keys, anonymous)
        assert_problem(client.get("/api/v1/who", headers=_with(secret)), 403, "reader_only", "your key has no role")
        assert_problem(client.get("/api/v1/rated", headers=_with(secret)), 403, "reader_only")


def test_keys_that_cannot_be_looked_up_are_not_taken_for_wrong_ones() -> None:
    app = FastAPI()

    def locked(_: object) -> Person:
        raise HistoryWriteError("the history is locked; try again")

    app.add_middleware(AccessMiddleware, resolve=locked)
    assert_problem(TestClient(app).get("/page"), 503, "not_available", "the history is locked")


def test_a_session_that_is_not_valid_leads_to_the_sign_in_page_and_keeps_nobody_from_it(keys: Keys) -> None:
    app = FastAPI()

    @app.get("/sign-in")
    def page(request: Request) -> str:
        return person(request).via

    def broken(_: object) -> Person:
        raise CredentialsError("your session has ended; sign in again")

    app.add_middleware(AccessMiddleware, resolve=broken)
    client = TestClient(app, follow_redirects=False)
    assert client.get("/sign-in", headers=PAGE).json() == "nothing"
    assert client.get("/page", headers=PAGE).headers["location"] == "/sign-in?next=%2Fpage"
    assert_problem(client.get("/api/v1/ask"), 401, "credentials_invalid", "your session has ended")
