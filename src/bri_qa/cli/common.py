"""What the commands share: the application, options, settings, the pipeline, output and progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from bri_qa.pipeline import QAPipeline
    from bri_qa.settings import Settings

FAILED, ERROR, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    name="bri-qa",
    help="Ask a body of articles; every statement stands on a quote cut from them.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Corpus = Annotated[Path | None, typer.Option("--corpus", help="Folder of articles (default: corpus).")]
Index = Annotated[Path | None, typer.Option("--index", help="Folder of the built index (default: index).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def say(text: str) -> None:
    print(text, flush=True)


def settings_of(**overrides: Any) -> Settings:
    from bri_qa.settings import Settings

    return Settings.load(**overrides)


def pipeline_of(settings: Settings) -> QAPipeline:
    from bri_qa.compose import pipeline

    return pipeline(settings)


@contextmanager
def built(settings: Settings, from_corpus: bool) -> Iterator[Settings]:
    """Settings with an index to use: the one they name, or one that is built of the corpus for this run."""
    if not from_corpus:
        yield settings
        return
    from tempfile import TemporaryDirectory

    from bri_qa.compose import refresh

    with TemporaryDirectory(prefix="bri-qa-") as folder:
        usable = settings.model_copy(update={"index_dir": Path(folder)})
        refresh(usable).run()
        yield usable


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, if that is a terminal and the work lasts."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def counted(number: int, what: str) -> str:
    """`1 article`, `2 articles`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
