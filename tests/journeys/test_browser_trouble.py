"""A person meets trouble in a browser: a lost page, a server that goes down, a missing index, an unusable question."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from playwright.sync_api import expect

from bri_qa.errors import IndexMissingError
from tests.fakes import FakePipeline
from tests.journeys.conftest import QUAY, Visit, both
from tests.serving import served

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("asking")]


def test_nothing_typed_is_lost(base: str, pipeline: FakePipeline, visit: Visit) -> None:
    screen = visit(base)
    screen.box.fill("a question that is not yet")
    screen.reload()
    expect(screen.box).to_have_value("a question that is not yet")
    pipeline.gate.clear()
    screen.box.fill("please wait for the lighthouse")
    screen.box.press("Enter")
    expect(screen.page.locator(".bri-working")).to_be_visible()
    screen.reload()
    expect(screen.box).to_have_value("please wait for the lighthouse")
    expect(screen.page.locator("#bri-trouble")).to_contain_text("Your question is back in the box")
    screen.trouble.clear()  # Gradio tells the console that the reload cut its request off
    pipeline.gate.set()
    screen.page.get_by_role("button", name="Ask", exact=True).click()
    expect(screen.answers).to_have_count(1)


def test_a_server_started_anew_in_the_middle_of_an_answer_gives_the_question_back(visit: Visit, tmp_path: Path) -> None:
    pipeline = FakePipeline()
    with served(pipeline, history=tmp_path) as first:
        screen, port = visit(first), int(first.rpartition(":")[2])
        screen.ask("How long is the new quay?")
        pipeline.gate.clear()
        screen.box.fill("please wait for the lighthouse")
        screen.box.press("Enter")
        expect(screen.page.locator(".bri-working")).to_be_visible()
        threading.Timer(3, pipeline.gate.set).start()  # it goes down while it is being asked
    expect(screen.page.locator("#bri-trouble")).to_contain_text("The server does not answer")
    anew = FakePipeline()
    anew.gate.set()
    with served(anew, history=tmp_path, port=port):
        expect(screen.box).to_have_value("please wait for the lighthouse")
        expect(screen.page.locator(".bri-user")).to_have_text(["How long is the new quay?"])
        screen.page.get_by_role("button", name="Ask", exact=True).click()
        expect(screen.answers).to_have_count(2)
        screen.leave()
    screen.trouble.clear()  # the browser has told that the server was gone


def test_a_question_that_cannot_be_used_stays_and_says_why(base: str, visit: Visit) -> None:
    screen = visit(base)
    long = "word " * 2_000
    screen.box.fill(long)
    expect(screen.page.locator("#bri-length")).to_have_text(
        "10,000 characters: at most 4,000 are read. Shorten the question."
    )
    screen.page.get_by_role("button", name="Ask", exact=True).click()
    expect(screen.page.locator("#bri-note")).to_contain_text("4000 characters; shorten it")
    expect(screen.box).to_have_value(long)
    pasted = '<div onclick="window.pwned=1"><b>How long is the new quay?</b></div>'
    screen.box.fill(pasted)
    expect(screen.page.locator("#bri-length")).to_be_hidden()
    screen.ask(pasted)
    expect(screen.page.locator(".bri-user")).to_have_text(pasted)


@both
def test_a_missing_index_is_said_and_the_question_can_be_asked_again(visit: Visit, size: tuple[int, int]) -> None:
    pipeline = FakePipeline()
    with served(pipeline) as address:
        screen = visit(address, size)
        pipeline.error = IndexMissingError("there is no index in index; run `bri-qa index`")
        answer = screen.ask("How long is the new quay?")
        expect(answer).to_contain_text("the index is missing or being rebuilt")
        expect(screen.box).to_have_value("How long is the new quay?")
        screen.reload()
        expect(screen.page.locator("#bri-trouble [role=alert]")).to_contain_text("run `bri-qa index`")
        expect(screen.box).to_have_value("How long is the new quay?")
        screen.page.get_by_role("button", name="Ask", exact=True).click()
        expect(screen.answers).to_have_count(1)
        pipeline.error = None
        screen.page.get_by_role("button", name="Ask again").click()
        expect(screen.answers.last).to_contain_text(QUAY)
        screen.leave()
