"""`bri-qa eval new`: write a case, in a conversation or by options."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bri_qa.cli.common import Index, counted, pipeline_of, say, settings_of
from bri_qa.cli.evaluate import group
from bri_qa.errors import InputError

if TYPE_CHECKING:
    from bri_qa.evaluation.authoring import CaseBook, Place, Written
    from bri_qa.settings import Settings

Repeated = list[str] | None


@group.command("new", short_help="Write a case: ask, pick the gold span, save.")
def new(
    to: Annotated[Path, typer.Option("--to", help="File of cases to add to; made if it is not there.")],
    question: Annotated[
        str | None, typer.Option("--question", help="The question; with it nothing is asked for at the terminal.")
    ] = None,
    document: Annotated[
        Repeated, typer.Option("--document", help="Document of a quote; one for all quotes, or one for each.")
    ] = None,
    quote: Annotated[
        Repeated, typer.Option("--quote", help="Evidence as it stands in the article; may be given again.")
    ] = None,
    answer: Annotated[Repeated, typer.Option("--answer", help="An accepted short answer; may be given again.")] = None,
    unanswerable: Annotated[bool, typer.Option("--unanswerable", help="The articles do not say.")] = False,
    kind: Annotated[str | None, typer.Option("--kind", help="What is asked for, as eval/README.md lists.")] = None,
    tag: Annotated[Repeated, typer.Option("--tag", help="A tag; may be given again.")] = None,
    split: Annotated[str | None, typer.Option("--split", help="The split of the case.")] = None,
    identity: Annotated[str | None, typer.Option("--id", help="Id of the case (default: FILE-KIND-NUMBER).")] = None,
    index: Index = None,
) -> None:
    """Write a case: ask a question, pick the gold span from the article, save.

    With --question the case is made of the options; without it they are asked for, line by line, from the terminal
    or a pipe. Ctrl-C loses nothing that was saved.
    """
    from bri_qa.evaluation.authoring import CaseBook, Written

    if question is None and any((document, quote, answer, unanswerable, identity)):
        raise InputError("--question is missing; give it, or none of the case's options to be asked for them")
    book, settings = CaseBook(to), settings_of(index_dir=index)
    if question is None:
        _converse(book, settings, split)
        return
    if unanswerable and (answer or quote):
        raise InputError("--unanswerable says that the articles do not answer; leave --answer and --quote out")
    places = _places(settings, quote or [], document or [])
    answers = () if unanswerable else tuple(answer or ()) or None
    usual = "unanswerable-near" if unanswerable else "other"
    _save(book, Written(question, answers, places, kind or usual, tuple(tag or ()), split, None, identity))


def _places(settings: Settings, quotes: list[str], named_documents: list[str]) -> tuple[Place, ...]:
    """Each quote in its document, or in the one that holds it."""
    from bri_qa.compose import open_index
    from bri_qa.evaluation.authoring import named, quoted

    if not quotes:
        if named_documents:
            raise InputError("--document needs a --quote; give the words of the article that answer")
        return ()
    if len(named_documents) not in (0, 1, len(quotes)):
        raise InputError(
            f"{counted(len(named_documents), 'document')} for {counted(len(quotes), 'quote')}; give one, or one each"
        )
    documents = open_index(settings).documents()
    shelves = [[named(item, documents)] for item in named_documents] or [documents]
    return tuple(
        quoted(words, shelf)
        for words, shelf in zip(quotes, shelves if len(shelves) > 1 else shelves * len(quotes), strict=True)
    )


def _save(book: CaseBook, case: Written) -> None:
    from bri_qa.evaluation.authoring import doubts

    line = book.line(case)
    book.append(line)
    say(json.dumps(line.as_json(), ensure_ascii=False))
    for doubt in doubts(line):
        print(f"look again: {doubt}", file=sys.stderr)


def _converse(book: CaseBook, settings: Settings, split: str | None) -> None:
    from bri_qa.evaluation.dialogue import Dialogue

    try:
        Dialogue(pipeline_of(settings), book, say, _line, split).run()
    finally:
        say(f"{counted(book.saved, 'case')} saved in {book.file}")


def _line(prompt: str) -> str | None:
    """A line of standard input without its end; None when there is no more."""
    print(prompt, end="", flush=True)
    line = sys.stdin.readline()
    if not sys.stdin.isatty():
        print(flush=True)
    return line.rstrip("\r\n") if line else None
