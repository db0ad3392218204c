"""What the server keeps of its users: the opened history, the cookie that says whose it is, and their upkeep."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from bri_qa.errors import HistoryError
from bri_qa.history import Database, History, Ratings
from bri_qa.settings import Settings
from bri_qa.web.identity import Identity, secret
from bri_qa.web.service import BusyError, Workers

log = logging.getLogger(__name__)

DAY_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Records:
    """`workers` are apart from those that answer: a list of conversations does not wait behind questions."""

    history: History
    ratings: Ratings
    identity: Identity
    workers: Workers
    database: Database
    history_days: int
    feedback_days: int

    @classmethod
    def open(cls, settings: Settings) -> Records:
        """What `settings` name, made where there is nothing yet.

        Raises:
            HistoryError: the file is damaged, newer than this program, or cannot be written.
        """
        key = secret(settings.history_dir)
        database = Database.open(settings.history_dir)
        return cls(
            History(database),
            Ratings(database),
            Identity(key),
            Workers(threads=2, waiting=256),
            database,
            settings.history_days,
            settings.feedback_days,
        )

    def purge(self) -> None:
        """Delete what is older than its retention."""
        conversations, feedback = self.history.purge(self.history_days), self.ratings.purge(self.feedback_days)
        if conversations or feedback:
            log.info("retention: %d conversations and %d feedbacks deleted", conversations, feedback)

    @asynccontextmanager
    async def kept(self, every: float = DAY_SECONDS) -> AsyncIterator[None]:
        """Within the block old records are purged, at once and then every `every` seconds; after it all is closed."""
        task = asyncio.create_task(self._purge(every))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            self.workers.close()
            self.database.close()

    async def _purge(self, every: float) -> None:
        while True:
            try:
                await self.workers.run(self.purge)
            except (HistoryError, BusyError) as error:
                log.warning("retention: old records could not be deleted, tried again later: %s", error)
            await asyncio.sleep(every)
