from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.requests import HTTPConnection

from bri_qa.history import Database
from bri_qa.history.database import FILE
from bri_qa.web.access import CredentialsError, Person, Role
from bri_qa.web.access.sessions import COOKIE, Sessions, cookie
from tests.signing import Entrance, entered

ADA = Person(Role.EVALUATOR, frozenset({"press", "board"}), "key:abc", "key", "ada")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Entrance]:
    with entered(tmp_path) as opened:
        yield opened


def _with(value: str) -> HTTPConnection:
    return HTTPConnection({"type": "http", "headers": [(b"cookie", f"{COOKIE}={value}".encode())]})


def test_a_session_says_who_was_signed_in(house: Entrance) -> None:
    value = house.sessions.start(ADA)
    assert house.sessions.person(_with(value)) == Person(ADA.role, ADA.groups, ADA.user, "session", "ada")
    assert house.sessions.person(HTTPConnection({"type": "http", "headers": []})) is None
    assert house.sessions.person(_with("")) is None


def test_each_session_has_an_id_of_its_own_which_is_not_in_the_file(house: Entrance) -> None:
    first, second = house.sessions.start(ADA), house.sessions.start(ADA)
    assert first != second
    house.database.settle()
    content = house.database.path.read_bytes()
    for value in (first, second):
        assert value.rpartition(".")[0].encode() not in content


def test_a_forged_cookie_is_refused(house: Entrance, tmp_path: Path) -> None:
    value = house.sessions.start(ADA)
    other = Sessions(house.database, b"k" * 32, house.keys.alive)
    identity, _, signature = value.rpartition(".")
    for forged in (identity, f"{identity}x.{signature}", other.start(ADA), "x", f".{signature}", "é"):
        with pytest.raises(CredentialsError, match="not one of this server"):
            house.sessions.person(_with(forged))
        house.sessions.end(_with(forged))
    assert house.sessions.person(_with(value)) is not None


def test_nobody_without_a_role_or_a_history_is_signed_in(house: Entrance) -> None:
    for nobody in (Person(), Person(user="key:abc"), Person(Role.READER)):
        with pytest.raises(ValueError, match="can be signed in"):
            house.sessions.start(nobody)


def test_one_who_may_read_all_elsewhere_does_not_by_a_session(house: Entrance) -> None:
    found = house.sessions.person(_with(house.sessions.start(Person(Role.READER, None, "key:abc"))))
    assert found is not None and found.groups == frozenset()


def test_a_session_ends_with_its_life_and_is_then_deleted(house: Entrance) -> None:
    value = house.sessions.start(ADA)
    house.watch.ahead = timedelta(hours=11, minutes=59)
    assert house.sessions.person(_with(value)) is not None
    house.watch.ahead = timedelta(hours=12)
    assert house.sessions.person(_with(value)) is None
    house.sessions.start(ADA)
    with closing(sqlite3.connect(house.database.path)) as connection:
        assert connection.execute("SELECT count(*) FROM sign_ins").fetchone() == (1,)


def test_ending_one_session_leaves_the_others(house: Entrance) -> None:
    here, there = house.sessions.start(ADA), house.sessions.start(ADA)
    house.sessions.end(_with(here))
    house.sessions.end(_with(here))
    assert house.sessions.person(_with(here)) is None
    assert house.sessions.person(_with(there)) is not None


def test_the_key_that_began_a_session_ends_it(house: Entrance) -> None:
    browser, other = house.signed_in(name="ada"), house.signed_in(name="ben")
    assert browser.get("/me").json()["name"] == "ada"
    house.keys.revoke("ada")
    gone = browser.get("/me")
    assert (gone.status_code, gone.headers["location"]) == (303, "/sign-in?next=%2Fme")
    assert other.get("/me").json()["name"] == "ben"


def test_a_cookie_that_opens_nothing_is_taken_from_the_browser(house: Entrance) -> None:
    dropped = f"{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
    browser = house.signed_in()
    assert "set-cookie" not in browser.get("/me").headers
    house.watch.ahead = timedelta(days=1)
    assert browser.get("/me").headers["set-cookie"] == dropped
    assert COOKIE not in browser.cookies
    browser.cookies.set(COOKIE, "forged")
    assert browser.get("/me", headers={"accept": "application/json"}).status_code == 401
    browser = house.browser()
    browser.cookies.set(COOKIE, "forged", domain="testserver.local")
    page = browser.get("/sign-in")
    assert (page.status_code, page.headers["set-cookie"]) == (200, dropped)


def test_a_new_session_is_not_dropped_with_an_old_one(house: Entrance) -> None:
    browser = house.browser()
    browser.cookies.set(COOKIE, "forged", domain="testserver.local")
    browser.post("/sign-in/key", data={"key": house.key()})
    assert browser.get("/me").json()["via"] == "session"


@pytest.mark.parametrize(
    ("scheme", "public", "root", "path", "secure"),
    [
        ("http", None, "", "/", False),
        ("https", None, "", "/", True),
        ("http", "https://qa.example/x", "", "/", True),
        ("http", "http://qa.example", "/briqa", "/briqa", False),
    ],
)
def test_the_cookie_is_for_this_server_alone(
    scheme: str, public: str | None, root: str, path: str, secure: bool
) -> None:
    made = cookie(COOKIE, "v", 60, {"type": "http", "scheme": scheme, "root_path": root}, public)
    assert made == f"{COOKIE}=v; Path={path}; Max-Age=60; HttpOnly; SameSite=Lax" + ("; Secure" if secure else "")


def test_a_copy_of_the_database_opens_no_session(house: Entrance, tmp_path: Path) -> None:
    house.sessions.start(ADA)
    house.database.settle()
    (tmp_path / "copy").mkdir()
    shutil.copy(house.database.path, tmp_path / "copy" / FILE)
    copied = Database.open(tmp_path / "copy")
    with closing(sqlite3.connect(copied.path)) as connection:
        (hashed,) = connection.execute("SELECT id_hash FROM sign_ins").fetchone()
    sessions = Sessions(copied, b"k" * 32, lambda _: True)
    assert sessions.person(_with(sessions._signer.sign(hashed).decode())) is None
    copied.close()
