"""The journal of a run: answers put down as they are given, so that a run that was killed goes on where it stopped.

`answers.jsonl` in the report folder: a line that says what the run is of, then one line for each answer. It is there
only while the run is unfinished. A last line that was cut short is dropped.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Self

import bri_qa
from bri_qa.errors import InputError
from bri_qa.types import (
    AbstainReason,
    Answer,
    Citation,
    CitedStatement,
    Hit,
    Passage,
    Question,
    Source,
    Span,
    Trace,
)

NAME = "answers.jsonl"
FORMAT = 1
_PACKAGE = Path(bri_qa.__file__).parent


@dataclass(frozen=True, slots=True)
class Saved:
    """An answer as the contract's object, and the seconds it took."""

    answer: Mapping[str, Any]
    seconds: float


class Journal:
    """Held by one process at a time. `held` are the answers found at the opening, by the id of their case."""

    def __init__(self, file: Path, stream: IO[bytes], held: dict[str, Saved]) -> None:
        self._file = file
        self._stream = stream
        self.held = held

    @classmethod
    def open(cls, folder: Path, configuration: Mapping[str, Any], *, fresh: bool = False) -> Self:
        """The journal of `folder`, begun if there is none or `fresh` says so.

        Raises:
            InputError: an unfinished run of another `configuration` is there, another process writes it, or the file
                cannot be used.
        """
        file = folder / NAME
        heading = {"format": FORMAT, "configuration": fingerprint(configuration)}
        stream = _locked(file)
        try:
            held, length = ({}, 0) if fresh else _read(file, heading)
            stream.truncate(length)
            journal = cls(file, stream, held)
            if not length:
                journal._write(heading)
        except OSError as error:
            stream.close()
            raise _unusable(file, error) from error
        except InputError:
            stream.close()
            raise
        return journal

    def add(self, case_id: str, answer: Mapping[str, Any], seconds: float) -> None:
        """Put an answer down; it outlasts this process.

        Raises:
            InputError: it cannot be written.
        """
        try:
            self._write({"id": case_id, "seconds": seconds, "answer": answer})
        except OSError as error:
            raise InputError(
                f"cannot write {self._file}: {error.strerror}; free the disk and run it again to go on"
            ) from error

    def _write(self, line: Mapping[str, Any]) -> None:
        self._stream.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        self._stream.flush()

    def close(self) -> None:
        """Let go of the file; the answers stay for the next run."""
        self._stream.close()

    def finish(self) -> None:
        """The run is over and its report written: nothing is left to go on with."""
        self._file.unlink(missing_ok=True)
        self.close()


def program() -> str:
    """A hash of this package's code and of the names and sizes of its other files: another one answers differently."""
    found = sha256()
    for file in sorted(path for path in _PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        found.update(f"{file.relative_to(_PACKAGE)}\0{file.stat().st_size}\0".encode())
        if file.suffix in (".py", ".json"):
            found.update(file.read_bytes())
    return found.hexdigest()


def fingerprint(configuration: Mapping[str, Any]) -> str:
    """One hash of all that bears on answers."""
    text = json.dumps(configuration, sort_keys=True, ensure_ascii=False, default=str)
    return sha256(text.encode()).hexdigest()


def _locked(file: Path) -> IO[bytes]:
    try:
        stream = file.open("a+b")
    except OSError as error:
        raise _unusable(file, error) from error
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        stream.close()
        raise InputError(f"another run is writing to {file.parent}; wait for it or name another folder") from error
    return stream


def _unusable(file: Path, error: OSError) -> InputError:
    return InputError(f"cannot use {file}: {error.strerror}; name another report folder")


def _read(file: Path, heading: Mapping[str, Any]) -> tuple[dict[str, Saved], int]:
    """The answers of whole lines, and where the last of these ends, in bytes; a line without its end was cut short."""
    content = file.read_bytes()
    lines = content[: content.rfind(b"\n") + 1].split(b"\n")[:-1]
    if not lines:
        return {}, 0
    if _object(lines[0], file, 1) != heading:
        raise InputError(
            f"{file} is of an unfinished run with other cases, settings, articles or code; finish that one, begin "
            "anew with --fresh, or name another report folder"
        )
    held = {}
    for number, line in enumerate(lines[1:], start=2):
        found = _object(line, file, number)
        held[str(found["id"])] = Saved(found["answer"], float(found["seconds"]))
    return held, sum(len(line) + 1 for line in lines)


def _object(line: bytes, file: Path, number: int) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise InputError(f"{file}, line {number}: not JSON; begin anew with --fresh") from error
    if not isinstance(found, dict) or not found.keys() >= ({"format"} if number == 1 else {"id", "seconds", "answer"}):
        raise InputError(f"{file}, line {number}: not a line of a journal; begin anew with --fresh")
    return found


def answer_of(question: Question, shown: Mapping[str, Any]) -> Answer:
    """The answer that the contract's object shows, so far as scores look at it."""
    reason = AbstainReason(shown["reason"]) if shown["reason"] else None
    return Answer(
        question=question,
        statements=tuple(CitedStatement(item["text"], tuple(item["citations"])) for item in shown["statements"]),
        citations=tuple(_citation(item) for item in shown["citations"]),
        short_answer=shown["short_answer"],
        reason=reason,
        message=shown["answer"] if reason else None,
        confidence=shown["confidence"],
        mode=shown["mode"],
        hits=tuple(_hit(item) for item in shown["passages"]),
        trace=Trace(shown["trace"]["query"], shown["trace"]["seconds"], shown["trace"]["models"]),
    )


def _citation(item: Mapping[str, Any]) -> Citation:
    source = Source(item["title"], item["publisher"], item["published"], item["url"])
    span = Span(item["start"], item["end"])
    return Citation(item["number"], item["document_id"], span, item["quote"], source, item["document_sha256"])


def _hit(item: Mapping[str, Any]) -> Hit:
    span = Span(item["start"], item["end"])
    name = f"{item['document_id']}#{span.start}-{span.end}"
    return Hit(Passage(name, item["document_id"], span, "", item["text"]), item["score"])
