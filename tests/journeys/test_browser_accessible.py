"""axe-core finds nothing serious in any state of the pages, at both sizes, in light and dark, in both languages.

axe-core comes from npm, for this test alone: `npm install --no-save axe-core` puts it into node_modules.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import CLERKS, MOON, Screen, Visit, both

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("reading")]

ROOT = Path(__file__).parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
VERSION = "4.14"
EVERYTHING = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
CONTRAST = {"type": "rule", "values": ["color-contrast"]}
NARROW = (360, 640)


@pytest.fixture(scope="session")
def axe() -> str:
    if not AXE.is_file():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("axe-core is not in node_modules and npm is not installed")
        fetched = subprocess.run(
            [npm, "install", "--no-save", "--no-package-lock", "--ignore-scripts", f"axe-core@~{VERSION}.0"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if not AXE.is_file():
            pytest.skip(f"axe-core is not in node_modules and npm could not fetch it: {fetched.stderr[-200:]}")
    return AXE.read_text(encoding="utf-8")


def _found(screen: Screen, axe: str, only: dict[str, Any]) -> list[str]:
    """What axe calls serious or critical, with the first element that it is about."""
    if screen.page.evaluate("typeof axe") == "undefined":
        screen.page.evaluate(axe)
    result: dict[str, Any] = screen.page.evaluate(
        "only => axe.run(document, {runOnly: only, resultTypes: ['violations']})", only
    )
    return [
        f"{item['id']}: {item['help']}: {item['nodes'][0]['html'][:160]}"
        for item in result["violations"]
        if item["impact"] in ("serious", "critical")
    ]


def _begun(_: Screen) -> None:
    pass


def _answered(screen: Screen) -> None:
    screen.ask(CLERKS)
    if screen.width >= 1024:
        expect(screen.current.first).to_be_visible()
    screen.settle()


def _quote_on_top(screen: Screen) -> None:
    screen.ask("How long is the new quay?").locator(".bri-mark").first.click()
    expect(screen.current).to_be_visible()
    screen.settle()


def _rating(screen: Screen) -> None:
    screen.answers.last.locator(".bri-foot .bri-down").click()
    expect(screen.page.locator("#bri-dialog")).to_be_visible()


def _saving(screen: Screen) -> None:
    screen.answers.last.locator(".bri-save").click()
    expect(screen.page.locator("#bri-dialog")).to_be_visible()


def _articles(screen: Screen) -> None:
    screen.page.locator("#bri-articles").click()
    expect(screen.page.locator("#bri-list .bri-open")).to_have_count(3)
    screen.settle()


def _abstained(screen: Screen) -> None:
    screen.ask(MOON).locator(".bri-near-open").first.click()
    expect(screen.current.first).to_be_visible()
    screen.settle()


def _failed(screen: Screen) -> None:
    screen.ask("crash")
    screen.box.fill("long " * 1_000)
    screen.box.press("Enter")
    expect(screen.page.locator("#bri-note")).to_contain_text("characters")


def _conversations(screen: Screen) -> None:
    screen.page.locator("#bri-menu").click()
    expect(screen.page.locator(".bri-talk-title")).to_have_count(1)
    screen.page.wait_for_timeout(300)  # the drawer slides in


def _filtered(screen: Screen) -> None:
    screen.open("/?document=tides&publisher=Coast+Review&from=2019")
    expect(screen.page.locator("#bri-scope li")).to_have_count(3)


def _list_page(screen: Screen) -> None:
    screen.open("/articles?q=the")


def _article_page(screen: Screen) -> None:
    screen.open("/source/harbour?start=149&end=214")


STATES: list[Callable[[Screen], None]] = [  # each goes on from the one before: a page is loaded four times, not twelve
    _begun,
    _answered,
    _quote_on_top,
    _rating,
    _saving,
    _articles,
    _abstained,
    _failed,
    _conversations,
    _filtered,
    _list_page,
    _article_page,
]


def _closed(screen: Screen) -> None:
    """With no sheet, drawer or dialog on top."""
    screen.page.keyboard.press("Escape")
    expect(screen.page.locator("#bri-dialog[open], #bri-panel[aria-modal=true]:visible")).to_have_count(0)


def _coloured(screen: Screen, scheme: Literal["light", "dark"]) -> None:
    """In the colours of `scheme`, once none of them fades from one to the other any more."""
    screen.page.emulate_media(color_scheme=scheme)
    expect(screen.page.locator("html")).to_have_attribute("data-theme", scheme)
    screen.page.evaluate(
        """async () => {
            await new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));
            const ending = document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime !== Infinity);
            await Promise.allSettled(ending.map((one) => one.finished));
        }"""
    )


@both
def test_no_state_has_a_serious_violation(base: str, visit: Visit, axe: str, size: tuple[int, int]) -> None:
    """Colours alone differ in the dark; there they alone are looked at again."""
    screen = visit(base, size)
    found = {}
    for state in STATES:
        _closed(screen)
        state(screen)
        found[state.__name__] = _found(screen, axe, EVERYTHING)
        _coloured(screen, "dark")
        found[f"{state.__name__} in the dark"] = _found(screen, axe, CONTRAST)
        _coloured(screen, "light")
        assert screen.page.evaluate("document.documentElement.scrollWidth") <= size[0], state.__name__
    assert {name: items for name, items in found.items() if items} == {}


def test_it_fits_a_narrow_screen_in_chinese(base: str, visit: Visit, axe: str) -> None:
    screen = visit(base, NARROW)
    screen.page.locator("#bri-language").click()
    expect(screen.page.locator("#bri-ask")).to_have_text("提问")
    _answered(screen)
    assert _found(screen, axe, EVERYTHING) == []
    assert screen.page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]
