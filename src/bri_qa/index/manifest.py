"""The manifest: what an index was built with, and the hash of each of its files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bri_qa.artifacts import sha256
from bri_qa.errors import IndexCorruptError, IndexStaleError
from bri_qa.index.generations import names

FORMAT = 4
FILE = "manifest.json"
REBUILD = "run `bri-qa index` to build it anew"


@dataclass(frozen=True, slots=True)
class Identity:
    """What must be the same for an index to be used or refreshed: the embedder and how passages are cut."""

    embedder: str
    fingerprint: str
    dim: int
    passage_tokens: int
    overlap_tokens: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """`corpus_sha256` is over the documents' ids, texts and sources; `files` maps names to SHA-256."""

    identity: Identity
    corpus_sha256: str
    documents: int
    passages: int
    built: str
    files: Mapping[str, str]
    format: int = FORMAT

    def write(self, folder: Path) -> str:
        """The SHA-256 of the file that was written."""
        data = (json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n").encode()
        (folder / FILE).write_bytes(data)
        return hashlib.sha256(data).hexdigest()

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest of the generation in `folder`.

        Raises:
            IndexStaleError: it is of another format.
            IndexCorruptError: it is missing or not the one that was published.
        """
        try:
            data = (folder / FILE).read_bytes()
            raw = json.loads(data)
            if raw["format"] != FORMAT:
                raise IndexStaleError(f"the index has format {raw['format']}, this program reads {FORMAT}; {REBUILD}")
            if not names(folder, hashlib.sha256(data).hexdigest()):
                raise IndexCorruptError(f"{folder / FILE} is damaged; {REBUILD}")
            return cls(**{**raw, "identity": Identity(**raw["identity"])})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise IndexCorruptError(f"the index in {folder} has no usable manifest; {REBUILD}") from error

    def check(self, wanted: Identity) -> None:
        """
        Raises:
            IndexStaleError: the index was built with another embedder or other passage settings.
        """
        if self.identity == wanted:
            return
        ours, theirs = asdict(wanted), asdict(self.identity)
        name = next(key for key in ours if ours[key] != theirs[key])
        raise IndexStaleError(f"the index was built with {name} {theirs[name]}, not {ours[name]}; {REBUILD}")

    def check_files(self, folder: Path) -> None:
        """
        Raises:
            IndexCorruptError: a file is missing or is not the one that was built.
        """
        for name, expected in self.files.items():
            path = folder / name
            try:
                found = sha256(path)
            except OSError as error:
                raise IndexCorruptError(f"{path} cannot be read ({error.strerror}); {REBUILD}") from error
            if found != expected:
                raise IndexCorruptError(f"{path} is damaged; {REBUILD}")


def file_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below `folder` but the manifest, by its path there, sorted."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != FILE)
    return {path.relative_to(folder).as_posix(): sha256(path) for path in files}
