"""The corpus folder as it is changed: files moved in and out of it, each by one rename.

What is taken out goes to `.trash`, a hidden folder inside the corpus folder: the loader skips it, and it is on the same
file system, so that nothing is ever half moved.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bri_qa.corpus import folder as folders
from bri_qa.corpus.folder import NOT_ARTICLES
from bri_qa.errors import CorpusEditError

TRASH = ".trash"
_STAMP = "%Y%m%dT%H%M%SZ"
_TRASHED = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Trashed:
    """A file in the trash: where it lay under the corpus folder, and when it was taken out (UTC)."""

    id: str
    path: str
    removed: datetime


def remove(folder: Path, path: str, max_bytes: int) -> Trashed:
    """Take one file out of the corpus folder, an article or one that was rejected; `path` as the loader names it.

    Raises:
        CorpusEditError: there is no such file, or the folder cannot be written.
        CorpusError: the folder cannot be listed.
    """
    with changing(folder):
        corpus = folders.load(folder, max_bytes)
        known = {*corpus.paths.values(), *(item.path for item in corpus.rejected)} - set(NOT_ARTICLES)
        if path not in known or not is_file(folder / path):
            raise CorpusEditError("article_missing", f"there is no file {path} in the corpus folder; look again")
        return to_trash(folder, path)


def to_trash(folder: Path, path: str, keep: bool = False) -> Trashed:
    """Move a file to the trash; with `keep` it also stays, until it is replaced."""
    name = f"{datetime.now(UTC).strftime(_STAMP)}-{secrets.token_hex(6)}"
    target = folder / TRASH / name / path
    target.parent.mkdir(parents=True)
    if keep:
        shutil.copy2(folder / path, target, follow_symlinks=False)
    else:
        (folder / path).rename(target)
    return _trashed(folder / TRASH / name, target)


def trash(folder: Path) -> list[Trashed]:
    """What lies in the trash, the last taken out first."""
    return sorted(_found(folder), key=lambda item: item.id, reverse=True)


def restore(folder: Path, name: str) -> Trashed:
    """Put a file back to where it lay.

    Raises:
        CorpusEditError: it is not in the trash, another file has its place, or the folder cannot be written.
    """
    with changing(folder):
        item = next((one for one in _found(folder) if one.id == name), None)
        if item is None:
            raise CorpusEditError("trash_missing", "it is not in the trash; it may have been put back already")
        target = folder / item.path
        if target.exists() or target.is_symlink():
            raise CorpusEditError("name_taken", f"there is another file {item.path}; remove that one first")
        target.parent.mkdir(parents=True, exist_ok=True)
        (folder / TRASH / name / item.path).rename(target)
        shutil.rmtree(folder / TRASH / name, ignore_errors=True)
        return item


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """One change at a time, whichever process makes it.

    Raises:
        CorpusEditError: the folder cannot be written, here or within the block.
    """
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)
    except OSError as error:
        raise CorpusEditError(
            "corpus_unwritable",
            f"the corpus folder cannot be changed ({error.strerror or error}); mend its permissions or free some space",
        ) from error


def is_file(path: Path) -> bool:
    """A file or a link, also one to nothing."""
    return path.is_file() or path.is_symlink()


def _found(folder: Path) -> Iterator[Trashed]:
    """The files of the trash; a folder in it that is not ours is left alone."""
    root = folder / TRASH
    for place in root.iterdir() if root.is_dir() else ():
        if _TRASHED.fullmatch(place.name):
            for path in sorted(place.rglob("*")):
                if is_file(path):
                    yield _trashed(place, path)


def _trashed(place: Path, path: Path) -> Trashed:
    removed = datetime.strptime(place.name.partition("-")[0], _STAMP).replace(tzinfo=UTC)
    return Trashed(place.name, path.relative_to(place).as_posix(), removed)
