"""An evaluator opens a report from disk in a browser: reads, filters, follows quotes and addresses, by keys alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from bri_qa.evaluation.report import render
from tests.journeys.conftest import DESK, PHONE, WAIT
from tests.saved_runs import CASES, HOSTILE, STARS, edited, saved

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("reading")]
both = pytest.mark.parametrize("size", [DESK, (360, 740)], ids=["1280", "360"])
schemes = pytest.mark.parametrize("scheme", ["light", "dark"])
Open = Callable[..., Page]

CONTRAST = """() => {
  const channel = (value) => { value /= 255; return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4; };
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = numbers(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const faults = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest("script, .skip")) continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(numbers(element.closest("svg") ? style.fill : style.color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faults.push(`${ratio.toFixed(2)} ${element.className} ${walker.currentNode.data.slice(0, 30)}`);
  }
  return faults;
}"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of ordinary and hostile cases, against a run in which one of them was wrong and one right."""
    folder = tmp_path_factory.mktemp("report")
    this = saved(folder / "this", [*CASES, *HOSTILE])
    other = edited(
        saved(folder / "other", [*CASES, *HOSTILE]), {"quay": {"verdict": "not_ranked"}, "lit": {"verdict": "ok"}}
    )
    render(this, other)
    return this / "report.html"


@pytest.fixture
def visit(browser: Browser) -> Iterator[Open]:
    """Opens a page from disk, with no network; no script may fail, nothing else may be asked for."""
    opened: list[tuple[Page, list[str], list[str]]] = []

    def visit(file: Path, size: tuple[int, int] = DESK, scheme: Any = "light", anchor: str = "") -> Page:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, has_touch=size == PHONE, offline=True
        )
        context.set_default_timeout(WAIT)
        page, asked, trouble = context.new_page(), [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("console", lambda line: trouble.append(line.text))
        opened.append((page, asked, trouble))
        page.goto(f"{file.as_uri()}{anchor}")
        expect(page.locator(".case").first).to_be_visible()
        return page

    yield visit
    for page, asked, trouble in opened:
        assert page.evaluate("typeof window.pwned") == "undefined"
        page.context.close()
        assert trouble == []
        assert len(asked) == 1


def ids(page: Page) -> list[str]:
    return page.locator(".case").evaluate_all("rows => rows.map((row) => row.dataset.id)")  # type: ignore[no-any-return]


@both
@schemes
def test_every_part_fits_and_can_be_read(report: Path, visit: Open, size: tuple[int, int], scheme: str) -> None:
    page = visit(report, size, scheme)
    for head in page.locator(".case-head").all():
        head.click()
    for summary in page.locator("details > summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert page.evaluate(CONTRAST) == []
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 22, 26)"
    assert dark == (scheme == "dark")


def test_a_case_shows_its_quote_and_the_gold_evidence_in_the_article(report: Path, visit: Open) -> None:
    page = visit(report, anchor="#quay")
    row = page.locator('.case[data-id="quay"]')
    context = row.locator(".case-main .context")
    expect(context.locator("mark.gold.quote")).to_have_text("[1] gold The new quay is 640 metres long")
    expect(context.locator("mark.quote:not(.gold)")).to_have_text(" and takes three ships at a time.")
    expect(context).to_contain_text("After two years of repairs")
    expect(row.locator(".short")).to_have_text("640")
    expect(row.locator(".passages .holds")).to_have_count(1)
    row.get_by_role("button", name="Show quote 1 in the article").click()
    expect(context.locator("mark").first).to_be_focused()


def test_offsets_hold_beyond_the_basic_plane(report: Path, visit: Open) -> None:
    page = visit(report, anchor="#star")
    row = page.locator('.case[data-id="star"]')
    expect(row.locator(".case-main .context mark.gold")).to_have_text("gold carved the star 🌟 by hand")
    expect(row.locator(".case-main .context").first).to_have_text(
        STARS.split("\n")[1].replace("In the", "[1] In the").replace("carved", "gold carved")
    )


def test_hostile_text_stays_text(report: Path, visit: Open) -> None:
    page = visit(report)
    for row in page.locator(".case").all():
        row.locator(".case-head").click()
    first = page.locator(".case", has_text=HOSTILE[0]["id"])
    expect(first.locator(".question")).to_have_text(HOSTILE[0]["question"])
    expect(first.locator(".case-main .context mark.gold")).to_contain_text("<script>window.pwned = 1</script>")
    assert page.locator("#cases img, #cases script, #cases i").count() == 0


def test_filters_and_search_narrow_the_list(report: Path, visit: Open) -> None:
    page = visit(report)
    count = page.locator("#count")
    expect(count).to_contain_text("8 of 8 cases")
    page.locator("#f-search").fill("new QUAY")
    expect(count).to_contain_text("1 of 8 cases, 0 wrong")
    assert ids(page) == ["quay"]
    page.get_by_role("button", name="Clear").click()
    page.locator("#f-answerable").select_option("no")
    expect(count).to_contain_text("2 of 8")
    page.locator("#f-change").select_option("broken")
    expect(count).to_contain_text("1 of 8 cases, 1 wrong")
    assert ids(page) == ["lit"]
    page.get_by_role("button", name="Clear").click()
    page.locator("#f-document").fill("stars")
    expect(count).to_contain_text("1 of 8")
    page.get_by_role("button", name="Clear").click()
    page.locator("#f-tag").select_option("follow-up")
    expect(count).to_contain_text("1 of 8")
    page.locator("#part-scores").get_by_role("button", name="none", exact=True).click()
    expect(count).to_contain_text("2 of 8")
    expect(page.locator("#f-kind")).to_have_value("none")
    page.get_by_role("button", name="Clear").click()
    page.locator("#f-order").select_option("id")
    expect(page.locator(".case").first).to_have_attribute("data-id", "elephant")


def test_an_address_opens_its_case_though_a_filter_hides_it(report: Path, visit: Open) -> None:
    page = visit(report)
    page.locator("#f-kind").select_option("none")
    expect(page.locator("#count")).to_contain_text("2 of 8")
    page.evaluate("location.hash = 'owner'")
    row = page.locator('.case[data-id="owner"]')
    expect(row.locator(".case-head")).to_be_focused()
    expect(row.locator(".turns")).to_contain_text("Who owns the harbour?")
    page.locator("#part-changes").get_by_role("link", name="lit").click()
    expect(page.locator('.case[data-id="lit"] .before')).to_contain_text("In the other run (Right)")


def test_a_filtered_view_has_an_address_of_its_own(report: Path, visit: Open) -> None:
    page = visit(report)
    page.locator("#f-search").fill("new QUAY & more")
    page.wait_for_url("**#?search=new+QUAY+%26+more")
    page.locator("#f-search").fill("")
    page.locator("#f-answerable").select_option("no")
    page.locator("#f-order").select_option("id")
    page.wait_for_url("**#?answerable=no&order=id")
    before = ids(page)
    again = visit(report, anchor=page.evaluate("location.hash"))
    expect(again.locator("#count")).to_contain_text("2 of 8")
    assert ids(again) == before
    again.evaluate("location.hash = '?kind=%3Cimg%3E&search=quay'")  # no such kind: as if it were not there
    expect(again.locator("#count")).to_contain_text("1 of 8")
    again.evaluate("location.hash = 'owner'")
    expect(again.locator('.case[data-id="owner"] .case-head')).to_be_focused()
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#count")).to_contain_text("8 of 8")
    assert page.url == report.as_uri()


def test_keys_alone_are_enough(report: Path, visit: Open) -> None:
    page = visit(report)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    heads = page.locator(".case-head")
    heads.first.focus()
    page.keyboard.press("ArrowDown")
    expect(heads.nth(1)).to_be_focused()
    page.keyboard.press("End")
    expect(heads.last).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(heads.first).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".case").first.locator(".case-body")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator(".case").first.locator(".case-body")).to_be_hidden()
    page.locator("#theme").focus()
    page.keyboard.press("Space")
    expect(page.locator("#theme")).to_have_attribute("aria-pressed", "true")


def test_many_cases_are_made_as_they_are_needed(tmp_path: Path, visit: Open) -> None:
    cases = [
        {"id": f"lit-{at:03}", "question": f"When will the lighthouse be lit {at}?", "answers": []} for at in range(180)
    ]
    page = visit(saved(tmp_path / "many", cases) / "report.html")
    expect(page.locator("#count")).to_contain_text("180 of 180 cases")
    assert page.locator(".case").count() == 50
    page.locator(".case").last.scroll_into_view_if_needed()
    expect(page.locator(".case").nth(60)).to_be_attached()
    page.evaluate("location.hash = 'lit-170'")
    expect(page.locator('.case[data-id="lit-170"] .case-body')).to_be_visible()
