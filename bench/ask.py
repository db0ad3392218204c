"""A question on the repository's own corpus: once warm, as a fresh process, and `bri-qa --help`."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.machine import summed_up
from bri_qa.compose import pipeline, refresh
from bri_qa.pipeline import QAPipeline
from bri_qa.settings import Settings
from bri_qa.types import Question

ROOT = Path(__file__).parent.parent
MORE = ["joint construction", "What did the mayor of Lima say about copper?"]  # a keyword; one to abstain from
OVERVIEWS = ["Summarise the article", "Who is quoted?"]
# Runs a command and says how long it took and its peak memory, which a large parent would hide.
_WATCH = """
import os, sys, time
start = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - start
print(seconds, usage.ru_maxrss / 1024, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""
PROGRAM = Path(sys.executable).parent / "bri-qa"


def measure(quick: bool) -> dict[str, Any]:
    """Times of a warm pipeline by question and by stage; seconds and peak memory of whole processes."""
    lines = (ROOT / "corpus" / "examples.txt").read_text(encoding="utf-8").splitlines()
    questions = [line.strip() for line in lines if line.strip() and not line.startswith("#")] + MORE
    with TemporaryDirectory() as name:
        settings = Settings.load({}, corpus_dir=ROOT / "corpus", index_dir=Path(name) / "index")
        manifest = refresh(settings).run()
        asked = pipeline(settings)
        warm = {
            "questions": _warm(asked, questions, rounds=2 if quick else 40),
            "overviews": _warm(asked, OVERVIEWS, rounds=2 if quick else 40),
        }
        arguments = ["ask", questions[0], "--index", str(settings.index_dir)]
        commands = {"ask": arguments, "help": ["--help"]}
        processes = _processes(commands, rounds=2 if quick else 15)
    return {
        "documents": manifest.documents,
        "passages": manifest.passages,
        "models": dict(asked.models),
        "questions": questions,
        "overviews": OVERVIEWS,
        "warm": warm,
        "process": processes,
    }


def _warm(asked: QAPipeline, questions: list[str], rounds: int) -> dict[str, Any]:
    """Times by question and by stage; the first round is not counted."""
    times: list[float] = []
    stages: dict[str, list[float]] = {}
    for round_ in range(rounds + 1):
        for question in questions:
            start = time.perf_counter()
            answer = asked.ask(Question(question))
            if not round_:
                continue
            times.append(time.perf_counter() - start)
            for stage, seconds in answer.trace.seconds.items():
                stages.setdefault(stage, []).append(seconds)
    return {
        **summed_up(times),
        "stages": {stage: summed_up(found) for stage, found in stages.items()},
    }


def _processes(commands: dict[str, list[str]], rounds: int) -> dict[str, Any]:
    """Each command in turn, from start to exit."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    peaks: dict[str, list[float]] = {name: [] for name in commands}
    for round_ in range(rounds + 1):
        for name, arguments in commands.items():
            watched = [sys.executable, "-S", "-c", _WATCH, str(PROGRAM), *arguments]
            done = subprocess.run(watched, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True)
            seconds, peak = done.stderr.splitlines()[-1].split()
            if round_:
                times[name].append(float(seconds))
                peaks[name].append(float(peak))
    return {
        name: {**summed_up(times[name]), "peak_memory_mb": round(statistics.median(peaks[name]))} for name in commands
    }
