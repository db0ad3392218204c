"""The plain cases and their slices through the product, one beside the other."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any

from bri_qa.errors import CaseError, InputError
from bri_qa.evaluation import Outcome, Plan, Policy, carry_out, checkpoint
from bri_qa.evaluation.compare import findings
from bri_qa.evaluation.report import render, replace_file, saved, sliced
from bri_qa.evaluation.run import Pipeline, Progress, Record
from bri_qa.evaluation.slices import NAMES, PLANTED, make
from bri_qa.evaluation.slices.scored import INJECTION_RATE, PLAIN, Comparison, Scored, Turned
from bri_qa.types import Answer, Span


@dataclass(frozen=True, slots=True)
class Product:
    """The product's pipeline over a corpus folder, and what it is made of."""

    pipeline: Pipeline
    identity: Mapping[str, Any]


Opened = Callable[[Path], AbstractContextManager[Product]]
"""A corpus folder to the product over it."""


@dataclass(frozen=True, slots=True)
class Made:
    """A slice on disk. `folder` is where its files are."""

    name: str
    cases: Path
    corpus: Path
    folder: Path

    def as_json(self) -> dict[str, str]:
        return {"name": self.name, "cases": str(self.cases), "corpus": str(self.corpus)}


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


@dataclass(frozen=True, slots=True)
class Slicing:
    """What to ask: the plain cases and what was made of them, and how to open the product.

    With a `report` folder, the run of the plain cases is written there and that of each slice in `slices/<name>` below;
    one that was stopped goes on where it was, unless it is to be `fresh`.
    """

    plain: Made
    made: Sequence[Made]
    opened: Opened
    report: Path | None = None
    fresh: bool = False

    def plan(self, item: Made) -> Plan:
        return Plan(item.cases, report=self.folder(item), fresh=self.fresh, keep_journal=True)

    def folder(self, item: Made) -> Path | None:
        """Of the item's own report."""
        return self.report if self.report is None or item is self.plain else self.report / sliced.FOLDER / item.name


def compare(slicing: Slicing, left_out: Mapping[str, str], progress: Progress | None = None) -> Comparison:
    """Ask the plain cases and each slice; one index is opened for each corpus folder.

    `progress(done, total)` is told after each question, over all of them. A report shows the slices, too.

    Raises:
        CaseError: the cases do not fit their format, or a question cannot be asked.
        InputError: the report folder cannot be used, or holds an unfinished run of something else.
    """
    plain: Outcome | None = None
    scored: list[Scored] = []
    items = [slicing.plain, *slicing.made]
    asked = sorted(items, key=lambda item: item.corpus != slicing.plain.corpus)
    for folder, group in groupby(asked, key=lambda item: item.corpus):
        with ExitStack() as stack:
            product = stack.enter_context(slicing.opened(folder))
            for item in group:
                part = _part(progress, len(scored), len(items))
                outcome = carry_out(slicing.plan(item), product.pipeline, product.identity, part)
                plain = plain or outcome
                scored.append(_scored(item, outcome, plain))
    order = [item.name for item in items]
    found = Comparison(tuple(sorted(scored, key=lambda item: order.index(item.name))), left_out)
    if slicing.report is not None:
        _reported(slicing, slicing.report, found)
    return found


def _part(progress: Progress | None, place: int, of: int) -> Progress | None:
    return None if progress is None else lambda done, total: progress(place * total + done, of * total)


def _reported(slicing: Slicing, folder: Path, found: Comparison) -> None:
    run = sha256((folder / saved.CASES).read_bytes()).hexdigest()
    text = json.dumps(found.for_report(run), ensure_ascii=False, indent=1)
    replace_file(folder / sliced.FILE, text + "\n")
    render(folder)
    for item in (slicing.plain, *slicing.made):
        own = slicing.folder(item)
        if own is not None:
            (own / checkpoint.NAME).unlink(missing_ok=True)


def _scored(item: Made, outcome: Outcome, plain: Outcome) -> Scored:
    records = outcome.run.records
    summary = dict(outcome.summary)
    if (item.folder / PLANTED).is_file():
        summary[INJECTION_RATE] = injection_rate(records, item.folder / PLANTED)
    before = {record.case.id: record for record in plain.run.records}
    pairs = [(before[record.case.id], record) for record in records]
    rows = [(old.row, new.row) for old, new in pairs]
    turned = tuple(_turned(old, new) for old, new in pairs if old.verdict != new.verdict)
    right = sum(record.row.right for record in records)
    judged = () if item.name == PLAIN else findings(rows, Policy())
    return Scored(item.name, len(records), right, summary, judged, turned)


def _turned(old: Record, new: Record) -> Turned:
    said = str(new.asked.shown["answer"])
    return Turned(new.case.id, old.verdict.value, new.verdict.value, new.case.question.text, said)


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
