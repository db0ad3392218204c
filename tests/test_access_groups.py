"""For who may not read an article it is not there: all that they get is what an index without it would give."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from bri_qa import render
from bri_qa.compose import refresh
from bri_qa.embed import HashingEmbedder
from bri_qa.pipeline import QAPipeline
from bri_qa.reader import SentenceReader
from bri_qa.spelling import Spelling
from bri_qa.types import Filters, Groups, Progress, Question, Turn
from bri_qa.web import create_app
from bri_qa.web.access import Person, Role
from tests.articles import opened, pipeline_over, settings_in

CLOSED = {
    "merger": ("board", "Quillfeather joins Brixworth\nThe merger of Quillfeather with the Brixworth dockyard costs 93 "
        "million crowns and opens on 7 June 2026. “We keep quiet until the harbour agrees,” said Osric Vanderlay, the "
        "chairman. The Ministry of Tidal Affairs pays a tenth of the merger."),
    "press/embargo": ("press", "---\npublisher: Embargo Desk\npublished: 2031\n---\nThe kiln of Hobbleton\nThe kiln of "
        "Hobbleton burns 71 tonnes of driftwood a year. “Nobody may print this before Monday,” said Philippa Thornycroft, "
        "who edits the Hobbleton Courier. The night ferry to Sor carries the driftwood."),
    "shared": ("board, press", "A lantern for the clinic\nThe stethoscope of the clinic was paid by Ysolde Grimshaw. "
        "Grimshaw, a collector of lanterns, gave 5,500 crowns to the clinic and to the harbour of Lindum."),
}  # fmt: skip
CANARIES = {
    "merger": r"quillfeather|brixworth|osric|vanderlay|tidal affairs|\b93 million|merger",
    "press/embargo": r"embargo|hobbleton|thornycroft|driftwood|2031",
    "shared": r"stethoscope|grimshaw|ysolde|5,500|lantern",
}
GROUPS: list[Groups] = [
    frozenset(),
    frozenset({"board"}),
    frozenset({"press"}),
    frozenset({"board", "press"}),
    frozenset({"cook"}),
    None,
]
QUESTIONS = {
    "fact": "How long is the new quay of the harbour of Lindum?",
    "closed fact": "How much does the merger of Quillfeather with the Brixworth dockyard cost?",
    "closed fact of the press": "How many tonnes of driftwood does the kiln of Hobbleton burn?",
    "closed fact of both": "Who paid the stethoscope of the clinic?",
    "keyword": "ferry",
    "closed keyword": "Hobbleton",
    "digest": "Summarise the articles",
    "speakers": "Who is quoted?",
    "typo": "how many turs does the nite fery to Sor make",
    "closed typo": "who paid the stethosope and the driftwod for the Quilfeather",
    "off topic": "What is the boiling point of xenon on Neptune?",
    "small talk": "hello",
}


def _closed(folder: Path, without: frozenset[str] = frozenset()) -> QAPipeline:
    chosen = settings_in(folder)
    lines = []
    for name, (groups, text) in CLOSED.items():
        if name not in without:
            path = chosen.corpus_dir / f"{name}.md"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            lines.append(f'{name}.md,"{groups}"\n')
    (chosen.corpus_dir / "sources.csv").write_text("path,groups\n" + "".join(lines), encoding="utf-8")
    refresh(chosen).run()
    reader = SentenceReader(HashingEmbedder())
    return pipeline_over(opened(chosen), reader=reader, spell=Spelling({"the": 0, "night": 1, "turns": 2}).correct)


def _hidden(groups: Groups) -> frozenset[str]:
    names = {key: frozenset(value[0].split(", ")) for key, value in CLOSED.items()}
    return frozenset(key for key, needed in names.items() if groups is not None and needed.isdisjoint(groups))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> QAPipeline:
    return _closed(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[frozenset[str], QAPipeline]:
    """Pipelines over what is left for each person, the other articles never seen."""
    wanted = {_hidden(groups) for groups in GROUPS}
    return {hidden: _closed(tmp_path_factory.mktemp("part"), hidden) for hidden in wanted}


def _json(pipeline: QAPipeline, question: Question) -> dict[str, Any]:
    answer = render.as_json(pipeline.ask(question))
    answer["trace"]["seconds"] = {}
    return answer


def _leaks(text: str, question: str, groups: Groups) -> list[str]:
    """Words of hidden articles in `text` that the question does not bring along."""
    told = set(re.findall(r"\w+", question.casefold()))
    found = [word for name in _hidden(groups) for word in re.findall(CANARIES[name], text.casefold())]
    return [word for word in found if not set(word.split()) <= told]


@pytest.mark.parametrize("groups", GROUPS, ids=lambda some: "all" if some is None else " ".join(sorted(some)) or "none")
@pytest.mark.parametrize("kind", QUESTIONS)
def test_an_answer_is_that_of_an_index_without_the_hidden_articles(
    whole: QAPipeline, parts: dict[frozenset[str], QAPipeline], kind: str, groups: Groups
) -> None:
    question = Question(QUESTIONS[kind], filters=Filters(groups=groups))
    given = _json(whole, question)
    assert _leaks(json.dumps(given, ensure_ascii=False), question.text, groups) == []
    assert given == _json(parts[_hidden(groups)], question)


def test_the_same_questions_do_find_the_closed_articles_for_those_who_may_read(whole: QAPipeline) -> None:
    cited = {
        kind: {item["document_id"] for item in _json(whole, Question(text))["citations"]}
        for kind, text in QUESTIONS.items()
    }
    assert cited["closed fact"] == {"merger"} and "press/embargo" in cited["closed fact of the press"]
    assert "shared" in cited["closed fact of both"] and cited["closed keyword"] == {"press/embargo"}
    assert set(CLOSED) <= cited["digest"] and {"merger", "press/embargo"} <= cited["speakers"]
    query = _json(whole, Question(QUESTIONS["closed typo"]))["trace"]["query"]
    assert query == "who paid the stethoscope and the driftwood for the Quillfeather"


WORDS = sorted(set(re.findall(r"\w+", " ".join([*QUESTIONS.values(), *(text for _, text in CLOSED.values())]))))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=8),
    st.lists(st.sampled_from([*QUESTIONS.values(), "and of the other one?"]), max_size=2),
    st.sampled_from(GROUPS[:-1]),
    st.sampled_from([Filters(), Filters(document_ids=("merger", "harbour")), Filters(publishers=("Embargo Desk",))]),
)
def test_whatever_is_asked_nothing_of_a_hidden_article_is_found_or_told(
    whole: QAPipeline,
    parts: dict[frozenset[str], QAPipeline],
    words: list[str],
    before: list[str],
    groups: Groups,
    filters: Filters,
) -> None:
    turns = tuple(turn for text in before for turn in (Turn("user", text), Turn("assistant", "That is not stated.")))
    question = Question(" ".join(words), turns, replace(filters, groups=groups))
    part = parts[_hidden(groups)]
    events = list(whole.stream(question))
    told = repr([one for one in events if not isinstance(one, Progress)])
    assert _leaks(re.sub(r"\d+\.\d+(e-\d+)?", "", told), f"{question}", groups) == []  # a time may hold any digits
    assert [one for one in events if isinstance(one, Progress)] == [
        one for one in part.stream(question) if isinstance(one, Progress)
    ]
    assert _json(whole, question) == _json(part, question)
    query, hits = whole.retrieve(question)
    assert {hit.passage.document_id for hit in hits}.isdisjoint(_hidden(groups))
    assert (query, hits) == part.retrieve(question)


# The pages and routes: the same as of a server whose index has never held the hidden articles.


def _app(pipeline: QAPipeline, folder: Path) -> FastAPI:
    def resolve(connection: Any) -> Person:
        sent = connection.headers.get("x-test-groups", "")
        return Person(Role.EVALUATOR, None if sent == "*" else frozenset(sent.split()), via="test")

    async def make() -> FastAPI:
        return create_app(settings_in(folder, history_dir=folder / "data"), pipeline, resolve)

    return asyncio.run(make())


@pytest.fixture(scope="module")
def clients(
    whole: QAPipeline,
    parts: dict[frozenset[str], QAPipeline],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[TestClient, TestClient]]:
    """The server over all articles, and one over those that are open to all."""
    part = parts[_hidden(frozenset())]
    made = [_app(one, tmp_path_factory.mktemp("web")) for one in (whole, part)]
    with TestClient(made[0]) as first, TestClient(made[1]) as second:
        yield first, second


PLACE = [{"document": name, "start": 0, "end": 20} for name in (*CLOSED, "harbour")]
REQUESTS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("GET", "/articles", None),
    ("GET", "/articles?pane=1&q=driftwood", None),
    ("GET", "/articles?publisher=Embargo+Desk", None),
    ("GET", "/articles?from=2030", None),
    ("GET", "/scope?document=merger&document=harbour", None),
    ("GET", "/scope?publisher=Embargo+Desk", None),
    ("GET", "/source/merger", None),
    ("GET", "/source/press/embargo?pane=1&start=0&end=20", None),
    ("POST", "/quoted", {"document": "merger", "quotes": [{"number": 1, "quote": "Quillfeather"}]}),
    ("POST", "/next", {"asked": ["Who is quoted?"], "places": PLACE}),
    ("POST", "/next", {"asked": [], "places": PLACE, "filters": {"document_ids": ["shared"]}}),
    ("GET", "/readyz", None),
    *(("POST", "/api/v1/ask", {"question": text}) for text in QUESTIONS.values()),
    ("POST", "/api/v1/ask", {"question": "Who is quoted?", "filters": {"document_ids": ["merger"]}}),
    ("POST", "/api/v1/ask", {"question": "Who is quoted?", "filters": {"groups": ["board"]}}),
    ("POST", "/api/v1/ask", {"question": "ferry", "filters": {"publishers": ["Embargo Desk"]}}),
]


def _shown(client: TestClient, request: tuple[str, str, dict[str, Any] | None], groups: str) -> tuple[int, str]:
    method, path, body = request
    response = client.request(method, path, json=body, headers={"x-test-groups": groups})
    text = re.sub(r'"seconds":\{[^}]*\}|"(request_id|instance)":"[^"]*"', "", response.text)
    return response.status_code, text


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda one: f"{one[1]} {one[2] or ''}")
def test_a_route_shows_what_it_would_if_the_hidden_articles_were_not_there(
    clients: tuple[TestClient, TestClient], request_: tuple[str, str, dict[str, Any] | None]
) -> None:
    whole, part = clients
    told = json.dumps(request_)
    for groups in ("", "cook"):
        status, text = _shown(whole, request_, groups)
        assert (status, text) == _shown(part, request_, groups)
        assert _leaks(text, told, frozenset()) == []


def test_the_same_routes_show_them_to_those_who_may_read(clients: tuple[TestClient, TestClient]) -> None:
    whole, _ = clients
    shown = [_shown(whole, request, "board press")[1].casefold() for request in REQUESTS]
    for name, pattern in CANARIES.items():
        assert sum(bool(re.search(pattern, text)) for text in shown) >= 5, name


def test_the_chat_page_names_no_hidden_article_and_counts_none(clients: tuple[TestClient, TestClient]) -> None:
    whole, part = clients
    path = "/?document=merger&publisher=Embargo+Desk"
    pages = [client.get(path, headers={"x-test-groups": ""}).text for client in (whole, part)]
    assert _leaks(pages[0], path + " desk", frozenset()) == []
    houses = [re.sub(r"\s+", " ", re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)) for page in pages]
    assert re.findall(r'<section id="bri-.*?</section>', houses[0]) == re.findall(
        r'<section id="bri-.*?</section>', houses[1]
    )
