"""The handlers of the chat page: a thin client of the pipeline and of the history.

Nothing of a user is kept outside that user's session and that user's history. What a question is put to (filters) and
where it goes on (the conversation) stand in the page's address, which comes with every request.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from bri_qa import render
from bri_qa.errors import (
    ArtifactError,
    BriQAError,
    HistoryFullError,
    IndexStoreError,
    ModelError,
    NotFoundError,
    QuestionError,
)
from bri_qa.history import Entry
from bri_qa.types import Answer, CitedStatement, Progress, Question, StatementReady
from bri_qa.web import asking, messages
from bri_qa.web.access import person
from bri_qa.web.operation import limits
from bri_qa.web.operation.limits import LimitedError
from bri_qa.web.records import Records
from bri_qa.web.service import BusyError, DeadlineError, Pipeline, Workers, reading
from bri_qa.web.session import Running, Session, Wish
from bri_qa.web.texts import Texts
from bri_qa.web.visitors import Visitor, visitor

log = logging.getLogger(__name__)

TURNS_KEPT = 20
EXAMPLES_SHOWN = 6
STATEMENT_PAUSE = 0.06  # seconds between two statements, so that the eye can follow
CLEARED_WITHIN = 2.0  # seconds


@dataclass(frozen=True, slots=True)
class View:
    """What one step of a handler changes on the page; None leaves the question box as it is."""

    session: Session
    box: str | None = None
    note: str = ""
    running: bool = False

    def updates(self, **chatbot: Any) -> tuple[Any, ...]:
        """In the order of the outputs: box, chat, session, note, ask, stop. `chatbot` sets more of the chat."""
        shown = list(self.session.shown)
        return (
            gr.skip() if self.box is None else self.box,
            gr.Chatbot(value=shown, **chatbot) if chatbot else shown,
            self.session,
            self.note,
            gr.Button(visible=not self.running),
            gr.Button(visible=self.running),
        )


def examples(file: Path | None, articles: int, texts: Texts) -> list[str]:
    """Questions to start with: those of `file` (one a line, `#` opens a comment), then two that fit any articles."""
    general = [texts.count("example.digest", articles), texts("example.speakers")]
    lines = file.read_text(encoding="utf-8").splitlines() if file is not None and file.is_file() else []
    own = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return [*own[: EXAMPLES_SHOWN - len(general)], *general]


class Chat:
    """The handlers of the page. Without `records`, conversations last as long as the session."""

    def __init__(
        self, pipeline: Pipeline, workers: Workers, examples_file: Path, records: Records | None = None
    ) -> None:
        self.pipeline = pipeline
        self.workers = workers
        self.examples_file = examples_file
        self.records = records

    async def ask(
        self, text: str, session: Session, running: Running, request: gr.Request
    ) -> AsyncIterator[tuple[Any, ...]]:
        """Put `text` to the pipeline; show what it does, then its answer. The box is emptied once it is accepted."""
        who = self._visitor(request)
        before = await self._current(session, who)
        session = before.asking(text)
        try:
            if self.workers.full:
                waiting = messages.working(who.texts("stage.waiting"))
                yield View(session.with_last(waiting), box="", running=True).updates()
            question = Question(text, before.turns, who.filters)
            await limits.charge(request.request)
            async with aclosing(self._answered(question, session, running, who)) as views:
                async for view in views:
                    yield view.updates()
        except QuestionError as error:
            reason = str(error)
            note = who.texts("trouble.question", error=f"{reason[:1].upper()}{reason[1:]}.")
            yield View(before, box=text, note=note).updates()
        except Exception as error:
            yield View(session.with_last(_trouble(error, who.texts)), box=text).updates()

    async def _answered(
        self, question: Question, session: Session, running: Running, who: Visitor
    ) -> AsyncGenerator[View]:
        """What the pipeline tells, as it tells it; at last the answer is part of the conversation."""
        said: list[CitedStatement] = []
        async with aclosing(asking.events(question, self.pipeline, self.workers, running)) as events:
            async for event in events:
                if isinstance(event, Wish):
                    yield _interrupted(event, question, session, who.texts)
                    return
                if isinstance(event, Progress):
                    if not said:
                        line = messages.stage(event, who.texts)
                        yield View(session.with_last(messages.working(line)), box="", running=True)
                elif isinstance(event, StatementReady):
                    said.append(event.statement)
                    yield View(session.with_last(messages.telling(said)), box="", running=True)
                    await asyncio.sleep(STATEMENT_PAUSE)
                else:
                    yield View(await self._kept(event.answer, session, who), box="")

    async def _kept(self, answer: Answer, session: Session, who: Visitor) -> Session:
        """The session with the answer, which is in the user's history from here on, or says why not."""
        entry, trouble = None, ""
        if self.records is not None and who.user is not None:
            try:
                entry = await _add(self.records, answer, session.conversation, who.user, self.pipeline)
            except HistoryFullError:
                trouble = messages.note(who.texts("trouble.full"))
            except (BriQAError, BusyError) as error:
                log.warning("an answer could not be kept: %s", error)
                trouble = messages.note(who.texts("trouble.history"), str(error))
        content = await self.workers.run(
            lambda: messages.shown(answer, who.texts, reading(self.pipeline, who.filters.groups), entry)
        )
        session = session.with_last(content + trouble).told(
            answer.question.text, render.as_sentence(answer), TURNS_KEPT
        )
        return replace(session, conversation=entry.conversation_id if entry else session.conversation)

    def stop(self, running: Running) -> None:
        """The running question says that it was stopped, and gives its text back."""
        running.interrupt(Wish.STOP)

    def clear(self, running: Running) -> tuple[Any, ...]:
        """A new conversation; what is in the box stays."""
        cleared = View(Session()).updates()
        return tuple(gr.skip() for _ in cleared) if running.interrupt(Wish.CLEAR) else cleared

    async def open(self, running: Running, request: gr.Request) -> tuple[Any, ...]:
        """The conversation that the page's address names, and the examples of the moment."""
        who = self._visitor(request)
        await _ended(running)
        session = Session()
        if who.conversation is not None:
            session = await self._current(session, who)
        missing = who.conversation is not None and session.conversation is None
        view = View(session, note=who.texts("conversation.missing") if missing else "")
        try:
            every = await self.workers.run(lambda: self.pipeline.documents(who.filters.groups))
        except (BriQAError, BusyError):
            return view.updates()  # the page itself says what is wrong
        asked = sum(who.filters.allow(item.id, item.source) for item in every)
        own = None if who.filters.narrows else self.examples_file  # they are about all articles
        shown = [{"text": text} for text in examples(own, asked, who.texts)]
        return view.updates(examples=shown)

    def pick(self, event: gr.SelectData) -> str:
        """The example that was chosen."""
        return str(event.value["text"])

    def _visitor(self, request: gr.Request) -> Visitor:
        connection = request.request
        return visitor(connection, person(connection).user if self.records else None)

    async def _current(self, session: Session, who: Visitor) -> Session:
        """The session of the conversation that the address names: after a restart it is made anew from the history."""
        if who.conversation is None or who.conversation == session.conversation:
            return session
        if self.records is None or who.user is None:
            return session
        history, user, name = self.records.history, who.user, who.conversation
        try:
            found = await self.records.workers.run(lambda: history.conversation(user, name))
        except NotFoundError:
            return session
        except (BriQAError, BusyError) as error:
            log.warning("a conversation could not be opened: %s", error)
            return session
        shown = tuple(
            {"role": role, "content": content}
            for entry in found.entries
            for role, content in (
                ("user", messages.user(entry.answer.question.text)),
                ("assistant", messages.shown(entry.answer, who.texts, entry.documents.get, entry)),
            )
        )
        return Session(shown, found.turns[-TURNS_KEPT:], found.id)


