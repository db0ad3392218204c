"""`bri-qa serve` with the product's models under the users of `load_users`: as many as it serves, and far too many."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from bri_qa.compose import refresh
from bri_qa.settings import Settings

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
USERS = Path(__file__).parent / "load_users.py"
# Name, users, seconds, seconds when it is quick. The surplus shows within a minute.
RUNS = (("steady", 50, 180, 12), ("overload", 400, 60, 12))


@dataclass(frozen=True)
class Served:
    """A server that was started for this."""

    process: subprocess.Popen[bytes]
    base: str

    def memory_mb(self) -> float:
        """What it has resident."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8").splitlines()
        kilobytes = next(line.split()[1] for line in lines if line.startswith("VmRSS"))
        return round(int(kilobytes) / 1024)


def measure(quick: bool) -> dict[str, Any]:
    """By run: times of what was answered and what was turned away, errors, memory before and after."""
    lines = (ROOT / "corpus" / "examples.txt").read_text(encoding="utf-8").splitlines()
    questions = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    with TemporaryDirectory() as name, serving(Path(name)) as served:
        for question in questions * 2:
            httpx.post(f"{served.base}/api/v1/ask", json={"question": question}, timeout=60).raise_for_status()
        usual = Settings.load({})
        runs = {
            run: _run(served, users, short if quick else seconds, questions, Path(name) / f"{run}.json")
            for run, users, seconds, short in RUNS
        }
        served.process.send_signal(signal.SIGTERM)
        code = served.process.wait(60)
    return {
        "questions": len(questions),
        "answer_threads": usual.answer_threads,
        "answer_queue": usual.answer_queue,
        "runs": runs,
        "exit_code": code,
    }


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    """The repository's own corpus, indexed and served with no rate limit; its records are kept in `folder`."""
    settings = Settings.load({}, corpus_dir=ROOT / "corpus", index_dir=folder / "index")
    refresh(settings).run()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    chosen = {
        "PORT": str(port),
        "CORPUS_DIR": str(settings.corpus_dir),
        "INDEX_DIR": str(settings.index_dir),
        "HISTORY_DIR": str(folder / "data"),
        "LOG_LEVEL": "warning",
        **{f"RATE_LIMIT_{name}": "" for name in ("ASK", "ADDRESS", "REQUEST")},  # all come from one address
    }
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BRI_QA_")}
    environ |= {f"BRI_QA_{name}": value for name, value in chosen.items()}
    with subprocess.Popen([BIN / "bri-qa", "serve"], env=environ, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline(), "the server did not start"
            yield Served(process, f"http://127.0.0.1:{port}")
        finally:
            if process.poll() is None:
                process.kill()


def _run(served: Served, users: int, seconds: int, questions: list[str], out: Path) -> dict[str, Any]:
    """All users are there after a tenth of the time."""
    before, start = served.memory_mb(), time.perf_counter()
    options = ["--headless", "--users", str(users), "--spawn-rate", str(max(1, 10 * users // seconds))]
    options += ["--run-time", f"{seconds}s", "--stop-timeout", "30", "--host", served.base, "--only-summary"]
    environ = {**os.environ, "BENCH_QUESTIONS": json.dumps(questions), "BENCH_OUT": str(out)}
    command = [sys.executable, "-m", "locust", "-f", str(USERS), "--loglevel", "ERROR", *options]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert out.is_file(), done.stderr
    figures: dict[str, Any] = json.loads(out.read_bytes())
    errors, requests = (sum(kind[key] for kind in figures["kinds"].values()) for key in ("errors", "n"))
    memory = {"memory_before_mb": before, "memory_after_mb": served.memory_mb()}
    rate = {"requests": requests, "requests_per_second": round(requests / (time.perf_counter() - start), 1)}
    return {"users": users, "seconds": seconds, "failed": errors, **rate, **memory, **figures}
