"""Eval cases: JSON Lines of the contract's format, their evidence quotes located to spans when they are loaded."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from bri_qa.errors import CaseError
from bri_qa.types import Document, Question, Span, Turn

Documents = Callable[[str], Document | None]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words of a document that prove the answer. `spans` are all places where they stand, at least one."""

    document_id: str
    quote: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A question with what is known about its answer: accepted short answers, evidence, both, or that there is none."""

    id: str
    question: Question
    answers: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    kind: str
    tags: tuple[str, ...]

    @property
    def answerable(self) -> bool:
        return bool(self.answers or self.evidence)


@dataclass(frozen=True, slots=True)
class CaseFile:
    """The cases of a file in its order, at least one; `sha256` is of the file's bytes."""

    name: str
    sha256: str
    cases: tuple[Case, ...]


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


_Words = Annotated[str, AfterValidator(_not_blank)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _TurnLine(_Closed):
    role: Literal["user", "assistant"]
    text: str


class _EvidenceLine(_Closed):
    document_id: _Words
    quote: _Words


class _CaseLine(_Closed):
    """One line of the file. `answers` None is a missing key: the case is judged by its evidence alone."""

    id: _Words
    question: _Words
    history: tuple[_TurnLine, ...] = ()
    answers: tuple[_Words, ...] | None = None
    evidence: tuple[_EvidenceLine, ...] = ()
    kind: _Words = "other"
    tags: tuple[_Words, ...] = ()


def load(file: Path, documents: Documents) -> CaseFile:
    """The cases of `file`; `documents` gives a document by id.

    Raises:
        CaseError: the file cannot be read, a line does not fit the format, an id comes twice, or a quote does not
            stand in its document. The message names file, line and reason.
    """
    content = _read(file)
    cases: list[Case] = []
    lines: dict[str, int] = {}
    for number, line in enumerate(_decoded(file, content).split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{file}, line {number}"
        case = _case(line, documents, where)
        if case.id in lines:
            raise CaseError(f"{where}: the id {case.id!r} was used on line {lines[case.id]}; give each case its own")
        lines[case.id] = number
        cases.append(case)
    if not cases:
        raise CaseError(f"{file} has no case; write one JSON object a line (eval/README.md shows how)")
    return CaseFile(file.name, sha256(content).hexdigest(), tuple(cases))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CaseError(f"cannot read the cases in {file}: {error.strerror}; name a file with --cases") from error


def _decoded(file: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CaseError(f"{file}, line {line}: not UTF-8; save the file as UTF-8") from error


def _case(line: str, documents: Documents, where: str) -> Case:
    try:
        read = _CaseLine.model_validate_json(line)
    except ValidationError as error:
        raise CaseError(f"{where}: {_reason(error)}") from error
    if read.answers is None and not read.evidence:
        raise CaseError(f"{where}: neither answers nor evidence; write `answers: []` if the articles do not say")
    if read.answers == () and read.evidence:
        raise CaseError(
            f"{where}: `answers: []` says that the articles do not answer, yet there is evidence; leave `answers` out "
            "to judge by evidence alone"
        )
    history = tuple(Turn(turn.role, turn.text) for turn in read.history)
    return Case(
        id=read.id,
        question=Question(read.question, history),
        answers=read.answers or (),
        evidence=tuple(_located(item, documents, where) for item in read.evidence),
        kind=read.kind,
        tags=read.tags,
    )


def _reason(error: ValidationError) -> str:
    """The first thing that is wrong, in one line."""
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        parts: dict[str, type[_Closed]] = {"evidence": _EvidenceLine, "history": _TurnLine}
        known = parts.get(name.partition(".")[0], _CaseLine).model_fields
        return f"unknown key {name!r}; the known ones are {', '.join(known)}"
    message = first["msg"].removeprefix("Value error, ")
    return f"{name}: {message}" if name else message


def _located(line: _EvidenceLine, documents: Documents, where: str) -> Evidence:
    document = documents(line.document_id)
    if document is None:
        raise CaseError(f"{where}: no document {line.document_id!r} is indexed; build its corpus or mend the id")
    spans = tuple(_places(line.quote, document.text))
    if not spans:
        raise CaseError(
            f"{where}: the quote {_shortened(line.quote)!r} does not stand in {line.document_id!r}"
            f"{_near(line.quote, document.text)}; copy it from the article letter for letter"
        )
    return Evidence(line.document_id, line.quote, spans)


def _places(quote: str, text: str) -> list[Span]:
    return [Span(found.start(), found.start() + len(quote)) for found in re.finditer(f"(?={re.escape(quote)})", text)]


def _near(quote: str, text: str) -> str:
    """What alone keeps the quote from matching, where that is easily said."""
    if unicodedata.normalize("NFC", quote) in text:
        return " (its accents are written in another Unicode form)"
    if " ".join(quote.split()) in " ".join(text.split()):
        return " (white space differs)"
    return " (upper and lower case differ)" if quote.casefold() in text.casefold() else ""


def _shortened(text: str, width: int = 80) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
