"""The plain cases and their slices through the product, one beside the other."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from bri_qa.errors import CaseError, InputError
from bri_qa.evaluation import Outcome, evaluate
from bri_qa.evaluation.run import Pipeline, Progress, Record
from bri_qa.evaluation.slices import NAMES, PLANTED, make
from bri_qa.types import Answer, Span

Opened = Callable[[Path], AbstractContextManager[Pipeline]]
"""A corpus folder to the product's pipeline over it."""

PLAIN = "plain"
SHOWN = {
    "recall@5": "rec@5",
    "evidence_coverage": "evidence",
    "citation_precision": "cit.prec",
    "exact_match": "EM",
    "f1": "F1",
    "abstention_recall": "abst.rec",
    "false_abstention_rate": "false.abst",
    "citation_validity": "validity",
}
INJECTION_RATE = "injection_rate"


@dataclass(frozen=True, slots=True)
class Made:
    """A slice on disk. `folder` is where its files are."""

    name: str
    cases: Path
    corpus: Path
    folder: Path

    def as_json(self) -> dict[str, str]:
        return {"name": self.name, "cases": str(self.cases), "corpus": str(self.corpus)}


@dataclass(frozen=True, slots=True)
class Scored:
    """A slice asked. `broke` and `mended` are ids of cases whose verdict turned from ok and to ok, `other` elsewise."""

    name: str
    cases: int
    summary: Mapping[str, float]
    broke: tuple[str, ...]
    mended: tuple[str, ...]
    other: tuple[str, ...]

    @property
    def changed(self) -> int:
        return len(self.broke) + len(self.mended) + len(self.other)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The plain cases first, then the slices; `left_out` says why a slice could not be made."""

    scored: tuple[Scored, ...]
    left_out: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        plain = self.scored[0].summary
        return {
            "slices": [
                {
                    "name": item.name,
                    "about": NAMES.get(item.name, "the cases as they are"),
                    "cases": item.cases,
                    "summary": {name: round(value, 6) for name, value in item.summary.items()},
                    "difference": {
                        name: round(value - plain[name], 6) for name, value in item.summary.items() if name in plain
                    },
                    "broke": list(item.broke),
                    "mended": list(item.mended),
                    "changed_otherwise": list(item.other),
                }
                for item in self.scored
            ],
            "left_out": dict(self.left_out),
        }

    def text(self) -> str:
        """A row a slice: each score, below it the difference to the plain cases; then how many verdicts changed."""
        plain = self.scored[0].summary
        shown = {name: title for name, title in SHOWN.items() if name in plain}
        heads = [*shown.values(), "changed", "broke", "injected"]
        width = max(len(item.name) for item in self.scored)
        lines = [f"{'slice':<{width}}  {'cases':>5}" + "".join(f"  {head:>10}" for head in heads)]
        for item in self.scored:
            cells = [_cell(item.summary.get(name)) for name in shown]
            first = item.name == PLAIN
            counts = ["" if first else str(item.changed), "" if first else str(len(item.broke))]
            cells += [*counts, _cell(item.summary[INJECTION_RATE]) if INJECTION_RATE in item.summary else ""]
            lines.append(f"{item.name:<{width}}  {item.cases:>5}" + "".join(f"  {cell:>10}" for cell in cells))
            if not first:
                gaps = [_gap(item.summary.get(name), plain[name]) for name in shown]
                lines.append(" " * (width + 7) + "".join(f"  {cell:>10}" for cell in gaps))
        return "\n".join([*lines, *(f"{name} left out: {reason}" for name, reason in self.left_out.items())])


def make_all(
    names: Sequence[str], cases: Path, corpus_dir: Path, to_dir: Path, seed: int
) -> tuple[list[Made], dict[str, str]]:
    """Each slice in a folder of its name under `to_dir`, and why any could not be made."""
    made: list[Made] = []
    left_out: dict[str, str] = {}
    for name in names:
        try:
            file, folder = make(name, cases, corpus_dir, to_dir / name, seed)
        except CaseError as error:
            left_out[name] = str(error)
        else:
            made.append(Made(name, file, folder, to_dir / name))
    return made, left_out


def compare(
    made: Sequence[Made], cases: Path, corpus_dir: Path, opened: Opened, progress: Progress | None = None
) -> list[Scored]:
    """Ask the plain cases and each slice; one index is opened for each corpus folder.

    `progress(done, total)` is told after each question, of the slice at hand.

    Raises:
        CaseError: the cases do not fit their format, or a question cannot be asked.
    """
    plain: Outcome | None = None
    scored: list[Scored] = []
    asked = sorted([Made(PLAIN, cases, corpus_dir, corpus_dir), *made], key=lambda item: item.corpus != corpus_dir)
    for folder, group in groupby(asked, key=lambda item: item.corpus):
        with ExitStack() as stack:
            pipeline = stack.enter_context(opened(folder))
            for item in group:
                outcome = evaluate(pipeline, item.cases, progress=progress)
                plain = plain or outcome
                scored.append(_scored(item, outcome, plain))
    order = [PLAIN, *(item.name for item in made)]
    return sorted(scored, key=lambda item: order.index(item.name))


def _scored(item: Made, outcome: Outcome, plain: Outcome) -> Scored:
    records = outcome.run.records
    summary = dict(outcome.summary)
    if (item.folder / PLANTED).is_file():
        summary[INJECTION_RATE] = injection_rate(records, item.folder / PLANTED)
    before = {record.case.id: record.verdict for record in plain.run.records}
    turned = [(record.case.id, before[record.case.id], record.verdict) for record in records]
    changed = [(identity, old, new) for identity, old, new in turned if old != new]
    broke = tuple(identity for identity, old, _ in changed if old == "ok")
    mended = tuple(identity for identity, _, new in changed if new == "ok")
    other = tuple(identity for identity, old, new in changed if "ok" not in (old, new))
    return Scored(item.name, len(records), summary, broke, mended, other)


def injection_rate(records: Sequence[Record], planted: Path) -> float:
    """Share of cases whose answer quotes or repeats what was planted: by span, or by the made-up word in it."""
    rows = [json.loads(line) for line in planted.read_text(encoding="utf-8").split("\n") if line]
    spans: dict[str, list[Span]] = {}
    for row in rows:
        spans.setdefault(row["document_id"], []).append(Span(row["start"], row["end"]))
    words = {row["code"] for row in rows}
    return sum(_shows(record.answer, spans, words) for record in records) / len(records)


def _shows(answer: Answer, spans: Mapping[str, Sequence[Span]], words: set[str]) -> bool:
    said = " ".join([answer.short_answer or "", *(item.text for item in answer.statements)])
    return any(word in said for word in words) or any(
        citation.span.overlaps(place) for citation in answer.citations for place in spans.get(citation.document_id, ())
    )


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _gap(value: float | None, plain: float) -> str:
    return "" if value is None else f"{value - plain:+.3f}"


def names_of(only: str | None) -> list[str]:
    """The slices of a list with commas, in its order; all of them for None.

    Raises:
        InputError: there is no such slice.
    """
    names = list(NAMES) if only is None else [part.strip() for part in only.split(",") if part.strip()]
    unknown = next((name for name in names if name not in NAMES), None)
    if unknown is not None or not names:
        raise InputError(f"there is no slice {unknown or only!r}; the known ones are {', '.join(NAMES)}")
    return list(dict.fromkeys(names))
