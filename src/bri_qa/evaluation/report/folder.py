"""A run just done, as files that say all of it: the cases, the articles they need, the scores, and the report."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from bri_qa.evaluation.report.files import open_folder, replace_file
from bri_qa.evaluation.report.rendered import render
from bri_qa.evaluation.report.saved import CASES, DOCUMENTS, RUN, SavedDocument, documents_as_lines
from bri_qa.evaluation.run import Run
from bri_qa.evaluation.summary import as_json
from bri_qa.types import Document

Documents = Callable[[str], Document | None]


def write(folder: Path, run: Run, heading: Mapping[str, Any], documents: Documents = lambda _: None) -> None:
    """Write `cases.jsonl`, `documents.jsonl` and `run.json`, then the report of them.

    `run.json` begins with `heading` and names the other two by their SHA-256: a reader who finds one whose hashes fit
    has the files of one run. `documents` gives the articles that hold gold evidence or are cited; with none, the
    report shows of an article what was retrieved.

    Raises:
        InputError: a file cannot be written.
    """
    open_folder(folder)
    texts = {
        CASES: "".join(json.dumps(record.as_json(), ensure_ascii=False) + "\n" for record in run.records),
        DOCUMENTS: documents_as_lines(_concerned(run, documents)),
    }
    for name, text in texts.items():
        replace_file(folder / name, text)
    files = {name: sha256(text.encode()).hexdigest() for name, text in texts.items()}
    content = {**heading, **as_json(run), "files": files}
    replace_file(folder / RUN, json.dumps(content, ensure_ascii=False, indent=2, default=str) + "\n")
    render(folder)


def _concerned(run: Run, documents: Documents) -> list[SavedDocument]:
    gold = {item.document_id for record in run.records for item in record.case.evidence}
    cited = {item.document_id for record in run.records for item in record.answer.citations}
    found = [documents(name) for name in sorted(gold | cited)]
    return [
        SavedDocument(
            id=item.id,
            title=item.source.title,
            publisher=item.source.publisher,
            published=item.source.published,
            text=item.text,
        )
        for item in found
        if item is not None
    ]
