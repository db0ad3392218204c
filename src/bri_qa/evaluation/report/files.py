"""The folder of a run, and files replaced in one step."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from bri_qa.errors import InputError
from bri_qa.evaluation.run import Run
from bri_qa.evaluation.summary import as_json


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


def write(folder: Path, run: Run, heading: Mapping[str, Any]) -> None:
    """Write `cases.jsonl`, then `run.json`, which begins with `heading` and names the other by its SHA-256.

    A reader who finds a `run.json` whose hash fits therefore has both files of one run.

    Raises:
        InputError: a file cannot be written.
    """
    open_folder(folder)
    lines = "".join(json.dumps(record.as_json(), ensure_ascii=False) + "\n" for record in run.records)
    replace_file(folder / "cases.jsonl", lines)
    files = {"cases.jsonl": sha256(lines.encode()).hexdigest()}
    content = {**heading, **as_json(run), "files": files}
    replace_file(folder / "run.json", json.dumps(content, ensure_ascii=False, indent=2, default=str) + "\n")
