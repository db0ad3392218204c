"""The command line: each command parses, calls one function and prints. Exit 0, 1 on a failed gate, 2 on an error."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from bri_qa.errors import BriQAError, InputError

if TYPE_CHECKING:
    from bri_qa.compose import Refresh
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


@app.command(short_help="Build the index, or bring it up to date.")
def index(
    corpus: Corpus = None,
    index: Index = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would change, and change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Build the index of a folder of articles, or bring it up to date."""
    from bri_qa.compose import refresh

    found = refresh(_settings(corpus_dir=corpus, index_dir=index))
    if not dry_run:
        with _progress("Embedding passages") as progress:
            manifest = found.run(progress)
        counts = {"documents": manifest.documents, "passages": manifest.passages}
    else:
        counts = {}
    report = {**_changes(found), "dry_run": dry_run, **counts}
    _print(json.dumps(report, ensure_ascii=False, indent=1) if as_json else _told(report))


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
    settings = _settings(index_dir=index)
    if batch is not None:
        _ask_all(settings, batch)
        return
    answer = _pipeline(settings).ask(Question(question or ""))
    _print(json.dumps(render.as_json(answer), ensure_ascii=False, indent=1) if as_json else render.as_text(answer))


@app.command(short_help="Run eval cases and print the scores.")
def eval(  # noqa: A001 - the command's name in the public contract
    cases: Annotated[Path, typer.Option("--cases", help="File of cases, JSON lines.")] = Path("eval/cases/dev.jsonl"),
    corpus: Corpus = None,
    index: Index = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="Folder to write run.json and cases.jsonl to.")
    ] = None,
    baseline: Annotated[Path | None, typer.Option("--baseline", help="Gates to hold the scores to.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run eval cases through the product and print the scores; exit 1 when a gate of the baseline is missed."""
    from bri_qa.compose import identity_card
    from bri_qa.evaluation import evaluate

    settings = _settings(corpus_dir=corpus, index_dir=index)
    with _built(settings, corpus is not None) as usable, _progress("Asking") as progress:
        card, pipeline = identity_card(usable), _pipeline(usable)
        outcome = evaluate(pipeline, cases, report=report, baseline=baseline, identity=card, progress=progress)
    _print(json.dumps(outcome.as_json(), ensure_ascii=False, indent=1) if as_json else outcome.text())
    if outcome.missed:
        raise typer.Exit(FAILED)


@app.command(short_help="Serve the chat and the API.")
def serve(
    host: Annotated[str | None, typer.Option("--host", help="Address to bind (default: 127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port to bind (default: 7860).")] = None,
    index: Index = None,
) -> None:
    """Serve the chat at / and the API at /api/v1."""
    settings = _settings(host=host, port=port, index_dir=index)
    pipeline = _pipeline(settings)
    from bri_qa import web  # slow to load: only once all else is in order

    web.serve(settings, pipeline, lambda address: _print(f"bri_qa is at {address} (Ctrl-C stops it)"))


@app.command(short_help="Cut every quote of a saved answer again.")
def verify(
    answer: Annotated[Path, typer.Argument(help="A saved answer: the output of ask --json.")],
    index: Index = None,
) -> None:
    """Cut every quote of a saved answer again; exit 1 if one is not what stands in its article."""
    from bri_qa.citations import recut
    from bri_qa.compose import open_index
    from bri_qa.exchange import saved_citations

    citations = saved_citations(answer)
    articles = open_index(_settings(index_dir=index))
    cut_again = [(item.number, recut(item, articles.document(item.document_id))) for item in citations]
    troubles = [(number, trouble) for number, trouble in cut_again if trouble]
    for number, trouble in troubles:
        _print(f"[{number}] {trouble}")
    stand = "stands" if len(citations) == 1 else "stand"
    standing = f"{len(citations) - len(troubles)} of {_counted(len(citations), 'quote')} {stand}"
    _print(standing if citations else "the answer abstains: there is no quote to verify")
    if troubles:
        raise typer.Exit(FAILED)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (by default this process's own) and return its exit code."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        code = app(args=arguments, prog_name="bri-qa", standalone_mode=False)
    except BriQAError as error:
        return _failed(str(error))
    except typer.TyperException as error:
        return _failed(f"{error.format_message().rstrip('.')} (bri-qa --help tells how)")
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return 0
    except OSError as error:
        _drop_output()
        return _failed(f"{error}; free some space or mend the permissions, and run it again")
    except Exception as error:  # the edge: whatever went wrong, the user is told in one line
        if sys.flags.dev_mode:
            raise
        return _failed(f"{type(error).__name__}: {error} (a fault here; python -X dev -m bri_qa shows where)")
    return code if isinstance(code, int) else 0


def main() -> NoReturn:
    """The program `bri-qa`: exits with its code; every error is one line on standard error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.exit(run())


def _drop_output() -> None:
    """Let what is still to be written go nowhere, lest the exit itself fails on it."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failed(message: str) -> int:
    print(f"bri-qa: {' '.join(message.split())}", file=sys.stderr)
    return ERROR


def _print(text: str) -> None:
    print(text, flush=True)


def _settings(**overrides: Any) -> Settings:
    from bri_qa.settings import Settings

    return Settings.load(**overrides)


def _pipeline(settings: Settings) -> QAPipeline:
    from bri_qa.compose import pipeline

    return pipeline(settings)


def _ask_all(settings: Settings, batch: str) -> None:
    from bri_qa.exchange import answers, lines_of

    lines = sys.stdin.buffer if batch == "-" else lines_of(Path(batch))
    bad = 0
    for line, fine in answers(lines, _pipeline(settings).ask):
        _print(line)
        bad += not fine
    if bad:
        raise InputError(f"{_counted(bad, 'line')} could not be answered; the output tells why in its place")


@contextmanager
def _built(settings: Settings, from_corpus: bool) -> Iterator[Settings]:
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
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, if that is a terminal and the work lasts."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _changes(found: Refresh) -> dict[str, Any]:
    change = found.change
    return {
        "added": list(change.added),
        "changed": list(change.changed),
        "removed": list(change.removed),
        "unchanged": len(change.unchanged),
        "built_anew": change.reason,
        "rejected": [{"path": item.path, "reason": item.reason} for item in found.rejected],
    }


def _told(report: dict[str, Any]) -> str:
    """The report of `bri-qa index` for people."""
    lines = [f"rejected {item['path']}: {item['reason']}" for item in report["rejected"]]
    if report["built_anew"]:
        lines.append(f"building anew: {report['built_anew']}")
    lines += [f"{word} {name}" for word in ("added", "changed", "removed") for name in report[word]]
    lines.append(f"{_counted(report['unchanged'], 'article')} unchanged")
    if report["dry_run"]:
        lines.append("nothing was written (--dry-run)")
    else:
        documents, passages = _counted(report["documents"], "article"), _counted(report["passages"], "passage")
        lines.append(f"the index holds {documents} in {passages}")
        if not report["documents"]:
            lines.append("put .txt or .md articles into the corpus folder and run it again")
    return "\n".join(lines)


def _counted(number: int, what: str) -> str:
    """`1 article`, `2 articles`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


if __name__ == "__main__":
    main()
