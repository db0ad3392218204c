"""A person reads in a browser: articles, hostile words, the keyboard alone, a phone, and the dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from bri_qa.web import article
from tests.fakes import FakePipeline
from tests.journeys.conftest import CLERKS, PHONE, QUAY, Screen, Visit, both

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("reading")]
schemes = pytest.mark.parametrize("scheme", ["light", "dark"])


def _focused(screen: Screen) -> str:
    """The element that has the focus, by id or class."""
    found: str = screen.page.evaluate("document.activeElement.id || document.activeElement.className")
    return found


@both
def test_hostile_words_of_an_article_never_run(base: str, visit: Visit, size: tuple[int, int]) -> None:
    screen = visit(base, size)
    answer = screen.ask(CLERKS)
    expect(answer).to_contain_text("<script>window.pwned = 1</script>")
    expect(answer).to_contain_text("{{ 7*7 }} and ${7*7} and `{window.pwned=3}`")
    expect(answer).to_contain_text("[a link](javascript:window.pwned=4) and $$x^2$$ and *stars* and a \\ backslash.")
    answer.locator(".bri-mark").first.click()
    reader = screen.page.locator("#bri-reader")
    expect(reader).to_contain_text('<img src=x onerror="window.pwned=2">')
    expect(reader.locator(".bri-text a, .bri-text img, script, b, u, i")).to_have_count(0)
    expect(screen.page.locator(".bri-card").first).to_contain_text("<u>Mill</u>")
    screen.page.keyboard.press("Escape")
    screen.ask('<img src=x onerror="window.pwned=6"> clerk of the moon, of glass and of steel')
    assert screen.page.evaluate("window.pwned") is None
    screen.open(article.address(FakePipeline().by_id["odd/<i>ledger</i> & co"]))
    expect(screen.page.locator("h1")).to_have_text('Odd <b>title</b> & "quotes"')
    assert screen.page.evaluate("window.pwned") is None


@both
def test_the_header_counts_the_articles_and_opens_their_list(base: str, visit: Visit, size: tuple[int, int]) -> None:
    screen = visit(base, size)
    screen.ask("How long is the new quay?")
    screen.page.get_by_role("button", name="3 articles").click()
    listed = screen.page.locator("#bri-list .bri-open")
    expect(listed).to_have_count(3)
    listed.filter(has_text="A long essay on tides").click()
    expect(screen.page.locator("#bri-reader .bri-title")).to_have_text("A long essay on tides")
    expect(screen.page.locator("#bri-reader")).to_be_focused()


@both
def test_a_link_to_a_quote_opens_a_page_of_its_own(base: str, visit: Visit, size: tuple[int, int]) -> None:
    harbour = FakePipeline().by_id["harbour"]
    screen = visit(base, size)
    screen.ask("How heavy is the tidal bell of Orrin, cast in one piece?").locator(".bri-copy").click()
    expect(screen.page.locator(".bri-copy")).to_have_text("Copied")
    copied: str = screen.page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("How heavy is the tidal bell of Orrin, cast in one piece?")
    assert "[1] “The tidal bell of Orrin weighs 3,150 kilograms" in copied
    address = copied.rsplit(") ", maxsplit=1)[-1].strip()
    assert address.startswith(base + "/source/tides?start=")
    screen.open(address.removeprefix(base))
    assert screen.seen(screen.page.locator("#quote-1"))
    screen.open(address.removeprefix(base).split("#")[0])
    assert screen.seen(screen.page.locator("#quote-1"))
    assert screen.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    screen.open(article.address(harbour).replace("harbour", "gone"))
    expect(screen.page.locator("h1")).to_have_text("This article is not here")


def test_everything_can_be_done_by_keyboard(base: str, visit: Visit) -> None:
    screen = visit(base)
    keys = screen.page.keyboard
    expect(screen.box).to_be_focused()
    keys.type("clerk wrote in the ledger")
    keys.press("Shift+Enter")
    keys.type("of the mill")
    expect(screen.box).to_have_value("clerk wrote in the ledger\nof the mill")
    keys.press("Enter")
    expect(screen.answers).to_have_count(1)
    expect(screen.box).to_be_focused()
    for _ in range(12):
        keys.press("Shift+Tab")
        if "bri-n-2" in _focused(screen):
            break
    assert "bri-mark bri-n-2" in _focused(screen)
    outline = screen.page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"
    keys.press("Enter")
    expect(screen.current).to_be_focused()
    expect(screen.current).to_contain_text("A second clerk wrote")
    assert screen.seen(screen.current, "#bri-reader")
    keys.press("Escape")
    assert "bri-mark bri-n-2" in _focused(screen)


def test_the_first_stops_of_the_keyboard(base: str, visit: Visit) -> None:
    screen = visit(base)
    stops = []
    screen.page.locator(".bri-skip").focus()
    for _ in range(6):
        stops.append(screen.page.evaluate("document.activeElement.innerText || document.activeElement.ariaLabel"))
        screen.page.keyboard.press("Tab")
    assert stops == ["Skip to the question box", "Conversations", "bri_qa", "3 articles", "中文", "Dark colours"]
    screen.page.locator(".bri-skip").focus()
    assert screen.seen(screen.page.locator(".bri-skip"))
    screen.page.keyboard.press("Enter")
    screen.page.keyboard.press("Tab")
    expect(screen.box).to_be_focused()


def test_an_example_and_ask_leave_the_focus_in_the_question_box(base: str, visit: Visit) -> None:
    screen = visit(base)
    screen.page.locator("#bri-chat .example").first.focus()
    screen.page.keyboard.press("Enter")
    expect(screen.answers).to_have_count(1)
    expect(screen.box).to_be_focused()
    screen.page.keyboard.type("What did the repairs cost?")
    screen.page.keyboard.press("Tab")
    screen.page.keyboard.press("Enter")
    expect(screen.answers).to_have_count(2)
    expect(screen.box).to_be_focused()


def test_on_a_phone_the_sources_are_a_sheet_that_closes(base: str, visit: Visit) -> None:
    screen = visit(base, PHONE)
    mark = screen.ask("How long is the new quay?").locator(".bri-mark")
    panel = screen.page.locator("#bri-panel")
    expect(panel).to_be_hidden()
    mark.focus()
    screen.page.keyboard.press("Enter")
    expect(screen.current).to_have_text(QUAY)
    expect(panel).to_have_attribute("aria-modal", "true")
    assert screen.page.evaluate("document.querySelector('gradio-app').inert") is True
    screen.settle()
    statement, sheet = screen.page.locator(".bri-statement").bounding_box(), panel.bounding_box()
    assert statement is not None
    assert sheet is not None
    assert statement["y"] + statement["height"] <= sheet["y"]  # what is to be proven stays in view above its proof
    for close in ("Escape", "button", "shade"):
        if close == "Escape":
            screen.page.keyboard.press("Escape")
        elif close == "button":
            screen.page.get_by_role("button", name="Close the sources").click()
        else:
            screen.page.locator("#bri-shade").click(position={"x": 100, "y": 20})
        expect(panel).to_be_hidden()
        expect(mark).to_be_focused()
        assert screen.page.evaluate("document.querySelector('gradio-app').inert") is False
        mark.click()
        expect(panel).to_be_visible()


@both
@schemes
def test_the_page_is_light_or_dark_as_the_system_says(
    base: str, visit: Visit, size: tuple[int, int], scheme: str
) -> None:
    screen = visit(base, size, scheme)
    screen.ask("How long is the new quay?")
    page, ink = (
        ("rgb(246, 245, 241)", "rgb(28, 34, 39)") if scheme == "light" else ("rgb(18, 22, 26)", "rgb(231, 233, 234)")
    )
    style = "element => [getComputedStyle(element).backgroundColor, getComputedStyle(element).color]"
    assert screen.page.locator("body").evaluate(style) == [page, ink]
    assert screen.page.locator(".bri-statement").evaluate(style)[1] == ink
    assert screen.page.locator("#bri-box textarea").evaluate(style)[1] == ink
    assert screen.page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_a_chosen_colour_stays(base: str, visit: Visit) -> None:
    screen = visit(base)
    switch = screen.page.get_by_role("button", name="Dark colours")
    expect(switch).to_have_attribute("aria-pressed", "false")
    switch.click()
    for _ in range(2):
        expect(switch).to_have_attribute("aria-pressed", "true")
        assert screen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 22, 26)"
        screen.open()
