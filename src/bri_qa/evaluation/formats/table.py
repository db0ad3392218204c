"""CSV, as spreadsheets write it: one case a row, the first row names the columns.

question (needed) · answer: accepted answers with | between · unanswerable: yes or no · document_id and quote: evidence,
and document_id_2, quote_2 … for more · id, kind, split, note · tags: with | between · history: a JSON list of turns.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bri_qa.evaluation.formats.lines import trouble_of
from bri_qa.evaluation.formats.record import CaseLine, Entry, Problem, Read, reason

NAME = "csv"
SUFFIXES = (".csv", ".tsv")
COLUMNS = (
    "id",
    "question",
    "answer",
    "unanswerable",
    "document_id",
    "quote",
    "kind",
    "tags",
    "split",
    "history",
    "note",
)
_MORE = re.compile(r"(?:document_id|quote)_[2-9]")
_YES = frozenset({"yes", "true", "1", "x"})
_NO = frozenset({"no", "false", "0", ""})
_SHOWN = ", ".join(COLUMNS)


def read(file: Path, text: str) -> Read:
    """A case for each row that is not blank; a problem is told by the line where its row ends."""
    heading = text.split("\n", 1)[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(heading), strict=True)
    names: list[str] = []
    try:
        for row in rows:
            where = f"{file}, line {rows.line_num}"
            if not any(cell.strip() for cell in row):
                continue
            if names:
                yield _entry(names, row, where)
                continue
            names = [cell.strip().lower().replace(" ", "_") for cell in row]
            trouble = _trouble_of_heading(names)
            if trouble:
                yield Problem(where, trouble)
                return
    except csv.Error as error:
        yield Problem(f"{file}, line {rows.line_num}", f"not CSV: {error}; save the table as CSV in UTF-8 again")


def _delimiter(heading: str) -> str:
    return max(",;\t", key=heading.count)


def _trouble_of_heading(names: list[str]) -> str | None:
    if "question" not in names:
        return f"the first row names no column `question`; the known columns are {_SHOWN}, document_id_2, quote_2 …"
    unknown = [name for name in names if name and name not in COLUMNS and not _MORE.fullmatch(name)]
    if unknown:
        return f"unknown column {unknown[0]!r}; the known ones are {_SHOWN}, document_id_2, quote_2 …"
    twice = [name for name in names if name and names.count(name) > 1]
    return f"the column {twice[0]!r} stands twice; keep one" if twice else None


def _entry(names: list[str], row: list[str], where: str) -> Entry | Problem:
    if len(row) > len(names) and any(cell.strip() for cell in row[len(names) :]):
        return Problem(where, f"{len(row)} cells under {len(names)} columns; put a cell that holds a comma in quotes")
    cells = {name: cell for name, cell in zip(names, row, strict=False) if name and cell.strip()}
    unanswerable = cells.get("unanswerable", "").strip().lower()
    if unanswerable not in _YES | _NO:
        return Problem(where, f"unanswerable is {unanswerable[:40]!r}; write yes or no")
    answers = _parted(cells.get("answer", ""))
    if unanswerable in _YES and (answers or "quote" in cells):
        return Problem(where, "unanswerable is yes, yet there is an answer or a quote; keep one of them")
    if unanswerable not in _YES and not answers and not _evidence(cells):
        return Problem(where, "neither an answer nor a quote; write yes under unanswerable if the articles do not say")
    try:
        case = CaseLine.model_validate_json(json.dumps(_line(cells, answers, unanswerable in _YES, where)))
    except ValidationError as error:
        return Problem(where, reason(error))
    except ValueError as error:
        return Problem(where, f"history is not JSON ({error}); write a list of turns, as in eval/README.md")
    trouble = trouble_of(case)
    return Problem(where, trouble) if trouble else Entry(where, case)


def _line(cells: Mapping[str, str], answers: list[str], unanswerable: bool, where: str) -> dict[str, Any]:
    line: dict[str, Any] = {name: cells[name].strip() for name in ("kind", "split", "note") if name in cells}
    if unanswerable:
        line.setdefault("kind", "unanswerable")
    line["id"] = cells.get("id", f"row-{where.rpartition(' ')[2]}").strip()
    line["question"] = cells.get("question", "").strip()
    line["tags"] = _parted(cells.get("tags", ""))
    line["evidence"] = _evidence(cells)
    if "history" in cells:
        line["history"] = json.loads(cells["history"])
    if answers or unanswerable:
        line["answers"] = answers
    return line


def _evidence(cells: Mapping[str, str]) -> list[dict[str, str]]:
    """A quote stands in the document of its own column, else in the first one; white space in it is kept."""
    found = []
    for suffix in ("", *(f"_{number}" for number in range(2, 10))):
        document_id = cells.get(f"document_id{suffix}", cells.get("document_id", "")).strip()
        if f"quote{suffix}" in cells:
            found.append({"document_id": document_id, "quote": cells[f"quote{suffix}"].replace("\r\n", "\n")})
        elif f"document_id{suffix}" in cells:
            found.append({"document_id": document_id})
    return found


def _parted(cell: str) -> list[str]:
    return [part.strip() for part in cell.split("|") if part.strip()]
