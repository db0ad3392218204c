"""Documents and passages in SQLite. A passage's row number is its id in the vector index."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from bri_qa.types import Document, Passage, Source, Span

FILE = "articles.sqlite"
_SCHEMA = """
CREATE TABLE documents (
    id TEXT PRIMARY KEY, text TEXT NOT NULL, sha256 TEXT NOT NULL, title TEXT NOT NULL,
    publisher TEXT, published TEXT, url TEXT, language TEXT, licence TEXT, groups TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE passages (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, document_id TEXT NOT NULL REFERENCES documents (id),
    first INTEGER NOT NULL, last INTEGER NOT NULL, section TEXT NOT NULL
) STRICT;
CREATE INDEX passages_of ON passages (document_id, first);
"""
_PASSAGE = "number, id, document_id, first, last, section"
_DOCUMENT = "id, text, sha256, title, publisher, published, url, language, licence, groups"


class Store:
    """An open store; safe from several threads."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    @classmethod
    @contextmanager
    def create(cls, folder: Path) -> Iterator[Store]:
        """A new, empty store to be written within the block.

        Raises:
            OSError: the disk is full or cannot be written, here or within the block.
        """
        try:
            with closing(sqlite3.connect(folder / FILE)) as connection:
                connection.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_SCHEMA}")
                yield cls(connection)
                connection.commit()
        except sqlite3.OperationalError as error:
            raise OSError(str(error)) from error

    @classmethod
    def open(cls, folder: Path) -> Store:
        """The store of a published generation, for reading only.

        Raises:
            OSError: the file cannot be read as a store.
        """
        address = f"{(folder / FILE).resolve().as_uri()}?mode=ro&immutable=1"
        try:
            connection = sqlite3.connect(address, uri=True, check_same_thread=False)
            connection.execute("SELECT count(*) FROM passages")
        except sqlite3.DatabaseError as error:
            raise OSError(f"{folder / FILE} is no store of articles: {error}") from error
        return cls(connection)

    def add(self, document: Document, passages: Sequence[Passage], numbers: Sequence[int]) -> None:
        """A document with its passages, which take the given row numbers."""
        source = document.source
        origin = (source.title, source.publisher, source.published, source.url, source.language, source.licence)
        self._connection.execute(
            f"INSERT INTO documents ({_DOCUMENT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (document.id, document.text, document.sha256, *origin, json.dumps(source.groups)),
        )
        self._connection.executemany(
            "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?)",
            [
                (number, item.id, item.document_id, item.span.start, item.span.end, item.section)
                for number, item in zip(numbers, passages, strict=True)
            ],
        )

    def documents(self) -> list[Document]:
        """All documents, by id."""
        return [_document(row) for row in self._rows(f"SELECT {_DOCUMENT} FROM documents ORDER BY id")]

    def numbered(self, document: Document) -> list[tuple[int, Passage]]:
        """The passages of a document in reading order, each with its row number."""
        rows = self._rows(f"SELECT {_PASSAGE} FROM passages WHERE document_id = ? ORDER BY first, last", (document.id,))
        return [(row[0], _passage(row, document.text)) for row in rows]

    def passages(self, numbers: Iterable[int], documents: Mapping[str, Document]) -> dict[int, Passage]:
        """Passages by row number, cut from `documents` by id; a number that is not there is left out."""
        rows = self._rows(
            f"SELECT {_PASSAGE} FROM passages WHERE number IN (SELECT value FROM json_each(?))",
            (json.dumps(list(numbers)),),
        )
        return {row[0]: _passage(row, documents[row[2]].text) for row in rows}

    def numbers_of(self, document_ids: Sequence[str]) -> list[int]:
        """The row numbers of all passages of some documents, ascending."""
        rows = self._rows(
            "SELECT number FROM passages WHERE document_id IN (SELECT value FROM json_each(?)) ORDER BY number",
            (json.dumps(document_ids),),
        )
        return [row[0] for row in rows]

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        with self._lock:
            return self._connection.execute(query, tuple(values)).fetchall()


def _document(row: Any) -> Document:
    title, publisher, published, url, language, licence, groups = row[3:]
    source = Source(title, publisher, published, url, language, licence, tuple(json.loads(groups)))
    return Document(row[0], row[1], source, row[2])


def _passage(row: Any, text: str) -> Passage:
    span = Span(row[3], row[4])
    return Passage(row[1], row[2], span, row[5], span.of(text))
