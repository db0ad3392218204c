"""The widget in a portal of another origin, in a real browser."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from starlette.requests import HTTPConnection

from bri_qa.web.access import Person, Role
from tests.fakes import FakePipeline
from tests.journeys.conftest import DESK, PHONE, WAIT
from tests.serving import served

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("reading")]

ROOT = Path(__file__).parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
QUAY, CLERKS, MOON = (
    "How long is the new quay?",
    "clerk wrote in the ledger of the mill",
    "When is the lamp of the moon due?",
)
KEY = "a-key-of-the-portal"
HOSTILE = """* { display: none !important; font-size: 60px !important; color: lime !important; all: revert; }
html, body, main, #here, p { display: block !important; } body { transform: translateX(0); overflow: hidden; }
bri-qa-chat { visibility: hidden !important; opacity: 0 !important; position: static !important; }
button, textarea, dialog { display: none !important; }"""


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _resolve(connection: HTTPConnection) -> Person:
    """Articles are read by all; to ask one needs a key or a token."""
    if connection.headers.get("authorization") == f"Bearer {KEY}":
        return Person(Role.READER, via="key", scopes=frozenset({"mint"}))
    return Person(Role.READER, via="anonymous") if connection.scope["path"].startswith(("/source", "/ui")) else Person()


class _Pages:
    """A site of one's own: `page` is what it shows."""

    def __init__(self, port: int) -> None:
        self.page, self.policy, self.tokens = "", "", 0
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send(200 if self.path == "/" else 404, "text/html; charset=utf-8", site.page.encode())

            def do_POST(self) -> None:
                site.tokens += 1
                self._send(200, "application/json", b'{"token": "bqt.never-was-one"}')

            def _send(self, status: int, kind: str, content: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                if site.policy:
                    self.send_header("Content-Security-Policy", site.policy)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def show(self, attributes: str = "", style: str = "", policy: str = "", lang: str = "en", body: str = "") -> None:
        self.policy = policy
        self.page = (
            f'<!doctype html><html lang="{lang}"><title>Page</title><meta name="viewport" content="width=device-width">'
            f"<style>{style}</style><body><main><h1>Page</h1><p>Words of the page.</p>{body}</main>"
            f"<script {attributes}></script></body></html>"
        )


@pytest.fixture(scope="module")
def pipeline() -> FakePipeline:
    return FakePipeline()


@pytest.fixture(scope="module")
def sites(pipeline: FakePipeline) -> Iterator[tuple[str, str, _Pages, _Pages]]:
    """An open server, the portal of a closed one, a site that is on the list of the first, and one that is not."""
    ports = [_free() for _ in range(2)]
    friend, stranger = _Pages(0), _Pages(0)
    portal = f"http://127.0.0.1:{ports[0]}"
    with (
        served(pipeline, widget_origins=friend.origin) as open_,
        served(pipeline, resolve=_resolve, widget_origins=f"{portal},{friend.origin}") as closed,
        _portal(closed, ports[0]),
    ):
        stranger.policy = closed
        yield open_, portal, friend, stranger
    for site in (friend, stranger):
        site.server.shutdown()
        site.server.server_close()


@contextmanager
def _portal(closed: str, port: int) -> Iterator[None]:
    """The example of the docs, run as they say."""
    environ = {
        "PORTAL_KEY": KEY, "BRI_QA_URL": closed, "PORTAL_PORT": str(port), "PORTAL_ORIGIN": f"http://127.0.0.1:{port}"
    }  # fmt: skip
    command = [sys.executable, str(ROOT / "docs" / "portal" / "server.py")]
    with subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(200):
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except ConnectionRefusedError:
                    threading.Event().wait(0.05)
            yield
        finally:
            server.terminate()


Opened = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opened]:
    contexts = []

    def opened(address: str, size: tuple[int, int] = DESK, scheme: Any = "light") -> Page:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
        context.set_default_timeout(WAIT)
        contexts.append(context)
        page = context.new_page()
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()


def _ask(page: Page, text: str) -> Locator:
    """The finished answer."""
    said = page.locator("bri-qa-chat .answer:not(.working)")
    before = said.count()
    page.locator("bri-qa-chat textarea").fill(text)
    page.keyboard.press("Enter")
    expect(said).to_have_count(before + 1)
    return said.nth(before)


