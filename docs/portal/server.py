"""An example portal: one page, and the route that gives its readers tokens. Standard library only.

PORTAL_KEY=… PORTAL_ORIGIN=http://127.0.0.1:8080 BRI_QA_URL=http://127.0.0.1:7860 python docs/portal/server.py
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGE = Path(__file__).with_name("portal.html")
QA = os.environ.get("BRI_QA_URL", "http://127.0.0.1:7860").rstrip("/")
ORIGIN = os.environ.get("PORTAL_ORIGIN", "http://127.0.0.1:8080")  # where readers see this portal
POLICY = f"default-src 'none'; style-src 'self'; script-src {QA}; connect-src 'self' {QA}; base-uri 'none'"


def token() -> bytes:
    """A token for the reader who is signed in here; the key stays on this server."""
    wanted = {"origin": ORIGIN, "user": "reader-1", "minutes": 15}  # a real portal names its own user
    headers = {"Authorization": f"Bearer {os.environ['PORTAL_KEY']}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{QA}/api/v1/widget/tokens", json.dumps(wanted).encode(), headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
        found: bytes = response.read()
        return found


class Portal(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path in ("/", "/portal.css"):
            page = self.path == "/"
            content = (PAGE if page else PAGE.with_suffix(".css")).read_bytes().replace(b"BRI_QA_URL", QA.encode())
            self._send(200, "text/html; charset=utf-8" if page else "text/css", content)
        else:
            self._send(404, "text/plain", b"not found")

    def do_POST(self) -> None:
        # A real portal looks at its session here. Only its own pages may ask.
        if self.path != "/token" or self.headers.get("Origin") != ORIGIN:
            self._send(403, "text/plain", b"forbidden")
            return
        try:
            self._send(200, "application/json", token())
        except (urllib.error.URLError, TimeoutError):
            self._send(502, "text/plain", b"no token to be had")

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Security-Policy", POLICY), ("Cache-Control", "no-store")):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORTAL_PORT", "8080"))), Portal).serve_forever()
