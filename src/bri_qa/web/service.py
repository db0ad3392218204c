"""The pipeline as the web edge sees it, and the few threads that run it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Protocol, TypeVar

from bri_qa.types import Answer, Document, Event, Groups, Hit, Passage, Question

T = TypeVar("T")


class Pipeline(Protocol):
    """What the web edge asks of `bri_qa.pipeline.QAPipeline`."""

    def ask(self, question: Question) -> Answer: ...
    def stream(self, question: Question) -> Generator[Event]: ...
    def document(self, document_id: str, groups: Groups) -> Document | None: ...
    def documents(self, groups: Groups) -> list[Document]: ...
    def passages(self, document_id: str, groups: Groups) -> tuple[Document, list[Passage]] | None: ...
    def retrieve(self, question: Question, top_k: int | None) -> tuple[str, list[Hit]]: ...


def reading(pipeline: Pipeline, groups: Groups) -> Callable[[str], Document | None]:
    """The documents by id, as far as `groups` may read them."""
    return lambda document_id: pipeline.document(document_id, groups)


class BusyError(Exception):
    """More questions are waiting than there is room for."""


class Workers:
    """Runs the synchronous core in `threads` threads; at most `waiting` calls wait, the next one is refused."""

    def __init__(self, threads: int = 4, waiting: int = 64) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="bri-qa")
        self._threads = threads
        self._room = threads + waiting
        self._inside = 0
        self._lock = Lock()

    @property
    def full(self) -> bool:
        """Whether the next call will have to wait."""
        return self._inside >= self._threads

    async def run(self, function: Callable[[], T]) -> T:
        """The result of `function`, run in a thread.

        Raises:
            BusyError: there is no room; nothing was started.
        """
        with self._lock:
            if self._inside >= self._room:
                raise BusyError("too many questions are waiting; try again in a moment")
            self._inside += 1
        future = self._pool.submit(function)
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def _leave(self, _: Future[T]) -> None:
        with self._lock:
            self._inside -= 1

    def close(self) -> None:
        """Finish what runs, drop what waits."""
        self._pool.shutdown(wait=True, cancel_futures=True)
