"""The pipeline as the web edge sees it, and the few threads that run it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, Protocol, TypeVar

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


class DeadlineError(BusyError):
    """A call took longer than it may."""


class Workers:
    """Runs the synchronous core in `threads` threads; at most `waiting` calls wait, the next one is refused.

    After `seconds`, its wait included, nobody waits for a call any more. `refused` counts those for which there was no room.
    """

    def __init__(self, threads: int = 4, waiting: int = 16, seconds: float | None = None) -> None:
        self._todo: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._running: list[Thread] = []
        self._threads = threads
        self._room = threads + waiting
        self._seconds = seconds
        self._inside = 0
        self._closed = False
        self._lock = Lock()
        self.refused = 0

    @property
    def inside(self) -> int:
        """How many calls run or wait."""
        return self._inside

    @property
    def full(self) -> bool:
        """Whether the next call will have to wait."""
        return self._inside >= self._threads

    async def run(self, function: Callable[[], T]) -> T:
        """The result of `function`, run in a thread, in the caller's context.

        Raises:
            BusyError: there is no room; nothing was started.
            DeadlineError: it takes too long. What waits is dropped; what runs goes on unseen and keeps its place.
        """
        with self._lock:
            if self._closed or self._inside >= self._room:
                self.refused += 1
                raise BusyError("too many questions are waiting; try again in a moment")
            self._inside += 1
            if not self._running:
                self._start()
        future: Future[T] = Future()
        future.add_done_callback(self._leave)
        self._todo.put((future, partial(copy_context().run, function)))
        try:
            async with asyncio.timeout(self._seconds) as limit:
                return await asyncio.wrap_future(future)
        except TimeoutError:
            if not limit.expired():
                raise  # the function's own
            raise DeadlineError(
                f"this took longer than {self._seconds:g} seconds; ask again, or ask for less"
            ) from None

    def _start(self) -> None:
        """Daemons, for what never ends must not keep the process from ending."""
        self._running = [Thread(target=self._work, name=f"bri-qa-{at}", daemon=True) for at in range(self._threads)]
        for thread in self._running:
            thread.start()

    def _work(self) -> None:
        while (work := self._todo.get()) is not None:
            future, function = work
            if self._closed:
                future.cancel()
            if future.set_running_or_notify_cancel():
                _run(future, function)
            del work, future, function  # an idle thread holds nothing of the last question

    def _leave(self, _: Future[T]) -> None:
        with self._lock:
            self._inside -= 1

    def close(self, seconds: float = 10.0) -> bool:
        """Finish what runs, drop what waits; False where something still runs after `seconds`: it ends with the process."""
        with self._lock:
            self._closed = True
        for _ in self._running:
            self._todo.put(None)
        end = time.monotonic() + seconds
        for thread in self._running:
            thread.join(max(0.0, end - time.monotonic()))
        return not any(thread.is_alive() for thread in self._running)


def _run(future: Future[T], function: Callable[[], T]) -> None:
    try:
        result = function()
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)
