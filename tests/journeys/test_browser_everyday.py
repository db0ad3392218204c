"""A person comes back in a browser: conversations, filters, feedback, files, another language."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.fakes import FakePipeline, document
from tests.journeys.conftest import CLERKS, MOON, QUAY, Screen, Visit, both
from tests.serving import served

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("asking")]

LINKED = re.compile("is-linked")


def _shown(screen: Screen) -> list[str]:
    found: list[str] = screen.page.locator(".bri-user, .bri-statement, .bri-kind").all_inner_texts()
    return found


def _conversations(screen: Screen) -> list[str]:
    found: list[str] = screen.page.locator(".bri-talk-title").all_text_contents()
    return found


@both
def test_a_conversation_looks_the_same_after_a_reload_and_goes_on(
    base: str, pipeline: FakePipeline, visit: Visit, size: tuple[int, int]
) -> None:
    screen = visit(base, size)
    screen.ask("What did the repairs cost?")
    screen.ask(MOON)
    before = _shown(screen)
    assert "?c=" in screen.page.url
    screen.reload()
    expect(screen.answers).to_have_count(2)
    assert _shown(screen) == before
    screen.answers.first.locator(".bri-mark").first.click()
    expect(screen.current).to_contain_text("The repairs cost 48 million crowns")
    screen.page.keyboard.press("Escape")
    screen.ask("and of that, a third?")
    history = pipeline.last("and of that, a third?").history
    assert history[0].text == "What did the repairs cost?"
    assert len(history) == 4


def test_a_conversation_outlives_the_server_and_its_articles(visit: Visit, tmp_path: Path) -> None:
    with served(FakePipeline(), history=tmp_path) as first:
        screen = visit(first)
        screen.ask("How long is the new quay?")
        screen.box.fill("half a quest")
        before, port = _shown(screen), int(first.rpartition(":")[2])
    changed = document("harbour", f"Another beginning\n{QUAY}\nAnd no more.", publisher="Lindum Gazette")
    with served(FakePipeline([changed]), history=tmp_path, port=port):
        screen.trouble.clear()  # the browser has told that the server was gone
        screen.reload()
        expect(screen.answers).to_have_count(1)
        assert _shown(screen) == before
        expect(screen.box).to_have_value("half a quest")
        screen.answers.first.locator(".bri-mark").first.click()
        expect(screen.current).to_have_text(QUAY)
        expect(screen.page.locator("#bri-reader .bri-notice")).to_contain_text("has changed since it was quoted")
        screen.ask("hello")
        screen.leave()
        screen.trouble.clear()


def test_conversations_are_listed_found_renamed_and_deleted(base: str, visit: Visit) -> None:
    screen = visit(base)
    screen.ask("How long is the new quay?")
    screen.page.locator("#bri-new").click()
    expect(screen.page.locator(".bri-user")).to_have_count(0)
    screen.ask(CLERKS)
    screen.page.get_by_role("button", name="Conversations", exact=True).click()
    expect(screen.page.locator(".bri-talk-title")).to_have_text([CLERKS, "How long is the new quay?"])
    expect(screen.page.locator('.bri-talk[aria-current="page"]')).to_contain_text(CLERKS)
    screen.page.get_by_label("Search your conversations").fill("640 metres")
    expect(screen.page.locator(".bri-talk-title")).to_have_text(["How long is the new quay?"])
    expect(screen.page.locator(".bri-talk-snippet")).to_contain_text("640 metres")
    screen.page.get_by_label("Search your conversations").fill("")
    expect(screen.page.locator(".bri-talk-title")).to_have_count(2)
    screen.page.locator(".bri-talk").nth(1).click()
    expect(screen.page.locator(".bri-user")).to_have_text(["How long is the new quay?"])
    screen.page.go_back()
    expect(screen.page.locator(".bri-user")).to_have_text([CLERKS])
    screen.page.get_by_role("button", name="Conversations", exact=True).click()
    screen.page.locator("#bri-history-list li").nth(1).hover()
    screen.page.get_by_role("button", name="Rename “How long is the new quay?”").click()
    screen.page.get_by_label("Name of the conversation").fill("Quays <b>&")
    screen.page.get_by_role("button", name="Save", exact=True).click()
    expect(screen.page.locator(".bri-talk-title").nth(1)).to_have_text("Quays <b>&")
    screen.page.locator("#bri-history-list li").nth(1).hover()
    screen.page.get_by_role("button", name="Delete “Quays <b>&”").click()
    screen.page.get_by_role("button", name="Cancel").click()
    assert len(_conversations(screen)) == 2
    screen.page.get_by_role("button", name="Delete “Quays <b>&”").click()
    screen.page.get_by_role("button", name="Delete", exact=True).last.click()
    expect(screen.page.locator(".bri-talk-title")).to_have_text([CLERKS])
    screen.page.get_by_role("button", name="Delete all").click()
    screen.page.locator("#bri-dialog .bri-danger").click()
    expect(screen.page.locator(".bri-talk-title")).to_have_count(0)
    expect(screen.page.locator(".bri-user")).to_have_count(0)
    expect(screen.page.locator("#bri-history-note")).to_contain_text("Nothing here yet")


def test_two_browsers_see_only_their_own(base: str, visit: Visit) -> None:
    first, second = visit(base), visit(base)
    first.ask("How long is the new quay?")
    second.ask(CLERKS)
    second.page.get_by_role("button", name="Conversations", exact=True).click()
    expect(second.page.locator(".bri-talk-title")).to_have_text([CLERKS])
    second.open("/" + first.page.url.rpartition("/")[2])
    expect(second.page.locator("#bri-note")).to_contain_text("not in your list any more")
    expect(second.page.locator(".bri-user")).to_have_count(0)


@both
def test_articles_are_filtered_and_asked_alone(
    base: str, pipeline: FakePipeline, visit: Visit, size: tuple[int, int]
) -> None:
    screen = visit(base, size, path="/articles")
    screen.page.get_by_label("Search in titles and texts").fill("bell")
    screen.page.get_by_role("button", name="Show", exact=True).click()
    expect(screen.page.locator(".bri-found")).to_contain_text("1 of 3 articles")
    screen.page.get_by_role("link", name="Ask about this article alone: A long essay on tides").click()
    chip = screen.page.locator("#bri-scope li")
    expect(chip).to_have_text("A long essay on tides")
    expect(screen.page.locator("#bri-chat .example").first).to_be_visible()
    expect(screen.ask("How long is the new quay?")).to_contain_text(
        "Only the articles that fit the filters were searched."
    )
    assert pipeline.last("How long is the new quay?").filters.document_ids == ("tides",)
    screen.page.get_by_role("link", name="Remove the filter A long essay on tides").click()
    expect(chip).to_have_count(0)
    expect(screen.ask("How long is the new quay?")).to_contain_text(QUAY)
    assert not pipeline.last("How long is the new quay?").filters.narrows
    screen.page.get_by_role("button", name="3 articles").click()
    screen.page.locator("#bri-list select[name=publisher]").select_option("Coast Review")
    screen.page.locator("#bri-list").get_by_role("button", name="Show", exact=True).click()
    screen.page.get_by_role("link", name="Ask about these articles").click()
    expect(chip).to_have_text("Coast Review")
    assert screen.page.evaluate("document.documentElement.scrollWidth") <= size[0]


@both
def test_an_answer_and_a_quote_are_rated(base: str, visit: Visit, size: tuple[int, int]) -> None:
    screen = visit(base, size)
    answer = screen.ask("How long is the new quay?")
    answer.get_by_role("button", name="Bad answer").click()
    screen.page.get_by_label("It leaves out what the articles say").check()
    screen.page.get_by_label("Comment (optional)").fill("how <wide> is it?")
    screen.page.get_by_role("button", name="Send").click()
    down = answer.get_by_role("button", name="Bad answer")
    expect(down).to_have_attribute("aria-pressed", "true")
    answer.locator(".bri-mark").first.click()
    good = screen.page.locator("#bri-place .bri-up")
    good.click()
    expect(good).to_have_attribute("aria-pressed", "true")
    screen.page.keyboard.press("Escape")
    screen.reload()
    expect(down).to_have_attribute("aria-pressed", "true")
    down.click()
    expect(down).to_have_attribute("aria-pressed", "false")
    expect(screen.page.locator("#bri-live")).to_have_text("Your feedback is taken back.")


def test_an_answer_is_saved_with_its_quotes(base: str, visit: Visit) -> None:
    screen = visit(base)
    answer = screen.ask("How long is the new quay?")
    for form, sign in (("Markdown", QUAY.encode()), ("Word (DOCX)", b"PK"), ("JSON", b'"short_answer": "640"')):
        answer.get_by_role("button", name="Save as…").click()
        with screen.page.expect_download() as download:
            screen.page.get_by_role("link", name=form).first.click()
        assert sign in Path(download.value.path()).read_bytes()
        screen.page.get_by_role("button", name="Close", exact=True).click()


def test_what_could_be_asked_next_is_asked_at_once(base: str, visit: Visit) -> None:
    screen = visit(base)
    screen.ask("How long is the new quay?")
    offered = screen.page.locator("#bri-following button").first
    expect(offered).to_be_visible()
    text = offered.inner_text()
    offered.click()
    expect(screen.answers).to_have_count(2)
    expect(screen.page.locator(".bri-user").last).to_have_text(text)


def test_a_mark_its_card_and_its_highlight_are_one(base: str, visit: Visit) -> None:
    screen = visit(base)
    answer = screen.ask(CLERKS)
    expect(screen.current.first).to_be_visible()
    second = [
        answer.locator(".bri-n-2"),
        screen.page.locator(".bri-card.bri-n-2"),
        screen.page.locator('mark[data-n~="2"]').first,
    ]
    for one in second:
        one.hover()
        for other in second:
            expect(other).to_have_class(LINKED)
        screen.page.mouse.move(5, 300)
        expect(second[0]).not_to_have_class(LINKED)
    screen.ask("How long is the new quay?")
    answer.locator(".bri-n-2").focus()  # its card and its highlight are not shown any more
    expect(screen.page.get_by_role("tooltip")).to_contain_text("A second clerk wrote")
    screen.page.keyboard.press("Escape")
    expect(screen.page.locator("#bri-peek")).to_be_hidden()


@both
def test_the_interface_speaks_chinese(base: str, visit: Visit, size: tuple[int, int]) -> None:
    screen = visit(base, size)
    screen.box.fill("How long is")
    screen.page.locator("#bri-language").click()
    expect(screen.page.locator("#bri-ask")).to_have_text("提问")
    expect(screen.page.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(screen.box).to_have_value("How long is")
    expect(screen.page.locator(".bri-reads")).to_contain_text("请用英文提问")
    answer = screen.ask("How long is the new quay?")
    expect(answer.locator(".bri-statement")).to_have_attribute("lang", "en")
    expect(answer.locator(".bri-sure summary")).to_have_text("有把握")
    expect(screen.ask("新码头有多长？")).to_contain_text("模型只懂英文")
    screen.page.locator("#bri-language").click()
    expect(screen.page.locator("#bri-ask")).to_have_text("Ask")
    expect(screen.answers.first.locator(".bri-sure summary")).to_have_text("Sure")


def test_how_sure_an_answer_is_can_be_looked_into(base: str, visit: Visit) -> None:
    sure = visit(base).ask("How long is the new quay?").locator(".bri-sure")
    expect(sure.locator("p")).to_be_hidden()
    sure.locator("summary").press("Enter")
    expect(sure.locator("p")).to_contain_text("has not been measured for this reader")


def test_the_data_of_an_answer_is_the_contracts(base: str, visit: Visit) -> None:
    answer = visit(base).ask("How long is the new quay?")
    data = json.loads(answer.locator(".bri-data").text_content() or "")
    assert data["citations"][0]["quote"] == QUAY
    assert data["entry"]
    assert data["conversation"]


def test_an_article_asked_alone_brings_questions_of_its_own(base: str, visit: Visit) -> None:
    screen = visit(base, path="/?document=harbour")
    offered = screen.page.locator("#bri-following button")
    expect(offered.filter(has_text="How long is the new quay?")).to_be_visible()
    expect(screen.page.locator("#bri-chat .example")).to_have_text(["Summarise the article", "Who is quoted?"])
    screen.page.get_by_role("link", name="Ask all articles").click()
    expect(offered).to_have_count(0)
    expect(screen.page.locator("#bri-chat .example")).to_have_count(4)
    screen.open("/?document=harbour")
    offered.filter(has_text="How long is the new quay?").click()
    expect(screen.answers).to_have_count(1)
    expect(screen.page.locator(".bri-statement").first).to_contain_text(QUAY)
