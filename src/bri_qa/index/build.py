"""Documents to a published index. What has not changed is taken over from the current generation, vectors and all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bri_qa.errors import IndexMissingError, IndexStoreError
from bri_qa.index import generations
from bri_qa.index.embedded import Generation
from bri_qa.index.lexical import WordIndex
from bri_qa.index.manifest import Identity, Manifest, file_hashes
from bri_qa.index.store import Store
from bri_qa.index.vectors import VectorIndex
from bri_qa.protocols import Embedder, Vectors
from bri_qa.types import Document, Passage

Cut = Callable[[Document], list[Passage]]
Progress = Callable[[int, int], None]

_BATCH = 256  # passages embedded between two calls of the progress callback


@dataclass(frozen=True, slots=True)
class Change:
    """Document ids by what a build does with them, each sorted. `reason` says why all are built anew, if so."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]
    reason: str | None = None

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed or self.reason)


@dataclass(frozen=True)
class Planned:
    """A build that has not begun."""

    folder: Path
    identity: Identity
    documents: tuple[Document, ...]
    change: Change
    base: Generation | None


def plan(folder: Path, documents: Sequence[Document], identity: Identity) -> Planned:
    """Compare `documents` with the index in `folder`; one that cannot be used is built anew, with the reason."""
    base, reason = None, None
    try:
        base = Generation.current(folder, identity)
    except IndexMissingError:
        reason = "there is no index yet"
    except IndexStoreError as error:
        reason = str(error)
    before = {item.id: item for item in base.documents()} if base else {}
    now = {item.id: item for item in documents}
    change = Change(
        added=tuple(sorted(now.keys() - before.keys())),
        changed=tuple(sorted(i for i in now.keys() & before.keys() if now[i] != before[i])),
        removed=tuple(sorted(before.keys() - now.keys())),
        unchanged=tuple(sorted(i for i in now.keys() & before.keys() if now[i] == before[i])),
        reason=reason,
    )
    return Planned(folder, identity, tuple(now[i] for i in sorted(now)), change, base)


def build(planned: Planned, embedder: Embedder, cut: Cut, progress: Progress | None = None) -> Manifest:
    """Build what was planned and publish it. `progress(done, total)` counts the passages to embed.

    Raises:
        IndexBusyError: another process is building.
        IndexWriteError: the disk is full or cannot be written; the old index still stands.
    """
    with generations.building(planned.folder) as new:
        works = [_Work.of(document, planned, cut) for document in planned.documents]
        vectors = VectorIndex.create(planned.identity.dim)
        _embed(works, vectors, embedder, progress or (lambda _done, _total: None))
        passages = _write(new, works, vectors)
        manifest = Manifest(
            identity=planned.identity,
            corpus_sha256=_corpus_hash(planned.documents),
            documents=len(works),
            passages=passages,
            built=datetime.now(UTC).isoformat(timespec="seconds"),
            files=file_hashes(new),
        )
        generations.publish(planned.folder, new, manifest.write(new))
        return manifest


@dataclass
class _Work:
    """A document with its passages; `kept` are their vectors if the document is taken over."""

    document: Document
    passages: list[Passage]
    numbers: Sequence[int] = ()
    kept: Vectors | None = None

    @classmethod
    def of(cls, document: Document, planned: Planned, cut: Cut) -> _Work:
        base = planned.base
        before = base.document(document.id) if base else None
        if base is None or before is None or before.text != document.text:
            return cls(document, cut(document))
        numbered = base.store.numbered(before)
        kept = base.vectors.get([number for number, _ in numbered])
        return cls(document, [passage for _, passage in numbered], kept=kept)


def _embed(works: Sequence[_Work], vectors: VectorIndex, embedder: Embedder, progress: Progress) -> None:
    """Number all passages, and fill the vector index."""
    number = 0
    for work in works:
        work.numbers = range(number, number + len(work.passages))
        number += len(work.passages)
        if work.kept is not None:
            vectors.add(work.kept, work.numbers)
    todo = [pair for work in works if work.kept is None for pair in zip(work.numbers, work.passages, strict=True)]
    progress(0, len(todo))
    for start in range(0, len(todo), _BATCH):
        batch = todo[start : start + _BATCH]
        found = embedder.embed_passages([passage.text for _, passage in batch])
        vectors.add(found, [number for number, _ in batch])
        progress(start + len(batch), len(todo))


def _write(new: Path, works: Sequence[_Work], vectors: VectorIndex) -> int:
    """The files of a generation; how many passages they hold."""
    vectors.write(new)
    with Store.create(new) as store:
        for work in works:
            store.add(work.document, work.passages, work.numbers)
    numbered = [pair for work in works for pair in zip(work.numbers, work.passages, strict=True)]
    WordIndex.build(new, ((number, passage.document_id, passage.text) for number, passage in numbered))
    return len(numbered)


def _corpus_hash(documents: Sequence[Document]) -> str:
    digest = hashlib.sha256()
    for item in documents:
        source = {name: value for name, value in asdict(item.source).items() if name != "groups" or value}
        facts = [item.id, item.sha256, source]
        digest.update(json.dumps(facts, ensure_ascii=False, sort_keys=True).encode() + b"\n")
    return digest.hexdigest()
