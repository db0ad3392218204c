"""The whole product: `bri-qa serve` as a process over a real index, asked in a browser and over the API."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.articles import ARTICLES
from tests.journeys.conftest import DESK, PHONE, Visit

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("reading")]
PROGRAM = str(Path(sys.executable).parent / "bri-qa")
QUESTION = "How long is the new quay of Lindum?"
NEW = (
    "The observatory of Vell\nThe observatory of Vell opened its dome on 3 June 2025. Its telescope weighs 41 tonnes.\n"
)


class Served:
    """A working folder with a corpus, its index and a server over it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ARTICLES, folder / "corpus")
        self.run("index")
        self.server = subprocess.Popen(
            [PROGRAM, "serve", "--port", "0"], cwd=folder, env=_environ(), stdout=subprocess.PIPE, text=True
        )
        assert self.server.stdout is not None
        self.told = self.server.stdout
        found = re.search(r"http://\S+", self.told.readline())
        assert found, "the server told no address"
        self.base = found[0]

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [PROGRAM, *arguments], cwd=self.folder, env=_environ(), capture_output=True, text=True, check=True
        )
        return done.stdout

    def ask(self, question: str) -> dict[str, Any]:
        answer = httpx.post(f"{self.base}/api/v1/ask", json={"question": question}, timeout=60)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


def _environ() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BRI_QA_")}
    return {**kept, "BRI_QA_RATE_LIMIT_ASK": "", "BRI_QA_RATE_LIMIT_ADDRESS": ""}  # a test asks faster than people do


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    house = Served(tmp_path_factory.mktemp("product"))
    yield house
    house.server.send_signal(signal.SIGINT)
    code = house.server.wait(30)
    house.told.close()
    assert code == 130  # as a shell reports a program that Ctrl-C ended


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["1280", "390"])
def test_a_question_its_quote_and_a_follow_up(served: Served, visit: Visit, size: tuple[int, int]) -> None:
    screen = visit(served.base, size)
    answer = screen.ask(QUESTION)
    expect(answer.locator(".bri-statement").first).to_contain_text("640 metres")
    answer.locator(".bri-mark").first.click()
    expect(screen.current).to_contain_text("640 metres long")
    screen.settle()
    assert screen.seen(screen.current, "#bri-reader")
    if size == PHONE:
        screen.page.get_by_role("button", name="Close the sources").click()
    follow = screen.ask("and how many ships does it take?")
    expect(follow.locator(".bri-statement").first).to_contain_text("three ships")


def test_what_is_not_in_the_articles_looks_different(served: Served, visit: Visit) -> None:
    screen = visit(served.base)
    answer = screen.ask("What is the boiling point of tungsten?")
    expect(answer).to_have_class(re.compile("bri-abstained"))
    expect(answer.locator(".bri-near-open").first).to_be_visible()


def test_command_line_api_and_chat_give_the_same_answer(served: Served) -> None:
    over_the_api = served.ask(QUESTION)
    by_command = json.loads(served.run("ask", QUESTION, "--json"))
    for answer in (over_the_api, by_command):
        answer["trace"].pop("seconds")
    assert over_the_api == by_command
    assert over_the_api["citations"]


def test_a_new_index_is_taken_up_without_a_failed_question(served: Served) -> None:
    wanted = "How much does the telescope of the observatory of Vell weigh?"
    assert "41 tonnes" not in served.ask(wanted)["answer"]
    stop, failures = threading.Event(), []

    def keep_asking() -> None:
        while not stop.is_set():
            try:
                if not served.ask(QUESTION)["citations"]:
                    failures.append("no citation")
            except (httpx.HTTPError, AssertionError) as error:
                failures.append(repr(error))

    asking = threading.Thread(target=keep_asking)
    asking.start()
    (served.folder / "corpus" / "vell.txt").write_text(NEW, encoding="utf-8")
    served.run("index")
    end = time.monotonic() + 60
    while "41 tonnes" not in (answer := served.ask(wanted))["answer"] and time.monotonic() < end:
        time.sleep(0.2)
    (served.folder / "corpus" / "vell.txt").unlink()
    served.run("index")
    gone = served.ask(wanted)
    stop.set()
    asking.join()
    assert "41 tonnes" in answer["answer"] and answer["citations"][0]["document_id"] == "vell"
    assert "41 tonnes" not in gone["answer"]
    assert all(passage["document_id"] != "vell" for passage in gone["passages"])
    assert failures == []
