"""`bri-qa index`: build the index, or bring it up to date."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bri_qa.cli.common import AsJson, Corpus, Index, app, counted, progress_bar, say, settings_of

if TYPE_CHECKING:
    from bri_qa.compose import Refresh


@app.command(short_help="Build the index, or bring it up to date.")
def index(
    corpus: Corpus = None,
    index: Index = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would change, and change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Build the index of a folder of articles, or bring it up to date."""
    from bri_qa.compose import refresh

    found = refresh(settings_of(corpus_dir=corpus, index_dir=index))
    if not dry_run:
        with progress_bar("Embedding passages") as progress:
            manifest = found.run(progress)
        counts = {"documents": manifest.documents, "passages": manifest.passages}
    else:
        counts = {}
    report = {**_changes(found), "dry_run": dry_run, **counts}
    say(json.dumps(report, ensure_ascii=False, indent=1) if as_json else _told(report))


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
    lines.append(f"{counted(report['unchanged'], 'article')} unchanged")
    if report["dry_run"]:
        lines.append("nothing was written (--dry-run)")
    else:
        documents, passages = counted(report["documents"], "article"), counted(report["passages"], "passage")
        lines.append(f"the index holds {documents} in {passages}")
        if not report["documents"]:
            lines.append("put .txt or .md articles into the corpus folder and run it again")
    return "\n".join(lines)