def _script(base: str, more: str = "") -> str:
    return f'src="{base}/widget.js" {more}'


def test_the_portal_of_the_guide_asks_and_opens_the_source(sites: Any, opened: Opened) -> None:
    page = opened(sites[1])
    page.locator("bri-qa-chat .opener").click()
    answer = _ask(page, QUAY)
    expect(answer.locator(".short")).to_have_text("640")
    answer.locator("button.mark").first.click()
    expect(answer.locator("blockquote").first).to_contain_text("The new quay is 640 metres long")
    with page.context.expect_page() as popped:
        answer.locator("a.open").first.click()
    expect(popped.value.locator("mark").first).to_contain_text("The new quay is 640 metres long")
    assert KEY not in page.content()


def test_another_origin_is_refused_in_words(sites: Any, opened: Opened) -> None:
    open_, _, _, stranger = sites
    stranger.show(_script(open_))
    page = opened(stranger.origin)
    page.locator("bri-qa-chat .opener").click()
    answer = _ask(page, QUAY)
    expect(answer).to_contain_text("this page is not allowed to ask here")
    expect(answer.locator(".again")).to_be_visible()
    assert "640" not in page.locator("bri-qa-chat .log").inner_text()


def test_hostile_styles_and_a_strict_policy_do_not_reach_it(sites: Any, opened: Opened) -> None:
    open_, _, friend, _ = sites
    strict = f"default-src 'none'; style-src 'unsafe-inline'; script-src {open_}; connect-src {open_}; require-trusted-types-for 'script'"
    friend.show(_script(open_), HOSTILE, strict)
    page = opened(friend.origin)
    button = page.locator("bri-qa-chat .opener")
    assert button.evaluate("node => getComputedStyle(node).fontSize") == "15px"
    button.click()
    answer = _ask(page, QUAY)
    expect(answer.locator(".short")).to_be_visible()
    assert answer.evaluate("node => getComputedStyle(node).opacity + getComputedStyle(node).visibility") == "1visible"


def test_article_text_stays_text(sites: Any, opened: Opened) -> None:
    open_, _, friend, _ = sites
    friend.show(_script(open_))
    page = opened(friend.origin)
    page.locator("bri-qa-chat .opener").click()
    answer = _ask(page, CLERKS)
    expect(answer).to_contain_text("<script>window.pwned = 1</script>")
    assert page.evaluate("window.pwned") is None
    assert answer.locator("img, script").count() == 0
    assert re.fullmatch(
        r"http://127\.0\.0\.1:\d+/source/.*", answer.locator("a.open").first.get_attribute("href") or ""
    )


def test_it_follows_up_and_abstains(sites: Any, pipeline: FakePipeline, opened: Opened) -> None:
    open_, _, friend, _ = sites
    friend.show(_script(open_, 'data-mode="inline" data-target="#here"'), body='<div id="here"></div>')
    page = opened(friend.origin)
    expect(page.locator("#here bri-qa-chat .panel")).to_be_visible()
    expect(page.locator("bri-qa-chat .opener")).to_have_count(0)
    _ask(page, QUAY)
    _ask(page, "and how many ships?")
    assert pipeline.last("and how many ships?").history[0].text == QUAY
    answer = _ask(page, MOON)
    expect(answer).to_have_class(re.compile("abstained"))
    expect(answer.locator(".kind")).to_have_text("Not stated in these articles")
    expect(answer.locator(".near .title").first).to_have_text("The harbour of Lindum opens again")


def test_stop_gives_the_question_back_and_again_asks_it(sites: Any, pipeline: FakePipeline, opened: Opened) -> None:
    open_, _, friend, _ = sites
    friend.show(_script(open_))
    page = opened(friend.origin)
    page.locator("bri-qa-chat .opener").click()
    box = page.locator("bri-qa-chat textarea")
    box.fill(f"wait {QUAY}")
    box.press("Enter")
    expect(page.locator("bri-qa-chat .stage")).to_contain_text("Reading")
    page.locator("bri-qa-chat .send.stop").click()
    expect(page.locator("bri-qa-chat .stopped")).to_be_visible()
    expect(box).to_have_value(f"wait {QUAY}")
    pipeline.gate.set()
    page.locator("bri-qa-chat .again").click()
    expect(page.locator("bri-qa-chat .short")).to_have_text("640")


