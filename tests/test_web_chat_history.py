"""The chat's handlers with a history: what is kept, opened again, and said when it cannot be."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bri_qa.errors import HistoryFullError, HistoryWriteError
from bri_qa.settings import Settings
from bri_qa.web import texts
from bri_qa.web.chat import Chat
from bri_qa.web.records import Records
from bri_qa.web.service import Workers
from bri_qa.web.session import Running, Session
from tests.fakes import FakePipeline
from tests.serving import visiting

ENGLISH = texts.of(texts.ENGLISH)
ANNA, BEN = "anonymous:anna", "anonymous:ben"
QUAY = "How long is the new quay?"


@contextmanager
def _chat(folder: Path, pipeline: FakePipeline | None = None) -> Iterator[Chat]:
    """A chat over the history in `folder`, as it is after a start of the server."""
    workers, records = Workers(), Records.open(Settings.load({}, history_dir=folder))
    yield Chat(pipeline or FakePipeline(), workers, folder / "none", records)
    workers.close()
    records.workers.close()
    records.database.close()


def _ask(chat: Chat, text: str, user: str, session: Session | None = None, query: str = "") -> Session:
    assert chat.records is not None
    request = visiting(query, user=user)

    async def last() -> tuple[Any, ...]:
        steps = [step async for step in chat.ask(text, session or Session(), Running(), request)]
        return steps[-1]

    found = asyncio.run(last())[2]
    assert isinstance(found, Session)
    return found


def _open(chat: Chat, user: str, query: str, language: str = "en") -> tuple[Session, str]:
    assert chat.records is not None
    request = visiting(query, language, user)
    updates = asyncio.run(chat.open(Running(), request))
    return updates[2], updates[3]


def test_a_conversation_is_opened_again_as_it_was_after_a_restart(tmp_path: Path) -> None:
    with _chat(tmp_path) as chat:
        session = _ask(chat, QUAY, ANNA)
        session = _ask(chat, "When is the lamp of the moon due?", ANNA, session)
    pipeline = FakePipeline([])  # the index has been built anew, without these articles
    with _chat(tmp_path, pipeline) as chat:
        opened, note = _open(chat, ANNA, f"c={session.conversation}")
        assert opened == session
        assert note == ""
        _ask(chat, "and now?", ANNA, Session(), f"c={session.conversation}")  # the session has expired
    assert [turn.text for turn in pipeline.asked[0].history] == [turn.text for turn in session.turns]


def test_a_kept_conversation_is_shown_in_the_language_of_the_moment(tmp_path: Path) -> None:
    with _chat(tmp_path) as chat:
        session = _ask(chat, QUAY, ANNA)
        opened, _ = _open(chat, ANNA, f"c={session.conversation}", "zh")
    assert "有把握" in opened.shown[1]["content"]
    assert "The new quay is 640 metres long" in opened.shown[1]["content"]


def test_nobody_opens_the_conversation_of_another(tmp_path: Path) -> None:
    with _chat(tmp_path) as chat:
        session = _ask(chat, QUAY, ANNA)
        assert _open(chat, BEN, f"c={session.conversation}") == (Session(), ENGLISH("conversation.missing"))
        assert _open(chat, BEN, "c=../../etc") == (Session(), "")  # no name of a conversation
        told = _ask(chat, QUAY, BEN, Session(), f"c={session.conversation}")
        assert told.conversation != session.conversation


def test_a_conversation_deleted_meanwhile_goes_on_as_a_new_one(tmp_path: Path) -> None:
    with _chat(tmp_path) as chat:
        session = _ask(chat, QUAY, ANNA)
        assert chat.records is not None
        chat.records.history.delete_all(ANNA)
        told = _ask(chat, "What did the repairs cost?", ANNA, session)
        assert told.conversation not in (None, session.conversation)
        assert len(told.shown) == 4


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (HistoryWriteError("the disk is full"), ENGLISH("trouble.history") + " the disk is full"),
        (HistoryFullError("500 entries"), ENGLISH("trouble.full")),
    ],
)
def test_an_answer_that_cannot_be_kept_is_shown_and_says_so(
    tmp_path: Path, error: Exception, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    with _chat(tmp_path) as chat:
        assert chat.records is not None
        monkeypatch.setattr(chat.records.history, "add", fail)
        session = _ask(chat, QUAY, ANNA)
    content = session.shown[-1]["content"]
    assert "640 metres" in content
    assert words in content
    assert "bri-thumbs" not in content  # what is not kept cannot be rated


def test_who_has_no_cookie_is_answered_and_nothing_is_kept(tmp_path: Path) -> None:
    async def last(chat: Chat) -> tuple[Any, ...]:
        return [step async for step in chat.ask(QUAY, Session(), Running(), visiting())][-1]

    with _chat(tmp_path) as chat:
        session = asyncio.run(last(chat))[2]
    assert session.conversation is None
    assert "640 metres" in session.shown[-1]["content"]
