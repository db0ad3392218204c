"""Files on their way into the corpus folder: checked beside it, shown, and moved in only when that is confirmed.

They wait in `.staging`, a hidden folder inside the corpus folder, which the loader skips. The check is the loader's
own, over the folder as it would be, so what it says is what `bri-qa index` will say.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import time
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from bri_qa.artifacts import sha256
from bri_qa.corpus import folder as folders
from bri_qa.corpus.editing import Trashed, changing, is_file, to_trash
from bri_qa.corpus.folder import NOT_ARTICLES
from bri_qa.corpus.records import Unusable
from bri_qa.errors import CorpusEditError
from bri_qa.types import Document

STAGING = ".staging"
NAME_BYTES = 200
WAIT_SECONDS = 24 * 3600.0
WAITING = 20  # uploads that wait at a time; the oldest make room

_ID = re.compile(r"[0-9a-f]{32}")
_FILES, _REFUSED = "files", "refused.json"


class Fate(StrEnum):
    """What becomes of a file when the upload is confirmed."""

    ADDED = "added"
    REPLACED = "replaced"  # another file of this name goes to the trash
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Staged:
    """A file of an upload: what it would be in the corpus, and what it was read as, or why it is rejected."""

    name: str
    fate: Fate
    document: Document | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What an upload would change. `digest` is of all that it rests on: files and corpus as they are now."""

    id: str
    files: tuple[Staged, ...]
    digest: str

    @property
    def changes(self) -> tuple[Staged, ...]:
        return tuple(item for item in self.files if item.fate in (Fate.ADDED, Fate.REPLACED))


@dataclass(frozen=True, slots=True)
class Applied:
    """What an upload changed; `trashed` are the files that others took the place of."""

    changes: tuple[Staged, ...]
    trashed: tuple[Trashed, ...]


def stage(folder: Path, files: Iterable[tuple[str, BinaryIO]], max_bytes: int) -> str:
    """Keep the files (name, content) of an upload beside the corpus; the id of the upload. Nothing is changed.

    Raises:
        CorpusEditError: the folder cannot be written.
    """
    with changing(folder):
        _sweep(folder / STAGING)
        upload = secrets.token_hex(16)
        place = folder / STAGING / upload / _FILES
        place.mkdir(parents=True)
        refused: list[tuple[str, str]] = []
        for given, content in files:
            try:
                target = place / file_name(given)
                if target.exists():
                    raise Unusable("a second file of this name in the upload; rename it")
            except Unusable as error:
                refused.append((_printable(given), str(error)))
                continue
            _write(target, content, max_bytes)
        (place.parent / _REFUSED).write_text(json.dumps(refused), encoding="utf-8")
        return upload


def preview(folder: Path, upload: str, max_bytes: int) -> Preview:
    """What the upload would change, seen from the corpus as it is now.

    Raises:
        CorpusEditError: there is no such upload (any more).
        CorpusError: the corpus folder cannot be listed.
    """
    place = _place(folder, upload)
    files = place / _FILES
    before, after = folders.load(folder, max_bytes), folders.load(folder, max_bytes, files)
    old = {before.paths[item.id]: item for item in before.documents}
    new = {after.paths[item.id]: item for item in after.documents}
    reasons = {item.path: item.reason for item in after.rejected}
    staged = [
        _staged(folder, path.name, new.get(path.name), old.get(path.name), reasons) for path in sorted(files.iterdir())
    ]
    refused = json.loads((place / _REFUSED).read_text(encoding="utf-8"))
    staged += [Staged(name, Fate.REJECTED, None, reason) for name, reason in refused]
    return Preview(upload, tuple(staged), _digest(folder, files, staged))


