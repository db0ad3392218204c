"""`bri-qa eval slices`: robustness slices of a case file, written out or run beside the plain cases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bri_qa.cli.common import AsJson, Corpus, built, pipeline_of, progress_bar, say, settings_of
from bri_qa.cli.evaluate import group
from bri_qa.errors import InputError

if TYPE_CHECKING:
    from bri_qa.pipeline import QAPipeline
    from bri_qa.settings import Settings


@group.command("slices", short_help="Make robustness slices, and run them beside the plain cases.")
def slices(
    cases: Annotated[Path, typer.Option("--cases", help="Cases of any format.")],
    corpus: Corpus = None,
    to: Annotated[Path | None, typer.Option("--to", help="Folder to write the slices to.")] = None,
    only: Annotated[
        str | None, typer.Option("--only", metavar="NAMES", help="Some slices, with commas between.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the changes; the same seed gives the same slices.")] = 0,
    run: Annotated[bool, typer.Option("--run", help="Ask the plain cases and all slices, and compare.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make robustness slices of cases and their articles: typos, lower-case, paraphrase, distractors, injection, html.

    With --to they are written out; with --run they go through the product, each beside the plain cases.
    """
    from tempfile import TemporaryDirectory

    from bri_qa.evaluation.slices import compare

    if to is None and not run:
        raise InputError("give --to DIR to write the slices, --run to run them, or both")
    settings, names = settings_of(corpus_dir=corpus), compare.names_of(only)
    with ExitStack() as stack:
        folder = to or Path(stack.enter_context(TemporaryDirectory(prefix="bri-qa-")))
        made, left_out = compare.make_all(names, cases, settings.corpus_dir, folder, seed)
        if not run:
            report: dict[str, Any] = {"slices": [item.as_json() for item in made], "left_out": left_out}
            say(json.dumps(report, ensure_ascii=False, indent=1) if as_json else _written(report))
            return
        with progress_bar("Asking") as progress:
            scored = compare.compare(made, cases, settings.corpus_dir, partial(_opened, settings), progress)
    found = compare.Comparison(tuple(scored), left_out)
    say(json.dumps(found.as_json(), ensure_ascii=False, indent=1) if as_json else found.text())


def _written(report: dict[str, Any]) -> str:
    lines = [f"{item['name']}: {item['cases']} over {item['corpus']}" for item in report["slices"]]
    lines += [f"{name} left out: {reason}" for name, reason in report["left_out"].items()]
    return "\n".join(lines)


@contextmanager
def _opened(settings: Settings, articles: Path) -> Iterator[QAPipeline]:
    """The product's pipeline over an index that is built of a corpus folder for this run."""
    with built(settings.model_copy(update={"corpus_dir": articles}), from_corpus=True) as usable:
        yield pipeline_of(usable)
