"""Does the server's memory stay flat? A thousand questions from twenty open chat pages, put as browsers put them."""

from __future__ import annotations

import json
import re
import secrets
import statistics
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from bench.load import serving

ROOT = Path(__file__).parent.parent
CASES = ROOT / "eval" / "cases" / "dev.jsonl"
SESSIONS = 20
AT_ONCE = 4
QUESTIONS = 1_000
WARM = 200  # questions after which caches and pools are full
NEW_AFTER = 10  # questions of a conversation
FLAT = 1.0  # MB per 100 questions, below which memory is called flat
_CONFIG = re.compile(r"window\.gradio_config = (\{.*?\});</script>", re.DOTALL)
_HEADERS = {"Sec-Fetch-Site": "same-origin", "Accept-Language": "en"}


class Page:
    """One open chat page: its cookie, its session, and the requests that its script makes."""

    def __init__(self, base: str) -> None:
        self.client = httpx.Client(base_url=base, headers=_HEADERS, timeout=600)
        found = _CONFIG.search(self.client.get("/").raise_for_status().text)
        assert found, "the chat page is not as this benchmark knows it"
        self._calls = {item["api_name"]: item for item in json.loads(found[1])["dependencies"]}
        self._session = secrets.token_hex(6)
        self.asked = 0

    def ask(self, question: str) -> None:
        """Ask, and read the answer to its end; after some questions a new conversation is begun."""
        if self.asked and self.asked % NEW_AFTER == 0:
            self._send("clear", [None])
        self.asked += 1
        last = self._send("ask", [question, None, None])
        assert "bri-done" in json.dumps(last), f"no answer to {question!r}: {last}"

    def _send(self, call: str, data: list[Any]) -> dict[str, Any]:
        """What the last event of a call holds."""
        found = self._calls[call]
        body = {"data": data, "fn_index": found["id"], "session_hash": self._session}
        body |= {"trigger_id": found["targets"][0][0], "event_data": None}
        self.client.post("/gradio_api/queue/join", json=body).raise_for_status()
        shown: dict[str, Any] = {}
        with self.client.stream("GET", "/gradio_api/queue/data", params={"session_hash": self._session}) as stream:
            for line in stream.iter_lines():
                if not line.startswith("data:"):
                    continue
                event = json.loads(line[5:])
                if event["msg"] in ("process_generating", "process_completed"):
                    assert event["success"], event
                    shown = {**shown, event["msg"]: event["output"]}
                if event["msg"] in ("process_completed", "close_stream"):
                    return shown
        raise AssertionError("the stream ended before the answer")


def measure(quick: bool) -> dict[str, Any]:
    """Resident memory after every round, in which each page asks once, and the line through it when it is warm."""
    asked, warm = (40, 20) if quick else (QUESTIONS, WARM)
    lines = CASES.read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line)["question"] for line in lines if line.strip()]
    samples: list[tuple[int, float]] = []
    with TemporaryDirectory() as name, serving(Path(name)) as served, _pages(served.base) as pages:
        wanted = iter(islice(_repeated(questions), asked))
        samples.append((0, served.memory_mb()))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while batch := list(islice(wanted, SESSIONS)):
                list(pool.map(lambda pair: pair[0].ask(pair[1]), zip(pages, batch, strict=False)))
                samples.append((samples[-1][0] + len(batch), served.memory_mb()))
        kept = sum(path.stat().st_size for path in (Path(name) / "data").iterdir())
    slope = slope_of([(at, memory) for at, memory in samples if at >= warm])
    return {
        "questions": asked,
        "different": min(asked, len(set(questions))),
        "sessions": SESSIONS,
        "at_once": AT_ONCE,
        "warm_after": warm,
        "memory_mb": [{"questions": at, "mb": memory} for at, memory in samples],
        "slope_mb_per_100": round(slope, 3),
        "flat_below": FLAT,
        "flat": slope < FLAT,
        "history_mb": round(kept / 1e6, 1),
    }


def slope_of(samples: Sequence[tuple[int, float]]) -> float:
    """MB per 100 questions, of the line that fits the samples best."""
    at, memory = zip(*samples, strict=True)
    return 100 * statistics.linear_regression(at, memory).slope


@contextmanager
def _pages(base: str) -> Iterator[list[Page]]:
    pages = [Page(base) for _ in range(SESSIONS)]
    try:
        yield pages
    finally:
        for page in pages:
            page.client.close()


def _repeated(questions: Sequence[str]) -> Iterator[str]:
    while True:
        yield from questions
