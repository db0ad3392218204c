"""Cases asked, scored, held to gates and to another run, and put down in files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bri_qa.evaluation import cases, checkpoint, gate
from bri_qa.evaluation.cases import CaseFile
from bri_qa.evaluation.compare import Comparison, Policy, compare
from bri_qa.evaluation.gate import Check
from bri_qa.evaluation.report import as_json, open_folder, render, table, write
from bri_qa.evaluation.report.saved import RunFile, SavedCase, SavedRun, open_run
from bri_qa.evaluation.run import Pipeline, Progress, Run, summarised
from bri_qa.evaluation.run import run as ask_all


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run and what to hold it to; `vary`, `junit` and `write_baseline` are for `bri_qa.evaluation.command`.

    `report` is a folder for the files of the run and its journal; `baseline` a file with gates; `against` the folder
    of another run, judged by `policy`; `fresh` throws away an unfinished run in `report`;
    `skip_drafts` leaves out cases that are not completed; `keep_journal` leaves the answers put down in `report` there,
    as those of one run of several.
    """

    cases: Path
    report: Path | None = None
    baseline: Path | None = None
    against: Path | None = None
    policy: Policy = field(default_factory=Policy)
    fresh: bool = False
    vary: tuple[str, ...] = ()
    junit: Path | None = None
    write_baseline: Path | None = None
    skip_drafts: bool = False
    keep_journal: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run with what it was run on; `missed` has one line for each gate that it missed, `checks` all gates."""

    run: Run
    cases_file: CaseFile
    identity: Mapping[str, Any]
    missed: tuple[str, ...]
    checks: tuple[Check, ...] = ()
    comparison: Comparison | None = None

    @property
    def failed(self) -> bool:
        """Whether a gate is missed, or the comparison shows a loss that gates."""
        return bool(self.missed) or (self.comparison is not None and self.comparison.failed)

    @property
    def summary(self) -> dict[str, float]:
        """The metrics that apply, over all cases; an absent metric applies to none."""
        return self.run.summary

    @property
    def by_kind(self) -> dict[str, dict[str, float]]:
        return {kind: summarised(records) for kind, records in self.run.by_kind.items()}

    def as_json(self) -> dict[str, Any]:
        """What `run.json` holds, less the hashes of the files beside it."""
        return {**self.heading, **as_json(self.run)}

    @property
    def heading(self) -> dict[str, Any]:
        """What was run on what, which gates were missed, and how it compares."""
        file = {"name": self.cases_file.name, "sha256": self.cases_file.sha256}
        heading: dict[str, Any] = {"cases_file": file, "identity": dict(self.identity), "gates": len(self.checks)}
        heading["missed"] = list(self.missed)
        if self.run.resumed:
            heading["resumed"] = self.run.resumed
        return heading if self.comparison is None else heading | {"comparison": self.comparison.as_json()}

    def saved(self, name: str = "this run") -> SavedRun:
        """The run as a reader of its files finds it, without the articles."""
        lines = tuple(SavedCase.model_validate(record.as_json()) for record in self.run.records)
        counted = {"cases_file": self.heading["cases_file"], "identity": dict(self.identity), "summary": self.summary}
        return SavedRun(Path(name), RunFile.model_validate(counted), lines, {})

    def text(self) -> str:
        """The tables for a terminal, the comparison, and the gates that were missed or that all held."""
        lines = [table(self.run)]
        if self.run.resumed:
            lines += ["", f"{self.run.resumed} answers were taken from the unfinished run in the report folder"]
        if self.comparison is not None:
            lines += ["", self.comparison.text()]
        if self.missed:
            lines += ["", "missed gates:", *(f"  {line}" for line in self.missed)]
        elif self.checks:
            lines += ["", f"gates held: all {len(self.checks)}"]
        return "\n".join(lines)


def carry_out(
    plan: Plan, pipeline: Pipeline, identity: Mapping[str, Any] | None = None, progress: Progress | None = None
) -> Outcome:
    """Ask every case of `plan.cases` through `pipeline`, score the answers and write the report.

    `identity` says what the run is of (settings, models, manifest), recorded as given; `progress(done, total)` is told
    after each case. Files are checked before the first question is asked. With a report folder, answers are put down
    there as they are given, and an unfinished run of the same cases, identity and code goes on where it stopped.

    Raises:
        CaseError: the cases or the baseline do not fit their format, or a question cannot be asked.
        InputError: the report cannot be written, holds an unfinished run of something else, or the other run cannot be
            read.
    """
    gates = None if plan.baseline is None else gate.load(plan.baseline)
    before = None if plan.against is None else open_run(plan.against)
    asked = cases.load(plan.cases, pipeline.document, pipeline.documents, skip_drafts=plan.skip_drafts)
    journal = None
    if plan.report is not None:
        open_folder(plan.report)
        configuration = {"cases": asked.sha256, "identity": identity, "program": checkpoint.program()}
        journal = checkpoint.Journal.open(plan.report, configuration, fresh=plan.fresh)
    try:
        done = ask_all(pipeline, asked.cases, progress, journal)
        checks = tuple(gate.checks(done.summary, gates)) if gates else ()
        missed = tuple(check.missed for check in checks if check.missed is not None)
        outcome = Outcome(done, asked, identity or {}, missed, checks)
        if before is not None:
            outcome = replace(outcome, comparison=against(before, outcome, plan.policy))
        if plan.report is not None:
            write(plan.report, done, outcome.heading, pipeline.document)
        if plan.report is not None and plan.against is not None:
            render(plan.report, plan.against)
        if journal is not None and not plan.keep_journal:
            journal.finish()
    finally:
        if journal is not None:
            journal.close()
    return outcome


def against(before: SavedRun, outcome: Outcome, policy: Policy) -> Comparison:
    """The run just done against a saved one."""
    return replace(compare(before, outcome.saved(), policy), after="this run")


def evaluate(
    pipeline: Pipeline,
    cases_file: Path,
    *,
    report: Path | None = None,
    baseline: Path | None = None,
    identity: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Ask every case of `cases_file` through `pipeline` and score the answers: `carry_out` of a plain plan."""
    return carry_out(Plan(cases_file, report, baseline), pipeline, identity, progress)
