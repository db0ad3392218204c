"""`bri-qa eval`: run eval cases and print the scores; its subcommands stand in files of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bri_qa.cli.common import FAILED, AsJson, Corpus, Index, app, built, pipeline_of, progress_bar, say, settings_of

group = typer.Typer(rich_markup_mode=None)
app.add_typer(group, name="eval", short_help="Run eval cases and print the scores.")


@group.callback(invoke_without_command=True)
def evaluate_cases(
    context: typer.Context,
    cases: Annotated[Path, typer.Option("--cases", help="File of cases, JSON lines.")] = Path("eval/cases/dev.jsonl"),
    corpus: Corpus = None,
    index: Index = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="Folder to write run.json and cases.jsonl to.")
    ] = None,
    baseline: Annotated[Path | None, typer.Option("--baseline", help="Gates to hold the scores to.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run eval cases through the product and print the scores; exit 1 when a gate of the baseline is missed."""
    if context.invoked_subcommand is not None:
        return
    from bri_qa.compose import identity_card
    from bri_qa.evaluation import evaluate

    settings = settings_of(corpus_dir=corpus, index_dir=index)
    with built(settings, corpus is not None) as usable, progress_bar("Asking") as progress:
        card, pipeline = identity_card(usable), pipeline_of(usable)
        outcome = evaluate(pipeline, cases, report=report, baseline=baseline, identity=card, progress=progress)
    say(json.dumps(outcome.as_json(), ensure_ascii=False, indent=1) if as_json else outcome.text())
    if outcome.missed:
        raise typer.Exit(FAILED)
