from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from bri_qa.errors import IndexMissingError
from bri_qa.types import Filters, Turn
from bri_qa.web import texts
from bri_qa.web.chat import TURNS_KEPT, Chat, examples
from bri_qa.web.service import Workers
from bri_qa.web.session import Running, Session, Wish
from tests.fakes import FakePipeline
from tests.serving import visiting

NO_EXAMPLES = Path("/nonexistent")
ENGLISH = texts.of(texts.ENGLISH)


@dataclass(frozen=True)
class Step:
    """What one step of a handler shows; `box` is None when it is left as it is."""

    box: str | None
    session: Session
    note: str
    running: bool

    @property
    def content(self) -> str:
        return self.session.shown[-1]["content"] if self.session.shown else ""

    @property
    def last(self) -> str:
        return _plain(self.content)


def _plain(content: str) -> str:
    return unescape(re.sub(r"<code.*</code>|<[^>]+>", "", content)).strip()


def _step(updates: Sequence[Any]) -> Step:
    box, shown, session, note, ask, stop = updates
    assert shown == list(session.shown)
    assert ask.visible != stop.visible
    return Step(box if isinstance(box, str) else None, session, note, stop.visible)


async def _steps(asking: AsyncIterator[tuple[Any, ...]]) -> list[Step]:
    return [_step(updates) async for updates in asking]


@contextmanager
def _chat(pipeline: FakePipeline, threads: int = 4, waiting: int = 64) -> Iterator[Chat]:
    workers = Workers(threads, waiting)
    yield Chat(pipeline, workers, NO_EXAMPLES)
    pipeline.gate.set()
    workers.close()


def _ask(pipeline: FakePipeline, text: str, session: Session | None = None) -> list[Step]:
    with _chat(pipeline) as chat:
        return asyncio.run(_steps(chat.ask(text, session or Session(), Running(), visiting())))


def test_stages_are_shown_then_the_answer_statement_by_statement() -> None:
    steps = _ask(FakePipeline(), "clerk wrote in the ledger of the mill")
    assert [step.last for step in steps[:3]] == [
        "Searching the articles…",
        "Reading 8 passages…",
        "Checking 3 quotes…",
    ]
    counts = [step.content.count("bri-statement") for step in steps[3:]]
    assert counts == [1 + 1, 2 + 1, 3 + 1, 3 + 1]  # the list itself is one of them
    assert [step.running for step in steps] == [True] * 6 + [False]
    assert {step.box for step in steps} == {""}
    assert [item["role"] for item in steps[-1].session.shown] == ["user", "assistant"]


def test_the_pipeline_is_told_of_the_turns_before() -> None:
    pipeline = FakePipeline()
    session = _ask(pipeline, "What did the repairs cost?")[-1].session
    session = _ask(pipeline, "and of that, a third?", session)[-1].session
    assert pipeline.asked[0].history == ()
    assert pipeline.asked[1].history == session.turns[:2]
    assert session.turns[0] == Turn("user", "What did the repairs cost?")
    assert session.turns[1].role == "assistant"
    assert session.turns[1].text.startswith("The repairs cost 48 million crowns, of which the town paid a third. [1]")
    assert len(session.shown) == 4


def test_a_long_conversation_is_told_in_part_and_shown_whole() -> None:
    session = Session()
    for _ in range(TURNS_KEPT):
        session = _ask(FakePipeline(), "hello", session)[-1].session
    assert len(session.turns) == TURNS_KEPT
    assert len(session.shown) == 2 * TURNS_KEPT


def test_an_abstention_and_small_talk_are_no_answers() -> None:
    abstained = _ask(FakePipeline(), "When is the lamp of the moon due?")[-1]
    assert "bri-abstained" in abstained.content
    hello = _ask(FakePipeline(), "hello")[-1]
    assert hello.last == "Hello. Ask me a question."
    assert "bri-box" not in hello.content


def test_a_question_is_shown_as_it_was_typed() -> None:
    text = "is <b>this</b> *bold* & {{7*7}}?\nor not"
    content = _ask(FakePipeline(), text)[-1].session.shown[0]["content"]
    assert _plain(content) == text
    assert "<b>" not in content


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("  ", "The question is empty; type a question about the articles."),
        ("x" * 4_001, "The question is longer than 4000 characters; shorten it."),
    ],
)
def test_an_unusable_question_stays_in_the_box_with_a_note(text: str, note: str) -> None:
    before = _ask(FakePipeline(), "hello")[-1].session
    step = _ask(FakePipeline(), text, before)[-1]
    assert (step.box, step.note, step.session, step.running) == (text, note, before, False)


