"""The audit log: who did what to the articles, the index and the keys. Appended to, never changed; no question is in it.

What changes something has a line before it (`begun`) and one after (`done` or `failed`). Where the first cannot be
written the act is refused, so nothing is done that is not on record.
"""

from __future__ import annotations

import errno
import fcntl
import getpass
import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bri_qa.errors import BriQAError, HistoryWriteError
from bri_qa.web import request_ids

if TYPE_CHECKING:
    from bri_qa.web.access import Person

log = logging.getLogger(__name__)

FILE = "audit.jsonl"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: how they are known (`kind`), a name for people, and the key of their history where they have one."""

    kind: str
    name: str = ""
    user: str | None = None

    @classmethod
    def of(cls, person: Person) -> Actor:
        return cls(person.via, person.name, person.user)

    @classmethod
    def at_the_command_line(cls) -> Actor:
        try:
            name = getpass.getuser()
        except (KeyError, OSError):  # a process whose user has no name, as in a container
            name = str(os.getuid())
        return cls("command line", name)


@dataclass(frozen=True, slots=True)
class Audit:
    """The log in `folder`, which is made with its first line. Each line is written at once, and by any process."""

    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / FILE

    def record(self, who: Actor, action: str, about: Mapping[str, Any], result: str = "done") -> None:
        """Add a line.

        Raises:
            HistoryWriteError: it could not be written.
        """
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "action": action,
            "result": result,
            "who": {"kind": who.kind, "name": who.name, "user": who.user},
            "address": request_ids.address.get(),
            "request_id": request_ids.current.get(),
            "about": dict(about),
        }
        text = json.dumps(line, ensure_ascii=True, default=str)  # ASCII: no name can pretend to be another line
        try:
            self._append(text.encode() + b"\n")
        except OSError as error:
            log.error("%s (%s) is not on record: %s cannot be written: %s", action, result, self.path, error)
            raise HistoryWriteError(
                f"{self.path} cannot be written ({error.strerror}), and nothing is done that is not on record; mend that"
            ) from error

    @contextmanager
    def act(self, who: Actor, action: str, about: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Around what changes something; what is put into the given mapping is told with the result.

        Raises:
            HistoryWriteError: it could not be recorded; what is within has not begun.
        """
        self.record(who, action, about, "begun")
        found: dict[str, Any] = {}
        try:
            yield found
        except BaseException as error:
            why = str(error) if isinstance(error, BriQAError) else type(error).__name__
            self._end(who, action, {**about, **found, "error": why}, "failed")
            raise
        self._end(who, action, {**about, **found}, "done")

    def _end(self, who: Actor, action: str, about: Mapping[str, Any], result: str) -> None:
        """What has been done cannot be refused any more: it has its first line, and the program's log the rest."""
        try:
            self.record(who, action, about, result)
        except HistoryWriteError:
            log.error("how it ended: %s %s %s", action, result, dict(about))

    def _append(self, line: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
        descriptor = os.open(self.path, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # else a line that is being written looks like a torn one
            size = os.fstat(descriptor).st_size
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"  # a full disk took only a part
            whole = b"\n" + line if torn else line
            if os.write(descriptor, whole) < len(whole):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(descriptor)
