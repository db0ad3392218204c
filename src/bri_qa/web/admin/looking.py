"""The corpus folder beside its index, read again only when a file of either has changed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from bri_qa import compose
from bri_qa.corpus import RejectedFile
from bri_qa.settings import Settings
from bri_qa.types import Document, Source

SETTLED = 2.0
"""Seconds for which a file must be left alone: a disk may not tell two writes apart that follow each other closely."""

Stamp = frozenset[tuple[str, int, int, int]]


@dataclass(frozen=True, slots=True)
class Held:
    """An article of the corpus folder. `state`: `unchanged` in the index, or `added` or `changed` since."""

    document: Document
    path: str
    state: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look found. `indexed` are the sources of the index by id, `removed` those without a file any more."""

    articles: tuple[Held, ...]
    rejected: tuple[RejectedFile, ...]
    indexed: Mapping[str, Source]
    removed: frozenset[str]
    anew: str | None
    passages: int
    built: str | None
    embedder: str


class Look:
    """Remembers the last look as long as nothing was written since."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._last: tuple[Stamp, Seen] | None = None
        self._lock = Lock()

    def now(self) -> Seen:
        """The corpus folder and the index as they stand.

        Raises:
            CorpusError: the corpus folder cannot be read.
        """
        with self._lock:
            at = time.time()
            stamp = _stamp(self._settings.corpus_dir) | _stamp(self._settings.index_dir)
            if self._last is not None and self._last[0] == stamp:
                return self._last[1]
            seen = _look(self._settings)
            newest = max((changed for _, changed, _, _ in stamp), default=0)
            self._last = (stamp, seen) if newest < (at - SETTLED) * 1e9 else None
            return seen


def _look(settings: Settings) -> Seen:
    found = compose.refresh(settings)
    change, base = found.change, found.planned.base
    states = dict.fromkeys(change.added, "added") | dict.fromkeys(change.changed, "changed")
    manifest = base.manifest if base else None
    return Seen(
        articles=tuple(
            Held(item, found.paths[item.id], states.get(item.id, "unchanged")) for item in found.planned.documents
        ),
        rejected=found.rejected,
        indexed={item.id: item.source for item in base.documents()} if base else {},
        removed=frozenset(change.removed),
        anew=change.reason if manifest is None else None,
        passages=manifest.passages if manifest else 0,
        built=manifest.built if manifest else None,
        embedder=found.planned.identity.embedder,
    )


def _stamp(folder: Path) -> Stamp:
    """What tells whether a file under `folder` was written, added or taken away: path, time, size and inode."""
    return frozenset((item.path, *_written(item)) for item in _entries(str(folder)))


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            entries = [item for item in found if not item.name.startswith(".")]
    except OSError:  # reading the corpus says what is wrong
        return
    for item in entries:
        yield item
        if item.is_dir(follow_symlinks=False):
            yield from _entries(item.path)


def _written(item: os.DirEntry[str]) -> tuple[int, int, int]:
    try:
        facts = item.stat()
    except OSError:  # a link to nowhere
        return 0, 0, 0
    return facts.st_mtime_ns, facts.st_size, facts.st_ino
