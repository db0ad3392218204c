"""Cases as they come: our own lines, SQuAD, BEIR, CSV, the chat's feedback. One module reads one format.

The format is known by what the file holds, not by an option: a folder is BEIR, `.csv` and `.tsv` are tables, a JSON
object with `data` is SQuAD, lines with a `rating` are feedback, all else is our own lines.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from bri_qa.errors import CaseError
from bri_qa.evaluation.formats import beir, feedback, lines, squad, table
from bri_qa.evaluation.formats.record import Article, Articles, CaseLine, Content, Entry, EvidenceLine, Gold, Problem

__all__ = ["Article", "CaseLine", "Content", "Entry", "EvidenceLine", "Gold", "Problem", "read"]

FORMATS = (lines.NAME, squad.NAME, beir.NAME, table.NAME, feedback.NAME)


class _Again:
    """Articles that can be gone through more than once, none of them kept."""

    def __init__(self, start: Callable[[], Articles]) -> None:
        self._start = start

    def __iter__(self) -> Articles:
        return self._start()


def read(path: Path) -> Content:
    """The cases of a file or folder with what is wrong in it; nothing is located yet.

    Raises:
        CaseError: it cannot be read, or is of no known format; says what to do.
    """
    try:
        if path.is_dir():
            return _folder(path)
        data = path.read_bytes()
    except OSError as error:
        raise CaseError(f"cannot read the cases in {path}: {error.strerror}; name a file with --cases") from error
    return _file(path, _decoded(path, data), sha256(data).hexdigest())


def _folder(path: Path) -> Content:
    if not beir.looks_like(path):
        raise CaseError(
            f"{path} is a directory without {beir.CORPUS}, {beir.QUERIES} and {beir.JUDGEMENTS}/; "
            "name a file of cases, or a BEIR folder"
        )
    try:
        entries = list(beir.read(path))
        digest = sha256()
        for file in beir.files(path):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    except UnicodeDecodeError as error:
        raise CaseError(f"{path}: a file is not UTF-8 ({error.reason}); save it as UTF-8") from error
    return Content(beir.NAME, digest.hexdigest(), entries, _Again(partial(beir.articles, path)))


def _file(path: Path, text: str, digest: str) -> Content:
    if path.suffix.lower() in table.SUFFIXES:
        return Content(table.NAME, digest, list(table.read(path, text)))
    first = _json(text.lstrip().split("\n", 1)[0])
    if feedback.looks_like(first):
        return Content(feedback.NAME, digest, list(feedback.read(path, text)))
    whole = _json(text) if not isinstance(first, dict) or squad.looks_like(first) else None
    if isinstance(whole, dict) and squad.looks_like(whole):
        return Content(squad.NAME, digest, list(squad.read(path, whole)), _Again(partial(squad.articles, path, whole)))
    if isinstance(whole, list) or (isinstance(whole, dict) and "\n" in text.strip()):
        raise CaseError(
            f"{path} is JSON, but not SQuAD (an object with `data`); write one case a line (eval/README.md), "
            "or give a SQuAD file, a BEIR folder or a CSV table"
        )
    return Content(lines.NAME, digest, list(lines.read(path, text)))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _decoded(file: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CaseError(f"{file}, line {line}: not UTF-8; save the file as UTF-8") from error
