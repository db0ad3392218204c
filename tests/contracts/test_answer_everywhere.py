"""One question, one answer object: on the command line, in the API in all its forms, and in the chat's history."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from bri_qa import cli
from bri_qa.compose import refresh
from bri_qa.embed import HashingEmbedder
from bri_qa.errors import BriQAError
from bri_qa.pipeline import QAPipeline
from bri_qa.reader import SentenceReader
from bri_qa.settings import Settings
from bri_qa.types import Question
from bri_qa.web import create_app
from bri_qa.web.records import Records
from tests.articles import opened, pipeline_over, settings_in
from tests.serving import UNLIMITED

QUESTIONS = {
    "fact": "How long is the new quay of the harbour of Lindum?",
    "keyword": "ferry",
    "digest": "Summarise the articles",
    "speakers": "Who is quoted?",
    "abstention": "What is the boiling point of xenon on Neptune?",
    "small talk": "hello",
}
USER = "anonymous:anna"


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("house")
    settings = settings_in(folder, history_dir=folder / "data", reader="sentences", **UNLIMITED)
    refresh(settings).run()
    return settings


@pytest.fixture(scope="module")
def pipeline(chosen: Settings) -> QAPipeline:
    return pipeline_over(opened(chosen), reader=SentenceReader(HashingEmbedder()))


@pytest.fixture(scope="module")
def client(chosen: Settings, pipeline: QAPipeline) -> Iterator[TestClient]:
    async def make() -> FastAPI:
        return create_app(chosen, pipeline)

    with TestClient(asyncio.run(make())) as client:
        yield client


def _timeless(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what differs from one time to the next."""
    assert set(answer["trace"]["seconds"]) <= {"embed", "retrieve", "read", "answer", "verify"}
    return {**answer, "trace": {**answer["trace"], "seconds": {}}}


def _on_the_command_line(question: str, pipeline: QAPipeline, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr("bri_qa.cli.ask.pipeline_of", lambda _: pipeline)
    done = CliRunner().invoke(cli.app, ["ask", question, "--json"], catch_exceptions=False)
    assert done.exit_code == 0
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _in_the_history(chosen: Settings, pipeline: QAPipeline, question: str, folder: Path) -> dict[str, Any]:
    """As the chat keeps an answer, read back."""
    records = Records.open(Settings.load({}, history_dir=folder))
    try:
        entry = records.history.add(USER, pipeline.ask(Question(question)), pipeline.document)
        (kept,) = records.history.conversation(USER, entry.conversation_id).entries
        return dict(kept.contract)
    except BriQAError:
        pytest.fail("the answer was not kept")
    finally:
        records.workers.close()
        records.database.close()


def _streamed(client: TestClient, question: str) -> dict[str, Any]:
    text = client.post("/api/v1/ask/stream", json={"question": question}).text
    found: dict[str, Any] = json.loads(re.findall(r"^event: answer\ndata: (.*)$", text, re.MULTILINE)[-1])
    return found


def _in_a_batch(client: TestClient, question: str) -> dict[str, Any]:
    line = client.post("/api/v1/ask/batch", json=[{"id": 1, "question": question}]).text
    found: dict[str, Any] = json.loads(line)
    assert found.pop("id") == 1
    return found


def _completed(client: TestClient, question: str) -> dict[str, Any]:
    asked = {"model": "bri_qa", "messages": [{"role": "user", "content": question}]}
    found: dict[str, Any] = client.post("/v1/chat/completions", json=asked).json()["bri_qa"]
    return found


@pytest.mark.parametrize("kind", QUESTIONS)
def test_an_answer_is_the_same_object_everywhere(
    kind: str,
    chosen: Settings,
    pipeline: QAPipeline,
    client: TestClient,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    question = QUESTIONS[kind]
    line = _timeless(_on_the_command_line(question, pipeline, monkeypatch))
    assert line["question"] == question and line["abstained"] == (kind in ("abstention", "small talk"))
    forms = {
        "API": client.post("/api/v1/ask", json={"question": question}).json(),
        "stream": _streamed(client, question),
        "batch": _in_a_batch(client, question),
        "OpenAI's protocol": _completed(client, question),
        "history": _in_the_history(chosen, pipeline, question, tmp_path),
    }
    for name, answer in forms.items():
        assert _timeless(answer) == line, name
