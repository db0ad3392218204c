from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.requests import HTTPConnection

from bri_qa.errors import SettingsError
from bri_qa.settings import Settings
from bri_qa.web.access import CredentialsError, Person, Role
from bri_qa.web.access.widget_tokens import WidgetTokens
from bri_qa.web.security import WIDGET_ROUTES
from bri_qa.web.widget.bundle import FOLDER, LANGUAGES, bundle
from tests.fakes import FakePipeline, document, web_documents
from tests.housing import assert_problem
from tests.serving import made

PORTAL, STRANGER = "https://portal.example", "https://elsewhere.example"
QUAY = {"question": "How long is the new quay?"}
MINT = "/api/v1/widget/tokens"
PEOPLE = {
    "minter": Person(Role.READER, frozenset({"board", "staff"}), "key:1", "key", scopes=frozenset({"mint"})),
    "reader": Person(Role.READER, frozenset(), "key:2", "key"),
}


def _resolve(connection: HTTPConnection) -> Person:
    """Nobody is let in without one of two keys."""
    return PEOPLE.get(connection.headers.get("authorization", "").removeprefix("Bearer "), Person())


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    secret = document(
        "minutes", "Minutes of the board\nThe board sold the old crane for 900 crowns.", groups=("board",)
    )
    app = made(FakePipeline([*web_documents(), secret]), resolve=_resolve, widget_origins=PORTAL)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def _minted(client: TestClient, **more: Any) -> str:
    response = client.post(MINT, json={"origin": PORTAL, **more}, headers={"Authorization": "Bearer minter"})
    assert response.status_code == 201, response.text
    assert response.headers["Cache-Control"] == "no-store"
    token: str = response.json()["token"]
    return token


def _ask(client: TestClient, token: str, origin: str = PORTAL, question: str = QUAY["question"]) -> Any:
    headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site"}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    return client.post("/api/v1/ask", json={"question": question}, headers=headers)


def test_a_token_asks_from_its_own_origin(client: TestClient) -> None:
    response = _ask(client, _minted(client))
    assert response.status_code == 200 and response.json()["short_answer"] == "640"
    assert response.headers["Access-Control-Allow-Origin"] == PORTAL
    assert "access-control-allow-credentials" not in response.headers
    assert "Origin" in response.headers["Vary"]


def test_a_token_is_of_no_use_elsewhere(client: TestClient) -> None:
    token = _minted(client)
    assert_problem(_ask(client, token, STRANGER), 403, "cross_site")
    program = {"Authorization": f"Bearer {token}"}
    assert_problem(client.post("/api/v1/ask", json=QUAY, headers=program), 401, "credentials_invalid", "origin")
    lied = {**program, "Origin": STRANGER}
    assert_problem(client.post("/api/v1/ask", json=QUAY, headers=lied), 401, "credentials_invalid", "origin")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/feedback"),
        ("GET", "/api/v1/history"),
        ("GET", "/admin"),
        ("GET", "/api/v1/documents"),
        ("POST", MINT),
    ],
)
def test_a_token_opens_nothing_but_what_the_widget_needs(client: TestClient, method: str, path: str) -> None:
    headers = {"Authorization": f"Bearer {_minted(client)}", "Origin": PORTAL}
    assert client.request(method, path, headers=headers, json={"origin": PORTAL}).status_code == 401


def test_a_token_that_was_touched_is_refused(client: TestClient) -> None:
    token = _minted(client)
    for other in (
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        token[:9] + "x" + token[10:],
        "bqt.",
        "bqt.a.b",
        "bqt.é",
    ):
        with pytest.raises(CredentialsError):
            WidgetTokens(b"k" * 32).person(other, PORTAL)
        if other.isascii():
            assert_problem(_ask(client, other), 401, "credentials_invalid")


def test_a_token_ends() -> None:
    clock = [1_000.0]
    tokens = WidgetTokens(b"k" * 32, lambda: clock[0])
    made_ = tokens.mint(PORTAL, 15, "anna", ("board",))
    assert made_.expires_at == 1_900
    clock[0] = 1_899.9
    found = tokens.person(made_.token, PORTAL)
    assert (found.role, found.groups, found.via) == (Role.READER, frozenset({"board"}), "widget")
    assert not found.scopes
    clock[0] = 1_900
    with pytest.raises(CredentialsError, match="expired"):
        tokens.person(made_.token, PORTAL)
    with pytest.raises(CredentialsError, match="not valid"):
        WidgetTokens(b"j" * 32, lambda: 1_000.0).person(made_.token, PORTAL)


def test_the_name_of_a_user_is_not_in_the_token() -> None:
    tokens = WidgetTokens(b"k" * 32)
    first, second = (tokens.person(tokens.mint(PORTAL, 1, name).token, PORTAL).user for name in ("anna", "anna"))
    assert first == second != tokens.person(tokens.mint(PORTAL, 1, "ben").token, PORTAL).user
    assert first is not None and first.startswith("widget:") and "anna" not in first


def test_groups_ride_in_the_token_and_never_exceed_those_of_the_key(client: TestClient) -> None:
    question = "What did the board sold the old crane for crowns"
    assert "minutes" not in _ask(client, _minted(client), question=question).text
    assert "900 crowns" in _ask(client, _minted(client, groups=["board"]), question=question).text
    wish = {"origin": PORTAL, "groups": ["board", "crown"]}
    response = client.post(MINT, json=wish, headers={"Authorization": "Bearer minter"})
    assert_problem(response, 403, "groups_exceeded", "crown")


