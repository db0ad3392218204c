"""`bri-qa ask`: one question, or a file of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bri_qa.cli.common import AsJson, Index, app, counted, pipeline_of, say, settings_of
from bri_qa.errors import InputError

if TYPE_CHECKING:
    from bri_qa.settings import Settings


@app.command(short_help="Ask one question, or a file of them.")
def ask(
    question: Annotated[str | None, typer.Argument(help="The question.", show_default=False)] = None,
    index: Index = None,
    batch: Annotated[
        str | None, typer.Option("--batch", metavar="FILE", help="Questions as JSON lines; - reads standard input.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask one question, or a file of questions, and print the answers with their quotes."""
    from bri_qa import render
    from bri_qa.types import Question

    if (question is None) == (batch is None):
        raise InputError('give one question in quotes, or --batch FILE: bri-qa ask "How many cities?"')
    settings = settings_of(index_dir=index)
    if batch is not None:
        _ask_all(settings, batch)
        return
    answer = pipeline_of(settings).ask(Question(question or ""))
    say(json.dumps(render.as_json(answer), ensure_ascii=False, indent=1) if as_json else render.as_text(answer))


def _ask_all(settings: Settings, batch: str) -> None:
    from bri_qa.exchange import answers, lines_of

    lines = sys.stdin.buffer if batch == "-" else lines_of(Path(batch))
    bad = 0
    for line, fine in answers(lines, pipeline_of(settings).ask):
        say(line)
        bad += not fine
    if bad:
        raise InputError(f"{counted(bad, 'line')} could not be answered; the output tells why in its place")
