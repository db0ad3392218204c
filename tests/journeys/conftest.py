"""A browser, and the pages in it that tests read. No request may leave the server, and no script may fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Locator, Page, expect, sync_playwright

from tests.fakes import FakePipeline
from tests.serving import served

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync"
).split()
WAIT = 30_000  # milliseconds; a busy machine is slow
DESK = (1280, 800)
PHONE = (390, 844)
both = pytest.mark.parametrize("size", [DESK, PHONE], ids=["1280", "390"])

QUAY = "The new quay is 640 metres long and takes three ships at a time."
CLERKS = "clerk wrote in the ledger of the mill"
MOON = "When is the lamp of the moon due?"
BROKEN_OFF = ("AbortError: signal is aborted", "Connection errored out")  # an open stream of a page that is being left

expect.set_options(timeout=WAIT)


@dataclass
class Screen:
    """One person's browser window, opened at the chat."""

    page: Page
    base: str
    width: int
    requested: list[str] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    leaving: bool = False

    @property
    def box(self) -> Locator:
        return self.page.locator("#bri-box textarea")

    @property
    def answers(self) -> Locator:
        return self.page.locator("#bri-chat .bri-answer.bri-done")

    @property
    def current(self) -> Locator:
        """The highlighted quote in the opened article."""
        return self.page.locator("#bri-reader mark.is-current")

    def open(self, path: str = "/") -> None:
        self.page.goto(self.base + path)
        if path == "/":
            expect(self.page.locator("#bri-chat .example").first).to_be_visible()

    def ask(self, text: str) -> Locator:
        """The finished answer to `text`."""
        before = self.answers.count()
        self.box.fill(text)
        self.box.press("Enter")
        expect(self.answers).to_have_count(before + 1)
        return self.answers.nth(before)

    def seen(self, locator: Locator, within: str | None = None) -> bool:
        """Whether the whole of `locator` is inside the window, and inside the frame `within`."""
        inner = locator.bounding_box()
        outer = self.page.locator(within).bounding_box() if within else None
        height = self.page.evaluate("innerHeight")
        frame = outer or {"x": 0, "y": 0, "width": self.width, "height": height}
        return inner is not None and (
            frame["x"] <= inner["x"]
            and frame["y"] <= inner["y"]
            and inner["x"] + inner["width"] <= frame["x"] + frame["width"] + 1
            and inner["y"] + inner["height"] <= min(frame["y"] + frame["height"], height) + 1
        )

    def settle(self) -> None:
        """Until nothing moves any more."""
        self.page.evaluate(
            """async () => {
                for (let still = 0, last = null; still < 8; ) {
                    await new Promise((next) => requestAnimationFrame(next));
                    const reader = document.getElementById("bri-reader");
                    const now = [reader?.scrollTop, document.getElementById("bri-panel")?.getBoundingClientRect().top].join();
                    still = now === last ? still + 1 : 0;
                    last = now;
                }
            }"""
        )

    def leave(self) -> None:
        """Close the page's connections, before its server goes."""
        self.leaving = True
        self.page.goto("about:blank")

    def reload(self) -> None:
        self.leaving = True
        self.page.reload()
        self.leaving = False

    def watch(self, context: BrowserContext) -> None:
        context.on("request", lambda request: self.requested.append(request.url))
        self.page.on("pageerror", lambda error: self._failed(str(error)))
        self.page.on("console", lambda line: self._heard(line.type, line.text))
        self.page.on("dialog", self._asked)

    def _asked(self, dialog: Dialog) -> None:
        self.trouble.append(dialog.message)
        dialog.dismiss()

    def _heard(self, kind: str, text: str) -> None:
        if kind == "error" and "status of 404" not in text:
            self._failed(text)

    def _failed(self, text: str) -> None:
        if not (self.leaving and any(known in text for known in BROKEN_OFF)):
            self.trouble.append(text)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FakePipeline, str]]:
    """One application over three articles, for all tests that do not stop it; each window has a history of its own."""
    corpus = tmp_path_factory.mktemp("corpus")
    (corpus / "examples.txt").write_text("How long is the new quay?\nWhat did the repairs cost?\n", encoding="utf-8")
    pipeline = FakePipeline()
    with served(pipeline, corpus) as address:
        yield pipeline, address


@pytest.fixture
def pipeline(shared: tuple[FakePipeline, str]) -> Iterator[FakePipeline]:
    """What answers at `base`; whatever a test does to it ends with the test."""
    yield shared[0]
    shared[0].gate.set()
    shared[0].error = None


@pytest.fixture
def base(shared: tuple[FakePipeline, str]) -> str:
    return shared[1]


Visit = Callable[..., Screen]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """`visit(base, size, scheme)` opens a window of its own at the chat of `base`."""
    opened: list[tuple[BrowserContext, Screen]] = []

    def visit(base: str, size: tuple[int, int] = DESK, scheme: str = "light", path: str = "/") -> Screen:
        width, height = size
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            has_touch=size == PHONE,
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(WAIT)
        screen = Screen(context.new_page(), base, width)
        screen.watch(context)
        opened.append((context, screen))
        screen.open(path)
        return screen

    yield visit
    for context, screen in opened:
        context.close()
        assert screen.trouble == []
        assert screen.requested
        assert [url for url in screen.requested if not url.startswith((screen.base + "/", "data:", "blob:"))] == []
