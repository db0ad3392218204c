"""`bri-qa eval check`: whether case files are fit to judge by."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bri_qa.cli.common import FAILED, AsJson, Corpus, Index, say, settings_of
from bri_qa.cli.evaluate import group
from bri_qa.errors import InputError


@group.command("check", short_help="Look for mistakes, duplicates and leaks in case files.")
def check(
    files: Annotated[list[Path], typer.Argument(help="Case files of any format, looked at together.")],
    corpus: Corpus = None,
    index: Index = None,
    near: Annotated[bool, typer.Option("--near/--no-near", help="Tell nearly equal questions, too.")] = True,
    as_json: AsJson = False,
) -> None:
    """Look for mistakes, duplicates and leaks in case files; exit 1 when something is found.

    Evidence is looked up in the index, or with --corpus in a folder of articles, which need not be indexed.
    """
    from bri_qa.evaluation.check import check as checked
    from bri_qa.evaluation.documents import in_corpus, in_index

    if corpus is not None and index is not None:
        raise InputError("give --corpus or --index, not both")
    settings = settings_of(corpus_dir=corpus, index_dir=index)
    shelf = in_index(settings) if corpus is None else in_corpus(settings)
    found = checked(files, shelf.documents, shelf.everything, near=near)
    say(json.dumps(found.as_json(), ensure_ascii=False, indent=1) if as_json else found.text())
    if found.findings:
        raise typer.Exit(FAILED)
