"""A page of another site changes nothing with the cookies that its visitor's browser sends along."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from bri_qa.history import Database, History, Keys
from bri_qa.types import Question
from bri_qa.web.identity import COOKIE, Identity, secret
from tests.fakes import FakePipeline
from tests.keeping import QUAY
from tests.security.test_authorisation import walk
from tests.serving import made

USER = "anonymous:anna"
FOREIGN = {
    "another site": {"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"},
    "a sibling host": {"Sec-Fetch-Site": "same-site", "Origin": "http://other.testserver"},
    "a sibling without its origin": {"Sec-Fetch-Site": "same-site"},
    "another site over plain HTTP": {"Origin": "http://elsewhere.example"},
    "another port over plain HTTP": {"Origin": "http://testserver:8080"},
    "a sandboxed frame": {"Origin": "null"},
    "a site whose name ends so": {"Origin": "http://eviltestserver"},
    "no origin that can be read": {"Origin": "http://[::1"},
    "a site that is new to us": {"Sec-Fetch-Site": "sideways"},
}
OURS: tuple[dict[str, str], ...] = (
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://testserver"},
    {},
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def app(folder: Path) -> FastAPI:
    return made(FakePipeline(), history=folder, sign_in_with_key=True)


@pytest.fixture(scope="module")
def browser(app: FastAPI, folder: Path) -> Iterator[TestClient]:
    """Signed in as an administrator, with the anonymous cookie beside."""
    database = Database.open(folder)
    key = Keys(database).new("owner", "administrator", (), (), None)[1]
    database.close()
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as browser:
        browser.cookies.set(COOKIE, Identity(secret(folder)).signed(USER))
        assert browser.post("/sign-in/key", data={"key": key}, headers=OURS[0]).status_code == 303
        assert browser.get("/admin/add", headers={"Accept": "text/html"}).status_code == 200
        yield browser


def _changing(app: FastAPI) -> list[tuple[str, str]]:
    """Every route that a browser can change something by, filled with something; and those of Gradio that are open."""
    found = [
        (method, path)
        for method, path, gradio in walk(list(app.routes))
        if not gradio and method in ("POST", "PUT", "PATCH", "DELETE")
    ]
    return [*found, ("POST", "/gradio_api/queue/join"), ("POST", "/gradio_api/run/predict")]


@pytest.mark.parametrize("where", FOREIGN)
def test_no_foreign_page_changes_anything(app: FastAPI, browser: TestClient, where: str) -> None:
    changing = _changing(app)
    assert ("DELETE", "/api/v1/history") in changing and ("POST", "/sign-out") in changing
    for method, path in changing:
        filled = path.replace("{", "").replace("}", "").replace(":path", "")
        for kind in ("application/json", "text/plain"):
            headers = FOREIGN[where] | {"Content-Type": kind}
            response = browser.request(method, filled, content=b"{}", headers=headers)
            assert response.status_code == 403, (method, path, where)
    assert browser.get("/admin/add", headers={"Accept": "text/html"}).status_code == 200, "still signed in"


@pytest.mark.parametrize("said", OURS)
def test_our_own_pages_and_programs_do(app: FastAPI, folder: Path, said: dict[str, str]) -> None:
    database, pipeline = Database.open(folder), FakePipeline()
    entry = History(database).add(USER, pipeline.ask(Question(QUAY)), pipeline.document, None)
    database.close()
    client = TestClient(app, raise_server_exceptions=False)
    client.cookies.set(COOKIE, Identity(secret(folder)).signed(USER))
    assert client.delete(f"/api/v1/history/{entry.conversation_id}", headers=said).status_code == 204
    assert client.post("/api/v1/ask", json={"question": QUAY}, headers=said).status_code == 200


def test_a_program_with_a_key_may_name_any_origin(app: FastAPI, folder: Path) -> None:
    database = Database.open(folder)
    key = Keys(database).new("program", "reader", (), (), None)[1]
    database.close()
    headers = {"Authorization": f"Bearer {key}", "Origin": "https://elsewhere.example"}
    client = TestClient(app, raise_server_exceptions=False)
    assert client.post("/api/v1/ask", json={"question": QUAY}, headers=headers).status_code == 200
    assert client.delete("/api/v1/history", headers=headers).status_code in (200, 204)
    # Basic credentials are sent by browsers themselves, as cookies are.
    basic = {"Authorization": "Basic eDp5", "Origin": "https://elsewhere.example"}
    assert client.post("/api/v1/ask", json={"question": QUAY}, headers=basic).status_code == 403


@pytest.mark.parametrize("path", ["/sign-out", "/api/v1/history", "/admin/rebuild", "/api/v1/admin/rebuild"])
def test_looking_changes_nothing(browser: TestClient, path: str) -> None:
    """A link or an image of another page can only look."""
    for method in ("GET", "HEAD"):
        assert browser.request(method, path, headers=FOREIGN["another site"]).status_code in (200, 404, 405)
    for override in ({"X-HTTP-Method-Override": "DELETE"}, {"X-Method-Override": "POST"}):
        assert browser.get(f"{path}?_method=DELETE", headers=override).status_code in (200, 404, 405)
    assert browser.get("/admin/add", headers={"Accept": "text/html"}).status_code == 200
