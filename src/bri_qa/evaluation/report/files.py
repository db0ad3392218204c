"""The folder of a report, and files replaced in one step."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile

from bri_qa.errors import InputError


def open_folder(folder: Path) -> None:
    """Make `folder` if it is not there, before the work of a run is spent.

    Raises:
        InputError: it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(f"cannot use the report folder {folder}: {error.strerror}; name another") from error


def replace_file(file: Path, text: str) -> None:
    """Write `text` so that `file` is the old one or the whole new one at every moment.

    Raises:
        InputError: it cannot be written; the old file, if any, still stands.
    """
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(file)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise InputError(f"cannot write {file}: {error.strerror}; free the disk or name another place") from error
