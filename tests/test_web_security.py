from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from starlette.routing import Mount
from starlette.websockets import WebSocketDisconnect

from bri_qa.web import pages
from bri_qa.web.security import HEADERS
from tests.fakes import FakePipeline
from tests.serving import made

ROUTES = [
    ("GET", "/", 200),
    ("HEAD", "/", 200),
    ("GET", "/?__theme=dark", 200),
    ("GET", "/source/harbour", 200),
    ("GET", "/source/harbour?pane=1", 200),
    ("GET", "/source/nothing", 404),
    ("GET", "/ui/chat.js", 200),
    ("GET", "/ui/nothing.js", 404),
    ("GET", "/favicon.ico", 200),
    ("GET", "/articles", 200),
    ("GET", "/articles?q=quay", 200),
    ("GET", "/widget.js/", 404),
    ("POST", "/api/v1/widget/tokens", 401),
    ("POST", "/api/v1/search", 422),
    ("GET", "/healthz", 200),
    ("GET", "/readyz", 200),
    ("GET", "/api/v1/openapi.json", 200),
    ("POST", "/api/v1/ask", 422),
    ("GET", "/api/v1/history?limit=0", 422),
    ("DELETE", "/api/v1/history", 403),  # from another origin
    ("PUT", "/api/v1/feedback", 403),
    ("GET", "/api/v1/feedback", 403),
    ("GET", "/api/v1/feedback/export", 403),
    ("GET", "/api/v1/export/answers/nothing?format=pdf", 422),
    ("GET", "/admin", 403),
    ("GET", "/admin/feedback", 403),
    ("POST", "/admin/add", 403),
    ("GET", "/api/v1/admin/overview", 403),
    ("POST", "/api/v1/admin/uploads", 403),
    ("GET", "/theme.css", 200),
    ("GET", "/robots.txt", 200),
    ("GET", "/static/fonts/IBMPlexSans/IBMPlexSans-Regular.woff2", 200),
    ("GET", "/assets/nothing.js", 404),
    ("GET", "/nothing", 404),
    ("GET", "/gradio_api/app_id", 200),
    ("GET", "/gradio_api/startup-events", 200),
    ("POST", "/gradio_api/queue/join", 422),
    ("POST", "/gradio_api/run/predict", 422),
    ("GET", "/gradio_api/queue/data", 422),
    ("GET", "/gradio_api/upload", 404),
    ("GET", "/gradio_api/info", 404),
]

# What Gradio serves that the chat page needs; every other address of Gradio's is shut.
GRADIO_OPEN = {
    "/",
    "/static/{path:path}",
    "/assets/{path:path}",
    "/favicon.ico",
    "/theme.css",
    "/robots.txt",
    "/gradio_api/app_id",
    "/gradio_api/app_id/",
    "/gradio_api/heartbeat/{session_hash}",
    "/gradio_api/run/{api_name}",
    "/gradio_api/run/{api_name}/",
    "/gradio_api/queue/join",
    "/gradio_api/queue/data",
    "/gradio_api/startup-events",
}


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(made(FakePipeline()), raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize(("method", "path", "status"), ROUTES)
def test_every_response_is_closed(client: TestClient, method: str, path: str, status: int) -> None:
    origin = {} if method == "POST" else {"Origin": "https://elsewhere.example"}  # whose posts are not even looked at
    response = client.request(method, path, headers=origin)
    assert response.status_code == status
    for name, value in HEADERS.items():
        if name == "Referrer-Policy":  # pages with a form of ours tell themselves where it comes from
            assert response.headers[name] in (value, "same-origin")
        elif name != "Content-Security-Policy":
            assert response.headers[name] == value
    policy = _policy(response.headers["Content-Security-Policy"])
    assert policy["frame-ancestors"] == ["'none'"]
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "data:"} & set(policy.get("script-src", []))
    sources = {source for values in policy.values() for source in values}
    assert not [source for source in sources if "." in source or "*" in source]
    assert not [name for name in response.headers if name.startswith("access-control-")]


