"""The index is built in a thread of its own, one build at a time; whoever asks is told how far it is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from threading import Lock, Thread

from bri_qa.compose import Refresh
from bri_qa.corpus import RejectedFile
from bri_qa.errors import BriQAError, IndexBusyError

log = logging.getLogger(__name__)


class State(StrEnum):
    """How a build stands."""

    IDLE = "idle"  # none since the server was started
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Built:
    """What the index holds after a build, and how many articles the build took up."""

    documents: int
    passages: int
    added: int
    changed: int
    removed: int
    rejected: tuple[RejectedFile, ...]

    @property
    def changes(self) -> int:
        return self.added + self.changed + self.removed


@dataclass(frozen=True, slots=True)
class Rebuild:
    """The last build: `done` of `total` passages are embedded; `code` and `error` are of one that failed."""

    state: State = State.IDLE
    by: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    done: int = 0
    total: int = 0
    built: Built | None = None
    code: str | None = None
    error: str | None = None

    @property
    def seconds(self) -> float:
        """Of one that has ended."""
        return (self.ended - self.started).total_seconds() if self.started and self.ended else 0.0


class Rebuilding:
    """Builds by `refresh`, which compares the corpus folder with the index."""

    def __init__(self, refresh: Callable[[], Refresh]) -> None:
        self._refresh = refresh
        self._lock = Lock()
        self._now = Rebuild()
        self._again: str | None = None

    @property
    def now(self) -> Rebuild:
        """The build that runs, or the last one."""
        return self._now

    def start(self, by: str, changed: bool = False) -> bool:
        """Begin a build in the name of `by`; False where one runs already.

        `changed`: the corpus has just been changed, so that a build which runs is followed by another.
        """
        with self._lock:
            if self._now.state is State.RUNNING:
                self._again = by if changed else self._again
                return False
            self._now = Rebuild(State.RUNNING, by, datetime.now(UTC))
        # a daemon: a server that is told to stop does not wait for it, and the old index stands
        Thread(target=self._run, name="bri-qa-rebuild", daemon=True).start()
        return True

    def _run(self) -> None:
        while True:
            ended = self._built()
            with self._lock:
                if self._again is None:
                    self._now = replace(ended, ended=datetime.now(UTC))
                    return
                self._now, self._again = Rebuild(State.RUNNING, self._again, datetime.now(UTC)), None

    def _built(self) -> Rebuild:
        """How the build ended."""
        try:
            found = self._refresh()
            manifest = found.run(self._count)
        except BriQAError as error:
            code = "index_busy" if isinstance(error, IndexBusyError) else "build_failed"
            return replace(self._now, state=State.FAILED, code=code, error=str(error))
        except Exception:
            log.exception("the index could not be built")
            return replace(self._now, state=State.FAILED, code="internal")
        change = found.change
        counts = (len(change.added), len(change.changed), len(change.removed))
        built = Built(manifest.documents, manifest.passages, *counts, found.rejected)
        return replace(self._now, state=State.FINISHED, built=built)

    def _count(self, done: int, total: int) -> None:
        self._now = replace(self._now, done=done, total=total)
