"""sources.csv: what is said of articles that carry no front matter, a line each."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from bri_qa.corpus.canonical import canonical
from bri_qa.corpus.metadata import SOURCE_KEYS, checked
from bri_qa.corpus.records import RejectedFile, Unusable

FILE = "sources.csv"
_COLUMNS = ("path", *SOURCE_KEYS)


@dataclass(slots=True)
class Sources:
    """Values by path; `unusable` holds the reason for a path whose line cannot be used.

    `hidden`: the file cannot be used and may name access groups, so nobody knows what is open to whom.
    """

    values: dict[str, Mapping[str, str]] = field(default_factory=dict)
    unusable: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    rejected: list[RejectedFile] = field(default_factory=list)
    hidden: bool = False

    def of(self, path: str) -> Mapping[str, str]:
        """What is said of an article.

        Raises:
            Unusable: its line holds a value that cannot be used.
        """
        name = unicodedata.normalize("NFC", path)
        if name in self.unusable:
            raise Unusable(self.unusable[name])
        return self.values.get(name, {})

    def unmatched(self, paths: Set[str]) -> list[RejectedFile]:
        """A report for each line that names a file which is not there."""
        there = {unicodedata.normalize("NFC", path) for path in paths}
        return [
            RejectedFile(FILE, f"line {line} names {path}, which is not in the folder; correct or remove it")
            for path, line in self.lines.items()
            if path not in there
        ]


def read(path: Path, max_bytes: int) -> Sources:
    """The sources in `path`; none if there is no such file. A file that cannot be used is among the rejected."""
    sources = Sources()
    try:
        if path.is_file():
            _fill(sources, path, max_bytes)
    except Unusable as error:
        sources.rejected.append(RejectedFile(FILE, str(error)))
    except csv.Error as error:
        sources.rejected.append(RejectedFile(FILE, f"not CSV: {error}; save it as comma-separated UTF-8"))
    except OSError as error:
        sources.rejected.append(RejectedFile(FILE, f"cannot be read: {error.strerror}; mend its permissions"))
        sources.hidden = True
    return sources


def _fill(sources: Sources, path: Path, max_bytes: int) -> None:
    with path.open("rb") as stream:
        data = stream.read(max_bytes + 1)
    sources.hidden = b"groups" in data.replace(b"\0", b"").lower()  # until all of it is read
    if len(data) > max_bytes:
        raise Unusable(f"larger than {max_bytes:,} bytes; raise BRI_QA_MAX_FILE_BYTES")
    rows = csv.reader(io.StringIO(canonical(data)), strict=True)
    header = [column.strip() for column in next(rows, [])]
    unknown = [column for column in header if column not in _COLUMNS]
    if unknown or "path" not in header or len(set(header)) < len(header):
        raise Unusable(f"line 1: write the columns {','.join(_COLUMNS)} with commas, path among them, each once")
    for row in rows:
        if any(cell.strip() for cell in row):
            _add(sources, header, row, rows.line_num)
    sources.hidden = False


def _add(sources: Sources, header: list[str], row: list[str], line: int) -> None:
    place = f"{FILE}, line {line}"
    cells = dict(zip(header, row, strict=False))
    path = cells.pop("path", "").strip()
    if not path:
        sources.rejected.append(RejectedFile(FILE, f"line {line} names no file; write its path or remove the line"))
        return
    name = PurePosixPath(path).as_posix()
    if name in sources.lines:
        sources.rejected.append(RejectedFile(FILE, f"line {line} names {name} a second time; keep one"))
        if "groups" in header:
            sources.unusable[name] = f"{place}: a second line for this file, and one may say who may read it; keep one"
        return
    sources.lines[name] = line
    if len(row) > len(header):
        sources.unusable[name] = f"{place}: more cells than columns; put a value with commas in double quotes"
        return
    try:
        sources.values[name] = checked((place, key, value) for key, value in cells.items())
    except Unusable as error:
        sources.unusable[name] = str(error)
