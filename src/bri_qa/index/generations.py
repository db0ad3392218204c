"""The index folder: one folder a generation, a pointer to the current one, a lock for the builder.

A generation is built under a working name and never changed afterwards; its final name holds the hash of its
manifest, so no two are called the same. Publishing is one atomic rename of the pointer: whoever opens the index finds
the old generation or the new one, whole.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bri_qa.errors import IndexBusyError, IndexCorruptError, IndexMissingError, IndexWriteError

_POINTER = "CURRENT"
_LOCK = ".lock"
_WORK = ".building"
_NAME = re.compile(r"generation-(\d+)(?:-[0-9a-f]+)?")
_DIGITS = 16  # of the manifest's hash, in the name of a generation


def current(folder: Path) -> Path:
    """The folder of the current generation.

    Raises:
        IndexMissingError: nothing was published here.
        IndexCorruptError: the pointer cannot be read, or what it points to is not there.
    """
    try:
        name = _pointed(folder)
    except OSError as error:
        raise IndexCorruptError(f"the index in {folder} cannot be read ({error}); run `bri-qa index`") from error
    if name is None:
        raise IndexMissingError(f"there is no index in {folder}; run `bri-qa index` first")
    if not _NAME.fullmatch(name) or not (folder / name).is_dir():
        raise IndexCorruptError(f"the index in {folder} is not whole; run `bri-qa index` to build it anew")
    return folder / name


@contextmanager
def building(folder: Path) -> Iterator[Path]:
    """A new, empty working folder under the builder's lock; it is deleted if the block raises.

    What a killed builder left is removed first, and at the end every generation but the current one and the one
    before, which a running reader may still be opening.

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
        except OSError as error:
            raise IndexWriteError(f"the index {folder} cannot be locked ({error.strerror}); name another") from error
        try:
            before = _pointed(folder)
            _sweep(folder, before)
            try:
                (folder / _WORK).mkdir()
                yield folder / _WORK
            finally:
                with suppress(OSError):  # nothing is removed while it is not known what is current
                    _sweep(folder, before, _pointed(folder))
        except OSError as error:
            raise IndexWriteError(
                f"the index in {folder} could not be written ({error.strerror or error}); free some space or mend the "
                "permissions and run it again; the old index still stands"
            ) from error


def publish(folder: Path, work: Path, manifest_sha256: str) -> Path:
    """Make `work`, whose files are complete, the current generation; its folder from now on."""
    for path in sorted(work.rglob("*")):
        _sync(path)
    _sync(work)
    new = folder / f"generation-{_next_number(folder):06d}-{manifest_sha256[:_DIGITS]}"
    work.rename(new)
    pointer = folder / f".{_POINTER}.part"
    with pointer.open("w", encoding="utf-8") as stream:
        stream.write(new.name + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    pointer.replace(folder / _POINTER)
    _sync(folder)
    return new


def names(folder: Path, manifest_sha256: str) -> bool:
    """Whether the generation in `folder` was published with that manifest."""
    return folder.name.endswith(f"-{manifest_sha256[:_DIGITS]}")


def _pointed(folder: Path) -> str | None:
    """What the pointer says, None if there is none."""
    try:
        return (folder / _POINTER).read_bytes().decode(errors="replace").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _next_number(folder: Path) -> int:
    found = [_NAME.fullmatch(path.name) for path in folder.iterdir()]
    return max((int(match[1]) for match in found if match), default=0) + 1


def _sweep(folder: Path, *kept: str | None) -> None:
    """Remove the working folder and all generations that are not to be kept."""
    for path in folder.iterdir():
        if path.name == _WORK or (_NAME.fullmatch(path.name) and path.name not in kept):
            shutil.rmtree(path, ignore_errors=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