def test_another_site_may_not_even_ask_whether_it_may(client: TestClient) -> None:
    wishes = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    for path in ("/api/v1/ask", "/gradio_api/queue/join"):
        response = client.options(path, headers=wishes)
        assert response.status_code == 400
        assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("path", ["/api/v1/ask", "/gradio_api/queue/join", "/gradio_api/run/predict"])
def test_a_page_of_another_site_cannot_ask(client: TestClient, path: str) -> None:
    body = {"question": "How long is the new quay?"}
    response = client.post(path, json=body, headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403
    assert response.json()["code"] == "cross_site"
    unsaid = client.post(path, json=body, headers={"Origin": "https://elsewhere.example"})  # as over plain HTTP
    assert (unsaid.status_code, unsaid.json()["code"]) == (403, "cross_site")
    for site in ("same-origin", "none"):
        assert client.post("/api/v1/ask", json=body, headers={"Sec-Fetch-Site": site}).status_code == 200


def test_a_form_of_another_site_cannot_ask(client: TestClient) -> None:
    """A browser sends text/plain to other sites without asking; it is not taken for JSON."""
    response = client.post("/api/v1/ask", content=b'{"question": "x"}', headers={"Content-Type": "text/plain"})
    assert response.status_code == 422


def test_what_gradio_serves_beyond_need_is_shut(client: TestClient) -> None:
    served = list(_gradio_routes(client.app))
    assert {"/gradio_api/upload", "/gradio_api/info", "/gradio_api/file={path_or_url:path}"} < {
        path for path, _ in served
    }
    assert {path for path, _ in served} >= GRADIO_OPEN
    for path, methods in served:
        for method in methods:
            if path in GRADIO_OPEN:
                continue
            filled = re.sub(r"{[^}]*}", "config.json", path)
            response = client.request(method, filled, follow_redirects=False)
            assert response.status_code == 404, f"{method} {path}"
            if method != "HEAD":
                assert response.json()["code"] == "not_found", f"{method} {path} is answered by Gradio"


def test_websockets_are_refused(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/gradio_api/queue/join"):
        pass


class _Scripts(HTMLParser):
    """The inline scripts of a page, and whether an element carries a handler."""

    def __init__(self) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.handlers: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        given = dict(attrs)  # a script of JSON is data and never runs
        self._in_script = tag == "script" and "src" not in given and given.get("type") != "application/json"
        if self._in_script:
            self.inline.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = self._in_script and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.inline[-1] += data


def test_the_chat_page_allows_its_own_scripts_and_no_other(client: TestClient) -> None:
    response = client.get("/")
    scripts = _Scripts()
    scripts.feed(response.text)
    digests = [b64encode(sha256(text.encode()).digest()).decode() for text in scripts.inline if text]
    allowed = _policy(response.headers["Content-Security-Policy"])["script-src"]
    assert digests
    assert allowed == ["'self'", *[f"'sha256-{digest}'" for digest in digests]]
    assert scripts.handlers == []
    assert response.headers["Cache-Control"] == "no-store"


def test_scripts_with_a_source_get_no_hash() -> None:
    page = '<script src="/a.js"></script><script type="module">one()</script><script></script>'
    digest = b64encode(sha256(b"one()").digest()).decode()
    assert pages.inline_script_hashes(page) == [f"'sha256-{digest}'"]


def test_no_file_of_ours_names_another_host() -> None:
    static = Path(pages.__file__).parent / "static"
    for file in sorted(static.iterdir()):
        if file.suffix in (".css", ".js", ".svg"):
            text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
            assert not re.findall(r"https?://|url\(\"?//", text), file.name


def _policy(text: str) -> dict[str, list[str]]:
    parts = (part.split() for part in text.split(";"))
    return {name: values for name, *values in parts}


def _gradio_routes(app: object) -> Iterator[tuple[str, list[str]]]:
    """The paths and methods of the application that is mounted at `/`."""
    mounted = next(route for route in app.routes if isinstance(route, Mount) and not route.path)  # type: ignore[attr-defined]
    for route in mounted.app.routes:  # type: ignore[attr-defined]
        inner = getattr(route, "original_router", None)
        for one in [route] if inner is None else inner.routes:
            yield one.path, sorted(one.methods)
