"""`bri-qa mcp` as the programs that use it run it: a process on pipes, and one on HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from bri_qa.embed import HASHING
from tests.articles import built_in

pytestmark = pytest.mark.journey
PROGRAM = str(Path(sys.executable).parent / "bri-qa")
QUAY = "How long is the new quay?"
SMALL = {"BRI_QA_EMBEDDING_MODEL": HASHING, "BRI_QA_READER": "sentences"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with a small index of hashed words."""
    folder = tmp_path_factory.mktemp("mcp")
    built_in(folder)
    return folder


def _environ() -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("BRI_QA_")}
    return {**plain, **SMALL}


@pytest.fixture(scope="module")
def told(folder: Path) -> dict[str, Any]:
    """What the command line answers."""
    done = subprocess.run(
        [PROGRAM, "ask", "--json", QUAY], cwd=folder, env=_environ(), capture_output=True, check=True, timeout=120
    )
    return _meaning(json.loads(done.stdout))


def _meaning(answer: dict[str, Any]) -> dict[str, Any]:
    """Without the seconds that it took."""
    return {**answer, "trace": {**answer["trace"], "seconds": sorted(answer["trace"]["seconds"])}}


async def _use(server: StdioServerParameters | str) -> tuple[dict[str, Any], dict[str, Any]]:
    async with Client(server) as client:
        answer = (await client.call_tool("ask", {"question": QUAY})).structured_content
        assert answer is not None
        place = {name: answer["citations"][0][name] for name in ("document_id", "start", "end")}
        opened = (await client.call_tool("open_source", place)).structured_content
        assert opened is not None
        return answer, opened


def test_over_pipes_the_answer_is_that_of_the_command_line(folder: Path, told: dict[str, Any]) -> None:
    server = StdioServerParameters(command=PROGRAM, args=["mcp"], env=_environ(), cwd=folder)
    answer, opened = asyncio.run(_use(server))
    assert _meaning(answer) == told
    citation = answer["citations"][0]
    assert (opened["quote"], opened["document"]["sha256"]) == (citation["quote"], citation["document_sha256"])


def test_standard_output_holds_the_protocol_and_nothing_else(folder: Path) -> None:
    client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    messages = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "ask", "arguments": {"question": ""}}},
    ]
    with subprocess.Popen(
        [PROGRAM, "mcp"], cwd=folder, env=_environ(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write("not json\n" + "".join(json.dumps(message) + "\n" for message in messages))
        process.stdin.flush()
        lines: list[dict[str, Any]] = []
        while not any(line.get("id") == 2 for line in lines):
            lines.append(json.loads(process.stdout.readline()))
        process.stdin.close()
        assert process.stdout.read() == ""
        assert process.wait(30) == 0
    assert all(line["jsonrpc"] == "2.0" for line in lines)
    result = next(line for line in lines if line.get("id") == 2)["result"]
    assert result["isError"] and "the question is empty" in result["content"][0]["text"]


@contextmanager
def _http(folder: Path) -> Iterator[str]:
    with subprocess.Popen(
        [PROGRAM, "mcp", "--http", "--port", "0"], cwd=folder, env=_environ(), stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("bri_qa is at http://127.0.0.1:") and "/mcp (Ctrl-C stops it)" in line
        yield line.split()[3]
        process.send_signal(signal.SIGINT)
        assert process.wait(30) in (0, 130)


def test_over_http_the_answer_is_the_same(folder: Path, told: dict[str, Any]) -> None:
    with _http(folder) as url:
        answer, opened = asyncio.run(_use(url))
    assert opened["quote"] == answer["citations"][0]["quote"]
    assert _meaning(answer) == told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--port", "7000"], "--host and --port go with --http"),
        (["--index", "nowhere"], "run `bri-qa index`"),
    ],
)
def test_what_cannot_be_served_is_one_line(folder: Path, arguments: list[str], told: str) -> None:
    done = subprocess.run(
        [PROGRAM, "mcp", *arguments], cwd=folder, env=_environ(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr and done.stderr.count("\n") == 1
