"""One question through the pipeline's stream: its events in the event loop, and a wish of the user between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import closing
from threading import Event as Flag

from bri_qa.types import Event, Question
from bri_qa.web.service import Pipeline, Workers
from bri_qa.web.session import Running, Wish


async def events(
    question: Question, pipeline: Pipeline, workers: Workers, running: Running
) -> AsyncGenerator[Event | Wish]:
    """What the pipeline tells as it goes, the answer last; or, in its place, the wish that came between.

    Closing the generator stops the work at its next event; nobody waits for it.

    Raises:
        BusyError: there is no room; nothing was started.
        BriQAError: what the pipeline raises.
    """
    loop, stop = asyncio.get_running_loop(), Flag()
    told: asyncio.Queue[Event | None] = asyncio.Queue()

    def work() -> None:
        with closing(pipeline.stream(question)) as stream:
            for event in stream:
                if stop.is_set():
                    return
                loop.call_soon_threadsafe(told.put_nowait, event)

    def ended(done: asyncio.Future[None]) -> None:
        if not done.cancelled():
            done.exception()  # what nobody waits for any more may fail in silence
        told.put_nowait(None)

    running.begin(lambda: loop.call_soon_threadsafe(told.put_nowait, None))
    task = asyncio.ensure_future(workers.run(work))
    task.add_done_callback(ended)
    try:
        while (event := await told.get()) is not None and running.wish is None:
            yield event
        if running.wish is not None:
            yield running.wish
        else:
            task.result()
    finally:
        stop.set()
        running.end()
