"""The eval suite: runs cases through the product's own pipeline, and nothing deeper.

`evaluate` is all that a caller needs; `baseline_of` turns the summary of a run into a baseline file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bri_qa.evaluation import cases, gate
from bri_qa.evaluation.cases import CaseFile
from bri_qa.evaluation.gate import baseline_of
from bri_qa.evaluation.report import as_json, open_folder, table, write
from bri_qa.evaluation.run import Pipeline, Progress, Run, summarised
from bri_qa.evaluation.run import run as ask_all

__all__ = ["Outcome", "Pipeline", "Progress", "baseline_of", "evaluate"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run with what it was run on; `missed` has one line for each gate that it missed."""

    run: Run
    cases_file: CaseFile
    identity: Mapping[str, Any]
    missed: tuple[str, ...]

    @property
    def summary(self) -> dict[str, float]:
        """The metrics that apply, over all cases; an absent metric applies to none."""
        return self.run.summary

    @property
    def by_kind(self) -> dict[str, dict[str, float]]:
        return {kind: summarised(records) for kind, records in self.run.by_kind.items()}

    def as_json(self) -> dict[str, Any]:
        """What `run.json` holds, less the hash of the file beside it."""
        return {**self.heading, **as_json(self.run)}

    @property
    def heading(self) -> dict[str, Any]:
        """What was run on what, and which gates were missed."""
        file = {"name": self.cases_file.name, "sha256": self.cases_file.sha256}
        return {"cases_file": file, "identity": dict(self.identity), "missed": list(self.missed)}

    def text(self) -> str:
        """The tables for a terminal, and the missed gates if any."""
        lines = [table(self.run)]
        if self.missed:
            lines += ["", "missed gates:", *(f"  {line}" for line in self.missed)]
        return "\n".join(lines)


def evaluate(
    pipeline: Pipeline,
    cases_file: Path,
    *,
    report: Path | None = None,
    baseline: Path | None = None,
    identity: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Ask every case of `cases_file` through `pipeline` and score the answers.

    `report` is a folder for `run.json` and `cases.jsonl`; `baseline` a file with gates; `identity` what the run is
    of (settings, models, manifest), recorded as given; `progress(done, total)` is told after each case. Files are
    checked before the first question is asked.

    Raises:
        CaseError: the cases or the baseline do not fit their format, or a question cannot be asked.
        InputError: the report cannot be written.
    """
    gates = None if baseline is None else gate.load(baseline)
    asked = cases.load(cases_file, pipeline.document, pipeline.documents)
    if report is not None:
        open_folder(report)
    done = ask_all(pipeline, asked.cases, progress)
    outcome = Outcome(done, asked, identity or {}, tuple(gate.missed(done.summary, gates)) if gates else ())
    if report is not None:
        write(report, done, outcome.heading, pipeline.document)
    return outcome
