"""Ask every case through the product's own pipeline, and score what a person would have seen."""

from __future__ import annotations

import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bri_qa.errors import CaseError, QuestionError
from bri_qa.evaluation import metrics
from bri_qa.evaluation.cases import Case
from bri_qa.evaluation.checkpoint import Journal, answer_of
from bri_qa.evaluation.sample import Row, Sample
from bri_qa.evaluation.scores import Verdict, answer_scores, lacking_in, retrieval_scores, statement_scores, verdict
from bri_qa.render import as_json
from bri_qa.types import Answer, Document, Question

Progress = Callable[[int, int], None]


class Pipeline(Protocol):
    """What is asked of `bri_qa.pipeline.QAPipeline`."""

    def ask(self, question: Question) -> Answer: ...
    def document(self, document_id: str) -> Document | None: ...
    def documents(self) -> Sequence[Document]: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer, the contract's answer object of it, and the seconds it took."""

    answer: Answer
    shown: Mapping[str, Any]
    seconds: float


@dataclass(frozen=True, slots=True)
class Record:
    """One case asked: the answer, the seconds it took, the scores that apply and the verdict.

    `unproven` are the numbers, names and dates of statements that do not stand in their quotes.
    """

    case: Case
    asked: Asked
    scores: dict[str, float]
    verdict: Verdict
    unproven: tuple[str, ...] = ()

    @property
    def answer(self) -> Answer:
        return self.asked.answer

    @property
    def seconds(self) -> float:
        return self.asked.seconds

    @property
    def row(self) -> Row:
        """What the case adds to the metrics, as a reader of `cases.jsonl` finds it."""
        return Row(
            scores=self.scores,
            answerable=self.case.answerable,
            abstained=self.answer.abstained,
            right=self.verdict is Verdict.OK,
            confidence=float(self.asked.shown["confidence"]),
            citations=len(self.answer.citations),
            seconds=self.seconds,
        )

    def as_json(self) -> dict[str, Any]:
        """A line of `cases.jsonl`: the case with its evidence located, the contract's answer object, the scores."""
        case = self.case
        return {
            "id": case.id,
            "kind": case.kind,
            "tags": list(case.tags),
            **({} if case.split is None else {"split": case.split}),
            "verdict": self.verdict.value,
            "question": case.question.text,
            "history": [{"role": turn.role, "text": turn.text} for turn in case.question.history],
            "answers": list(case.answers),
            "evidence": [
                {
                    "document_id": item.document_id,
                    "quote": item.quote,
                    "places": [{"start": span.start, "end": span.end} for span in item.spans],
                }
                for item in case.evidence
            ],
            "scores": rounded(self.scores),
            "unproven": list(self.unproven),
            "seconds": self.seconds,
            "answer": dict(self.asked.shown),
        }


@dataclass(frozen=True, slots=True)
class Run:
    """Every case asked once, in the order of the file.

    `peak_memory_mb` is of the process that ended the run; `resumed` counts the answers that a journal held.
    """

    records: tuple[Record, ...]
    peak_memory_mb: float | None = None
    resumed: int = 0

    @property
    def summary(self) -> dict[str, float]:
        """The metrics that apply, over all cases, in the order of `METRICS`."""
        memory = {} if self.peak_memory_mb is None else {"peak_memory_mb": self.peak_memory_mb}
        return _ordered(summarised(self.records) | memory)

    @property
    def by_kind(self) -> dict[str, tuple[Record, ...]]:
        """The records of each kind, kinds in alphabetical order."""
        return self._grouped(lambda case: [case.kind])

    @property
    def by_tag(self) -> dict[str, tuple[Record, ...]]:
        """The records of each tag; one with several tags stands under each."""
        return self._grouped(lambda case: case.tags)

    @property
    def by_document(self) -> dict[str, tuple[Record, ...]]:
        """The records with gold evidence in each document."""
        return self._grouped(lambda case: [item.document_id for item in case.evidence])

    @property
    def by_split(self) -> dict[str, tuple[Record, ...]]:
        """The records of each split that cases name."""
        return self._grouped(lambda case: [] if case.split is None else [case.split])

    def _grouped(self, names: Callable[[Case], Sequence[str]]) -> dict[str, tuple[Record, ...]]:
        groups: dict[str, list[Record]] = {}
        for record in self.records:
            for name in dict.fromkeys(names(record.case)):
                groups.setdefault(name, []).append(record)
        return {name: tuple(groups[name]) for name in sorted(groups)}


def run(
    pipeline: Pipeline, cases: Sequence[Case], progress: Progress | None = None, journal: Journal | None = None
) -> Run:
    """Ask each of `cases` (at least one) once. `progress(done, total)` is told after each.

    The longest question is asked once before, so that loading models is in no latency. Answers that `journal` holds
    are taken from it; the others are put down there as they are given.

    Raises:
        CaseError: the product refuses a question; the message names the case.
        InputError: the journal cannot be written.
    """
    held = {} if journal is None else journal.held
    missing = [case for case in cases if case.id not in held]
    if missing:
        _asked(pipeline, max(missing, key=lambda case: len(case.question.text)))
    asked: list[Asked] = []
    for case in cases:
        if case.id in held:
            saved = held[case.id]
            asked.append(Asked(answer_of(case.question, saved.answer), saved.answer, saved.seconds))
        else:
            asked.append(_asked(pipeline, case))
            if journal is not None:
                journal.add(case.id, asked[-1].shown, asked[-1].seconds)
        if progress is not None:
            progress(len(asked), len(cases))
    ranks = retrieval_scores(cases, [item.answer for item in asked])
    records = (
        _record(case, item, found | answer_scores(case, item.answer, pipeline.document))
        for case, item, found in zip(cases, asked, ranks, strict=True)
    )
    return Run(tuple(records), _peak_memory_mb(), len(cases) - len(missing))


def _asked(pipeline: Pipeline, case: Case) -> Asked:
    start = time.perf_counter()
    try:
        answer = pipeline.ask(case.question)
    except QuestionError as error:
        raise CaseError(f"case {case.id!r} cannot be asked: {error}") from error
    seconds = time.perf_counter() - start
    return Asked(answer, as_json(answer), round(seconds, 6))


def _record(case: Case, asked: Asked, scores: dict[str, float]) -> Record:
    lacking = list(lacking_in(asked.answer))
    unproven = tuple(words for found in lacking for words in found)
    ordered = _ordered(scores | statement_scores(lacking))
    return Record(case, asked, ordered, verdict(case, asked.answer, scores), unproven)


def _peak_memory_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


def _ordered(scores: dict[str, float]) -> dict[str, float]:
    return {name: scores[name] for name in metrics.METRICS if name in scores}


def rounded(scores: Mapping[str, float]) -> dict[str, float]:
    """To six places, for files."""
    return {name: round(value, 6) for name, value in scores.items()}


def sample_of(records: Sequence[Record]) -> Sample:
    return Sample([record.row for record in records])


def summarised(records: Sequence[Record]) -> dict[str, float]:
    """The metrics that apply to `records`: means over the cases they apply to, and those of the set as a whole."""
    return sample_of(records).summary


def counts(records: Sequence[Record]) -> dict[str, Any]:
    """How many cases, of which sort, with which verdicts (those that occur, in the order of `Verdict`)."""
    verdicts = Counter(record.verdict for record in records)
    return {
        "cases": len(records),
        "answerable": sum(record.case.answerable for record in records),
        "unanswerable": sum(not record.case.answerable for record in records),
        "abstained": sum(record.answer.abstained for record in records),
        "verdicts": {verdict.value: verdicts[verdict] for verdict in Verdict if verdicts[verdict]},
    }
