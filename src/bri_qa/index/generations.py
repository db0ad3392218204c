"""The index folder: one folder a generation, a pointer to the current one, a lock for the builder.

A generation is built under a name of its own and never changed. Publishing is one atomic rename of the pointer, so
that whoever opens the index finds the old generation or the new one, whole.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bri_qa.errors import IndexBusyError, IndexMissingError, IndexWriteError

_POINTER = "CURRENT"
_LOCK = ".lock"
_PREFIX = "generation-"


def current(folder: Path) -> Path:
    """The folder of the current generation.

    Raises:
        IndexMissingError: nothing was published here.
    """
    try:
        name = (folder / _POINTER).read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise IndexMissingError(f"there is no index in {folder}; run `bri-qa index` first") from error
    except (OSError, ValueError) as error:
        raise IndexMissingError(f"the index in {folder} cannot be read ({error}); run `bri-qa index`") from error
    found = folder / name
    if not name.startswith(_PREFIX) or "/" in name or not found.is_dir():
        raise IndexMissingError(f"the index in {folder} is half a build; run `bri-qa index` to build it")
    return found


@contextmanager
def building(folder: Path) -> Iterator[Path]:
    """A new, empty generation folder under the builder's lock; it is deleted if the block raises.

    Raises:
        IndexBusyError: another process is building.
        IndexWriteError: the disk is full or cannot be written, here or within the block.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / _LOCK).open("w")
    except OSError as error:
        raise IndexWriteError(f"the index {folder} cannot be written ({error.strerror}); name another") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise IndexBusyError(f"another process is building the index in {folder}; wait for it to end") from error
        new = folder / _next_name(folder)
        try:
            new.mkdir()
            yield new
        except OSError as error:
            raise IndexWriteError(
                f"the index in {folder} could not be written ({error.strerror or error}); free some space or mend the "
                "permissions and run it again; the old index still stands"
            ) from error
        finally:
            _sweep(folder)


def publish(folder: Path, new: Path) -> None:
    """Make `new`, whose files are complete, the current generation."""
    for path in sorted(new.rglob("*")):
        _sync(path)
    _sync(new)
    pointer = folder / f".{_POINTER}.part"
    with pointer.open("w", encoding="utf-8") as stream:
        stream.write(new.name + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    pointer.replace(folder / _POINTER)
    _sync(folder)


def _next_name(folder: Path) -> str:
    numbers = [int(path.name[len(_PREFIX) :]) for path in _generations(folder)]
    return f"{_PREFIX}{max(numbers, default=0) + 1:06d}"


def _generations(folder: Path) -> list[Path]:
    return [path for path in folder.glob(f"{_PREFIX}*") if path.name[len(_PREFIX) :].isdigit()]


def _sweep(folder: Path) -> None:
    """Remove what is neither current nor the one before, which a running reader may still be opening."""
    try:
        kept = current(folder).name
    except IndexMissingError:
        kept = ""
    older = sorted(path.name for path in _generations(folder) if path.name < kept)
    keep = {kept, *older[-1:]}
    for path in _generations(folder):
        if path.name not in keep:
            shutil.rmtree(path, ignore_errors=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
