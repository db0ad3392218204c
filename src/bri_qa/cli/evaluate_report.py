"""`bri-qa eval report`: the report of a run that was saved, made again, alone or against another run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bri_qa.cli.common import say
from bri_qa.cli.evaluate import group


@group.command("report", short_help="Make the report of a saved run again.")
def report_of(
    folder: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="Folder that `eval --report` has written.")],
    against: Annotated[
        Path | None, typer.Option("--against", metavar="RUN_DIR", help="Another run, to show what changed.")
    ] = None,
) -> None:
    """Write report.html and report.md of a saved run into its folder; no question is asked."""
    from bri_qa.evaluation.report import render, size

    for file, count in render(folder, against).items():
        say(f"{file} ({size(count)})")
