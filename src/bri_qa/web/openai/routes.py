"""The routes of `/v1`. Each parses, calls one function, and shows the result."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException

from bri_qa.errors import BriQAError
from bri_qa.types import Answered, Citation, Document, Event, Question, StatementReady
from bri_qa.web import article, asking
from bri_qa.web.access import Person, Role
from bri_qa.web.guards import needs
from bri_qa.web.openai import tasks
from bri_qa.web.openai.completion import Completion, event, usage
from bri_qa.web.openai.content import Link, Piece, Writer
from bri_qa.web.openai.errors import error, refusal
from bri_qa.web.openai.schemas import MODEL, NO_MODEL, Asked, CompletionIn, UnusableError
from bri_qa.web.service import BusyError, Pipeline, Workers
from bri_qa.web.session import Running, Wish

Reader = Annotated[Person, Depends(needs(Role.READER))]
Count = Callable[[str], int]

_MODEL = {"id": MODEL, "object": "model", "created": 0, "owned_by": MODEL}
_STREAM = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]

log = logging.getLogger(__name__)


def router(pipeline: Pipeline, workers: Workers, count: Count, public_url: str | None = None) -> APIRouter:
    """The routes; `count` gives the tokens of a text, `public_url` is where the server is, for the links."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/v1/models")
    async def models(_: Reader) -> JSONResponse:
        return JSONResponse({"object": "list", "data": [_MODEL]})

    @routes.get("/v1/models/{name}")
    async def model(name: str, _: Reader) -> JSONResponse:
        if name != MODEL:
            return _unusable(UnusableError("model_not_found", NO_MODEL, "model", 404))
        return JSONResponse(_MODEL)

    @routes.post("/v1/chat/completions")
    async def completions(wanted: CompletionIn, request: Request, who: Reader) -> Response:
        try:
            asked = wanted.asked()
        except UnusableError as refused:
            return _unusable(refused)
        desk = _Desk(pipeline, workers, count, wanted, asked, _link(request, public_url))
        own = tasks.reply(asked.question, asked.before)
        if own is not None:
            return await desk.told(own)
        question = who.question(asked.question, asked.turns, wanted.bri_qa.filters.to_filters())
        return await (desk.streamed(question) if wanted.stream else desk.whole(question))

    @routes.api_route("/v1/chat/completions", methods=["GET", "PUT", "PATCH", "DELETE"])
    async def not_posted() -> None:
        raise HTTPException(405, "questions are asked with POST", {"Allow": "POST"})

    @routes.api_route("/v1", methods=_METHODS)
    @routes.api_route("/v1/{rest:path}", methods=_METHODS)
    async def nothing() -> None:
        raise HTTPException(404, "there is nothing at this address; there are /v1/models and /v1/chat/completions")

    return routes


def _unusable(refused: UnusableError) -> JSONResponse:
    return refusal(refused.status, refused.code, str(refused), refused.param)


def _link(request: Request, public_url: str | None) -> Link:
    """The address at which a quote opens, for someone who is not on a page of ours."""
    base = (public_url or str(request.base_url)).rstrip("/")

    def link(citation: Citation) -> str:
        found = Document(citation.document_id, "", citation.source, citation.document_sha256)
        return base + article.address(found, citation.span)

    return link


class _Desk:
    """Where one request is answered."""

    def __init__(
        self, pipeline: Pipeline, workers: Workers, count: Count, wanted: CompletionIn, asked: Asked, link: Link
    ) -> None:
        self.pipeline, self.workers, self.count = pipeline, workers, count
        self.sent, self.sources = asked.sent, wanted.bri_qa.sources
        self.streams, self.counts = bool(wanted.stream), wanted.counts
        self.writer = Writer(link)
        self.completion = Completion(f"chatcmpl-{uuid.uuid4().hex}", int(time.time()))

    async def told(self, words: str) -> Response:
        """What was asked not of the articles but for the front end itself."""
        pieces = [Piece(words)]
        tokens = await asyncio.to_thread(self._usage, pieces)
        if not self.streams:
            return JSONResponse(self.completion.whole(pieces, tokens, None))
        end = self.completion.end(None, tokens if self.counts else None)
        body = self.completion.begin() + self.completion.piece(pieces[0]) + end
        return Response(body, media_type="text/event-stream", headers=_STREAM)

    async def whole(self, question: Question) -> Response:
        """The answer in one piece."""

        def work() -> dict[str, Any]:
            answer = self.pipeline.ask(question)
            pieces = list(self.writer.whole(answer, self.sources))
            return self.completion.whole(pieces, self._usage(pieces), answer)

        return JSONResponse(await self.workers.run(work))

    async def streamed(self, question: Question) -> Response:
        """Each statement as soon as it is verified. What cannot be asked at all is refused before the stream begins."""
        events = asking.events(question, self.pipeline, self.workers, Running())
        first = await anext(events)
        return StreamingResponse(self._chunks(first, events), media_type="text/event-stream", headers=_STREAM)

    async def _chunks(self, first: Event | Wish, events: AsyncGenerator[Event | Wish]) -> AsyncGenerator[bytes]:
        async with aclosing(events):
            yield self.completion.begin()
            try:
                async for chunk in self._told(first, events):
                    yield chunk
            except BriQAError as trouble:
                yield event(error(503, "not_available", str(trouble)))
            except BusyError as trouble:
                yield event(error(503, "too_slow", str(trouble)))
            except Exception:  # the edge: the status has left, so the stream itself tells it
                log.exception("a stream failed")
                yield event(error(500, "internal", "something went wrong here; the operator's log has the details"))

    async def _told(self, first: Event | Wish, events: AsyncGenerator[Event | Wish]) -> AsyncGenerator[bytes]:
        pieces: list[Piece] = []
        told: Event | Wish = first
        while not isinstance(told, Answered):
            if isinstance(told, StatementReady):
                pieces.append(self.writer.statement(told.statement, told.citations))
                yield self.completion.piece(pieces[-1])
            told = await anext(events)
        for piece in self.writer.whole(told.answer, self.sources, len(pieces)):
            pieces.append(piece)
            if piece.text:
                yield self.completion.piece(piece)
        tokens = await asyncio.to_thread(self._usage, pieces) if self.counts else None
        yield self.completion.end(told.answer, tokens)

    def _usage(self, pieces: list[Piece]) -> dict[str, int]:
        return usage(self.count(self.sent), self.count("".join(piece.text for piece in pieces)))
