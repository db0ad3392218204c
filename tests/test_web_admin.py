from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.requests import HTTPConnection

from bri_qa import compose
from bri_qa.errors import IndexBusyError
from bri_qa.history import Rating
from bri_qa.settings import Settings
from bri_qa.types import Question
from bri_qa.web import admin, api, create_app, guards
from bri_qa.web.access import AccessMiddleware, Person, Role
from bri_qa.web.admin import words
from bri_qa.web.admin.api import PATH, UPLOADS
from bri_qa.web.admin.rebuilding import Rebuilding, State
from bri_qa.web.audit import Audit
from bri_qa.web.records import Records
from bri_qa.web.security import HEADERS, GateMiddleware
from tests.fakes import FakePipeline, document
from tests.housing import assert_problem

BREAD = "Bread\nBread needs an hour in the oven.\n"
FERRY = "---\ntitle: The <b>ferry</b>\npublisher: Gazette\npublished: 2024-03\n---\nThe ferry sails at noon.\n"
PLANS = "---\ntitle: Plans\ngroups: board\n---\nThe board plans a bridge.\n"
HERE = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class Office:
    """The routes of administration over a small corpus."""

    settings: Settings
    app: FastAPI
    records: Records

    @property
    def recorded(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Who did what, of the audit log."""
        path = self.settings.history_dir / "audit.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [(line["who"]["name"], line["action"], line["about"]) for line in lines if line["result"] == "done"]

    @property
    def corpus(self) -> Path:
        return self.settings.corpus_dir

    def browser(self, role: str = "administrator", **headers: str) -> TestClient:
        sent = {"X-Test-Role": role, **HERE, **headers}
        return TestClient(self.app, headers=sent, follow_redirects=False)

    def titles(self) -> list[str]:
        """Of the articles that the index holds."""
        return [item.source.title for item in compose.open_index(self.settings).documents()]


def who(connection: HTTPConnection) -> Person:
    role = connection.headers.get("x-test-role")
    groups = frozenset(connection.headers["x-test-groups"].split()) if "x-test-groups" in connection.headers else None
    via = "session" if role else "nothing"
    return Person(Role(role) if role else None, groups, via=via, name="Ada")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "bread.txt").write_text(BREAD)
    (corpus / "bad.txt").write_bytes(b"a\0b")
    settings = Settings.load(
        {},
        corpus_dir=corpus,
        index_dir=tmp_path / "index",
        history_dir=tmp_path / "data",
        embedding_model="hashing",
        allow_upload=True,
        max_file_bytes=2_000,
    )
    yield from opened(settings)


def opened(settings: Settings, pipeline: FakePipeline | None = None) -> Iterator[Office]:
    app, records = FastAPI(), Records.open(settings)
    office = Office(settings, app, records)
    api.add_problems(app)
    guards.add_problems(app)
    app.include_router(
        admin.router(
            settings,
            pipeline or FakePipeline(),
            records,
            Audit(settings.history_dir),
        )
    )
    app.add_middleware(AccessMiddleware, resolve=who)
    app.add_middleware(GateMiddleware, larger=admin.larger(settings))
    yield office
    records.workers.close()
    records.database.close()


def ended(client: TestClient) -> dict[str, Any]:
    """The build, once it has ended."""
    for _ in range(1_000):
        found: dict[str, Any] = client.get(f"{PATH}/rebuild").json()
        if found["state"] != "running":
            return found
        time.sleep(0.02)
    raise AssertionError("the build did not end")


def sending(*files: tuple[str, str | bytes]) -> list[tuple[str, tuple[str, str | bytes]]]:
    return [("files", item) for item in files]


def said(house: Records, question: str, comment: str = "", rating: Rating = Rating.DOWN) -> None:
    """Somebody rates the answer to a question."""
    pipeline = FakePipeline()
    entry = house.history.add("anonymous:x", pipeline.ask(Question(question)), pipeline.document, None)
    house.ratings.rate("anonymous:x", entry.id, rating, comment=comment)


PAGES = ["/admin", "/admin/articles", "/admin/add", "/admin/rebuild", "/admin/trash", "/admin/remove?path=bread.txt"]
CALLS = [
    ("GET", f"{PATH}/overview"),
    ("GET", f"{PATH}/articles"),
    ("POST", UPLOADS),
    ("GET", f"{UPLOADS}/x"),
    ("POST", f"{UPLOADS}/x/apply"),
    ("DELETE", f"{UPLOADS}/x"),
    ("POST", f"{PATH}/remove"),
    ("GET", f"{PATH}/trash"),
    ("POST", f"{PATH}/trash/x/restore"),
    ("GET", f"{PATH}/rebuild"),
    ("POST", f"{PATH}/rebuild"),
]
POSTS = ["/admin/add", "/admin/uploads/x", "/admin/remove", "/admin/trash", "/admin/rebuild"]


def test_every_route_is_for_administrators(office: Office) -> None:
    known = {(method, path) for method, path in CALLS} | {("GET", path.partition("?")[0]) for path in PAGES}
    known |= {("POST", path) for path in POSTS} | {("GET", "/admin/uploads/x"), ("GET", "/admin/feedback")}
    schema = {
        (method.upper(), re.sub(r"{\w+}", "x", path))
        for path, methods in office.app.openapi()["paths"].items()
        for method in methods
    }
    assert schema == set(CALLS)
    for method, path in sorted(known - {("GET", "/admin/feedback")}):
        body = {"digest": "x", "path": "bread.txt", "act": "apply", "id": "x"}
        sent: dict[str, Any] = {"json": body} if path.startswith("/api") else {"data": body}
        for role in ("reader", "evaluator"):
            response = office.browser(role).request(method, path, **(sent if method == "POST" else {}))
            assert response.status_code == 403, (method, path, role)
        nobody = office.browser("", Accept="text/html").request(method, path, **(sent if method == "POST" else {}))
        assert nobody.status_code == (303 if method == "GET" and path.startswith("/admin") else 401), (method, path)
    assert office.recorded == [] and office.corpus.joinpath("bread.txt").exists()


def test_pages_lead_to_the_door_or_say_whose_they_are(office: Office) -> None:
    led = office.browser("", Accept="text/html").get("/admin/articles?q=x")
    assert led.headers["location"] == "/sign-in?next=%2Fadmin%2Farticles%3Fq%3Dx"
    page = office.browser("evaluator").get("/admin")
    assert page.headers["content-type"].startswith("text/html")
    assert "for the role administrator" in page.text and "/admin/feedback" in page.text and '"/admin"' not in page.text


def test_what_changes_something_comes_from_our_own_pages(office: Office) -> None:
    for path in POSTS:
        response = office.browser(**{"Sec-Fetch-Site": "same-site"}).post(path, data={"path": "bread.txt"})
        assert response.status_code == 403
    for method, path in CALLS:
        if method != "GET":
            answer = office.browser(**{"Sec-Fetch-Site": "same-site"}).request(method, path)
            assert_problem(answer, 403, "cross_site")


def test_files_are_sent_previewed_confirmed_indexed_and_removed(office: Office) -> None:
    client = office.browser()
    sent = client.post("/admin/add", files=sending(("ferry.md", FERRY), ("x.bin", b"\0"), ("bread.txt", BREAD)))
    assert sent.status_code == 303 and sent.headers["location"].startswith("/admin/uploads/")
    page = client.get(sent.headers["location"])
    assert "The &lt;b&gt;ferry&lt;/b&gt;" in page.text and "Gazette · 2024-03" in page.text
    assert "unsupported format .bin" in page.text and "Unchanged" in page.text and "<b>ferry" not in page.text
    assert not (office.corpus / "ferry.md").exists() and office.recorded == []
    digest = re.findall(r'name="digest" value="(\w+)"', page.text)[0]
    done = client.post(sent.headers["location"], data={"act": "apply", "digest": digest})
    assert done.headers["location"] == "/admin/rebuild"
    built = ended(client)["built"]
    assert (built["articles"], built["added"], [one["path"] for one in built["rejected"]]) == (2, 2, ["bad.txt"])
    assert office.titles() == ["Bread", "The <b>ferry</b>"]
    assert "2 articles in 2 passages" in client.get("/admin/rebuild").text
    asked = client.get("/admin/remove", params={"path": "ferry.md"})
    assert "Remove “The &lt;b&gt;ferry&lt;/b&gt;”" in asked.text
    assert client.post("/admin/remove", data={"path": "ferry.md"}).headers["location"] == "/admin/rebuild"
    ended(client)
    assert office.titles() == ["Bread"]
    (item,) = client.get(f"{PATH}/trash").json()["files"]
    assert "ferry.md" in client.get("/admin/trash").text
    assert client.post("/admin/trash", data={"id": item["id"]}).status_code == 303
    ended(client)
    assert office.titles() == ["Bread", "The <b>ferry</b>"]
    assert [(name, action) for name, action, _ in office.recorded] == [
        ("Ada", "corpus.add"),
        ("Ada", "corpus.remove"),
        ("Ada", "corpus.restore"),
    ]
    assert office.recorded[0][2] | {"upload": ""} == {"upload": "", "files": {"ferry.md": "added"}, "trash": []}


def test_scripts_do_the_same(office: Office) -> None:
    client = TestClient(office.app, headers={"X-Test-Role": "administrator"})
    response = client.post(UPLOADS, files=sending(("ferry.md", FERRY), ("bread.txt", BREAD + "It cools.\n")))
    preview = response.json()
    assert (response.status_code, response.headers["location"]) == (201, f"{UPLOADS}/{preview['id']}")
    assert [(item["name"], item["fate"]) for item in preview["files"]] == [
        ("bread.txt", "replaced"),
        ("ferry.md", "added"),
    ]
    assert preview["files"][1]["article"]["publisher"] == "Gazette"
    assert client.get(f"{UPLOADS}/{preview['id']}").json() == preview
    wrong = client.post(f"{UPLOADS}/{preview['id']}/apply", json={"digest": "0"})
    assert_problem(wrong, 409, "preview_stale", "look at it again")
    applied = client.post(f"{UPLOADS}/{preview['id']}/apply", json={"digest": preview["digest"]}).json()
    assert [item["path"] for item in applied["trashed"]] == ["bread.txt"]
    assert ended(client)["state"] == "finished"
    found = client.get(f"{PATH}/articles", params={"q": "noon"}).json()
    assert (found["total"], found["articles"][0]["path"], found["articles"][0]["state"]) == (1, "ferry.md", "unchanged")
    assert client.post(f"{PATH}/remove", json={"path": "bad.txt"}).json()["path"] == "bad.txt"
    ended(client)
    assert client.get(f"{PATH}/overview").json()["rejected"] == []
    again = client.post(UPLOADS, files=sending(("ferry.md", FERRY))).json()
    assert client.delete(f"{UPLOADS}/{again['id']}").status_code == 204
    for call in (client.get(f"{UPLOADS}/{again['id']}"), client.delete(f"{UPLOADS}/{again['id']}")):
        assert_problem(call, 404, "upload_gone")
    assert_problem(client.post(f"{PATH}/remove", json={"path": "../x"}), 404, "article_missing")
    assert_problem(client.post(f"{PATH}/trash/x/restore"), 404, "trash_missing")


def test_uploads_are_closed_unless_they_are_allowed(office: Office) -> None:
    closed = next(opened(office.settings.model_copy(update={"allow_upload": False})))
    assert_problem(closed.browser().post(UPLOADS, files=sending(("a.txt", "Text."))), 403, "upload_closed")
    page = closed.browser().post("/admin/add", files=sending(("a.txt", "Text.")))
    assert page.status_code == 403 and "switched off" in page.text
    assert 'type="file"' not in closed.browser().get("/admin/add").text
    assert not (office.corpus / ".staging").exists()
    large = closed.browser().post(UPLOADS, content=b"x" * 1_000_001)
    assert_problem(large, 413, "too_large", "at most 1000000 bytes")


def test_uploads_have_a_bound_of_their_own(office: Office) -> None:
    most = admin.larger(office.settings)[UPLOADS]
    assert most == 4 * 2_000 + 1_000_000
    fits = office.browser().post(UPLOADS, files=sending(("a.txt", b"word " * 200_400)))
    assert fits.json()["files"][0]["reason"].startswith("larger than 2,000 bytes")
    assert_problem(office.browser().post(UPLOADS, files=sending(("a.txt", b"x" * most))), 413, "too_large")
    assert_problem(office.browser().post(f"{PATH}/remove", content=b"x" * 1_000_001), 413, "too_large")


def test_an_upload_that_cannot_be_read_says_why(office: Office) -> None:
    client = office.browser()
    assert_problem(client.post(UPLOADS, files={"other": ("a.txt", "Text.")}), 400, "upload_empty", "field files")
    assert_problem(client.post(UPLOADS, json={"files": []}), 400, "upload_empty")
    many = sending(*((f"{n}.txt", f"Text {n}.") for n in range(201)))
    assert_problem(client.post(UPLOADS, files=many), 400, "too_many_files", "at most 200")
    broken = client.post(UPLOADS, content=b"nonsense", headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert broken.status_code == 400 and broken.json()["code"]
    page = client.post("/admin/add", files={"files": ("", b"")})
    assert page.status_code == 400 and "Choose at least one" in page.text


def test_the_overview_says_how_the_index_stands(office: Office) -> None:
    client = office.browser()
    found = client.get(f"{PATH}/overview").json()
    assert (found["articles"], found["built"], found["embedder"]) == (0, None, "hashing")
    assert "no index yet" in found["anew"] or "there is no index" in found["anew"]
    assert [one["path"] for one in found["rejected"]] == ["bad.txt"] and "binary" in found["rejected"][0]["reason"]
    assert "not built yet" in client.get("/admin").text
    client.post("/admin/rebuild")
    ended(client)
    (office.corpus / "ferry.md").write_text(FERRY)
    (office.corpus / "bread.txt").unlink()
    found = client.get(f"{PATH}/overview").json()
    assert (found["articles"], found["passages"], found["anew"]) == (1, 1, None)
    assert found["waiting"] == [{"state": "added", "name": "ferry.md"}, {"state": "removed", "name": "bread"}]
    page = client.get("/admin").text
    assert "less than a minute ago" in page and "ferry.md" in page and "binary: NUL" in page
    assert [action for _, action, _ in office.recorded] == ["index.rebuild"]


def test_an_administrator_is_not_shown_what_they_may_not_read(office: Office) -> None:
    (office.corpus / "plans.md").write_text(PLANS)
    client = office.browser(**{"X-Test-Groups": "staff"})
    client.post("/admin/rebuild")
    ended(client)
    assert [item["path"] for item in client.get(f"{PATH}/articles").json()["articles"]] == ["bread.txt"]
    assert client.get(f"{PATH}/overview").json()["articles"] == 1
    assert_problem(client.post(f"{PATH}/remove", json={"path": "plans.md"}), 404, "article_missing")
    copied, preview = (
        client.post(UPLOADS, files=sending(one)).json() for one in (("copy.md", PLANS), ("plans.md", "Another text."))
    )
    for shown in (copied, preview):
        assert [item["fate"] for item in shown["files"]] == ["rejected"]
        assert "plans" not in json.dumps([item["reason"] for item in shown["files"]])
    refused = client.post(f"{UPLOADS}/{preview['id']}/apply", json={"digest": preview["digest"]})
    assert_problem(refused, 409, "name_taken")
    assert (office.corpus / "plans.md").read_text() == PLANS
    assert len(office.browser(**{"X-Test-Groups": "board"}).get(f"{PATH}/articles").json()["articles"]) == 2


def test_evaluators_read_what_was_said_with_its_question_and_answer(office: Office) -> None:
    said(office.records, "How long is the new quay?", "<script>alert(1)</script>")
    said(office.records, "What did the third clerk of the mill write?", rating=Rating.UP)
    client = office.browser("evaluator")
    page = client.get("/admin/feedback").text
    assert "1 good, 1 bad" in page and "The new quay is 640 metres long" in page
    assert "&lt;script&gt;alert(1)" in page and "<script>alert" not in page and "<script>window" not in page
    assert 'href="/api/v1/feedback/export" download' in page
    some = client.get("/admin/feedback", params={"rating": "down", "q": "quay", "commented": "true", "reason": ""}).text
    assert "third clerk" not in some and "export?rating=down&amp;commented=true&amp;q=quay" in some
    assert "No feedback fits" in client.get("/admin/feedback?q=nothing").text
    assert client.get("/admin/feedback?rating=x&reason=y").status_code == 200
    assert client.get("/admin/feedback?cursor=nonsense").status_code == 400


def test_an_answer_that_quotes_what_one_may_not_read_is_not_shown(tmp_path: Path) -> None:
    plans = document("plans", "Plans of the quay\nThe quay of plans is 9 metres long.", groups=("board",))
    settings = Settings.load({}, corpus_dir=tmp_path, index_dir=tmp_path / "i", history_dir=tmp_path / "data")
    for office in opened(settings, FakePipeline([plans])):
        entry = office.records.history.add(
            "anonymous:x", (one := FakePipeline([plans])).ask(Question("How long is the quay of plans?")), one.document
        )
        office.records.ratings.rate("anonymous:x", entry.id, Rating.DOWN)
        page = office.browser("evaluator", **{"X-Test-Groups": "staff"}).get("/admin/feedback").text
        assert "articles that you may not read" in page and "9 metres" not in page
        assert "9 metres" in office.browser("evaluator", **{"X-Test-Groups": "board"}).get("/admin/feedback").text


def test_a_corpus_folder_that_is_gone_is_told(office: Office) -> None:
    office.corpus.rename(office.corpus.parent / "elsewhere")
    assert_problem(office.browser().get(f"{PATH}/overview"), 503, "corpus_unreadable", "there is no corpus folder")
    page = office.browser().get("/admin")
    assert page.status_code == 503 and "there is no corpus folder" in page.text
    office.browser().post("/admin/rebuild")
    failed = ended(office.browser())
    assert (failed["state"], failed["code"]) == ("failed", "build_failed") and "no corpus folder" in failed["error"]
    assert "The build failed" in office.browser().get("/admin/rebuild").text


class _Refresh:
    """A comparison whose build waits until it is let go."""

    def __init__(self, real: compose.Refresh, error: Exception | None = None) -> None:
        self.change, self.rejected, self._real, self._error = real.change, real.rejected, real, error

    def run(self, progress: Any) -> Any:
        if self._error is not None:
            raise self._error
        return self._real.run(progress)


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [(IndexBusyError("another process is building"), "index_busy", "another process"), (ZeroDivisionError("a secret"), "internal", None)],
)  # fmt: skip
def test_a_build_that_fails_says_what_it_may(office: Office, error: Exception, code: str, told: str | None) -> None:
    real = compose.refresh(office.settings)
    rebuilding = Rebuilding(lambda: _Refresh(real, error))  # type: ignore[arg-type, return-value]
    assert rebuilding.start("Ada")
    while rebuilding.now.state is State.RUNNING:
        time.sleep(0.01)
    assert (rebuilding.now.state, rebuilding.now.code) == (State.FAILED, code)
    assert (rebuilding.now.error is None) if told is None else (told in (rebuilding.now.error or ""))


def test_one_build_runs_at_a_time_and_a_change_meanwhile_is_built_too(office: Office) -> None:
    begun, go, builds = Event(), Event(), []

    def refresh() -> compose.Refresh:
        builds.append(1)
        begun.set()
        assert go.wait(20)
        return compose.refresh(office.settings)

    rebuilding = Rebuilding(refresh)
    assert rebuilding.start("Ada") and begun.wait(20)
    assert not rebuilding.start("Ben")
    assert not rebuilding.start("Cleo", changed=True)
    go.set()
    while rebuilding.now.state is State.RUNNING:
        time.sleep(0.01)
    assert (len(builds), rebuilding.now.by, rebuilding.now.state) == (2, "Cleo", State.FINISHED)
    assert rebuilding.now.built and rebuilding.now.built.changes == 0


def test_the_words_of_both_languages_fit_and_templates_name_none_that_is_missing() -> None:
    english, chinese = words.of("en"), words.of("zh-Hans")
    assert list(english.words) == list(chinese.words)
    for key, text in english.words.items():
        assert set(re.findall(r"{\w+}", text)) >= set(re.findall(r"{\w+}", chinese.words[key])), key
    folder, named = Path(words.__file__).parent, set()
    for file in [*folder.glob("*.py"), *folder.glob("templates/*.j2")]:
        source = file.read_text(encoding="utf-8")
        named |= set(re.findall(r"""["'](admin\.[a-z_.]*[a-z])["']""", source))
        for key in re.findall(r"""count\(["']([a-z_.]+)["']""", source):
            named = (named - {key}) | {f"{key}.one", f"{key}.other"}
    assert len(named) > 60 and named <= set(english.words), named - set(english.words)


def test_the_pages_are_in_chinese_for_those_who_read_it(office: Office) -> None:
    page = office.browser(**{"Accept-Language": "zh-CN"}).get("/admin/add").text
    assert "添加文章" in page and '<html lang="zh-Hans"' in page and "Add articles" not in page


def test_the_application_keeps_administration_shut(tmp_path: Path) -> None:
    async def make() -> FastAPI:
        return create_app(Settings.load({}, corpus_dir=tmp_path, history_dir=tmp_path / "data"), FakePipeline())

    with TestClient(asyncio.run(make()), follow_redirects=False) as client:
        for method, path in (("GET", "/admin"), ("GET", "/admin/feedback"), ("POST", "/admin/add"), CALLS[0], CALLS[2]):
            response = client.request(method, path)
            assert response.status_code == 403
            for name, value in HEADERS.items():
                assert response.headers[name] == value or name == "Content-Security-Policy"
            policy = response.headers["content-security-policy"]
            assert "frame-ancestors 'none'" in policy and "unsafe" not in policy
            assert ("connect-src 'self'" in policy) == path.startswith("/admin")


@pytest.mark.parametrize(
    ("role", "link"), [("reader", None), ("evaluator", "/admin/feedback"), ("administrator", "/admin")]
)
def test_the_chat_page_leads_to_administration_whom_it_is_for(tmp_path: Path, role: str, link: str | None) -> None:
    async def make() -> FastAPI:
        return create_app(Settings.load({}, corpus_dir=tmp_path, history_dir=tmp_path / "data"), FakePipeline(), who)

    with TestClient(asyncio.run(make()), headers={"X-Test-Role": role}) as client:
        found = re.findall(r'class="bri-tool bri-office" href="([^"]+)"', client.get("/").text)
    assert found == ([link] if link else [])
