"""The users of `bench.load`, as locust runs them: they ask, read what an answer cites, and open the chat page."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any
from urllib.parse import quote

from locust import FastHttpUser, between, events, task
from locust.env import Environment

QUESTIONS: list[str] = json.loads(os.environ["BENCH_QUESTIONS"])
OUT = Path(os.environ["BENCH_OUT"])
SEED = 20_260_101


class Reader(FastHttpUser):
    """Thinks for 6 to 12 seconds between two things; what finds no room is not an error, and is counted apart."""

    wait_time = between(6, 12)
    connection_timeout = 60.0
    network_timeout = 60.0
    cited = ""

    @task(16)
    def ask(self) -> None:
        body = {"question": random.choice(QUESTIONS)}  # noqa: S311
        with self.client.post("/api/v1/ask", json=body, name="answered", catch_response=True) as answer:
            if answer.status_code in (429, 503) and answer.headers.get("Retry-After"):
                answer.request_meta["name"] = "turned away"
                answer.success()
            elif answer.status_code == 200:
                found = answer.json()
                if not (found["citations"] or found["abstained"]):
                    answer.failure("an answer without a citation")
                self.cited = found["citations"][0]["document_id"] if found["citations"] else self.cited
            else:
                answer.failure(f"status {answer.status_code}")

    @task(3)
    def read(self) -> None:
        if self.cited:
            self._get(f"/source/{quote(self.cited)}", "an article")

    @task(1)
    def open(self) -> None:
        self._get("/", "the chat page")

    def _get(self, path: str, name: str) -> None:
        with self.client.get(path, name=name, catch_response=True) as page:
            if page.status_code in (429, 503) and page.headers.get("Retry-After"):
                page.request_meta["name"] = "a page turned away"
                page.success()


@events.init.add_listener
def seeded(**_: Any) -> None:
    random.seed(SEED)


@events.quitting.add_listener
def told(environment: Environment, **_: Any) -> None:
    """The figures as JSON; times in milliseconds."""
    stats = environment.stats
    kinds = {
        entry.name: {
            "n": entry.num_requests,
            "errors": entry.num_failures,
            "p50_ms": entry.get_response_time_percentile(0.5),
            "p95_ms": entry.get_response_time_percentile(0.95),
            "p99_ms": entry.get_response_time_percentile(0.99),
        }
        for entry in stats.entries.values()
    }
    errors = sorted({f"{error.name}: {error.error}" for error in stats.errors.values()})
    figures = {"kinds": dict(sorted(kinds.items())), "errors": errors}
    OUT.write_text(json.dumps(figures), encoding="utf-8")
