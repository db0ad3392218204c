"""What an administrator does to the corpus: looked at, added to, taken from, rebuilt. Every change is recorded.

An administrator who may not read an article is not shown it and cannot take it out or write over it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import BinaryIO

from bri_qa.corpus import RejectedFile, editing, staging
from bri_qa.corpus.staging import Fate
from bri_qa.errors import CorpusEditError
from bri_qa.settings import Settings
from bri_qa.types import Groups
from bri_qa.web.access import Person
from bri_qa.web.admin.looking import Held, Look
from bri_qa.web.admin.rebuilding import Rebuilding
from bri_qa.web.audit import Actor, Audit

FILES = 200
"""Files of one upload, at most."""


@dataclass(frozen=True, slots=True)
class Overview:
    """The corpus folder and its index. `removed` are ids in the index alone; `anew` says why all is to be built."""

    articles: tuple[Held, ...]
    rejected: tuple[RejectedFile, ...]
    removed: tuple[str, ...]
    anew: str | None
    indexed: int
    passages: int
    built: datetime | None
    embedder: str

    @property
    def waiting(self) -> list[tuple[str, str]]:
        """(state, name) of what the next build takes up."""
        changed = [(item.state, item.path) for item in self.articles if item.state != "unchanged"]
        return changed + [("removed", name) for name in self.removed]


class Desk:
    """All calls block: they read the corpus folder."""

    def __init__(self, settings: Settings, rebuilding: Rebuilding, audit: Audit) -> None:
        self.settings = settings
        self.rebuilding = rebuilding
        self._audit, self._look = audit, Look(settings)
        self._folder, self._most = settings.corpus_dir, settings.max_file_bytes

    @property
    def most_bytes(self) -> int:
        """Of an upload as a whole."""
        return upload_bytes(self.settings)

    def overview(self, groups: Groups) -> Overview:
        """
        Raises:
            CorpusError: the corpus folder cannot be read.
        """
        found = self._look.now()
        return Overview(
            articles=tuple(item for item in found.articles if item.document.source.open_to(groups)),
            rejected=found.rejected,
            removed=tuple(sorted(name for name in found.removed if found.indexed[name].open_to(groups))),
            anew=found.anew,
            indexed=sum(source.open_to(groups) for source in found.indexed.values()),
            passages=found.passages,
            built=datetime.fromisoformat(found.built) if found.built else None,
            embedder=found.embedder,
        )

    def stage(self, files: Iterable[tuple[str, BinaryIO]]) -> str:
        """The id of an upload, whose files wait beside the corpus.

        Raises:
            CorpusEditError: uploads are not allowed, there is no file or too many, or the folder cannot be written.
        """
        if not self.settings.allow_upload:
            raise CorpusEditError("upload_closed", "uploads are not allowed here; set BRI_QA_ALLOW_UPLOAD=true")
        sent = list(files)
        if not sent:
            raise CorpusEditError("upload_empty", "the upload holds no file; send at least one in the field files")
        if len(sent) > FILES:
            raise CorpusEditError("too_many_files", f"an upload may hold at most {FILES} files; send fewer at once")
        return staging.stage(self._folder, sent, self._most)

    def preview(self, upload: str, groups: Groups) -> staging.Preview:
        """What an upload would change.

        Raises:
            CorpusEditError: it is gone.
        """
        shown = staging.preview(self._folder, upload, self._most)
        hidden = self._hidden(groups)
        return replace(shown, files=tuple(_veiled(item, hidden) for item in shown.files)) if hidden else shown

    def apply(self, upload: str, digest: str, who: Person) -> staging.Applied:
        """Add what was previewed, and begin to build.

        Raises:
            CorpusEditError: it is gone, is not what was previewed, changes nothing, or would write over an article
                that one may not read; or the folder cannot be written.
            HistoryWriteError: it cannot be put on record, and is not done.
        """
        hidden = self._hidden(who.groups)
        if hidden and any(
            item.fate is Fate.REPLACED and item.name in hidden
            for item in staging.preview(self._folder, upload, self._most).files
        ):
            raise CorpusEditError("name_taken", "a file of the upload has the name of another; rename it")
        with self._audit.act(Actor.of(who), "corpus.add", {"upload": upload}) as found:
            done = staging.apply(self._folder, upload, digest, self._most)
            found["files"] = {item.name: item.fate.value for item in done.changes}
            found["trash"] = [item.id for item in done.trashed]
        self.rebuilding.start(named(who), changed=True)
        return done

    def discard(self, upload: str) -> None:
        """
        Raises:
            CorpusEditError: it is gone.
        """
        staging.discard(self._folder, upload)

    def title(self, path: str, groups: Groups) -> str:
        """The title of the article in a file, or the file's own name where it was rejected.

        Raises:
            CorpusEditError: there is no such file, as far as one may read.
        """
        found = self.overview(groups)
        titles = {item.path: item.document.source.title for item in found.articles}
        titles |= {item.path: item.path for item in found.rejected if item.path not in titles}
        if path not in titles:
            raise CorpusEditError("article_missing", f"there is no file {path} in the corpus folder; look again")
        return titles[path]

    def remove(self, path: str, who: Person) -> editing.Trashed:
        """Put a file into the trash, and begin to build.

        Raises:
            CorpusEditError: there is no such file, as far as one may read, or the folder cannot be written.
            HistoryWriteError: it cannot be put on record, and is not done.
        """
        self.title(path, who.groups)
        with self._audit.act(Actor.of(who), "corpus.remove", {"path": path}) as found:
            gone = editing.remove(self._folder, path, self._most)
            found["trash"] = gone.id
        self.rebuilding.start(named(who), changed=True)
        return gone

    def trash(self) -> list[editing.Trashed]:
        """What was taken out, last first."""
        return editing.trash(self._folder)

    def restore(self, name: str, who: Person) -> editing.Trashed:
        """Put a file back, and begin to build.

        Raises:
            CorpusEditError: it is not in the trash, its place is taken, or the folder cannot be written.
            HistoryWriteError: it cannot be put on record, and is not done.
        """
        with self._audit.act(Actor.of(who), "corpus.restore", {"trash": name}) as found:
            item = editing.restore(self._folder, name)
            found["path"] = item.path
        self.rebuilding.start(named(who), changed=True)
        return item

    def rebuild(self, who: Person) -> bool:
        """Begin to build; False where a build runs already.

        Raises:
            HistoryWriteError: it cannot be put on record, and is not done.
        """
        with self._audit.act(Actor.of(who), "index.rebuild", {}) as found:
            found["started"] = started = self.rebuilding.start(named(who))
        return started

    def _hidden(self, groups: Groups) -> frozenset[str]:
        """The paths of the articles that `groups` may not read."""
        if groups is None:
            return frozenset()
        return frozenset(item.path for item in self._look.now().articles if not item.document.source.open_to(groups))


def upload_bytes(settings: Settings) -> int:
    """What one upload may have: a few files of the largest size, and their frame."""
    return settings.max_file_bytes * 4 + 1_000_000


def named(who: Person) -> str:
    """A person for people to read."""
    return who.name or who.user or who.via


def _veiled(item: staging.Staged, hidden: frozenset[str]) -> staging.Staged:
    """Without saying anything of an article that one may not read."""
    if item.fate is Fate.REJECTED and any(path in item.reason for path in hidden):
        return replace(item, reason="it is taken for another article; change its name, its id or its text")
    if item.fate in (Fate.REPLACED, Fate.UNCHANGED) and item.name in hidden:
        return replace(item, fate=Fate.REJECTED, document=None, reason="its name is taken; rename it")
    return item
