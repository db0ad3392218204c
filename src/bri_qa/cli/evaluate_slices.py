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
    from bri_qa.evaluation.slices.compare import Product
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
    report: Annotated[
        Path | None, typer.Option("--report", help="Run, and write the report of the plain cases with the slices here.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw away unfinished runs in the report folder.")] = False,
    run: Annotated[bool, typer.Option("--run", help="Ask the plain cases and all slices, and compare.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make robustness slices of cases and their articles: typos, lower-case, paraphrase, distractors, injection, html.

    With --to they are written out; with --run they go through the product, each beside the plain cases, and with
    --report that is shown on a page, too. A run with --report that is stopped goes on when it is given again.
    """
    from tempfile import TemporaryDirectory

    from bri_qa.evaluation.report import open_folder
    from bri_qa.evaluation.slices import compare
    from bri_qa.evaluation.slices.scored import PLAIN

    if to is None and not run and report is None:
        raise InputError(
            "give --to DIR to write the slices, --run to run them, or --report DIR for a report of the run"
        )
    if report is not None:
        open_folder(report)
    settings, names = settings_of(corpus_dir=corpus), compare.names_of(only)
    with ExitStack() as stack:
        folder = to or Path(stack.enter_context(TemporaryDirectory(prefix="bri-qa-")))
        made, left_out = compare.make_all(names, cases, settings.corpus_dir, folder, seed)
        if not run and report is None:
            files: dict[str, Any] = {"slices": [item.as_json() for item in made], "left_out": left_out}
            say(json.dumps(files, ensure_ascii=False, indent=1) if as_json else _written(files))
            return
        plain = compare.Made(PLAIN, cases, settings.corpus_dir, settings.corpus_dir)
        slicing = compare.Slicing(plain, made, partial(_opened, settings), report, fresh)
        with progress_bar("Asking") as progress:
            found = compare.compare(slicing, left_out, progress)
    say(json.dumps(found.as_json(), ensure_ascii=False, indent=1) if as_json else found.text())


def _written(report: dict[str, Any]) -> str:
    lines = [f"{item['name']}: {item['cases']} over {item['corpus']}" for item in report["slices"]]
    lines += [f"{name} left out: {reason}" for name, reason in report["left_out"].items()]
    return "\n".join(lines)


@contextmanager
def _opened(settings: Settings, articles: Path) -> Iterator[Product]:
    """The product over an index that is built of a corpus folder for this run."""
    from bri_qa.compose import identity_card
    from bri_qa.evaluation.slices.compare import Product

    with built(settings.model_copy(update={"corpus_dir": articles}), from_corpus=True) as usable:
        yield Product(pipeline_of(usable), identity_card(usable))
