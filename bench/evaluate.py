"""`bri-qa eval` over many cases: the suite's own time beside the time of the models.

5,000 cases over 10,000 passages, or as many cases as `--cases` says over twice as many passages. First with answers
that cost nothing, so that all is the suite's own time; then with the real pipeline, and with several threads asking it.
One that was killed goes on where it was when it is given again.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

from bench.texts import many_passages
from bench.unfinished import Clock, Unfinished
from bri_qa.compose import identity_card, pipeline, refresh
from bri_qa.evaluation import Plan, carry_out, checkpoint
from bri_qa.evaluation.run import Pipeline
from bri_qa.settings import Settings
from bri_qa.types import Answer, Citation, CitedStatement, Document, Hit, Passage, Question, Source, Span, Trace

CASES = 5_000
_TOGETHER = 10  # passages of a document
_THREADS = (1, 2, 4)
_ROUNDS = 5


def measure(quick: bool, cases: int | None = None, fresh: bool = False) -> dict[str, Any]:
    """Seconds of whole runs, of asking alone and of the rest; questions a second by threads."""
    count = cases or (20 if quick else CASES)
    texts = many_passages(2 * count)
    documents = [_document(start, texts[start : start + _TOGETHER]) for start in range(0, len(texts), _TOGETHER)]
    lines = [_case(number, documents) for number in range(count)]
    kept = Unfinished.open(f"evaluate-{count}", fresh)
    file = kept.folder / "cases.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    free = kept.part("free", lambda: _timed(file, kept.folder / "free", Instant(documents, lines), {}))
    kept.part("corpus", lambda: _written(kept.folder / "corpus", documents))
    settings = Settings.load({}, corpus_dir=kept.folder / "corpus", index_dir=kept.folder / "index")
    refresh(settings).run()
    asked = pipeline(settings)
    real = kept.part("real", lambda: _timed(file, kept.folder / "real", asked, identity_card(settings)))
    files = [file for file in sorted((kept.folder / "real").iterdir()) if file.name != checkpoint.NAME]
    sizes = {file.name: file.stat().st_size for file in files}
    threads = kept.part("threads", lambda: _threads(asked, [line["question"] for line in lines[: min(count, 50)]]))
    kept.finish()
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


def _written(folder: Path, documents: Sequence[Document]) -> int:
    folder.mkdir(exist_ok=True)
    for item in documents:
        (folder / f"{item.id}.txt").write_text(item.text, encoding="utf-8")
    return len(documents)


def _timed(cases: Path, report: Path, pipeline: Pipeline, identity: Mapping[str, Any]) -> dict[str, Any]:
    """A whole run, in as many processes as it took. `seconds` are those of each answer once and all the suite's own.

    The question that each process asks first, so that models are loaded, is in neither.
    """
    clock = Clock(pipeline, report.with_name(f"{report.name}-spent"))

    def progress(done: int, total: int) -> None:
        clock.tick()
        if done % 50 == 0 or done == total:
            print(f"{report.name}: {done} of {total}", file=sys.stderr, flush=True)

    outcome = carry_out(Plan(cases, report=report, keep_journal=True), clock, identity, progress)
    clock.tick()
    spent = clock.every()
    asking = sum(record.seconds for record in outcome.run.records)
    suite = sum(item.beside for item in spent)
    return {
        "seconds": round(asking + suite, 2),
        "asking_seconds": round(asking, 2),
        "suite_seconds": round(suite, 2),
        "suite_ms_per_case": round(1000 * suite / len(outcome.run.records), 2),
        "cpu_seconds": round(sum(item.cpu for item in spent), 2),
        "suite_share": round(suite / (asking + suite), 4),
        "peak_memory_mb": outcome.run.peak_memory_mb,
        "processes": len(spent),
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
