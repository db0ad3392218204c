"""Our own format: one JSON object a line (eval/README.md)."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from bri_qa.evaluation.formats.record import CaseLine, Entry, Problem, Read, reason

NAME = "cases"


def read(file: Path, text: str) -> Read:
    """A case for each line that is not blank."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield _entry(line, f"{file}, line {number}")


def _entry(line: str, where: str) -> Entry | Problem:
    try:
        case = CaseLine.model_validate_json(line)
    except ValidationError as error:
        return Problem(where, reason(error))
    trouble = trouble_of(case)
    return Problem(where, trouble) if trouble else Entry(where, case)


def trouble_of(case: CaseLine) -> str | None:
    """What contradicts itself in a case, in one line. A draft may lack what it is judged by."""
    if case.answers == () and case.evidence:
        return (
            "`answers: []` says that the articles do not answer, yet there is evidence; leave `answers` out "
            "to judge by evidence alone"
        )
    if any(item.quote is None and item.start is not None for item in case.evidence):
        return "evidence has a `start` but no `quote`; add the quote, or leave both out to mean the whole document"
    if case.answers is None and not case.evidence and not case.is_draft:
        return "neither answers nor evidence; write `answers: []` if the articles do not say"
    return None