def test_an_error_says_what_to_do_and_gives_the_question_back() -> None:
    pipeline = FakePipeline(error=IndexMissingError("there is no index in index; run `bri-qa index`"))
    before = _ask(FakePipeline(), "hello")[-1].session
    step = _ask(pipeline, "How long is the new quay?", before)[-1]
    assert step.last.startswith("That did not work" + ENGLISH("trouble.index"))
    assert "there is no index in index; run `bri-qa index`" in step.last
    assert (step.box, step.running) == ("How long is the new quay?", False)
    assert step.session.turns == before.turns  # what failed is no part of the conversation


def test_a_bug_is_logged_and_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    step = _ask(FakePipeline(), "crash")[-1]
    assert ENGLISH("trouble.broken") in step.last
    assert (step.box, step.running) == ("crash", False)
    assert "secret" not in json.dumps(step.session.shown)
    assert "a bug with a secret in it" in caplog.text


def test_a_busy_house_is_said_and_the_question_comes_back() -> None:
    async def ask_twice(chat: Chat, pipeline: FakePipeline) -> tuple[list[Step], list[Step]]:
        first = asyncio.ensure_future(_steps(chat.ask("please wait, harbour", Session(), Running(), visiting())))
        while not pipeline.asked:
            await asyncio.sleep(0.01)
        second = await _steps(chat.ask("harbour", Session(), Running(), visiting()))
        pipeline.gate.set()
        return await first, second

    pipeline = FakePipeline()
    with _chat(pipeline, threads=1, waiting=0) as chat:
        _, second = asyncio.run(ask_twice(chat, pipeline))
    assert second[0].last == "Waiting for its turn…"
    assert second[1].last == "That did not work" + ENGLISH("trouble.busy") + "Ask again"
    assert (second[-1].box, second[-1].running) == ("harbour", False)


def test_a_question_that_must_wait_says_so_and_is_answered() -> None:
    async def ask_twice(chat: Chat, pipeline: FakePipeline) -> list[Step]:
        first = asyncio.ensure_future(_steps(chat.ask("please wait, harbour", Session(), Running(), visiting())))
        while not pipeline.asked:
            await asyncio.sleep(0.01)
        steps = []
        async for updates in chat.ask("How long is the new quay?", Session(), Running(), visiting()):
            steps.append(_step(updates))
            pipeline.gate.set()
        await first
        return steps

    pipeline = FakePipeline()
    with _chat(pipeline, threads=1) as chat:
        steps = asyncio.run(ask_twice(chat, pipeline))
    assert steps[0].last == "Waiting for its turn…"
    assert steps[-1].last.startswith("640")


async def _interrupted(chat: Chat, pipeline: FakePipeline, wish: Wish, running: Running) -> list[Step]:
    """The steps of a question that is interrupted while it is being read; the pipeline is let go afterwards."""
    steps = []
    async for updates in chat.ask("please wait, harbour", Session(), running, visiting()):
        steps.append(_step(updates))
        if steps[-1].last.startswith("Reading"):
            if wish is Wish.STOP:
                chat.stop(running)
            else:
                assert all(not isinstance(update, list | Session) for update in chat.clear(running))
    pipeline.gate.set()
    return steps


def test_stop_ends_at_once_and_gives_the_question_back() -> None:
    pipeline, running = FakePipeline(), Running()
    with _chat(pipeline) as chat:
        steps = asyncio.run(_interrupted(chat, pipeline, Wish.STOP, running))
    assert steps[-1].last == "StoppedYour question is back in the box below.Ask again"
    assert (steps[-1].box, steps[-1].running, steps[-1].session.turns) == ("please wait, harbour", False, ())
    assert not running.interrupt(Wish.STOP)  # nothing runs any more


def test_a_new_conversation_ends_the_running_question() -> None:
    pipeline = FakePipeline()
    with _chat(pipeline) as chat:
        steps = asyncio.run(_interrupted(chat, pipeline, Wish.CLEAR, Running()))
    assert (steps[-1].session, steps[-1].running) == (Session(), False)


def _interrupted_while_told(wish: Wish) -> list[Step]:
    async def ask(chat: Chat) -> list[Step]:
        steps, running = [], Running()
        async for updates in chat.ask("clerk wrote in the ledger of the mill", Session(), running, visiting()):
            steps.append(_step(updates))
            if "bri-telling" in steps[-1].content:
                running.interrupt(wish)
        return steps

    with _chat(FakePipeline()) as chat:
        return asyncio.run(ask(chat))


