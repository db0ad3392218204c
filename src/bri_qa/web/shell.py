"""Puts our header and panels around Gradio's page, and gives that page a policy of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bri_qa.errors import BriQAError
from bri_qa.types import Groups
from bri_qa.web import pages, sign_in, visitors
from bri_qa.web.access import Person, Role, person
from bri_qa.web.security import chat_csp
from bri_qa.web.service import BusyError, Pipeline, Workers


@dataclass(frozen=True, slots=True)
class ShellMiddleware:
    """Rewrites the response for `/`; everything else passes untouched.

    `keeps`: conversations are kept. `entrance`: whether people can sign in; it may read a file, and runs in a worker.
    """

    app: ASGIApp
    pipeline: Pipeline
    workers: Workers
    max_question_chars: int
    keeps: bool
    entrance: Callable[[], bool] = lambda: False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        uncompressed = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
        start: Message = {}
        page = bytearray()

        async def collect(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
            elif message["type"] == "http.response.body":
                page.extend(message.get("body", b""))
                if not message.get("more_body"):
                    await self._send(start, bytes(page), HTTPConnection(scope), send)
            else:
                await send(message)

        await self.app({**scope, "headers": uncompressed, "query_string": b""}, receive, collect)

    async def _send(self, start: Message, page: bytes, connection: HTTPConnection, send: Send) -> None:
        if Headers(raw=start["headers"]).get("content-type", "").startswith("text/html"):
            who = visitors.visitor(connection)
            known = person(connection)
            house = replace(await self._house(who.filters.groups), office=_office(known), name=sign_in.known(known))
            text = pages.chat_page(page.decode(), house, who)
            page = text.encode()
            headers = MutableHeaders(raw=start["headers"])
            headers["Content-Length"] = str(len(page))
            headers["Content-Security-Policy"] = chat_csp(pages.inline_script_hashes(text))
            headers["Cache-Control"] = "no-store"
            headers["Vary"] = "Accept-Language, Cookie"
            start["headers"] = headers.raw
        await send(start)
        await send({"type": "http.response.body", "body": page})

    async def _house(self, groups: Groups) -> pages.House:
        """The articles at hand, or why they cannot be read."""
        try:
            entrance = await self.workers.run(self.entrance)
        except (BriQAError, BusyError):
            entrance = False
        try:
            documents = await self.workers.run(lambda: self.pipeline.documents(groups))
        except (BriQAError, BusyError) as error:
            return pages.House(None, str(error), self.max_question_chars, self.keeps, entrance=entrance)
        return pages.House(documents, None, self.max_question_chars, self.keeps, entrance=entrance)


def _office(who: Person) -> str | None:
    """Where administration begins for someone who has a part in it."""
    if who.may(Role.ADMINISTRATOR):
        return "/admin"
    return "/admin/feedback" if who.may(Role.EVALUATOR) else None