def test_a_token_is_renewed_once_and_then_the_reader_is_told(sites: Any, opened: Opened) -> None:
    open_, _, friend, _ = sites
    friend.show(_script(open_, 'data-token-url="/token"'))
    friend.tokens = 0
    page = opened(friend.origin)
    page.locator("bri-qa-chat .opener").click()
    expect(_ask(page, QUAY)).to_contain_text("Your session here has ended")
    assert friend.tokens == 2


def test_busy_is_told_with_the_wait(sites: Any, opened: Opened) -> None:
    open_, _, friend, _ = sites
    friend.show(_script(open_))
    page = opened(friend.origin)
    headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After", "Retry-After": "7"}
    told = {"status": 503, "code": "busy", "detail": "…"}
    page.route("**/api/v1/ask/stream", lambda route: route.fulfill(status=503, headers=headers, json=told))
    page.locator("bri-qa-chat .opener").click()
    answer = _ask(page, QUAY)
    expect(answer).to_contain_text("There will be room in about 7 seconds")
    page.unroute("**/api/v1/ask/stream")
    answer.locator(".again").click()
    expect(page.locator("bri-qa-chat .short")).to_have_text("640")


def test_the_keyboard_alone_is_enough(sites: Any, opened: Opened) -> None:
    open_, _, friend, _ = sites
    friend.show(_script(open_))
    page = opened(friend.origin)
    focused = "document.activeElement?.shadowRoot?.activeElement?.className || document.activeElement?.shadowRoot?.activeElement?.tagName"
    expect(page.locator("bri-qa-chat .opener")).to_be_visible()
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "opener"
    page.keyboard.press("Enter")
    assert page.evaluate(focused) == "TEXTAREA"
    answer = _ask(page, QUAY)
    expect(page.locator("bri-qa-chat [role=status]")).to_contain_text("Answer: The new quay is 640 metres long")
    for _ in range(12):
        page.keyboard.press("Shift+Tab")
        if page.evaluate(focused) == "mark":
            break
    page.keyboard.press("Enter")
    expect(answer.locator("blockquote").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("bri-qa-chat dialog")).to_be_hidden()
    assert page.evaluate(focused) == "opener"


def test_a_phone_in_chinese(sites: Any, opened: Opened) -> None:
    open_, _, friend, _ = sites
    friend.show(_script(open_), lang="zh-CN")
    page = opened(friend.origin, (320, 640))
    expect(page.locator("bri-qa-chat .opener")).to_have_text("向文章提问")
    page.locator("bri-qa-chat .opener").click()
    dialog = page.locator("bri-qa-chat dialog")
    assert dialog.evaluate("node => node.matches(':modal')")
    page.wait_for_timeout(250)  # it rises
    assert dialog.bounding_box() == {"x": 0, "y": 0, "width": 320, "height": pytest.approx(640)}
    answer = _ask(page, MOON)
    expect(answer.locator(".kind")).to_have_text("这些文章没有提到")
    assert dialog.evaluate("node => node.scrollWidth") <= 320
    page.locator("bri-qa-chat .close").click()
    expect(dialog).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["1280", "390"])
def test_axe_finds_nothing_serious(sites: Any, opened: Opened, size: tuple[int, int], scheme: str) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not in node_modules")
    open_, _, friend, _ = sites
    friend.show(_script(open_), ":root { color-scheme: light dark; }")
    page = opened(friend.origin, size, scheme)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = _axe(page)
    page.locator("bri-qa-chat .opener").click()
    _ask(page, QUAY).locator("button.mark").first.click()
    _ask(page, MOON)
    _ask(page, "crash")
    page.wait_for_timeout(250)  # it rises
    assert found + _axe(page) == []


def _axe(page: Page) -> list[str]:
    result: Any = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{item['id']}: {item['nodes'][0]['html'][:160]}"
        for item in result["violations"]
        if item["impact"] in ("serious", "critical")
    ]
