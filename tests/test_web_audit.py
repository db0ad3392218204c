from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.requests import HTTPConnection

from bri_qa.errors import HistoryWriteError, NotFoundError
from bri_qa.web.access import Person, Role
from bri_qa.web.audit import Actor, Audit
from tests.fakes import FakePipeline
from tests.housing import assert_problem
from tests.serving import made

ADA = Actor("key", "Ada", "key:1")


def _lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "audit.jsonl").read_text().split("\n")[:-1]]


def test_a_line_says_who_did_what_when_and_how_it_ended(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    Audit(folder).record(ADA, "index.rebuild", {"started": True})
    (line,) = _lines(folder)
    moment = datetime.fromisoformat(line.pop("time"))
    assert moment.tzinfo is not None and not moment.utcoffset()
    assert line == {
        "action": "index.rebuild",
        "result": "done",
        "who": {"kind": "key", "name": "Ada", "user": "key:1"},
        "address": "",
        "request_id": "",
        "about": {"started": True},
    }
    assert stat.S_IMODE((folder / "audit.jsonl").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_lines_are_added_and_none_is_changed(tmp_path: Path) -> None:
    audit = Audit(tmp_path)
    audit.record(ADA, "one", {})
    before = audit.path.read_bytes()
    audit.record(ADA, "two", {})
    assert audit.path.read_bytes().startswith(before)
    assert [line["action"] for line in _lines(tmp_path)] == ["one", "two"]


def test_no_name_can_pretend_to_be_another_line(tmp_path: Path) -> None:
    forged = 'x"}\n{"action": "forged"}\r\u2028\u0085\x00'
    Audit(tmp_path).record(Actor("proxy", forged), "corpus.add", {"path": forged})
    (line,) = _lines(tmp_path)
    assert line["who"]["name"] == line["about"]["path"] == forged
    assert (tmp_path / "audit.jsonl").read_bytes().isascii()


def test_an_act_is_on_record_before_and_after(tmp_path: Path) -> None:
    audit = Audit(tmp_path)
    with audit.act(ADA, "corpus.remove", {"path": "a.md"}) as found:
        assert [line["result"] for line in _lines(tmp_path)] == ["begun"]
        found["trash"] = "t1"
    assert [(line["result"], line["about"]) for line in _lines(tmp_path)] == [
        ("begun", {"path": "a.md"}),
        ("done", {"path": "a.md", "trash": "t1"}),
    ]


@pytest.mark.parametrize(
    ("error", "told"), [(NotFoundError("there is none"), "there is none"), (ValueError("secret"), "ValueError")]
)
def test_what_fails_is_on_record(tmp_path: Path, error: Exception, told: str) -> None:
    with pytest.raises(type(error)), Audit(tmp_path).act(ADA, "corpus.remove", {"path": "a.md"}):
        raise error
    assert _lines(tmp_path)[-1]["result"] == "failed"
    assert _lines(tmp_path)[-1]["about"] == {"path": "a.md", "error": told}


@pytest.mark.parametrize("trouble", ["folder", "link"])
def test_what_cannot_be_recorded_is_not_done(tmp_path: Path, trouble: str, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "audit.jsonl"
    path.mkdir() if trouble == "folder" else path.symlink_to(tmp_path / "elsewhere")
    done = False
    with (
        pytest.raises(HistoryWriteError, match="nothing is done that is not on record"),
        Audit(tmp_path).act(ADA, "corpus.remove", {}),
    ):
        done = True
    assert not done and not (tmp_path / "elsewhere").exists()
    assert "corpus.remove (begun) is not on record" in caplog.text


def test_what_was_done_stands_if_only_its_end_cannot_be_recorded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    audit = Audit(tmp_path)
    with audit.act(ADA, "corpus.remove", {"path": "a.md"}):
        audit.path.rename(tmp_path / "kept")
        audit.path.mkdir()
    assert "how it ended: corpus.remove done {'path': 'a.md'}" in caplog.text
    assert json.loads((tmp_path / "kept").read_text())["result"] == "begun"


def test_a_line_that_a_full_disk_tore_spoils_no_other(tmp_path: Path) -> None:
    audit = Audit(tmp_path)
    audit.record(ADA, "one", {})
    with audit.path.open("ab") as file:
        file.write(b'{"time": "20')
    audit.record(ADA, "two", {})
    found = audit.path.read_text().split("\n")
    assert [json.loads(found[0])["action"], json.loads(found[2])["action"]] == ["one", "two"]


WRITER = """
import sys
from pathlib import Path
from bri_qa.web.audit import Actor, Audit
for number in range(200):
    Audit(Path(sys.argv[1])).record(Actor("key", sys.argv[2] * 500), "test", {"number": number})
"""


def test_processes_do_not_write_into_each_other_s_lines(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name]) for name in "ab"]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert sorted((line["who"]["name"][0], line["about"]["number"]) for line in _lines(tmp_path)) == [
        (name, number) for name in "ab" for number in range(200)
    ]


def test_the_command_line_acts_as_the_user_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    assert Actor.at_the_command_line() == Actor("command line", "ada")


PORTAL = "https://portal.example"


def _resolve(connection: HTTPConnection) -> Person:
    return Person(Role.READER, frozenset({"board"}), "key:7", "key", "portal", frozenset({"mint"}))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[TestClient]:
    app = made(FakePipeline(), history=folder, resolve=_resolve, widget_origins=PORTAL, trusted_proxies="127.0.0.1")
    with TestClient(app, raise_server_exceptions=False, client=("127.0.0.1", 1)) as client:
        yield client


def test_a_widget_s_token_is_on_record_without_what_it_holds(client: TestClient, folder: Path) -> None:
    headers = {"Authorization": "Bearer x", "X-Request-Id": "r-1", "X-Forwarded-For": "192.0.2.9"}
    body = {"origin": PORTAL, "user": "anna@portal.example", "groups": ["board"], "minutes": 5}
    answer = client.post("/api/v1/widget/tokens", json=body, headers=headers)
    assert answer.status_code == 201
    line = _lines(folder)[-1]
    assert (line["action"], line["result"], line["request_id"]) == ("widget.mint", "done", "r-1")
    assert line["address"] == "192.0.2.9"
    assert line["who"] == {"kind": "key", "name": "portal", "user": "key:7"}
    assert line["about"] == {"origin": PORTAL, "groups": ["board"], "minutes": 5}
    text = (folder / "audit.jsonl").read_text()
    assert answer.json()["token"] not in text and "anna" not in text


def test_no_question_is_in_it(client: TestClient, folder: Path) -> None:
    client.post("/api/v1/ask", json={"question": "How long is the new quay?"})
    path = folder / "audit.jsonl"
    assert not path.exists() or "quay" not in path.read_text()


def test_no_token_is_given_that_is_not_on_record(client: TestClient, folder: Path) -> None:
    path = folder / "audit.jsonl"
    path.touch(mode=0o600)
    path.rename(folder / "kept")
    path.mkdir()
    try:
        answer = client.post("/api/v1/widget/tokens", json={"origin": PORTAL}, headers={"Authorization": "Bearer x"})
        assert_problem(answer, 503, answer.json()["code"], "not on record")
    finally:
        path.rmdir()
        (folder / "kept").rename(path)
