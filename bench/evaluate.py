"""`bri-qa eval` over many cases: the suite's own time beside the time of the models.

5,000 cases over 10,000 passages, or as many cases as BENCH_CASES says over twice as many passages. First with answers
that cost nothing, so that all is the suite's own time; then with the real pipeline, and with several threads asking it.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.texts import many_passages
from bri_qa.compose import identity_card, pipeline, refresh
from bri_qa.evaluation import Outcome, Plan, carry_out
from bri_qa.evaluation.run import Pipeline
from bri_qa.settings import Settings
from bri_qa.types import Answer, Citation, CitedStatement, Document, Hit, Passage, Question, Source, Span, Trace

CASES = 5_000
_TOGETHER = 10  # passages of a document
_THREADS = (1, 2, 4)
_ROUNDS = 5


def measure(quick: bool) -> dict[str, Any]:
    """Seconds of whole runs, of asking alone and of the rest; questions a second by threads."""
    count = 20 if quick else int(os.environ.get("BENCH_CASES", CASES))
    texts = many_passages(2 * count)
    documents = [_document(start, texts[start : start + _TOGETHER]) for start in range(0, len(texts), _TOGETHER)]
    with TemporaryDirectory() as name:
        folder = Path(name)
        cases = folder / "cases.jsonl"
        lines = [_case(number, documents) for number in range(count)]
        cases.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        free = _timed(lambda: carry_out(Plan(cases, report=folder / "free"), Instant(documents, lines)))
        settings = _indexed(folder, documents)
        asked = pipeline(settings)
        real = _timed(lambda: carry_out(Plan(cases, report=folder / "real"), asked, identity_card(settings)))
        sizes = {file.name: file.stat().st_size for file in sorted((folder / "real").iterdir())}
        threads = _threads(asked, [line["question"] for line in lines[: min(count, 50)]])
    return {
        "cases": count,
        "documents": len(documents),
        "passages": len(texts),
        "free": free,
        "real": real | {"models": dict(asked.models)},
        "bytes": sizes,
        "questions_per_second_by_threads": threads,
    }


class Instant:
    """Answers each case at once with its gold quote, among eight hits."""

    def __init__(self, documents: Sequence[Document], lines: Sequence[dict[str, Any]]) -> None:
        self._by_id = {item.id: item for item in documents}
        self._gold = {line["question"]: line["evidence"][0] for line in lines}

    def document(self, document_id: str) -> Document | None:
        return self._by_id.get(document_id)

    def documents(self) -> list[Document]:
        return list(self._by_id.values())

    def ask(self, question: Question) -> Answer:
        gold = self._gold[question.text]
        item = self._by_id[gold["document_id"]]
        start = item.text.index(gold["quote"])
        span = Span(start, start + len(gold["quote"]))
        around = Span(max(0, start - 300), min(len(item.text), span.end + 300))
        passage = Passage(f"{item.id}#{start}", item.id, around, "", around.of(item.text))
        return Answer(
            question=question,
            statements=(CitedStatement(gold["quote"], (1,)),),
            citations=(Citation(1, item.id, span, gold["quote"], item.source, item.sha256),),
            short_answer=None,
            reason=None,
            message=None,
            confidence=0.5 + start % 50 / 100,
            mode="extractive",
            hits=tuple(Hit(passage, 1.0 / rank) for rank in range(1, 9)),
            trace=Trace(question.text, {"read": 0.0}, {"reader": "none"}),
        )


def _document(start: int, texts: Sequence[str]) -> Document:
    text = "\n\n".join((f"Part {start // _TOGETHER}", *texts)) + "\n"
    return Document(f"part-{start:06}", text, Source(text.partition("\n")[0]), sha256(text.encode()).hexdigest())


def _case(number: int, documents: Sequence[Document]) -> dict[str, Any]:
    """Asks for twelve words of a document by the twelve before them."""
    item = documents[number % len(documents)]
    words = item.text.split("\n\n")[1 + number // len(documents) % _TOGETHER].split(" ")
    quote, before = " ".join(words[40:52]), " ".join(words[28:40])
    gold = {"document_id": item.id, "quote": quote}
    return {
        "id": str(number),
        "question": f"What is said after {number}: {before}?",
        "evidence": [gold],
        "kind": "after",
    }


def _indexed(folder: Path, documents: Sequence[Document]) -> Settings:
    (folder / "corpus").mkdir()
    for item in documents:
        (folder / "corpus" / f"{item.id}.txt").write_text(item.text, encoding="utf-8")
    settings = Settings.load({}, corpus_dir=folder / "corpus", index_dir=folder / "index")
    refresh(settings).run()
    return settings


def _timed(run: Callable[[], Outcome]) -> dict[str, Any]:
    start, worked = time.perf_counter(), time.process_time()
    outcome = run()
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    asking = sum(record.seconds for record in outcome.run.records)
    return {
        "seconds": round(seconds, 2),
        "asking_seconds": round(asking, 2),
        "suite_seconds": round(seconds - asking, 2),
        "suite_ms_per_case": round(1000 * (seconds - asking) / len(outcome.run.records), 2),
        "cpu_seconds": round(worked, 2),
        "suite_share": round((seconds - asking) / seconds, 4),
        "peak_memory_mb": outcome.run.peak_memory_mb,
    }


def _threads(asked: Pipeline, questions: Sequence[str]) -> dict[str, float]:
    """The same questions, asked by so many threads at once, in turns; the median of five rounds."""
    rates: dict[int, list[float]] = {count: [] for count in _THREADS}
    for _ in range(_ROUNDS):
        for count in _THREADS:
            start = time.perf_counter()
            with ThreadPoolExecutor(count) as pool:
                for _answer in pool.map(lambda text: asked.ask(Question(text)), questions):
                    pass
            rates[count].append(len(questions) / (time.perf_counter() - start))
    return {str(count): round(statistics.median(found), 3) for count, found in rates.items()}
