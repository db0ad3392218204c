"""A person asks in a browser: answers, sources, follow-ups, abstentions, stop, and other people at the same time."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.fakes import FakePipeline
from tests.journeys.conftest import CLERKS, MOON, QUAY, Visit, both

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("asking")]


@both
def test_an_answer_opens_at_its_quote(base: str, visit: Visit, size: tuple[int, int]) -> None:
    screen = visit(base, size)
    answer = screen.ask("How long is the new quay?")
    expect(answer.locator(".bri-short")).to_have_text("640")
    expect(answer.locator(".bri-statement")).to_contain_text(QUAY)
    answer.locator(".bri-mark").first.click()
    expect(screen.current).to_have_text(QUAY)
    screen.settle()
    assert screen.seen(screen.current, "#bri-reader")
    assert screen.current.evaluate("element => getComputedStyle(element).backgroundColor") == "rgb(255, 215, 94)"
    card = screen.page.locator('.bri-card[aria-current="true"]')
    expect(card).to_contain_text(QUAY)
    expect(card).to_contain_text("Lindum Gazette · 2024-03-05")
    expect(screen.page.locator("#bri-reader .bri-title")).to_have_text("The harbour of Lindum opens again")
    assert screen.page.evaluate("document.documentElement.scrollWidth") <= size[0]


@both
def test_what_happens_is_told_while_it_happens(
    base: str, pipeline: FakePipeline, visit: Visit, size: tuple[int, int]
) -> None:
    pipeline.gate.clear()
    screen = visit(base, size)
    screen.box.fill("please wait for the new quay, 640 metres long")
    screen.page.get_by_role("button", name="Ask", exact=True).click()
    expect(screen.page.locator(".bri-working")).to_have_text("Reading 8 passages…")
    expect(screen.page.get_by_role("button", name="Stop")).to_be_visible()
    expect(screen.box).to_have_value("")
    pipeline.gate.set()
    expect(screen.answers).to_have_count(1)
    expect(screen.page.get_by_role("button", name="Stop")).to_be_hidden()
    expect(screen.page.locator("#bri-live")).to_contain_text(QUAY)


def test_next_and_previous_walk_through_the_quotes(base: str, visit: Visit) -> None:
    screen = visit(base)
    screen.ask(CLERKS)
    position = screen.page.locator("#bri-position")
    following = screen.page.get_by_role("button", name="Next quote")
    expect(position).to_have_text("1 of 3")
    seen = [screen.current.inner_text()]
    for number in (2, 3, 1):
        following.click()
        expect(position).to_have_text(f"{number} of 3")
        screen.settle()
        assert screen.seen(screen.current, "#bri-reader")
        seen.append(screen.current.inner_text())
    assert len(set(seen[:3])) == 3
    assert seen[3] == seen[0]
    screen.page.get_by_role("button", name="Previous quote").click()
    expect(position).to_have_text("3 of 3")
    expect(screen.current).to_contain_text("The third clerk")


@both
def test_a_quote_far_down_a_long_article_is_brought_into_view(base: str, visit: Visit, size: tuple[int, int]) -> None:
    screen = visit(base, size)
    answer = screen.ask("How heavy is the tidal bell of Orrin, cast in one piece?")
    answer.locator(".bri-mark").first.click()
    expect(screen.current).to_contain_text("3,150 kilograms")
    screen.settle()
    assert screen.page.locator("#bri-reader").evaluate("element => element.scrollTop") > 2_000
    assert screen.seen(screen.current, "#bri-reader")


def test_a_follow_up_is_asked_in_the_light_of_what_went_before(base: str, pipeline: FakePipeline, visit: Visit) -> None:
    screen = visit(base)
    screen.ask("What did the repairs cost?")
    answer = screen.ask("and of that, a third?")
    expect(answer.locator(".bri-statement").first).to_contain_text("of which the town paid a third")
    history = pipeline.last("and of that, a third?").history
    assert [turn.role for turn in history] == ["user", "assistant"]
    assert history[0].text == "What did the repairs cost?"
    expect(screen.page.locator(".bri-user")).to_have_count(2)
    screen.page.get_by_role("button", name="New conversation").click()
    expect(screen.page.locator(".bri-user")).to_have_count(0)
    expect(screen.page.locator("#bri-panel-title")).to_have_text("Articles")
    screen.ask("What did the repairs cost?")
    assert pipeline.last("What did the repairs cost?").history == ()


@both
def test_an_abstention_looks_different_and_offers_what_comes_nearest(
    base: str, visit: Visit, size: tuple[int, int]
) -> None:
    screen = visit(base, size)
    plain = screen.ask("How long is the new quay?")
    abstained = screen.ask(MOON)
    expect(abstained).to_contain_text("Not stated in these articles")
    expect(abstained.locator(".bri-mark")).to_have_count(0)
    background = "element => getComputedStyle(element).backgroundColor"
    assert abstained.evaluate(background) != plain.evaluate(background)
    nearest = abstained.locator(".bri-near-open")
    expect(nearest).to_have_count(3)
    nearest.first.click()
    expect(screen.page.locator("#bri-panel-title")).to_have_text("Nearest passages")
    expect(screen.current).to_have_text(
        "Its lamp has been dark since the storm, and nobody has said when it will be lit."
    )
    screen.settle()
    assert screen.seen(screen.current, "#bri-reader")
    assert screen.current.evaluate(background) != "rgb(255, 215, 94)"  # it is no proof


def test_what_is_off_the_topic_opens_no_article(base: str, visit: Visit) -> None:
    screen = visit(base)
    screen.ask("How long is the new quay?")
    expect(screen.ask("xyzzy plugh")).to_contain_text("Not a topic of these articles")
    expect(screen.page.locator("#bri-panel-title")).to_have_text("Articles")
    expect(screen.current).to_have_count(0)


@both
def test_an_example_asks_at_once(base: str, visit: Visit, size: tuple[int, int]) -> None:
    screen = visit(base, size)
    expect(screen.page.locator("#bri-chat .example")).to_have_text(
        ["How long is the new quay?", "What did the repairs cost?", "Summarise the articles", "Who is quoted?"]
    )
    screen.page.locator("#bri-chat .example").nth(1).click()
    expect(screen.answers.last).to_contain_text("The repairs cost 48 million crowns")
    expect(screen.page.locator(".bri-user")).to_have_text("What did the repairs cost?")
    expect(screen.box).to_have_value("")


@both
def test_stop_gives_the_question_back(base: str, pipeline: FakePipeline, visit: Visit, size: tuple[int, int]) -> None:
    pipeline.gate.clear()
    screen = visit(base, size)
    question = "please wait for the harbour"
    screen.box.fill(question)
    screen.box.press("Enter")
    expect(screen.page.locator(".bri-working")).to_have_text("Reading 8 passages…")
    screen.page.get_by_role("button", name="Stop").click()
    expect(screen.answers.last).to_contain_text("Stopped")
    expect(screen.box).to_have_value(question)
    pipeline.gate.set()
    expect(screen.ask("How long is the new quay?")).to_contain_text(QUAY)
    expect(screen.page.locator("#bri-chat").get_by_text("Error", exact=True)).to_have_count(0)


def test_an_error_is_said_in_words_and_the_question_comes_back(base: str, visit: Visit) -> None:
    screen = visit(base)
    answer = screen.ask("crash")
    expect(answer).to_contain_text("Something went wrong here.")
    expect(screen.box).to_have_value("crash")
    screen.box.fill(" ")
    screen.box.press("Enter")
    expect(screen.page.locator("#bri-note")).to_contain_text("The question is empty")


def test_a_new_question_is_in_view_wherever_the_reader_has_scrolled(base: str, visit: Visit) -> None:
    screen = visit(base)
    for _ in range(3):
        screen.ask(MOON)
    screen.page.locator('#bri-chat [role="log"]').evaluate("element => element.scrollTo(0, 0)")
    answer = screen.ask("How long is the new quay?")
    assert screen.seen(answer.locator(".bri-statement"), "#bri-chat")


def test_an_answer_longer_than_the_window_is_shown_from_its_beginning(base: str, visit: Visit) -> None:
    screen = visit(base, (1280, 420))
    screen.ask("How long is the new quay?")
    answer = screen.ask(CLERKS)
    screen.settle()
    assert screen.seen(screen.page.locator(".bri-user").last, "#bri-chat")
    assert not screen.seen(answer, "#bri-chat")


def test_the_first_quote_of_an_answer_is_in_view_before_it_is_asked_for(base: str, visit: Visit) -> None:
    screen = visit(base, (1280, 640))
    for question in ("hand dry room copied line", "How heavy is the tidal bell of Orrin, cast in one piece?", MOON):
        screen.ask(question)
        expect(screen.current.first).to_be_visible()
        screen.settle()
        assert screen.seen(screen.current.first, "#bri-reader"), question


def test_two_people_ask_at_the_same_time_and_see_only_their_own(
    base: str, pipeline: FakePipeline, visit: Visit
) -> None:
    pipeline.gate.clear()
    first, second = visit(base), visit(base)
    first.box.fill("please wait for the harbour of Lindum")
    first.box.press("Enter")
    expect(first.page.locator(".bri-working")).to_be_visible()
    second.ask("How long is the new quay?")  # is not held up by the first
    expect(first.answers).to_have_count(0)
    pipeline.gate.set()
    expect(first.answers).to_have_count(1)
    first.ask("and what did the repairs cost?")
    second.ask("and who paid?")
    assert [turn.text for turn in pipeline.last("and who paid?").history if turn.role == "user"] == [
        "How long is the new quay?"
    ]
    for screen, words in ((first, "quay"), (second, "Lindum")):
        assert not [text for text in screen.page.locator(".bri-user").all_inner_texts() if words in text]


def test_after_a_reload_the_page_is_new_and_answers(base: str, pipeline: FakePipeline, visit: Visit) -> None:
    screen = visit(base)
    screen.ask("How long is the new quay?")
    screen.open()
    expect(screen.page.locator(".bri-user")).to_have_count(0)
    expect(screen.ask("What did the repairs cost?")).to_contain_text("48 million crowns")
    assert pipeline.last("What did the repairs cost?").history == ()