def apply(folder: Path, upload: str, digest: str, max_bytes: int) -> Applied:
    """Move in what `preview` showed, file by file; what others take the place of goes to the trash.

    Raises:
        CorpusEditError: the corpus has changed since, nothing of the upload can be used, it is gone, or the folder
            cannot be written.
        CorpusError: the corpus folder cannot be listed.
    """
    with changing(folder):
        shown = preview(folder, upload, max_bytes)
        if shown.digest != digest:
            raise CorpusEditError("preview_stale", "the articles have changed since the preview; look at it again")
        if not shown.changes:
            raise CorpusEditError("nothing_to_add", "no file of this upload changes anything; add other files")
        trashed = []
        for item in shown.changes:
            if item.fate is Fate.REPLACED:
                trashed.append(to_trash(folder, item.name, keep=True))
            (_place(folder, upload) / _FILES / item.name).replace(folder / item.name)
        shutil.rmtree(_place(folder, upload), ignore_errors=True)
        return Applied(shown.changes, tuple(trashed))


def discard(folder: Path, upload: str) -> None:
    """Forget an upload.

    Raises:
        CorpusEditError: there is no such upload (any more).
    """
    with changing(folder):
        shutil.rmtree(_place(folder, upload))


def file_name(given: str) -> str:
    """The name of a file in the corpus folder: what its sender calls it, without folders.

    Raises:
        Unusable: it is none, hidden, too long, or of a file that is no article.
    """
    name = unicodedata.normalize("NFC", re.split(r"[/\\]", given)[-1]).strip()
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        raise Unusable("its name holds a control character; rename it")
    if not name:
        raise Unusable("it has no name; give it one")
    if name.startswith("."):
        raise Unusable("a hidden file is never read; rename it without the dot at the front")
    if len(name.encode()) > NAME_BYTES:
        raise Unusable(f"its name is longer than {NAME_BYTES} bytes; shorten it")
    if name.casefold() in {other.casefold() for other in NOT_ARTICLES}:
        raise Unusable(f"{name} is not an article's name; rename it, or change that file in the corpus folder itself")
    return name


def _staged(
    folder: Path, name: str, document: Document | None, before: Document | None, reasons: dict[str, str]
) -> Staged:
    if (folder / name).is_dir():
        return Staged(name, Fate.REJECTED, None, "a folder of the corpus has this name; rename the file")
    if document is None or name in reasons:
        return Staged(name, Fate.REJECTED, None, reasons.get(name, "it cannot be read"))
    if document == before:
        return Staged(name, Fate.UNCHANGED, document)
    return Staged(name, Fate.REPLACED if is_file(folder / name) else Fate.ADDED, document)


def _digest(folder: Path, files: Path, staged: Iterable[Staged]) -> str:
    """Of what is shown, the files, and those that they take the place of."""
    facts = []
    for item in staged:
        places = (files / item.name, folder / item.name) if item.document else ()
        there = [sha256(path) for path in places if path.is_file()]
        facts.append([item.name, item.fate, item.reason, there])
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False).encode()).hexdigest()


def _place(folder: Path, upload: str) -> Path:
    place = folder / STAGING / upload
    if not _ID.fullmatch(upload) or not (place / _REFUSED).is_file():
        raise CorpusEditError(
            "upload_gone", "there is no such upload; it was added, discarded or too old: add it again"
        )
    return place


def _write(target: Path, content: BinaryIO, max_bytes: int) -> None:
    """As much as the loader needs to see that a file is too large."""
    with target.open("wb") as stream:
        stream.write(content.read(max_bytes + 1))
        stream.flush()
        os.fsync(stream.fileno())


def _sweep(root: Path) -> None:
    """Uploads that waited too long, or are too many, go."""
    places = [path for path in root.iterdir() if _ID.fullmatch(path.name)] if root.is_dir() else []
    places.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for number, path in enumerate(places, start=1):
        if number >= WAITING or path.stat().st_mtime < time.time() - WAIT_SECONDS:
            shutil.rmtree(path, ignore_errors=True)


def _printable(name: str) -> str:
    """A name as it can be shown."""
    safe = "".join(c if unicodedata.category(c) not in ("Cc", "Cs") else "\N{REPLACEMENT CHARACTER}" for c in name)
    return safe[:NAME_BYTES] or "(no name)"
