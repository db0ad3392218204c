"""`bri-qa eval import`: other formats to a file of cases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bri_qa.cli.common import Index, counted, say, settings_of
from bri_qa.cli.evaluate import group

if TYPE_CHECKING:
    from bri_qa.evaluation.importing import Imported


@group.command("import", short_help="Make cases of SQuAD, BEIR, CSV or the chat's feedback.")
def import_(
    file: Annotated[Path, typer.Argument(help="A SQuAD file, BEIR folder, CSV table, feedback export, or cases.")],
    to: Annotated[Path, typer.Option("--to", help="File of cases to write.")],
    corpus_to: Annotated[
        Path | None, typer.Option("--corpus-to", help="New folder to write the articles to that come with the cases.")
    ] = None,
    append: Annotated[bool, typer.Option("--append", help="Add to the file; ids that it has are left out.")] = False,
    sample: Annotated[int | None, typer.Option("--sample", min=1, help="Take so many cases, drawn by --seed.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the draw.")] = 0,
    index: Index = None,
) -> None:
    """Make cases of SQuAD 1.1/2.0 JSON, a BEIR folder, a CSV table, or feedback that the chat exported.

    Texts that come with the cases are looked for in the indexed articles; with --corpus-to they are written out as a
    corpus folder instead. Feedback becomes drafts to be completed.
    """
    from bri_qa.evaluation.documents import in_index
    from bri_qa.evaluation.importing import Choice, import_cases, needs_documents

    shelf = in_index(settings_of(index_dir=index)) if corpus_to is None and needs_documents(file) else None
    say(_told(import_cases(file, to, corpus_to, shelf, Choice(append, sample, seed)), to, corpus_to))


def _told(done: Imported, to: Path, corpus_to: Path | None) -> str:
    lines = [f"{counted(done.cases, 'case')} of {done.format} written to {to}"]
    if done.known:
        lines.append(f"{counted(done.known, 'case')} left out: the file has their ids")
    if done.drafts:
        lines.append(f"{counted(done.drafts, 'draft')}: complete each, then drop its tag `draft`")
    if corpus_to is not None:
        lines.append(f"{counted(done.articles, 'article')} written to {corpus_to}; bri-qa index --corpus {corpus_to}")
    if done.merged:
        lines.append(f"{counted(done.merged, 'article')} left out: their words are those of another")
    if done.empty:
        lines.append(f"{counted(done.empty, 'article')} left out: no words")
    return "\n".join(lines)
