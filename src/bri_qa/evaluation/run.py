"""Ask every case through the product's own pipeline, and score what a person would have seen."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bri_qa.errors import CaseError, QuestionError
from bri_qa.evaluation import metrics
from bri_qa.evaluation.cases import Case
from bri_qa.evaluation.scores import Verdict, answer_scores, retrieval_scores, verdict
from bri_qa.render import as_json
from bri_qa.types import Answer, Document, Question

Progress = Callable[[int, int], None]


class Pipeline(Protocol):
    """What is asked of `bri_qa.pipeline.QAPipeline`."""

    def ask(self, question: Question) -> Answer: ...
    def document(self, document_id: str) -> Document | None: ...
    def documents(self) -> Sequence[Document]: ...


@dataclass(frozen=True, slots=True)
class Record:
    """One case asked: the answer, the seconds it took, the scores that apply and the verdict."""

    case: Case
    answer: Answer
    seconds: float
    scores: dict[str, float]
    verdict: Verdict

    def as_json(self) -> dict[str, Any]:
        """A line of `cases.jsonl`: the case with its evidence located, the contract's answer object, the scores."""
        case = self.case
        return {
            "id": case.id,
            "kind": case.kind,
            "tags": list(case.tags),
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
            "seconds": round(self.seconds, 6),
            "answer": as_json(self.answer),
        }


@dataclass(frozen=True, slots=True)
class Run:
    """Every case asked once, in the order of the file."""

    records: tuple[Record, ...]

    @property
    def summary(self) -> dict[str, float]:
        """The metrics that apply, over all cases, in the order of `METRICS`."""
        return summarised(self.records)

    @property
    def by_kind(self) -> dict[str, tuple[Record, ...]]:
        """The records of each kind, kinds in alphabetical order."""
        kinds = sorted({record.case.kind for record in self.records})
        return {kind: tuple(record for record in self.records if record.case.kind == kind) for kind in kinds}


def run(pipeline: Pipeline, cases: Sequence[Case], progress: Progress | None = None) -> Run:
    """Ask each of `cases` (at least one) once. `progress(done, total)` is told after each.

    The longest question is asked once before, so that loading models is in no latency.

    Raises:
        CaseError: the product refuses a question; the message names the case.
    """
    asked: list[tuple[Answer, float]] = []
    _asked(pipeline, max(cases, key=lambda case: len(case.question.text)))
    for case in cases:
        asked.append(_asked(pipeline, case))
        if progress is not None:
            progress(len(asked), len(cases))
    ranks = retrieval_scores(cases, [answer for answer, _ in asked])
    return Run(
        tuple(
            _record(case, answer, seconds, found | answer_scores(case, answer, pipeline.document))
            for case, (answer, seconds), found in zip(cases, asked, ranks, strict=True)
        )
    )


def _asked(pipeline: Pipeline, case: Case) -> tuple[Answer, float]:
    start = time.perf_counter()
    try:
        answer = pipeline.ask(case.question)
    except QuestionError as error:
        raise CaseError(f"case {case.id!r} cannot be asked: {error}") from error
    return answer, time.perf_counter() - start


def _record(case: Case, answer: Answer, seconds: float, scores: dict[str, float]) -> Record:
    return Record(case, answer, seconds, _ordered(scores), verdict(case, answer, scores))


def _ordered(scores: dict[str, float]) -> dict[str, float]:
    return {name: scores[name] for name in metrics.METRICS if name in scores}


def rounded(scores: dict[str, float]) -> dict[str, float]:
    """To six places, for files."""
    return {name: round(value, 6) for name, value in scores.items()}


def summarised(records: Sequence[Record]) -> dict[str, float]:
    """The metrics that apply to `records`: means over the cases they apply to, and those of the set as a whole."""
    scores: dict[str, float] = {}
    for name in metrics.METRICS:
        values = [record.scores[name] for record in records if name in record.scores]
        if values:
            scores[name] = metrics.mean(values)
    if "citation_validity" in scores:
        cited = [record for record in records if record.answer.citations]
        valid = sum(record.scores["citation_validity"] * len(record.answer.citations) for record in cited)
        scores["citation_validity"] = valid / sum(len(record.answer.citations) for record in cited)
    scores |= metrics.abstention(
        [record.case.answerable for record in records],
        [record.answer.abstained for record in records],
        [record.answer.confidence for record in records],
    )
    return _ordered(scores | metrics.latency([record.seconds for record in records]))


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
