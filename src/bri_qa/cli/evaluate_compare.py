"""`bri-qa eval compare`: two saved runs, metric by metric and case by case."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bri_qa.cli.common import FAILED, AsJson, say
from bri_qa.cli.evaluate import Gates, Margin, group


@group.command("compare", short_help="Compare two saved runs.")
def compare_runs(
    before: Annotated[Path, typer.Argument(metavar="RUN_A", help="Report folder of the run to compare with.")],
    after: Annotated[Path, typer.Argument(metavar="RUN_B", help="Report folder of the run to judge.")],
    gates: Gates = None,
    margin: Margin = 0.0,
    as_json: AsJson = False,
) -> None:
    """Tell what RUN_B does better and worse than RUN_A; exit 1 when a metric is worse.

    A metric is worse, or better, if the 95 % interval of the difference (paired bootstrap over the cases of both) lies
    beyond the margin. Metrics of the machine (latency, throughput, memory) fail only if named by --gate.
    """
    from bri_qa.evaluation import Policy, compare
    from bri_qa.evaluation.report.saved import open_run

    found = compare(open_run(before), open_run(after), Policy(tuple(gates or ()), margin))
    say(json.dumps(found.as_json(), ensure_ascii=False, indent=1, default=str) if as_json else found.text())
    if found.failed:
        raise typer.Exit(FAILED)
