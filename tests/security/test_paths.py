"""No address leads to a file that is not meant to be served, however it is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from bri_qa.web.access import Person, Role
from tests.fakes import FakePipeline
from tests.serving import made

OUTSIDE = "zq-words-outside-of-what-is-served"
PLACES = [
    "/source/{}",
    "/ui/{}",
    "/ui/texts/{}",
    "/static/{}",
    "/assets/{}",
    "/static/fonts/{}",
    "/gradio_api/file={}",
    "/gradio_api/file/{}",
    "/gradio_api/heartbeat/{}",
    "/gradio_api/stream/{}",
    "/file={}",
    "/file/{}",
    "/custom_component/{}",
    "/svelte/{}",
    "/api/v1/documents/{}",
    "/api/v1/documents/{}/passages",
    "/api/v1/export/answers/{}",
    "/api/v1/history/{}",
    "/widget/{}",
    "/widget.js/{}",
    "/v1/models/{}",
    "/admin/uploads/{}",
    "/{}",
]
WAYS = [
    "../../../../../../../..{}",
    "..%2f..%2f..%2f..%2f..%2f..%2f..%2f..{}",
    "%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e{}",
    "..%252f..%252f..%252f..%252f..%252f..%252f..{}",
    "%252e%252e%252f%252e%252e%252f%252e%252e{}",
    "..%5c..%5c..%5c..%5c..{}",
    "..%c0%af..%c0%af..%c0%af..{}",
    "....//....//....//....//..../{}",
    "%2f{}",
    "file:%2f%2f{}",
    "{}%00.html",
    "{}%00",
    "%2e%2e%2f%00{}",
]


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("outside") / "secret.txt"
    path.write_text(OUTSIDE)
    return path


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    corpus = tmp_path_factory.mktemp("corpus")
    who = Person(Role.ADMINISTRATOR, None, "key:a", "key")
    app = made(FakePipeline(), corpus, resolve=lambda _: who, index_dir=corpus / "index", embedding_model="hashing")
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


@pytest.mark.parametrize("place", PLACES)
def test_no_address_leads_out(client: TestClient, secret: Path, place: str) -> None:
    for way in WAYS:
        for target in (str(secret), "/etc/passwd"):
            path = place.format(way.format(target))
            response = client.get(path)
            assert response.status_code in (303, 307, 400, 403, 404, 422), path
            assert OUTSIDE not in response.text and "root:" not in response.text, path
            assert not response.headers.get("location", "").startswith(("//", "/\\")), path


@pytest.mark.parametrize("name", ["../pages.py", "..%2fpages.py", "%2e%2e/pages.py", "texts/../../security.py"])
def test_the_program_s_own_files_are_not_served(client: TestClient, name: str) -> None:
    for place in ("/ui/", "/widget/", "/static/"):
        response = client.get(place + name)
        assert response.status_code in (403, 404) and "from __future__" not in response.text


@pytest.mark.parametrize(
    "path", ["../outside.txt", "/etc/passwd", "..\\outside.txt", "a/../../outside.txt", "\0", ".trash/x"]
)
def test_administration_stays_in_its_folder(client: TestClient, path: str) -> None:
    same = {"Sec-Fetch-Site": "same-origin"}
    for sent in (
        client.post("/api/v1/admin/remove", json={"path": path}, headers=same),
        client.post("/admin/remove", data={"path": path}, headers=same),
        client.get("/admin/remove", params={"path": path}),
        client.post(f"/api/v1/admin/trash/{path.replace(chr(0), '%00')}/restore", headers=same),
    ):
        assert sent.status_code in (303, 400, 404, 405, 422), sent.text
        assert sent.status_code != 303 or "/sign-in" in sent.headers["location"]
