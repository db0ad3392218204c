"""Passages, documents and the state of the evaluation, as other programs read them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from bri_qa.web import api
from bri_qa.web.access import AccessMiddleware, Person, Role
from bri_qa.web.guards import add_problems
from bri_qa.web.schemas import ProblemOut
from bri_qa.web.service import Workers
from tests.fakes import FakePipeline, document, web_documents

SEARCH, DOCUMENTS, EVALUATION = "/api/v1/search", "/api/v1/documents", "/api/v1/evaluation"
CLOSED = document(
    "board/minutes", "The minutes of the harbour board\nThe quay was too dear.", groups=("board",), publisher="Board"
)
TRICKY = document(
    "notes/passages", "Notes on passages\nA passage of the harbour is narrow.", publisher="Lindum Gazette"
)


@pytest.fixture(scope="module")
def pipeline() -> FakePipeline:
    return FakePipeline([*web_documents(), CLOSED, TRICKY])


def _client(pipeline: FakePipeline, runs: Path, workers: Workers) -> TestClient:
    app = FastAPI()
    api.add_problems(app)
    add_problems(app)
    app.include_router(api.router(pipeline, workers, runs))

    def resolve(connection: Any) -> Person:
        sent = connection.headers.get("x-test", "reader")
        groups = frozenset(connection.headers.get("x-groups", "").split())
        return Person(Role(sent), groups, via="key") if sent else Person()

    app.add_middleware(AccessMiddleware, resolve=resolve)
    return TestClient(app)


@pytest.fixture
def client(pipeline: FakePipeline, tmp_path: Path) -> Iterator[TestClient]:
    workers = Workers(threads=1)
    yield _client(pipeline, tmp_path, workers)
    workers.close()


def _problem(response: Any) -> tuple[int, str]:
    problem = ProblemOut.model_validate(response.json())
    assert response.headers["content-type"] == "application/problem+json"
    return problem.status, problem.code


@pytest.mark.parametrize(
    "path", [SEARCH, DOCUMENTS, f"{DOCUMENTS}/harbour", f"{DOCUMENTS}/harbour/passages", EVALUATION, "/api/v1/ask"]
)
def test_who_is_nobody_is_asked_to_sign_in(client: TestClient, path: str) -> None:
    method, body = ("POST", {"query": "x"}) if path == SEARCH else ("GET", None)
    method, body = ("POST", {"question": "x"}) if path.endswith("ask") else (method, body)
    assert _problem(client.request(method, path, json=body, headers={"x-test": ""})) == (401, "sign_in_needed")


def test_passages_are_found_with_their_documents_and_no_answer(client: TestClient, pipeline: FakePipeline) -> None:
    body = client.post(SEARCH, json={"query": "How long is the new quay?", "top_k": 2}).json()
    first, second = body["passages"]
    assert first == {
        "document_id": "harbour",
        "title": "The harbour of Lindum opens again",
        "publisher": "Lindum Gazette",
        "published": "2024-03-05",
        "url": "https://gazette.example/harbour",
        "section": "",
        "start": first["start"],
        "end": first["end"],
        "score": 1.0,
        "text": "The new quay is 640 metres long and takes three ships at a time.",
        "document_sha256": pipeline.by_id["harbour"].sha256,
    }
    assert pipeline.by_id["harbour"].text[first["start"] : first["end"]] == first["text"]
    assert (body["query"], second["score"] < first["score"]) == ("How long is the new quay?", True)


def test_a_search_has_filters_and_finds_nothing_that_one_may_not_read(client: TestClient) -> None:
    query = {"query": "the quay of the harbour board", "top_k": 50}
    found = [item["document_id"] for item in client.post(SEARCH, json=query).json()["passages"]]
    assert "board/minutes" not in found and "harbour" in found
    inside = client.post(SEARCH, json=query, headers={"x-groups": "board"}).json()["passages"]
    assert inside[0]["document_id"] == "board/minutes"
    only = client.post(SEARCH, json={**query, "filters": {"publishers": ["Coast Review"]}}).json()["passages"]
    assert {item["document_id"] for item in only} == {"tides"}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"query": " "}, 400, "question_unusable"),
        ({"query": "x", "top_k": 0}, 422, "request_invalid"),
        ({"query": "x", "top_k": 51}, 422, "request_invalid"),
        ({"question": "x"}, 422, "request_invalid"),
    ],
)
def test_what_cannot_be_searched_is_a_problem(client: TestClient, body: dict[str, Any], status: int, code: str) -> None:
    assert _problem(client.post(SEARCH, json=body)) == (status, code)


def test_documents_are_listed_by_id_in_pages_with_counts(client: TestClient, pipeline: FakePipeline) -> None:
    seen, cursor = [], None
    for _ in range(10):
        page = client.get(DOCUMENTS, params={"limit": 1, **({"cursor": cursor} if cursor else {})}).json()
        assert (page["total"], page["publishers"]) == (4, {"<u>Mill</u>": 1, "Coast Review": 1, "Lindum Gazette": 2})
        seen += page["documents"]
        cursor = page["next"]
        if cursor is None:
            break
    assert [item["id"] for item in seen] == ["harbour", "notes/passages", "odd/<i>ledger</i> & co", "tides"]
    harbour = pipeline.by_id["harbour"]
    assert seen[0] == {
        "title": harbour.source.title,
        "publisher": "Lindum Gazette",
        "published": "2024-03-05",
        "url": "https://gazette.example/harbour",
        "language": "en",
        "licence": None,
        "id": "harbour",
        "characters": len(harbour.text),
        "sha256": harbour.sha256,
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=harbour", ["harbour", "notes/passages"]),
        ("q=HARBOUR+narrow", ["notes/passages"]),
        ("q=board", []),
        ("publisher=Coast+Review&publisher=%3Cu%3EMill%3C/u%3E", ["odd/<i>ledger</i> & co", "tides"]),
        ("published_from=2020", ["harbour"]),
        ("published_to=2019", ["tides"]),
        ("cursor=%21%21%21", ["harbour", "notes/passages", "odd/<i>ledger</i> & co", "tides"]),
    ],
)
def test_documents_are_searched_and_filtered(client: TestClient, query: str, found: list[str]) -> None:
    page = client.get(f"{DOCUMENTS}?{query}").json()
    assert [item["id"] for item in page["documents"]] == found and page["total"] == len(found)


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "published_from=May", "page=2", "q=" + "x" * 201])
def test_what_no_list_knows_is_a_problem(client: TestClient, query: str) -> None:
    assert _problem(client.get(f"{DOCUMENTS}?{query}")) == (422, "request_invalid")


@pytest.mark.parametrize("name", ["harbour", "odd/<i>ledger</i> & co", "tides", "notes/passages"])
@pytest.mark.parametrize("safe", ["", "/"])
def test_a_document_comes_with_its_text_and_once(
    client: TestClient, pipeline: FakePipeline, name: str, safe: str
) -> None:
    path = f"{DOCUMENTS}/{quote(name, safe=safe)}"
    response = client.get(path)
    body, item = response.json(), pipeline.by_id[name]
    assert (body["id"], body["text"], body["sha256"], body["characters"]) == (
        name,
        item.text,
        item.sha256,
        len(item.text),
    )
    assert response.headers["cache-control"] == "private, no-cache"
    tag = response.headers["etag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        again = client.get(path, headers={"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert client.get(path, headers={"if-none-match": '"other"'}).status_code == 200


@pytest.mark.parametrize("name", ["harbour", "odd/<i>ledger</i> & co", "notes/passages"])
@pytest.mark.parametrize("safe", ["", "/"])
def test_the_passages_of_a_document_are_its_own_words(
    client: TestClient, pipeline: FakePipeline, name: str, safe: str
) -> None:
    path = f"{DOCUMENTS}/{quote(name, safe=safe)}/passages"
    response = client.get(path)
    body = response.json()
    assert (body["document_id"], body["document_sha256"]) == (name, pipeline.by_id[name].sha256)
    assert body["passages"]
    for one in body["passages"]:
        assert pipeline.by_id[name].text[one["start"] : one["end"]] == one["text"]
    assert client.get(path, headers={"if-none-match": response.headers["etag"]}).status_code == 304


@pytest.mark.parametrize("tail", ["", "/passages"])
@pytest.mark.parametrize("name", ["nothing", "board/minutes", "..%2F..%2Fetc%2Fpasswd"])
def test_what_is_not_there_or_not_for_the_sender_is_missing_alike(client: TestClient, name: str, tail: str) -> None:
    hidden = client.get(f"{DOCUMENTS}/{name}{tail}")
    assert _problem(hidden) == (404, "not_found")
    assert hidden.json() == client.get(f"{DOCUMENTS}/never{tail}").json()
    inside = client.get(f"{DOCUMENTS}/board/minutes{tail}", headers={"x-groups": "board"})
    assert inside.status_code == 200 and "too dear" in inside.text


RUN = {
    "cases_file": {"name": "test.jsonl", "sha256": "x"},
    "missed": [],
    "counts": {"cases": 4, "verdicts": {"ok": 3, "not_ranked": 1}},
    "summary": {"f1": 0.75},
    "by_kind": {"name": {"counts": {"cases": 1, "verdicts": {"ok": 1}}, "summary": {"f1": 1.0}}},
}


def test_the_newest_run_tells_how_the_evaluation_stands(client: TestClient, tmp_path: Path) -> None:
    evaluator = {"x-test": "evaluator"}
    assert _problem(client.get(EVALUATION)) == (403, "evaluator_only")
    assert _problem(client.get(EVALUATION, headers=evaluator)) == (404, "not_found")
    runs = {
        "old": RUN,
        "nightly/new": {**RUN, "gates": 2, "missed": ["f1 must be at least 0.8"]},
        "broken": {"summary": {}},
    }
    for at, (name, run) in enumerate(runs.items()):
        (tmp_path / name).mkdir(parents=True)
        file = tmp_path / name / "run.json"
        file.write_text(json.dumps(run), encoding="utf-8")
        os.utime(file, (1_800_000_000 + at, 1_800_000_000 + at))
    assert client.get(EVALUATION, headers=evaluator).json() == {
        "run": "new",
        "when": "2027-01-15T08:00:01Z",
        "cases_file": "test.jsonl",
        "cases": 4,
        "right": 3,
        "scores": {"f1": 0.75},
        "gates": 2,
        "passed": False,
        "missed": ["f1 must be at least 0.8"],
        "kinds": {"name": {"cases": 1, "right": 1, "scores": {"f1": 1.0}}},
    }
    os.utime(tmp_path / "old" / "run.json", (1_900_000_000, 1_900_000_000))
    told = client.get(EVALUATION, headers=evaluator).json()
    assert (told["run"], told["gates"], told["passed"], told["missed"]) == ("old", None, True, [])
