"""A run as it was saved in `run.json`, `cases.jsonl` and `documents.jsonl`. Keys may be absent, as in old folders."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from bri_qa.errors import InputError

RUN, CASES, DOCUMENTS = "run.json", "cases.jsonl", "documents.jsonl"


class _Saved(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Place(_Saved):
    """Half-open, in code points of the document's text."""

    start: int
    end: int

    def overlaps(self, other: Place) -> bool:
        return self.start < other.end and other.start < self.end


class Gold(_Saved):
    """Words that prove the answer; with no quote the document as a whole is judged to hold it."""

    document_id: str
    quote: str = ""
    places: tuple[Place, ...] = ()

    @property
    def whole(self) -> bool:
        return not self.quote


class Quoted(Place):
    """A citation of an answer."""

    number: int
    document_id: str
    quote: str
    title: str = ""
    publisher: str | None = None
    published: str | None = None


class Found(Place):
    """A passage that was retrieved."""

    document_id: str
    score: float = 0.0
    text: str


class Turn(_Saved):
    role: str
    text: str


class Said(_Saved):
    text: str
    citations: tuple[int, ...] = ()


class Given(_Saved):
    """The answer object of the public contract."""

    answer: str = ""
    short_answer: str | None = None
    abstained: bool = False
    reason: str | None = None
    confidence: float | None = None
    statements: tuple[Said, ...] = ()
    citations: tuple[Quoted, ...] = ()
    passages: tuple[Found, ...] = ()
    trace: dict[str, Any] = {}


class SavedCase(_Saved):
    """One line of `cases.jsonl`."""

    id: str
    kind: str = "other"
    tags: tuple[str, ...] = ()
    split: str | None = None
    verdict: str = "ok"
    question: str
    history: tuple[Turn, ...] = ()
    answers: tuple[str, ...] = ()
    evidence: tuple[Gold, ...] = ()
    scores: dict[str, float] = {}
    unproven: tuple[str, ...] = ()
    seconds: float | None = None
    answer: Given

    @property
    def answerable(self) -> bool:
        return bool(self.answers or self.evidence)

    @property
    def right(self) -> bool:
        return self.verdict == "ok"

    @property
    def document_ids(self) -> tuple[str, ...]:
        """Of the gold evidence and of the quotes, each once, in order."""
        gold = [item.document_id for item in self.evidence]
        return tuple(dict.fromkeys([*gold, *(item.document_id for item in self.answer.citations)]))


class Part(_Saved):
    """The scores of some of the cases."""

    counts: dict[str, Any] = {}
    summary: dict[str, float] = {}
    intervals: dict[str, tuple[float, float]] = {}

    @property
    def cases(self) -> int:
        return int(self.counts.get("cases", 0))

    @property
    def right(self) -> int:
        return int(self.counts.get("verdicts", {}).get("ok", 0))


class Risk(_Saved):
    coverage: float
    risk: float


class Bin(_Saved):
    """The answers whose confidence lies in [low, high): their mean confidence, and the share that is right."""

    low: float
    high: float
    confidence: float | None = None
    right: float | None = None
    count: int = 0


class RunFile(Part):
    """`run.json`. `gates` is how many it was held to; with `missed` it is None where the run does not say."""

    cases_file: dict[str, Any] = {}
    identity: dict[str, Any] = {}
    gates: int | None = None
    missed: tuple[str, ...] | None = None
    by_kind: dict[str, Part] = {}
    by_tag: dict[str, Part] = {}
    by_document: dict[str, Part] = {}
    by_split: dict[str, Part] = {}
    risk_coverage: tuple[Risk, ...] = ()
    calibration: tuple[Bin, ...] = ()


class SavedDocument(_Saved):
    """One line of `documents.jsonl`."""

    id: str
    title: str = ""
    publisher: str | None = None
    published: str | None = None
    text: str


@dataclass(frozen=True, slots=True)
class SavedRun:
    """A run read back from its folder, at least one case; `documents` may lack some that the cases name."""

    folder: Path
    file: RunFile
    cases: tuple[SavedCase, ...]
    documents: dict[str, SavedDocument]

    @property
    def name(self) -> str:
        """The folder, in its last two parts."""
        return "/".join(self.folder.resolve().parts[-2:]).lstrip("/")

    @property
    def cases_name(self) -> str:
        return str(self.file.cases_file.get("name", "the case file"))


_Line = TypeVar("_Line", bound=BaseModel)


def open_run(folder: Path) -> SavedRun:
    """The run saved in `folder`, by this release or an older one.

    Raises:
        InputError: a file is missing, cannot be read or does not fit; the message names it.
    """
    file = folder / RUN
    try:
        run = RunFile.model_validate_json(_bytes(file))
    except ValidationError as error:
        raise InputError(f"{file}: {_reason(error)}; write the run again with --report") from error
    cases = tuple(_lines(folder / CASES, SavedCase))
    if not cases:
        raise InputError(f"{folder / CASES} has no case; write the run again with --report")
    documents = _lines(folder / DOCUMENTS, SavedDocument) if (folder / DOCUMENTS).exists() else iter(())
    return SavedRun(folder, run, cases, {document.id: document for document in documents})


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read {file}: {error.strerror}; name a folder that `bri-qa eval --report` has written"
        ) from error


def _lines(file: Path, model: type[_Line]) -> Iterator[_Line]:
    for number, line in enumerate(_bytes(file).splitlines(), start=1):
        if line.strip():
            try:
                yield model.model_validate_json(line)
            except ValidationError as error:
                raise InputError(
                    f"{file}, line {number}: {_reason(error)}; write the run again with --report"
                ) from error


def _reason(error: ValidationError) -> str:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    return f"{name}: {first['msg']}" if name else str(first["msg"])


def documents_as_lines(documents: list[SavedDocument]) -> str:
    """`documents.jsonl` of `documents`, in the order of their ids."""
    ordered = sorted(documents, key=lambda document: document.id)
    return "".join(json.dumps(document.model_dump(), ensure_ascii=False) + "\n" for document in ordered)
