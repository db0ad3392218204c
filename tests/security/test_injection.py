"""What is planted in articles, questions, names and comments stays words, on every page and in what is exported."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from fastapi.testclient import TestClient
from markdown_it import MarkdownIt
from starlette.requests import HTTPConnection

from bri_qa.history import Database, Entry, History, Rating, Ratings
from bri_qa.types import Question
from bri_qa.web import messages, texts
from bri_qa.web.access import Person, Role
from tests.fakes import FakePipeline
from tests.security.planted import MARK, PLANT, URLS, assert_inert, planted
from tests.serving import made

USER = "key:anna"
FILE = f"a-<img src=x onerror={MARK}()>.txt"
FRONT = f"---\ntitle: {json.dumps(PLANT)}\npublisher: {json.dumps(PLANT)}\nlicence: {json.dumps(PLANT)}\n---\n{PLANT}\n"


def _owner(_: HTTPConnection) -> Person:
    return Person(Role.ADMINISTRATOR, None, USER, "session", PLANT)


@pytest.fixture(scope="module")
def pipeline() -> FakePipeline:
    return FakePipeline(planted())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus with hostile files, and what is kept beside it."""
    folder = tmp_path_factory.mktemp("planted")
    corpus = folder / "corpus"
    corpus.mkdir()
    (corpus / FILE).write_text(FRONT)
    (corpus / f"bad-{FILE}").write_bytes(b"a\0b")
    (corpus / "front.md").write_text(f"---\n{MARK}<script>{MARK}()</script>: x\n---\nText.\n")
    (corpus / "harmless.txt").write_text(FRONT)
    (corpus / "examples.txt").write_text(f"{PLANT}?\n")
    return folder


@pytest.fixture(scope="module")
def entry(folder: Path, pipeline: FakePipeline) -> Entry:
    """A hostile conversation with a hostile comment."""
    database = Database.open(folder / "data")
    history = History(database)
    entry = history.add(USER, pipeline.ask(Question(PLANT)), pipeline.document, None)
    history.rename(USER, entry.conversation_id, PLANT[:200])
    Ratings(database).rate(USER, entry.id, Rating.DOWN, comment=PLANT)
    database.close()
    return entry


@pytest.fixture(scope="module")
def client(folder: Path, pipeline: FakePipeline, entry: Entry) -> Iterator[TestClient]:
    app = made(
        pipeline,
        folder / "corpus",
        folder / "data",
        _owner,
        index_dir=folder / "index",
        embedding_model="hashing",
        allow_upload=True,
        sign_in_with_key=True,
    )
    headers = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
    with TestClient(app, raise_server_exceptions=False, headers=headers) as client:
        yield client


EVIL = quote(PLANT, safe="")
PAGES = [
    ("/", True),
    (f"/?document={EVIL}&publisher={EVIL}&from={EVIL}&q={EVIL}&question={EVIL}", True),
    ("/articles", True),
    ("/articles?pane=1", True),
    (f"/articles?q={EVIL}", True),
    (f"/articles?publisher={EVIL}&from={EVIL}&order={EVIL}&page={EVIL}&{EVIL}={EVIL}", False),
    (f"/scope?document={EVIL}&publisher={EVIL}&document=planted", True),
    ("/source/planted", True),
    ("/source/planted?pane=1", True),
    ("/source/planted?start=3&end=60", True),
    ("/source/planted?cite=1:3-60&cite=2:20-90&cite=3:500-620", True),
    (f"/source/planted?v={EVIL}&start={EVIL}&end={EVIL}&cite={EVIL}&pane={EVIL}", True),
    (f"/source/{EVIL}", False),
    (f"/source/{quote(planted()[1].id, safe='')}", True),
    *((f"/source/url-{number}", False) for number in range(len(URLS))),
    ("/admin", True),
    ("/admin/articles", True),
    (f"/admin/articles?q={quote(PLANT[:190], safe='')}&page=1", True),
    ("/admin/add", False),
    ("/admin/trash", False),
    ("/admin/rebuild", False),
    (f"/admin/remove?path={EVIL}", False),
    (f"/admin/remove?path={quote(FILE)}", True),
    (f"/admin/uploads/{EVIL}", False),
    ("/admin/feedback", True),
    (f"/admin/feedback?q={quote(MARK)}&rating={EVIL}&reason={EVIL}&commented={EVIL}", True),
    ("/sign-in", True),
    (f"/sign-in?next={EVIL}&left={EVIL}", False),
    *((f"/sign-in?next={quote(url, safe='')}", False) for url in URLS),
    (f"/sign-in?next={quote('/' + PLANT, safe='')}", False),
    (f"/{EVIL}", False),
]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize(("path", "shows"), PAGES, ids=[f"{n}{path[:24]}" for n, (path, _) in enumerate(PAGES)])
def test_pages_show_it_as_words(client: TestClient, path: str, shows: bool, language: str) -> None:
    response = client.get(path, headers={"Accept-Language": language})
    assert response.status_code < 500
    assert response.headers["x-content-type-options"] == "nosniff"
    if response.headers["content-type"].startswith("text/html"):
        assert_inert(response.text, shows)
    else:
        assert response.headers["content-type"] in ("application/problem+json", "application/json") and not shows


