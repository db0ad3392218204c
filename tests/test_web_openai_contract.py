"""One answer object: what the command line prints, `/v1` carries and MCP gives is the same, over one real index."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from mcp import Client

from bri_qa.cli import run
from bri_qa.compose import pipeline
from bri_qa.embed import HASHING
from bri_qa.mcp.server import made
from bri_qa.pipeline import QAPipeline
from bri_qa.tokens import Tokenizer
from bri_qa.web import openai
from bri_qa.web.access import AccessMiddleware, Person, Role
from bri_qa.web.service import Workers
from tests.articles import built_in

ALL = Person(Role.READER, groups=None)
QUESTIONS = [
    "How long is the new quay?",
    "Who is quoted?",
    "What is the article about?",
    "Who won the chess olympiad in Chennai?",
    "hello",
]


def _meaning(answer: dict[str, Any]) -> dict[str, Any]:
    """Without the seconds that it took."""
    return {**answer, "trace": {**answer["trace"], "seconds": sorted(answer["trace"]["seconds"])}}


def _by_command_line(question: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert run(["ask", "--json", question]) == 0
    return _meaning(json.loads(capsys.readouterr().out))


def _by_endpoint(client: TestClient, question: str, stream: bool) -> dict[str, Any]:
    body = {"model": "bri_qa", "messages": [{"role": "user", "content": question}], "stream": stream}
    response = client.post("/v1/chat/completions", json=body)
    if not stream:
        return _meaning(response.json()["bri_qa"])
    *_, last, done, rest = response.text.split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    return _meaning(json.loads(last.removeprefix("data: "))["bri_qa"])


async def _by_tool(asked: QAPipeline, question: str) -> dict[str, Any]:
    async with Client(made(asked, lambda _: ALL)) as client:
        result = await client.call_tool("ask", {"question": question})
    assert result.structured_content is not None
    return _meaning(result.structured_content)


def test_every_door_gives_the_same_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = built_in(tmp_path, reader="sentences")
    monkeypatch.setenv("BRI_QA_EMBEDDING_MODEL", HASHING)
    monkeypatch.setenv("BRI_QA_READER", "sentences")
    monkeypatch.setenv("BRI_QA_INDEX_DIR", str(settings.index_dir))
    asked, workers, app = pipeline(settings), Workers(), FastAPI()
    app.include_router(openai.router(asked, workers, Tokenizer.load().count))
    app.add_middleware(AccessMiddleware, resolve=lambda _: ALL)
    client = TestClient(app)
    kinds = set()
    for question in QUESTIONS:
        expected = _by_command_line(question, capsys)
        kinds.add(expected["reason"])
        assert _by_endpoint(client, question, stream=False) == expected
        assert _by_endpoint(client, question, stream=True) == expected
        assert asyncio.run(_by_tool(asked, question)) == expected
    workers.close()
    assert None in kinds and "small_talk" in kinds and len(kinds) == 3
