"""Documents to a corpus folder that the loader reads back as they were, character for character."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from bri_qa.corpus.metadata import SOURCE_KEYS
from bri_qa.errors import InputError
from bri_qa.types import Document

_RESERVED = frozenset({"examples"})  # a file of this name is not taken as an article


class CorpusFolder:
    """A folder that articles are written into, one `.txt` file each, with a front matter.

    Raises:
        InputError: the folder has files already, or cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names = set(_RESERVED)
        self._by_text: dict[bytes, str] = {}
        self.written = 0
        self.merged: dict[str, str] = {}
        self.empty: list[str] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            taken = next((item.name for item in folder.iterdir() if not item.name.startswith(".")), None)
        except OSError as error:
            raise InputError(f"cannot use the folder {folder}: {error.strerror}; name another") from error
        if taken is not None:
            raise InputError(f"the folder {folder} is not empty ({taken}); name a new one for the articles")

    def add(self, document: Document) -> str | None:
        """Write a document; returns its id, or that of an earlier one with the same words, or None if it has none."""
        if not any(map(str.isalnum, document.text)):
            self.empty.append(document.id)
            return None
        key = sha256(" ".join(document.text.split()).encode()).digest()
        known = self._by_text.setdefault(key, document.id)
        if known != document.id:
            self.merged[document.id] = known
            return known
        file = self._folder / f"{self._name(document.id)}.txt"
        try:
            file.write_text(front_matter(document) + document.text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise InputError(f"cannot write {file}: {error.strerror}; free the disk or name another place") from error
        self.written += 1
        return document.id

    def add_all(self, documents: Iterable[Document]) -> None:
        for document in documents:
            self.add(document)

    def _name(self, identity: str) -> str:
        """A file name that no other has, on disks too that do not tell A from a."""
        plain = re.sub(r"[^\w.-]+", "-", identity.encode("ascii", "ignore").decode()).strip("-.")[:80] or "article"
        name, number = plain, 1
        while name.casefold() in self._names:
            number += 1
            name = f"{plain}-{number}"
        self._names.add(name.casefold())
        return name


def front_matter(document: Document) -> str:
    """Id and source as YAML; a JSON string is one in YAML too."""
    values = {"id": document.id, **{key: getattr(document.source, key) for key in SOURCE_KEYS}}
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in values.items() if value]
    return "\n".join(["---", *lines, "---", ""])
