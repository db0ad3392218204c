"""An answer as server-sent events, told while it is made."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any, TypeVar

from fastapi.responses import StreamingResponse

from bri_qa import render
from bri_qa.types import Answered, Event, Progress, Question, StatementReady
from bri_qa.web import asking
from bri_qa.web.api.problems import told
from bri_qa.web.security import problem_body
from bri_qa.web.service import Pipeline, Workers
from bri_qa.web.session import Running, Wish

T = TypeVar("T")

BEAT_SECONDS = 15.0
MEDIA = "text/event-stream"
UNBUFFERED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_BEAT = b": still working\n\n"


async def streamed(question: Question, pipeline: Pipeline, workers: Workers, beat: float) -> StreamingResponse:
    """The response, begun once the pipeline has told something: a question that cannot be used is still a problem.

    `beat`: seconds of silence before a comment is sent. The work stops when the client leaves.

    Raises:
        BusyError: there is no room; nothing was started.
        BriQAError: what the pipeline raises before its first event.
    """
    events = beating(asking.events(question, pipeline, workers, Running()), beat)
    first = await anext(events)
    return StreamingResponse(_written(first, events), media_type=MEDIA, headers=UNBUFFERED)


async def _written(first: Event | Wish | None, events: AsyncGenerator[Event | Wish | None]) -> AsyncGenerator[bytes]:
    async with aclosing(events):
        try:
            yield _encoded(first)
            async for event in events:
                yield _encoded(event)
        except Exception as error:
            yield _event("error", problem_body(*told(error)))


async def beating(items: AsyncGenerator[T], beat: float) -> AsyncGenerator[T | None]:
    """The items, and None after each `beat` seconds without one. Closing this closes them."""
    end = object()
    async with aclosing(items):
        pending = asyncio.ensure_future(anext(items, end))
        try:
            while True:
                done, _ = await asyncio.wait({pending}, timeout=beat)
                if not done:
                    yield None
                    continue
                item = pending.result()
                if item is end:
                    return
                yield item  # type: ignore[misc]
                pending = asyncio.ensure_future(anext(items, end))
        finally:
            pending.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await pending


def _encoded(event: Event | Wish | None) -> bytes:
    if isinstance(event, Progress):
        return _event("progress", {"stage": event.stage, "done": event.done, "total": event.total})
    if isinstance(event, StatementReady):
        cited = [render.citation_json(item) for item in event.citations]
        return _event("statement", {"text": event.statement.text, "citations": cited})
    if isinstance(event, Answered):
        return _event("answer", render.as_json(event.answer))
    return _BEAT


def _event(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode("utf-8", "backslashreplace")