async def _add(records: Records, answer: Answer, conversation: str | None, user: str, pipeline: Pipeline) -> Entry:
    history, run = records.history, records.workers.run
    document = reading(pipeline, answer.question.filters.groups)
    try:
        return await run(lambda: history.add(user, answer, document, conversation))
    except NotFoundError:  # deleted meanwhile, in another window
        return await run(lambda: history.add(user, answer, document))


def _interrupted(wish: Wish, question: Question, session: Session, texts: Texts) -> View:
    if wish is Wish.CLEAR:
        return View(Session(), box="")
    return View(session.with_last(messages.stopped(texts)), box=question.text)


async def _ended(running: Running) -> None:
    """A running question is given up: another conversation is opened in its place."""
    waited = 0.0
    while running.interrupt(Wish.CLEAR) and waited < CLEARED_WITHIN:
        waited += 0.02
        await asyncio.sleep(0.02)


def _trouble(error: Exception, texts: Texts) -> str:
    """Any error in words for people; of a bug nothing is told but that there is one."""
    if isinstance(error, LimitedError):
        return messages.trouble(texts("trouble.limited", seconds=error.seconds), texts)
    if isinstance(error, DeadlineError):
        return messages.trouble(texts("trouble.slow"), texts)
    if isinstance(error, BusyError):
        return messages.trouble(texts("trouble.busy"), texts)
    if not isinstance(error, BriQAError):
        log.error("a question failed", exc_info=error)
        return messages.trouble(texts("trouble.broken"), texts)
    kind = "index" if isinstance(error, IndexStoreError) else "other"
    kind = "model" if isinstance(error, ModelError | ArtifactError) else kind
    return messages.trouble(texts(f"trouble.{kind}"), texts, str(error))