def test_a_new_conversation_while_an_answer_is_told_is_empty() -> None:
    steps = _interrupted_while_told(Wish.CLEAR)
    assert steps[-1].session == Session()
    assert sum("bri-telling" in step.content for step in steps) == 1


def test_stop_while_an_answer_is_told_gives_the_question_back() -> None:
    steps = _interrupted_while_told(Wish.STOP)
    assert "bri-stopped" in steps[-1].content
    assert (steps[-1].box, steps[-1].session.turns) == ("clerk wrote in the ledger of the mill", ())
    assert sum("bri-telling" in step.content for step in steps) == 1


def test_a_new_conversation_when_nothing_runs_empties_the_page_and_leaves_the_box() -> None:
    with _chat(FakePipeline()) as chat:
        step = _step(chat.clear(Running()))
    assert (step.session, step.box, step.running) == (Session(), None, False)


def test_a_reader_who_leaves_ends_the_pipeline() -> None:
    async def leave(chat: Chat, pipeline: FakePipeline, running: Running) -> None:
        asking = chat.ask("please wait, harbour", Session(), running, visiting())
        while not _step(await anext(asking)).last.startswith("Reading"):
            pass
        await asking.aclose()  # type: ignore[attr-defined]
        assert not running.interrupt(Wish.STOP)

    pipeline = FakePipeline()
    with _chat(pipeline) as chat:
        asyncio.run(leave(chat, pipeline, Running()))


def test_sessions_never_mix() -> None:
    """Sixteen people ask at once, twice, each of them with words of their own."""

    async def person(chat: Chat, number: int) -> Session:
        session, running = Session(), Running()
        for text in (f"Person {number} asks: what did the repairs cost?", f"and person {number} asks again?"):
            steps = await _steps(chat.ask(text, session, running, visiting()))
            session = steps[-1].session
        return session

    async def together(chat: Chat) -> list[Session]:
        return await asyncio.gather(*(person(chat, number) for number in range(16)))

    with _chat(FakePipeline()) as chat:
        sessions = asyncio.run(together(chat))
    for number, session in enumerate(sessions):
        spoken = " ".join(_plain(item["content"]) for item in session.shown if item["role"] == "user")
        assert {int(found) for found in re.findall(r"[Pp]erson (\d+)", spoken)} == {number}
        assert [turn.role for turn in session.turns] == ["user", "assistant"] * 2
        assert all(f"erson {number} " in turn.text for turn in session.turns if turn.role == "user")


def test_examples_come_from_the_corpus_and_fit_any(tmp_path: Path) -> None:
    file = tmp_path / "examples.txt"
    assert examples(file, 1, ENGLISH) == ["Summarise the article", "Who is quoted?"]
    file.write_text("# for the first page\nWho paid?\n\n  What else? \nthree\nfour\nfive\n", encoding="utf-8")
    six = ["Who paid?", "What else?", "three", "four", "Summarise the articles", "Who is quoted?"]
    assert examples(file, 3, ENGLISH) == six


def test_a_page_is_opened_with_the_examples_of_the_moment() -> None:
    with _chat(FakePipeline()) as chat:
        opened = asyncio.run(chat.open(Running(), visiting()))[1]
    assert opened.examples[0] == {"text": "Summarise the articles"}
    with _chat(FakePipeline(error=IndexMissingError("none"))) as chat:
        assert asyncio.run(chat.open(Running(), visiting()))[1] == []  # the page itself says what is wrong


def test_what_is_filtered_in_the_address_is_asked_alone() -> None:
    pipeline = FakePipeline()
    with _chat(pipeline) as chat:
        steps = asyncio.run(_steps(chat.ask("quay", Session(), Running(), visiting("document=tides&from=2019"))))
    assert pipeline.asked[0].filters == Filters(("tides",), published_from="2019")
    assert "bri-abstained" in steps[-1].content
    assert "Only the articles that fit the filters were searched." in steps[-1].last


def test_the_chat_speaks_the_language_of_the_browser() -> None:
    with _chat(FakePipeline()) as chat:
        steps = asyncio.run(
            _steps(chat.ask("clerk of the mill", Session(), Running(), visiting(language="zh-CN,en;q=0.5")))
        )
    assert steps[0].last == "正在检索文章……"
    assert "有把握" in steps[-1].last
    assert "The clerk wrote" in steps[-1].last  # the article's own words stay as they are
