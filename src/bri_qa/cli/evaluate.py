"""`bri-qa eval`: run eval cases and print the scores; its subcommands stand in files of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bri_qa.cli.common import FAILED, AsJson, Corpus, Index, app, progress_bar, say, settings_of

group = typer.Typer(rich_markup_mode=None)
app.add_typer(group, name="eval", short_help="Run eval cases and print the scores.")

Gates = Annotated[
    list[str] | None,
    typer.Option(
        "--gate", metavar="METRIC", help="Metric that fails a comparison if it is worse; default: all scores."
    ),
]
Margin = Annotated[float, typer.Option("--margin", help="How much worse a metric may be in a comparison.")]


@group.callback(invoke_without_command=True)
def evaluate_cases(
    context: typer.Context,
    cases: Annotated[
        Path, typer.Option("--cases", help="File of cases: JSON lines, SQuAD, CSV; or a BEIR folder.")
    ] = Path("eval/cases/dev.jsonl"),
    corpus: Corpus = None,
    index: Index = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="Folder for the report; a run that was stopped goes on there.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw away an unfinished run in the report folder.")] = False,
    baseline: Annotated[Path | None, typer.Option("--baseline", help="Gates to hold the scores to.")] = None,
    write_baseline: Annotated[
        Path | None, typer.Option("--write-baseline", help="File to write gates to that hold later runs to this one.")
    ] = None,
    against: Annotated[
        Path | None, typer.Option("--against", metavar="RUN_DIR", help="Another run's report folder, to compare with.")
    ] = None,
    gates: Gates = None,
    margin: Margin = 0.0,
    vary: Annotated[
        list[str] | None,
        typer.Option("--vary", metavar="SETTING=VALUES", help="Run once for each value: retrieval=dense,lexical."),
    ] = None,
    skip_drafts: Annotated[
        bool, typer.Option("--skip-drafts", help="Leave out drafts instead of refusing the file.")
    ] = False,
    junit: Annotated[Path | None, typer.Option("--junit", help="File to write JUnit XML to.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run eval cases through the product and print the scores.

    Exit 1 when a gate of the baseline is missed, or when a metric is worse than in the run it is compared with.
    """
    if context.invoked_subcommand is not None:
        return
    from bri_qa.evaluation import Plan, Policy, perform

    plan = Plan(
        cases=cases,
        report=report,
        baseline=baseline,
        against=against,
        policy=Policy(tuple(gates or ()), margin),
        fresh=fresh,
        vary=tuple(vary or ()),
        junit=junit,
        write_baseline=write_baseline,
        skip_drafts=skip_drafts,
    )
    settings = settings_of(corpus_dir=corpus, index_dir=index)
    with progress_bar("Asking") as progress:
        result = perform(plan, settings, from_corpus=corpus is not None, progress=progress)
    say(json.dumps(result.json, ensure_ascii=False, indent=1, default=str) if as_json else result.text)
    if result.failed:
        raise typer.Exit(FAILED)
