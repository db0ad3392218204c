"""All that `bri-qa eval` does: one run or several configurations, their comparison, JUnit and baseline files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bri_qa.compose import identity_card, pipeline
from bri_qa.errors import InputError
from bri_qa.evaluation import gate
from bri_qa.evaluation.junit import Suite, as_xml, suites
from bri_qa.evaluation.outcome import Outcome, Plan, against, carry_out
from bri_qa.evaluation.report import open_folder, render, replace_file
from bri_qa.evaluation.run import Progress
from bri_qa.evaluation.vary import Configuration, Indexes, Varied, check_index, configurations, without_memory
from bri_qa.settings import Settings

COMPARED = "vary.json"


@dataclass(frozen=True, slots=True)
class Result:
    """What to print and whether to fail."""

    text: str
    json: dict[str, Any]
    failed: bool


def perform(plan: Plan, settings: Settings, *, from_corpus: bool, progress: Progress | None = None) -> Result:
    """Carry out `plan` with the product that `settings` describe; `from_corpus` builds its index for this run alone.

    Raises:
        InputError: options that do not go together; a file that cannot be read or written.
        SettingsError: a setting to vary is unknown or out of bounds.
        BriQAError: whatever the product raises when it is opened.
    """
    _checked(plan)
    with Indexes.open() as indexes:
        if plan.vary:
            return _several(plan, settings, indexes if from_corpus else None, progress)
        usable = indexes.usable(settings) if from_corpus else settings
        outcome = carry_out(plan, pipeline(usable), identity_card(usable), progress)
    if plan.write_baseline is not None:
        gate.baseline_of(outcome.summary, plan.write_baseline)
    if plan.junit is not None:
        replace_file(plan.junit, as_xml(_suites(outcome)))
    return Result(outcome.text(), outcome.as_json(), outcome.failed)


def _checked(plan: Plan) -> None:
    if plan.vary and plan.against is not None:
        raise InputError("--vary compares with its first configuration; leave out --against")
    if plan.vary and plan.write_baseline is not None:
        raise InputError("--write-baseline is of one run; leave out --vary")
    for file in (plan.junit, plan.write_baseline):
        if file is not None:
            open_folder(file.parent)


def _several(plan: Plan, settings: Settings, indexes: Indexes | None, progress: Progress | None) -> Result:
    found = configurations(settings, plan.vary)
    if indexes is None:
        check_index(found, settings)
    outcomes: dict[str, Outcome] = {}
    for place, item in enumerate(found):
        usable = item.settings if indexes is None else indexes.usable(item.settings)
        outcome = carry_out(
            _plan_of(plan, item), pipeline(usable), identity_card(usable), _part(progress, place, len(found))
        )
        outcomes[item.name] = without_memory(outcome)
    first, *others = outcomes
    base = outcomes[first].saved()
    comparisons = {
        name: replace(against(base, outcomes[name], plan.policy), before=first, after=name) for name in others
    }
    varied = Varied(outcomes, comparisons)
    if plan.report is not None:
        _reported(plan.report, found, varied)
    if plan.junit is not None:
        every = [
            replace(suite, name=f"{suite.name} [{name}]")
            for name, outcome in outcomes.items()
            for suite in _suites(outcome)
        ]
        replace_file(plan.junit, as_xml(every))
    return Result(varied.text(), varied.as_json(), varied.failed)


def _plan_of(plan: Plan, item: Configuration) -> Plan:
    """The plan for one configuration, which is reported in a folder of its own."""
    return replace(plan, report=None if plan.report is None else plan.report / item.folder)


def _part(progress: Progress | None, place: int, of: int) -> Progress | None:
    """Progress of one run as a part of all."""
    if progress is None:
        return None
    return lambda done, total: progress(place * total + done, of * total)


def _reported(folder: Path, found: Sequence[Configuration], varied: Varied) -> None:
    """The comparisons as a file, and each page shown against the first run."""
    text = json.dumps(varied.as_json()["comparisons"], ensure_ascii=False, indent=2, default=str)
    replace_file(folder / COMPARED, text + "\n")
    for item in found[1:]:
        render(folder / item.folder, folder / found[0].folder)


def _suites(outcome: Outcome) -> list[Suite]:
    return suites(outcome.saved(), outcome.checks, outcome.comparison)