@pytest.mark.parametrize(
    ("key", "body", "status", "code"),
    [
        ("", {"origin": PORTAL}, 401, "sign_in_needed"),
        ("reader", {"origin": PORTAL}, 403, "scope_missing"),
        ("minter", {"origin": STRANGER}, 403, "origin_unknown"),
        ("minter", {"origin": PORTAL, "minutes": 61}, 422, "request_invalid"),
        ("minter", {"origin": PORTAL, "role": "administrator"}, 422, "request_invalid"),
        ("minter", {}, 422, "request_invalid"),
    ],
)
def test_minting_wants_a_key_of_that_scope(client: TestClient, key: str, body: Any, status: int, code: str) -> None:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    assert_problem(client.post(MINT, json=body, headers=headers), status, code)


def test_no_page_can_mint(client: TestClient) -> None:
    headers = {"Authorization": "Bearer minter", "Origin": PORTAL, "Sec-Fetch-Site": "cross-site"}
    assert_problem(client.post(MINT, json={"origin": PORTAL}, headers=headers), 403, "cross_site")


@pytest.mark.parametrize("path", sorted(WIDGET_ROUTES))
def test_an_allowed_origin_may_ask_whether_it_may(client: TestClient, path: str) -> None:
    wish = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    response = client.options(path, headers={**wish, "Origin": PORTAL})
    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (200, PORTAL)
    assert response.headers["Access-Control-Allow-Methods"] == "POST"
    assert "access-control-allow-credentials" not in response.headers
    for origin in (
        STRANGER,
        "null",
        f"{PORTAL}.evil.example",
        PORTAL.upper(),
        f"{PORTAL}:8443",
        "http://portal.example",
    ):
        refused = client.options(path, headers={**wish, "Origin": origin})
        assert refused.status_code == 400 and "access-control-allow-origin" not in refused.headers, origin


@pytest.mark.parametrize(
    "path",
    ["/", "/api/v1/history", "/api/v1/feedback", "/api/v1/ask/batch", "/gradio_api/queue/join", "/v1/chat/completions"],
)
def test_an_allowed_origin_gets_nothing_else(client: TestClient, path: str) -> None:
    headers = {"Origin": PORTAL, "Sec-Fetch-Site": "cross-site"}
    wish = {**headers, "Access-Control-Request-Method": "POST"}
    for response in (client.options(path, headers=wish), client.post(path, json=QUAY, headers=headers)):
        assert response.status_code in (400, 403), response.text
        assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_cookie_of_another_origin_is_never_taken(client: TestClient, site: str) -> None:
    headers = {"Origin": PORTAL, "Sec-Fetch-Site": site, "Authorization": f"Bearer {_minted(client)}", "Cookie": "a=b"}
    assert_problem(client.post("/api/v1/ask", json=QUAY, headers=headers), 403, "cross_site")


def test_refusals_can_be_read_by_the_page(client: TestClient) -> None:
    response = _ask(client, "")
    assert_problem(response, 401, "sign_in_needed")
    assert response.headers["Access-Control-Allow-Origin"] == PORTAL
    assert "Retry-After" in response.headers["Access-Control-Expose-Headers"]


def test_a_fault_of_ours_can_be_read_by_the_page_too(client: TestClient) -> None:
    response = _ask(client, _minted(client), question="crash")
    assert_problem(response, 500, "internal")
    assert response.headers["Access-Control-Allow-Origin"] == PORTAL and "secret" not in response.text


def test_where_anyone_may_read_the_widget_needs_no_token() -> None:
    app = made(FakePipeline(), widget_origins=f" {PORTAL} , http://127.0.0.1:8080,")
    with TestClient(app) as client:
        assert _ask(client, "").status_code == 200
        assert _ask(client, "", "http://127.0.0.1:8080").status_code == 200
        assert _ask(client, "", STRANGER).status_code == 403


@pytest.mark.parametrize(
    "text",
    ["*", "null", "portal.example", f"{PORTAL}/", f"{PORTAL}/path", "https://*.example", "https://a.example:443",
     "http://a.example:80", "https://A.example", "ftp://a.example", "https://u:p@a.example", f"{PORTAL} {STRANGER}", "https://a.example:0"],
)  # fmt: skip
def test_what_is_no_origin_is_refused(text: str) -> None:
    for name in ("WIDGET_ORIGINS", "FRAME_ORIGINS"):
        with pytest.raises(SettingsError, match="is no origin; write scheme"):
            Settings.load({f"BRI_QA_{name}": text})


def test_the_script_is_small_whole_and_may_be_loaded_anywhere(client: TestClient) -> None:
    response = client.get("/widget.js", headers={"Origin": STRANGER})
    assert response.headers["Content-Type"].startswith("text/javascript")
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.content == bundle().text == gzip.decompress(bundle().zipped)
    assert len(bundle().zipped) <= 60_000
    plain = client.get("/widget.js", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers and plain.content == response.content
    again = client.get("/widget.js", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304 and again.content == b""


def test_no_text_becomes_markup_and_no_other_host_is_named() -> None:
    text = bundle().text.decode()
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc"):
        assert way not in text, way
    assert "https://" not in text and text.count("http://") == text.count("http://www.w3.org/2000/svg") == 1


def test_both_languages_have_the_same_words() -> None:
    first, second = (json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")) for name in LANGUAGES)
    assert list(first) == list(second)
    assert [word for word in first if first[word].count("{") != second[word].count("{")] == []


def test_the_articles_pages_alone_can_be_framed_and_only_by_the_named() -> None:
    with TestClient(made(FakePipeline(), frame_origins=PORTAL)) as client:
        for path in ("/source/harbour", "/articles"):
            headers = client.get(path).headers
            assert f"frame-ancestors {PORTAL}" in headers["Content-Security-Policy"]
            assert "x-frame-options" not in headers
        for path in ("/", "/api/v1/openapi.json", "/widget.js"):
            headers = client.get(path).headers
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
            assert headers["X-Frame-Options"] == "DENY"
