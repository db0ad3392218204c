"""Puts our header and source panel around Gradio's page, and gives that page a policy of its own."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bri_qa.errors import BriQAError
from bri_qa.types import Document
from bri_qa.web import pages
from bri_qa.web.security import chat_csp
from bri_qa.web.service import BusyError, Pipeline, Workers


class ShellMiddleware:
    """Rewrites the response for `/`; everything else passes untouched."""

    def __init__(self, app: ASGIApp, pipeline: Pipeline, workers: Workers) -> None:
        self.app = app
        self.pipeline = pipeline
        self.workers = workers

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
                    await self._send(start, bytes(page), send)
            else:
                await send(message)

        await self.app({**scope, "headers": uncompressed, "query_string": b""}, receive, collect)

    async def _send(self, start: Message, page: bytes, send: Send) -> None:
        if Headers(raw=start["headers"]).get("content-type", "").startswith("text/html"):
            documents, trouble = await self._documents()
            text = pages.chat_page(page.decode(), documents, trouble)
            page = text.encode()
            headers = MutableHeaders(raw=start["headers"])
            headers["Content-Length"] = str(len(page))
            headers["Content-Security-Policy"] = chat_csp(pages.inline_script_hashes(text))
            headers["Cache-Control"] = "no-store"
            start["headers"] = headers.raw
        await send(start)
        await send({"type": "http.response.body", "body": page})

    async def _documents(self) -> tuple[list[Document] | None, str | None]:
        """The articles at hand, or why they cannot be read."""
        try:
            return await self.workers.run(self.pipeline.documents), None
        except (BriQAError, BusyError) as error:
            return None, str(error)
