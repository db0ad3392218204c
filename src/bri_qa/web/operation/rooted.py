"""Below a path of another site: the proxy takes the path off, and what we send gets it back."""

from __future__ import annotations

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Only markup has such quotes: in text they are escaped, so an article's words are never touched.
_MARKUP = re.compile(rb'(<[^<>]*?\s(?:href|src|action)=)(\\?")/(?!/)')
_STYLE = re.compile(rb"""(\burl\(["']?)/(?!/)""")
_GRADIO = "/gradio_api/"


class RootedMiddleware:
    """Puts `root` before the absolute paths in our pages, in the chat's messages, in redirections and cookies.

    The scripts read it from the page: `<html data-root="…">`.
    """

    def __init__(self, app: ASGIApp, root: str) -> None:
        self.app = app
        self.root = root
        self._marked = b'<html data-root="' + root.encode() + b'"'

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start: Message | None = None
        kind, page = "", bytearray()

        async def rooted(message: Message) -> None:
            nonlocal start, kind
            if message["type"] == "http.response.start":
                headers = Headers(raw=message["headers"])
                kind = self._kind(scope["path"], headers.get("content-type", ""), "content-encoding" in headers)
                self._paths(MutableHeaders(scope=message))
                start = message
                if kind not in ("whole", "style"):
                    await send(message)
                return
            if message["type"] == "http.response.body" and kind == "stream":
                await send({**message, "body": self._written(message.get("body", b""))})
                return
            if message["type"] != "http.response.body" or kind not in ("whole", "style") or start is None:
                await send(message)
                return
            page.extend(message.get("body", b""))
            if not message.get("more_body"):
                body = self._styled(bytes(page)) if kind == "style" else self._page(bytes(page))
                MutableHeaders(scope=start)["Content-Length"] = str(len(body))
                await send(start)
                await send({"type": "http.response.body", "body": body})

        await self.app(_uncompressed(scope), receive, rooted)

    def _kind(self, path: str, content: str, compressed: bool) -> str:
        if compressed:
            return ""
        if content.startswith("text/css"):
            return "style"
        if content.startswith("text/html"):
            return "whole"
        if path.startswith(_GRADIO):
            return "stream" if content.startswith("text/event-stream") else "whole"
        return ""

    def _styled(self, body: bytes) -> bytes:
        return _STYLE.sub(rb"\1" + self.root.encode() + b"/", body)

    def _page(self, body: bytes) -> bytes:
        return self._written(body).replace(b"<html", self._marked, 1)

    def _written(self, body: bytes) -> bytes:
        root = self.root.encode()
        return _MARKUP.sub(lambda found: found[1] + found[2] + root + b"/", body)

    def _paths(self, headers: MutableHeaders) -> None:
        location = headers.get("location", "")
        if location.startswith("/") and not location.startswith("//"):
            headers["location"] = self.root + location
        cookies = headers.getlist("set-cookie")
        if cookies:
            del headers["set-cookie"]
        for cookie in cookies:
            headers.append("set-cookie", re.sub(r"(?i)(; *path=)/(?=;|$)", rf"\1{self.root}", cookie))


def _uncompressed(scope: Scope) -> Scope:
    """What is compressed cannot be written into; the proxy compresses."""
    scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
    return scope
