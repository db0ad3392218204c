"""Feedback that the chat exports: rated answers, which become drafts of cases.

A raised thumb proposes the answer's quotes as evidence (of a rated quote that one alone), or that the articles do not
say; a lowered one proposes nothing. Either way the draft is to be looked at, completed, and its tag `draft` taken off.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import shorten
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from bri_qa.evaluation.formats.record import (
    DRAFT,
    CaseLine,
    Entry,
    EvidenceLine,
    Problem,
    Read,
    TurnLine,
    Words,
    reason,
)

NAME = "feedback"


class _Citation(BaseModel):
    number: int
    document_id: Words
    start: int
    quote: Words


class _Answer(BaseModel):
    """What is read of the contract's answer object."""

    answer: str = ""
    abstained: bool
    short_answer: str | None = None
    citations: tuple[_Citation, ...] = ()


class _Rated(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: Annotated[Words, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]
    rating: Literal["up", "down"]
    reason: str | None = None
    comment: str | None = None
    citation: int | None = None
    question: Words
    history: tuple[TurnLine, ...] = ()
    answer: _Answer


def looks_like(value: Any) -> bool:
    """Whether the JSON value of a line is meant as feedback."""
    return isinstance(value, dict) and {"rating", "question"} <= value.keys()


def read(file: Path, text: str) -> Read:
    """A draft for each line that is not blank."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            where = f"{file}, line {number}"
            try:
                rated = _Rated.model_validate_json(line)
            except ValidationError as error:
                yield Problem(where, reason(error, _Rated))
            else:
                yield Entry(where, _draft(rated))


def _draft(rated: _Rated) -> CaseLine:
    up, answer = rated.rating == "up", rated.answer
    quotes = [item for item in answer.citations if rated.citation in (None, item.number)] if up else []
    answers: tuple[str, ...] | None = None
    if up and answer.abstained:
        answers = ()
    elif up and answer.short_answer:
        answers = (answer.short_answer,)
    return CaseLine(
        id=f"feedback-{rated.id}",
        question=rated.question,
        history=rated.history,
        answers=answers,
        evidence=tuple(
            EvidenceLine(document_id=item.document_id, quote=item.quote, start=item.start) for item in quotes
        ),
        tags=(DRAFT, "feedback"),
        note=_note(rated),
    )


def _note(rated: _Rated) -> str:
    """`down, wrong quote, citation 2: the figure is for 2024; answered: It was 229. [1]`; what was answered only of a
    lowered thumb, as it stands in the draft of a raised one."""
    about = [rated.rating, rated.reason, f"citation {rated.citation}" if rated.citation is not None else None]
    head = ", ".join(part for part in about if part)
    comment = (rated.comment or "").strip()
    said = shorten(rated.answer.answer, 300, placeholder=" …") if rated.rating == "down" else ""
    return (f"{head}: {comment}" if comment else head) + (f"; answered: {said}" if said else "")
