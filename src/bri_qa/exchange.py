"""Questions and answers as files: a batch of questions asked line by line, a saved answer read back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from bri_qa import render
from bri_qa.errors import AnswerFileError, BriQAError, InputError
from bri_qa.types import Answer, Citation, Question, Source, Span, Turn


class TurnLine(BaseModel):
    """One earlier message of the conversation."""

    model_config = ConfigDict(extra="forbid")
    role: str
    text: str

    def to_turn(self) -> Turn:
        if self.role not in ("user", "assistant"):
            raise ValueError('a turn\'s role is "user" or "assistant"')
        return Turn("user" if self.role == "user" else "assistant", self.text)


class QuestionLine(BaseModel):
    """One line of a batch."""

    model_config = ConfigDict(extra="forbid")
    id: str | int
    question: str
    history: list[TurnLine] = []

    def to_question(self) -> Question:
        return Question(self.question, tuple(turn.to_turn() for turn in self.history))


class CitationLine(BaseModel):
    """A citation of a saved answer; what a reader may have added to it is ignored."""

    number: int
    document_id: str
    title: str = ""
    start: int
    end: int
    quote: str
    document_sha256: str

    def to_citation(self) -> Citation:
        span = Span(self.start, self.end)
        return Citation(self.number, self.document_id, span, self.quote, Source(self.title), self.document_sha256)


class SavedAnswer(BaseModel):
    """What `bri-qa verify` reads of an answer object."""

    answer: str
    abstained: bool
    citations: list[CitationLine]

    @model_validator(mode="after")
    def _stands_on_something(self) -> Self:
        if self.abstained == bool(self.citations):
            raise ValueError("an answer has citations, an abstention has none")
        return self


def answers(lines: Iterable[bytes], ask: Callable[[Question], Answer]) -> Iterator[tuple[str, bool]]:
    """For each line that is not blank, in order: a line of JSON, and whether it is an answer.

    A line that cannot be answered gives `{"id", "error": {"line", "message"}}` in its place, and the rest goes on.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            raw = json.loads(line.decode("utf-8-sig"), parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            yield told(None, unanswered(number, error)), False
            continue
        try:
            outcome, fine = render.as_json(ask(QuestionLine.model_validate(raw).to_question())), True
        except (ValueError, RecursionError, BriQAError) as error:
            outcome, fine = unanswered(number, error), False
        yield told(raw, outcome), fine


def unanswered(number: int, error: Exception) -> dict[str, Any]:
    """What stands in the place of the answer to line `number`."""
    return {"error": {"line": number, "message": _reason(error)}}


def told(raw: object, outcome: dict[str, Any]) -> str:
    """A line of the output: the outcome with the id of the question that was read, null where it has none."""
    return json.dumps({"id": raw.get("id") if isinstance(raw, dict) else None, **outcome}, ensure_ascii=False)


def lines_of(path: Path) -> list[bytes]:
    """The lines of a file, split at line feeds alone: JSON may hold the other line ends.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        return path.read_bytes().split(b"\n")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); give a file of JSON lines") from error


def saved_citations(path: Path) -> list[Citation]:
    """The citations of a saved answer object.

    Raises:
        AnswerFileError: the file is not the contract's JSON.
    """
    try:
        saved = SavedAnswer.model_validate_json(path.read_bytes())
        return [item.to_citation() for item in saved.citations]
    except (OSError, ValueError) as error:
        raise AnswerFileError(
            f"{path} is not a saved answer ({_reason(error)}); give the output of `bri-qa ask --json`"
        ) from error


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _reason(error: Exception) -> str:
    """One line that says what is wrong."""
    if isinstance(error, ValidationError):
        first: Any = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        reason = str(first["msg"]).removeprefix("Value error, ")
        return f"{place}: {reason}" if place else reason
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg} at column {error.colno}"
    return " ".join(str(error).split()) or type(error).__name__