def test_the_pane_shows_words_that_are_gone_as_words(client: TestClient) -> None:
    quotes = [{"number": 1, "quote": PLANT}, {"number": 2, "quote": f"gone {PLANT}"}]
    response = client.post("/quoted", json={"document": "planted", "quotes": quotes})
    assert response.status_code == 200
    assert_inert(response.text)


def test_an_upload_and_its_preview_show_it_as_words(client: TestClient) -> None:
    files = [("files", (name, FRONT)) for name in (f"b-{FILE}", f"{MARK}.md", f'"{MARK}".txt', f"../../{MARK}.txt")]
    response = client.post("/admin/add", files=files)
    assert response.status_code == 200 and response.url.path.startswith("/admin/uploads/")
    assert_inert(response.text)
    refused = client.post("/admin/remove", data={"path": f"{PLANT}.txt"})
    assert refused.status_code == 404
    assert_inert(refused.text, shows=False)


def test_a_key_that_is_no_key_is_not_shown(client: TestClient) -> None:
    response = client.post("/sign-in/key", data={"key": PLANT, "next": PLANT})
    assert response.status_code < 500
    assert_inert(response.text, shows=False)


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_the_chat_shows_it_as_words(pipeline: FakePipeline, entry: Entry, language: str) -> None:
    words = texts.chosen(language, None)
    answer = pipeline.ask(Question(PLANT))
    assert not answer.abstained
    found = messages.shown(answer, words, pipeline.document, entry)
    for shown in (found, messages.user(PLANT), messages.telling(answer.statements), messages.trouble(PLANT, words)):
        assert_inert(shown)
    nothing = pipeline.ask(Question(f"moon <img src=x onerror={MARK}()> lamp bread oven sea harbour"))
    assert nothing.abstained
    assert_inert(messages.shown(nothing, words, pipeline.document), shows=False)


def test_an_export_shows_it_as_words(client: TestClient, entry: Entry) -> None:
    """Markdown is read with HTML allowed, as the most careless reader would."""
    reader = MarkdownIt("commonmark", {"html": True})
    for kind, name in (("conversations", entry.conversation_id), ("answers", entry.id)):
        response = client.get(f"/api/v1/export/{kind}/{name}?format=markdown")
        assert response.status_code == 200
        assert response.headers["content-disposition"].startswith("attachment; filename=")
        assert (
            "\n" not in response.headers["content-disposition"] and "<" not in response.headers["content-disposition"]
        )
        assert_inert(reader.render(response.text))


def test_what_programs_get_is_never_taken_for_a_page(client: TestClient, entry: Entry) -> None:
    asked = client.post("/api/v1/ask", json={"question": PLANT})
    found = [
        asked,
        client.post("/api/v1/search", json={"query": PLANT}),
        client.get("/api/v1/documents"),
        client.get("/api/v1/history"),
        client.get(f"/api/v1/history/{entry.conversation_id}"),
        client.get("/api/v1/feedback"),
        client.get("/api/v1/admin/articles"),
        client.get(f"/api/v1/{EVIL}"),
        client.get(f"/v1/models/{EVIL}"),
        client.get("/api/v1/documents?" + urlencode({PLANT: PLANT})),
    ]
    for response in found:
        assert response.status_code < 500
        assert response.headers["content-type"].split(";")[0] in ("application/json", "application/problem+json")
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in response.headers["content-security-policy"]
    assert MARK in asked.json()["answer"]
