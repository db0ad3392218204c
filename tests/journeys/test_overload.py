"""More questions than there is room for, and a server that is told to stop: a real process over a real index."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx
import pytest

from tests.articles import built_in
from tests.chat_server import MODEL, Reply, chat_server

pytestmark = pytest.mark.journey
PROGRAM = str(Path(sys.executable).parent / "bri-qa")
QUAY = {"question": "How long is the new quay of Lindum?"}


@dataclass
class Running:
    """A server, and where it is."""

    process: subprocess.Popen[str]
    base: str
    told: IO[str]


@contextmanager
def _serving(folder: Path, **settings: str) -> Iterator[Running]:
    """A server that was just started: it may not be ready yet."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    usual = {"port": str(port), "embedding_model": "hashing", "reader": "sentences", "log_level": "warning"}
    usual |= {
        "index_dir": str(folder / "index"),
        "corpus_dir": str(folder / "corpus"),
        "history_dir": str(folder / "d"),
    }
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BRI_QA_")}
    environ |= {f"BRI_QA_{name.upper()}": value for name, value in {**usual, **settings}.items()}
    with subprocess.Popen(
        [PROGRAM, "serve"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield Running(process, f"http://127.0.0.1:{port}", process.stdout)
        finally:
            if process.poll() is None:
                process.kill()


def _bound(base: str) -> httpx.Response:
    """The first answer of a server that is being started."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            return httpx.get(f"{base}/readyz")
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("the server did not bind")


def test_it_starts_before_it_is_ready_turns_the_surplus_away_and_stops_in_order(tmp_path: Path) -> None:
    built_in(tmp_path)
    with (
        chat_server(lambda _: Reply("hello", wait=0.4)) as model,
        _serving(
            tmp_path,
            answer_threads="1",
            answer_queue="2",
            rate_limit_ask="",
            llm_base_url=model.url,
            llm_model=MODEL,
        ) as server,
    ):
        first = _bound(server.base)
        assert (first.status_code, first.json().get("code")) == (503, "starting")
        page = httpx.get(server.base, headers={"accept": "text/html"})
        assert page.status_code == 503 and "http-equiv" in page.text
        assert httpx.get(f"{server.base}/healthz").status_code == 200
        assert re.fullmatch(rf"bri_qa is at {server.base} .*\n", server.told.readline())
        assert httpx.get(f"{server.base}/readyz").json()["status"] == "ready"
        answers = asyncio.run(_at_once(server.base, 12))
        served = [answer for answer in answers if answer.status_code == 200]
        turned = [answer for answer in answers if answer.status_code == 503]
        assert len(served) + len(turned) == 12 and len(served) >= 3 and turned
        assert all(answer.json()["code"] == "busy" and answer.headers["retry-after"] for answer in turned)
        assert max(_seconds(answer) for answer in turned) < max(_seconds(answer) for answer in served)
        metrics = httpx.get(f"{server.base}/metrics").text
        assert f"bri_qa_queue_refusals_total {len(turned)}.0" in metrics
        assert asyncio.run(_stopped_while_answering(server)) == 200
        assert server.process.wait(30) == 0


def _seconds(answer: httpx.Response) -> float:
    return answer.elapsed.total_seconds()


async def _at_once(base: str, count: int) -> list[httpx.Response]:
    async with httpx.AsyncClient(base_url=base, timeout=60) as client:
        return list(await asyncio.gather(*(client.post("/api/v1/ask", json=QUAY) for _ in range(count))))


async def _stopped_while_answering(server: Running) -> int:
    """The status of a question that is being answered when SIGTERM comes."""
    async with httpx.AsyncClient(base_url=server.base, timeout=60) as client:
        asked = asyncio.ensure_future(client.post("/api/v1/ask", json=QUAY))
        while "bri_qa_queue_depth 1.0" not in (await client.get("/metrics")).text:
            assert not asked.done()
        server.process.send_signal(signal.SIGTERM)
        return (await asked).status_code


def test_a_failed_load_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    with _serving(tmp_path) as server:
        _, told = server.process.communicate(timeout=90)
    assert server.process.returncode == 2
    assert re.fullmatch(r"bri-qa: there is no index in .*`bri-qa index`.*\n", told)


def test_a_sender_that_never_ends_is_let_go(tmp_path: Path) -> None:
    built_in(tmp_path)
    with _serving(tmp_path, body_timeout="0.3") as server:
        _bound(server.base)
        server.told.readline()
        host, port = server.base.removeprefix("http://").split(":")
        head = b"POST /api/v1/ask HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
        with socket.create_connection((host, int(port)), 30) as slow:
            slow.sendall(head)
            assert slow.recv(4096).startswith(b"HTTP/1.1 408 ")
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(30) == 130
