"""`bri-qa eval` over many cases: the suite's own time beside the time of the models.

5,000 cases over 10,000 passages, or as many cases as `--cases` says over about twice as many passages. First with
answers that cost nothing, so that all is the suite's own time; then with the real pipeline, and with several threads
asking it. One that was killed goes on where it was when it is given again.
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
from bri_qa.types import (
    AbstainReason,
    Answer,
    Citation,
    CitedStatement,
    Document,
    Hit,
    Passage,
    Question,
    Source,
    Span,
    Trace,
)

CASES = 5_000
_TOGETHER = 10  # texts of a document
_WORDS = 50  # of a text; of longer ones many would be cut in two
_TEXTS = 2.6  # a case: 77 of 100 are a passage of their own, which makes two passages a case
_THREADS = (1, 2, 4)
_QUESTIONS, _ROUNDS = 20, 3  # that several threads ask


def measure(quick: bool, cases: int | None = None, fresh: bool = False) -> dict[str, Any]:
    """Seconds of whole runs, of asking alone and of the rest; questions a second by threads."""
    count = cases or (20 if quick else CASES)
    texts = [" ".join(text.split(" ")[:_WORDS]) for text in many_passages(round(_TEXTS * count))]
    documents = [_document(start, texts[start : start + _TOGETHER]) for start in range(0, len(texts), _TOGETHER)]
    lines = [_case(number, documents) for number in range(count)]
    kept = Unfinished.open(f"evaluate-{count}", fresh)
    file = kept.folder / "cases.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    free = kept.part("free", lambda: _timed(file, kept.folder / "free", Instant(documents, lines), {}))
    kept.part("corpus", lambda: _written(kept.folder / "corpus", documents))
    settings = Settings.load({}, corpus_dir=kept.folder / "corpus", index_dir=kept.folder / "index")
    index = kept.part("index", lambda: _built(settings))
    asked = pipeline(settings)
    real = kept.part("real", lambda: _timed(file, kept.folder / "real", asked, identity_card(settings)))
    files = [file for file in sorted((kept.folder / "real").iterdir()) if file.name != checkpoint.NAME]
    sizes = {file.name: file.stat().st_size for file in files}
    threads = kept.part("threads", lambda: _threads(asked, [line["question"] for line in lines[:_QUESTIONS]]))
    kept.finish()
    return {
        "cases": count,
        "documents": len(documents),
        **index,
        "free": free,
        "real": real | {"models": dict(asked.models)},
        "bytes": sizes,
        "questions_per_second_by_threads": threads,
    }


class Instant:
    """Answers each case at once with its gold quote, among eight hits, or abstains if it has none."""

    def __init__(self, documents: Sequence[Document], lines: Sequence[dict[str, Any]]) -> None:
        self._by_id = {item.id: item for item in documents}
        self._gold = {line["question"]: line["evidence"][0] for line in lines if "evidence" in line}

    def document(self, document_id: str) -> Document | None:
        return self._by_id.get(document_id)

    def documents(self) -> list[Document]:
        return list(self._by_id.values())

    def ask(self, question: Question) -> Answer:
        gold = self._gold.get(question.text)
        if gold is None:
            return _answer(question, (), next(iter(self._by_id.values())), Span(0, 10))
        item = self._by_id[gold["document_id"]]
        start = item.text.index(gold["quote"])
        span = Span(start, start + len(gold["quote"]))
        return _answer(question, (Citation(1, item.id, span, gold["quote"], item.source, item.sha256),), item, span)


def _answer(question: Question, cited: tuple[Citation, ...], item: Document, span: Span) -> Answer:
    """With eight hits around `span` of `item`; an abstention if nothing is cited."""
    around = Span(max(0, span.start - 300), min(len(item.text), span.end + 300))
    passage = Passage(f"{item.id}#{span.start}", item.id, around, "", around.of(item.text))
    return Answer(
        question=question,
        statements=tuple(CitedStatement(citation.quote, (1,)) for citation in cited),
        citations=cited,
        short_answer=None,
        reason=None if cited else AbstainReason.NOT_STATED,
        message=None if cited else "The articles do not say.",
        confidence=0.5 + span.start % 50 / 100 if cited else 0.1,
        mode="extractive",
        hits=tuple(Hit(passage, 1.0 / rank) for rank in range(1, 9)),
        trace=Trace(question.text, {"read": 0.0}, {"reader": "none"}),
    )


def _document(start: int, texts: Sequence[str]) -> Document:
    text = "\n\n".join((f"Part {start // _TOGETHER}", *texts)) + "\n"
    return Document(f"part-{start:06}", text, Source(text.partition("\n")[0]), sha256(text.encode()).hexdigest())


def _case(number: int, documents: Sequence[Document]) -> dict[str, Any]:
    """Asks in twelve words of a document for these and the twelve after them; each third one in words of twelve
    documents, which together stand nowhere."""
    item = documents[number % len(documents)]
    place = 1 + number // len(documents) % _TOGETHER
    words = item.text.split("\n\n")[place].split(" ")
    line = {"id": str(number), "question": f"What {' '.join(words[22:34])}?", "kind": "there"}
    if number % 3 < 2:
        return line | {"evidence": [{"document_id": item.id, "quote": " ".join(words[22:46])}]}
    texts = [documents[(number * step) % len(documents)].text for step in range(1, 13)]
    drawn = 3 + (number + number // len(documents)) % 40
    mixed = " ".join(text.split(" ")[drawn] for text in texts)
    return line | {"question": f"What {mixed}?", "answers": [], "kind": "nowhere"}


def _written(folder: Path, documents: Sequence[Document]) -> int:
    folder.mkdir(exist_ok=True)
    for item in documents:
        (folder / f"{item.id}.txt").write_text(item.text, encoding="utf-8")
    return len(documents)


def _built(settings: Settings) -> dict[str, Any]:
    """How many passages the index holds; seconds of the build, or of what a killed one left to do."""
    start = time.perf_counter()
    passages = refresh(settings).run().passages
    return {"passages": passages, "index_seconds": round(time.perf_counter() - start, 2)}


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
    """The same questions, asked by so many threads at once, in turns; the median of the rounds."""
    rates: dict[int, list[float]] = {count: [] for count in _THREADS}
    for _ in range(_ROUNDS):
        for count in _THREADS:
            start = time.perf_counter()
            with ThreadPoolExecutor(count) as pool:
                for _answer in pool.map(lambda text: asked.ask(Question(text)), questions):
                    pass
            rates[count].append(len(questions) / (time.perf_counter() - start))
    return {str(count): round(statistics.median(found), 3) for count, found in rates.items()}
