"""The index that lives in one process: FAISS vectors, SQLite articles, tantivy words. It follows what is published."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bri_qa.errors import IndexCorruptError, IndexStoreError
from bri_qa.index import generations
from bri_qa.index.lexical import WordIndex
from bri_qa.index.manifest import REBUILD, Identity, Manifest
from bri_qa.index.store import Store
from bri_qa.index.vectors import VectorIndex
from bri_qa.protocols import Vectors
from bri_qa.types import Document, Filters, Hit, Passage

log = logging.getLogger(__name__)

_BEYOND = 16  # hits fetched beyond k at first, to see whether the k-th has ties


@dataclass(frozen=True)
class Generation:
    """One published index, open. Nothing in it changes; all methods are safe from several threads."""

    folder: Path
    manifest: Manifest
    store: Store
    vectors: VectorIndex
    words: WordIndex
    by_id: Mapping[str, Document]
    restricted: bool  # some article is not open to all

    @classmethod
    def open(cls, folder: Path, identity: Identity) -> Generation:
        """
        Raises:
            IndexStaleError: built with another embedder, format or passage setting.
            IndexCorruptError: a file is missing or damaged.
        """
        manifest = Manifest.read(folder)
        manifest.check(identity)
        manifest.check_files(folder)
        try:
            store = Store.open(folder)
            by_id = {item.id: item for item in store.documents()}
            restricted = any(item.source.groups for item in by_id.values())
            return cls(folder, manifest, store, VectorIndex.open(folder), WordIndex.open(folder), by_id, restricted)
        except OSError as error:
            raise IndexCorruptError(f"the index in {folder} cannot be opened ({error}); {REBUILD}") from error

    @classmethod
    def current(cls, folder: Path, identity: Identity) -> Generation:
        """The current generation of an index folder; if it is replaced while it is opened, the one that replaced it.

        Raises:
            IndexMissingError, IndexStaleError, IndexCorruptError: as their names say; each says what to do.
        """
        place = generations.current(folder)
        while True:
            try:
                return cls.open(place, identity)
            except IndexCorruptError:
                newest = generations.current(folder)
                if newest == place:
                    raise
                place = newest

    def snapshot(self) -> Generation:
        return self

    def search_dense(self, vector: Vectors, k: int, filters: Filters) -> list[Hit]:
        """At most k hits by inner product, best first, ties by passage id. `vector` is f32[dim]."""
        allowed = self._allowed(filters)
        numbers = None if allowed is None else self.store.numbers_of(allowed)
        hits = self._best(lambda n: self.vectors.search(vector, n, numbers), k)
        return [replace(hit, cosine=hit.score) for hit in hits]

    def search_lexical(self, query: str, k: int, filters: Filters, vector: Vectors | None = None) -> list[Hit]:
        """At most k hits by BM25, best first, ties by passage id; with their cosine to `vector`, if there is one."""
        allowed = self._allowed(filters)
        return self._best(lambda n: self.words.search(query, n, allowed), k, vector)

    def document(self, document_id: str) -> Document | None:
        return self.by_id.get(document_id)

    def documents(self) -> list[Document]:
        """All documents, by id."""
        return list(self.by_id.values())

    def passages(self, document_id: str) -> list[Passage]:
        """The passages of a document in reading order."""
        document = self.by_id.get(document_id)
        return [passage for _, passage in self.store.numbered(document)] if document else []

    def _allowed(self, filters: Filters) -> Sequence[str] | None:
        """The ids of the documents that pass; None where all do, which costs a search nothing."""
        if not filters.narrows and (filters.groups is None or not self.restricted):
            return None
        return [item.id for item in self.by_id.values() if filters.allow(item.id, item.source)]

    def _best(
        self, search: Callable[[int], Sequence[tuple[int, float]]], k: int, vector: Vectors | None = None
    ) -> list[Hit]:
        """The first k of what `search(n)` finds; n grows until all ties of the k-th are seen, for ids to break them."""
        if k <= 0:
            return []
        n = k + _BEYOND
        found = search(n)
        while len(found) == n and found[-1][1] == found[k - 1][1]:
            n *= 4
            found = search(n)
        passages = self.store.passages((number for number, _ in found), self.by_id)
        near: Sequence[float | None] = [None] * len(found)
        if vector is not None:
            near = (self.vectors.get([number for number, _ in found]) @ vector).tolist()
        hits = [Hit(passages[number], score, cosine=one) for (number, score), one in zip(found, near, strict=True)]
        return sorted(hits, key=lambda hit: (-hit.score, hit.passage.id))[:k]


class EmbeddedIndex:
    """The current generation of an index folder; each snapshot is the newest that can be opened."""

    def __init__(self, folder: Path, identity: Identity, generation: Generation) -> None:
        self._folder = folder
        self._identity = identity
        self._generation = generation
        self._unusable = ""  # the name of a newer generation that could not be opened
        self._reported = ""  # the last warning
        self._opening = threading.Lock()

    @classmethod
    def open(cls, folder: Path, identity: Identity) -> EmbeddedIndex:
        """
        Raises:
            IndexMissingError, IndexStaleError, IndexCorruptError: as their names say; each says what to do.
        """
        return cls(folder, identity, Generation.current(folder, identity))

    def snapshot(self) -> Generation:
        """The newest generation. While it is being opened, and if it cannot be, the one before goes on answering."""
        if self._newer() is not None and self._opening.acquire(blocking=False):
            try:
                self._open(self._newer())
            finally:
                self._opening.release()
        return self._generation

    def _newer(self) -> Path | None:
        """The folder of a current generation that was not tried yet."""
        try:
            newest = generations.current(self._folder)
        except IndexStoreError as error:
            self._report(error)
            return None
        return None if newest.name in (self._generation.folder.name, self._unusable) else newest

    def _open(self, newest: Path | None) -> None:
        if newest is None:
            return
        try:
            self._generation = Generation.open(newest, self._identity)
            self._reported = ""
        except IndexStoreError as error:
            self._unusable = newest.name
            self._report(error)

    def _report(self, error: IndexStoreError) -> None:
        """Warn, once for each reason."""
        if str(error) != self._reported:
            self._reported = str(error)
            log.warning("the published index is not used: %s", error)

    @property
    def manifest(self) -> Manifest:
        return self.snapshot().manifest

    def search_dense(self, vector: Vectors, k: int, filters: Filters) -> list[Hit]:
        return self.snapshot().search_dense(vector, k, filters)

    def search_lexical(self, query: str, k: int, filters: Filters, vector: Vectors | None = None) -> list[Hit]:
        return self.snapshot().search_lexical(query, k, filters, vector)

    def document(self, document_id: str) -> Document | None:
        return self.snapshot().document(document_id)

    def documents(self) -> list[Document]:
        return self.snapshot().documents()

    def passages(self, document_id: str) -> list[Passage]:
        return self.snapshot().passages(document_id)
