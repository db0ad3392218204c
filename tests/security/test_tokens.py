"""Tokens and cookies that were copied, altered, made up or kept too long open nothing."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from bri_qa.history import Database, History, Keys
from bri_qa.types import Question
from bri_qa.web.access.sessions import COOKIE as SESSION
from bri_qa.web.access.widget_tokens import WidgetTokens
from bri_qa.web.identity import COOKIE, Identity, secret
from bri_qa.web.security import WIDGET_ROUTES
from tests.fakes import FakePipeline, document, web_documents
from tests.housing import assert_problem
from tests.keeping import QUAY
from tests.serving import made

PORTAL, OTHER = "https://portal.example", "https://other.example"
SAME = {"Sec-Fetch-Site": "same-origin"}
MINT = "/api/v1/widget/tokens"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def app(folder: Path) -> Iterator[FastAPI]:
    minutes = document("minutes", "Minutes\nThe board sold the old crane for 900 crowns.", groups=("board",))
    app = made(
        FakePipeline([*web_documents(), minutes]),
        history=folder,
        widget_origins=f"{PORTAL},{OTHER}",
        sign_in_required=True,
        sign_in_with_key=True,
    )
    with TestClient(app):
        yield app


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return TestClient(app, raise_server_exceptions=False, follow_redirects=False)


def _key(
    folder: Path, name: str, *, role: str | None = "reader", groups: tuple[str, ...] = (), mint: bool = False
) -> str:
    database = Database.open(folder)
    try:
        return Keys(database).new(name, role, groups, ("mint",) if mint else (), None)[1]
    finally:
        database.close()


@pytest.fixture(scope="module")
def token(app: FastAPI, folder: Path) -> str:
    key = _key(folder, "portal", role=None, groups=("board",), mint=True)
    answer = TestClient(app).post(MINT, json={"origin": PORTAL}, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 201
    return str(answer.json()["token"])


def _asked(client: TestClient, token: str, origin: str | None = PORTAL, path: str = "/api/v1/ask") -> Any:
    headers = {"Authorization": f"Bearer {token}"} | ({"Origin": origin} if origin else {})
    body = {"query": QUAY} if path.endswith("search") else {"question": QUAY}
    return client.post(path, json=body, headers=headers)


def test_a_token_opens_its_routes_and_no_other(app: FastAPI, client: TestClient, token: str) -> None:
    for path in sorted(WIDGET_ROUTES):
        assert _asked(client, token, path=path).status_code == 200
    headers = {"Authorization": f"Bearer {token}", "Origin": PORTAL}
    tried = 0
    for path, methods in app.openapi()["paths"].items():
        for method in set(methods) & {"get", "post", "put", "patch", "delete"}:
            filled = path.replace("{", "").replace("}", "")
            if path not in WIDGET_ROUTES:
                assert client.request(method, filled, headers=headers).status_code == 401, (method, path)
                tried += 1
    assert tried > 20
    for path in (
        "/",
        "/articles",
        "/admin",
        "/v1/chat/completions",
        "/api/v1/ask/",
        "/api/v1/ask/batch",
        "//api/v1/ask",
    ):
        assert client.get(path, headers=headers).status_code == 401, path


@pytest.mark.parametrize(
    "origin", [OTHER, "https://portal.example.evil.example", "http://portal.example", "null", "", None]
)
def test_a_token_is_of_no_use_to_another_page(client: TestClient, token: str, origin: str | None) -> None:
    assert_problem(_asked(client, token, origin), 401, "credentials_invalid")


def test_a_token_that_was_altered_is_none(client: TestClient, token: str) -> None:
    head, content, signature = token.split(".", 2) if token.count(".") > 1 else (token, "", "")
    assert content and signature
    padded = content + "=" * (-len(content) % 4)
    richer = base64.urlsafe_b64decode(padded).replace(b'"g":[]', b'"g":["board"]')
    altered = base64.urlsafe_b64encode(richer).rstrip(b"=").decode()
    assert altered != content
    for changed in (
        f"{head}.{altered}.{signature}",
        f"{head}.{content}.{signature[:-2]}",
        f"{head}.{content}.",
        f"{head}.{content}",
        f"{head}.",
        token[:-1],
        f"{token}x",
        token.upper(),
        f"{head}.{content}.{signature}.{signature}",
        f"{head}.{'A' * 5_000}.{signature}",
        f"{head}.é.{signature}",
    ):
        answer = _asked(client, changed.encode("latin-1").decode("latin-1") if changed.isascii() else f"{head}.%C3.x")
        assert_problem(answer, 401, "credentials_invalid")


def test_tokens_of_another_server_or_of_yesterday_are_none(client: TestClient, folder: Path) -> None:
    fresh = WidgetTokens(secret(folder)).mint(PORTAL, 5).token
    assert _asked(client, fresh).status_code == 200
    old = WidgetTokens(secret(folder), lambda: time.time() - 3_700).mint(PORTAL, 60).token
    assert_problem(_asked(client, old), 401, "credentials_invalid", "expired")
    foreign = WidgetTokens(b"x" * 32).mint(PORTAL, 5, groups=["board"]).token
    assert_problem(_asked(client, foreign), 401, "credentials_invalid", "not valid")
    gone = WidgetTokens(secret(folder)).mint("https://gone.example", 5).token
    assert_problem(_asked(client, gone, "https://gone.example"), 401, "credentials_invalid")


def test_what_was_signed_for_one_use_is_of_none_for_another(client: TestClient, folder: Path, token: str) -> None:
    """All signatures are made with one secret; each use has its own salt."""
    cookie = Identity(secret(folder)).signed("anonymous:a")
    for sent in (cookie, f"bqt.{cookie}", f"bqk_{cookie}"):
        assert_problem(_asked(client, sent), 401, "credentials_invalid")
    for name in (COOKIE, SESSION):
        for value in (token, token.removeprefix("bqt.")):
            assert client.get("/api/v1/documents", headers={"Cookie": f"{name}={value}"}).status_code == 401
    assert client.get("/api/v1/documents", headers={"Cookie": f"{SESSION}={cookie}"}).status_code == 401


@pytest.fixture
def signed_in(client: TestClient, folder: Path, request: pytest.FixtureRequest) -> str:
    """The cookie of a session."""
    answer = client.post("/sign-in/key", data={"key": _key(folder, f"{request.node.name[:40]}")}, headers=SAME)
    assert answer.status_code == 303
    value = client.cookies[SESSION]
    assert client.get("/api/v1/documents").status_code == 200
    client.cookies.clear()
    return value


def test_a_session_s_cookie_is_kept_from_scripts_and_other_sites(client: TestClient, folder: Path) -> None:
    answer = client.post("/sign-in/key", data={"key": _key(folder, "flags")}, headers=SAME)
    flags = answer.headers["set-cookie"].lower()
    assert "httponly" in flags and "samesite=lax" in flags and "domain=" not in flags


def test_a_session_that_was_altered_opens_nothing(client: TestClient, signed_in: str) -> None:
    value, dot, signature = signed_in.rpartition(".")
    assert dot
    for changed in (
        f"{value}x.{signature}",
        f"{value}.{signature[:-2]}",
        value,
        f"{value}.",
        "",
        ".",
        "x" * 5_000,
        "\xff.\xff",
    ):
        headers = [(b"cookie", f"{SESSION}={changed}".encode("latin-1"))]
        assert client.get("/api/v1/documents", headers=headers).status_code == 401, changed
    assert client.get("/api/v1/documents", headers={"Cookie": f"{SESSION}={signed_in}"}).status_code == 200


def test_a_session_that_has_ended_does_not_come_back(client: TestClient, signed_in: str) -> None:
    headers = {"Cookie": f"{SESSION}={signed_in}"}
    assert client.post("/sign-out", headers=headers | SAME).status_code == 303
    assert client.get("/api/v1/documents", headers=headers).status_code == 401


def test_signing_in_gives_a_new_session_whatever_cookie_was_planted(
    client: TestClient, folder: Path, signed_in: str
) -> None:
    """Session fixation: who planted a cookie in a browser does not get into what its owner begins."""
    key = _key(folder, "victim")
    answer = client.post("/sign-in/key", data={"key": key}, headers=SAME | {"Cookie": f"{SESSION}={signed_in}"})
    assert answer.status_code == 303
    begun = client.cookies[SESSION]
    assert begun != signed_in
    client.cookies.clear()
    assert client.get("/api/v1/documents", headers={"Cookie": f"{SESSION}={signed_in}"}).status_code == 401
    assert client.get("/api/v1/documents", headers={"Cookie": f"{SESSION}={begun}"}).status_code == 200


def test_an_anonymous_id_cannot_be_chosen(tmp_path: Path) -> None:
    """Nor altered: it is signed, and only the server makes one."""
    pipeline, database = FakePipeline(), Database.open(tmp_path)
    History(database).add("anonymous:victim", pipeline.ask(Question(QUAY)), pipeline.document, None)
    database.close()
    good = Identity(secret(tmp_path)).signed("anonymous:victim")
    with TestClient(made(pipeline, history=tmp_path), raise_server_exceptions=False) as client:
        owner = client.get("/api/v1/history", headers={"Cookie": f"{COOKIE}={good}"})
        assert owner.status_code == 200 and QUAY in owner.text
        for value in ("anonymous:victim", f"{good}x", good.replace("victim", "victin"), good.rpartition(".")[0], ""):
            sent = client.get("/api/v1/history", headers={"Cookie": f"{COOKIE}={value}"})
            assert sent.status_code == 401 and QUAY not in sent.text, value
            page = client.get("/", headers={"Cookie": f"{COOKIE}={value}", "Accept": "text/html"})
            made_up = page.headers["set-cookie"].partition("=")[2].partition(";")[0]
            assert made_up.startswith("anonymous:") and not made_up.startswith("anonymous:victim"), value
        other = Identity(secret(tmp_path)).signed("key:0123456789ab")
        sent = client.get("/api/v1/history", headers={"Cookie": f"{COOKIE}={other}"})
        assert sent.status_code in (200, 401) and QUAY not in sent.text
