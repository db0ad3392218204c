"""The chat: a Gradio application that is a thin client of the pipeline.

Nothing of a user is kept outside that user's session (`gr.State`). Gradio's HTML component is not used: it compiles
templates in the browser, which would need `unsafe-eval`; what it would show is in `bri_qa.web.pages`.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

from bri_qa import render
from bri_qa.errors import BriQAError, QuestionError
from bri_qa.types import AbstainReason, Answer, Question, Turn
from bri_qa.web import messages
from bri_qa.web.service import BusyError, Pipeline, Workers
from bri_qa.web.session import Running, Session, Wish

# Gradio reads the first while it is imported. The others end its bookkeeping, which is shown on a page that is shut
# here and weighs on every question.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = "1000000000"
import gradio as gr
from fastapi import FastAPI

log = logging.getLogger(__name__)

BUSY = "Many people are asking just now. Your question is back in the box: try again in a moment."
BROKEN = "Something went wrong here. Your question is back in the box; if it happens again, tell the operator."
TURNS_KEPT = 20
EXAMPLES_SHOWN = 6
STATEMENT_PAUSE = 0.06  # seconds between two statements, so that the eye can follow


@dataclass(frozen=True, slots=True)
class View:
    """What one step of a handler changes on the page; None leaves the question box as it is."""

    session: Session
    box: str | None = None
    note: str = ""
    running: bool = False

    def updates(self) -> tuple[Any, ...]:
        """In the order of the outputs: box, chat, session, note, ask, stop."""
        return (
            gr.skip() if self.box is None else self.box,
            list(self.session.shown),
            self.session,
            self.note,
            gr.Button(visible=not self.running),
            gr.Button(visible=self.running),
        )


class _StoppedError(Exception):
    """Nobody waits for this answer any more; raised inside the pipeline at its next stage."""


def examples(file: Path, articles: int) -> list[str]:
    """Questions to start with: two that fit any corpus, then those of `file` (one a line, `#` opens a comment)."""
    general = ["Summarise the article" if articles == 1 else "Summarise the articles", "Who is quoted?"]
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    own = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return [*own[: EXAMPLES_SHOWN - len(general)], *general]


class Chat:
    """The handlers of the page."""

    def __init__(self, pipeline: Pipeline, workers: Workers, examples_file: Path) -> None:
        self.pipeline = pipeline
        self.workers = workers
        self.examples_file = examples_file

    async def ask(self, text: str, session: Session, running: Running) -> AsyncIterator[tuple[Any, ...]]:
        """Put `text` to the pipeline; show what it does, then its answer. The box is emptied once it is accepted."""
        before, session = session, session.asking(text)
        try:
            if self.workers.full:
                yield View(session.with_last(messages.working(messages.WAITING)), box="", running=True).updates()
            async with aclosing(self._run(Question(text, before.turns), running)) as steps:
                async for step in steps:
                    if isinstance(step, Answer):
                        async for view in self._tell(step, session, running):
                            yield view.updates()
                    else:
                        yield _step(step, text, session).updates()
        except QuestionError as error:
            note = str(error)
            yield View(before, box=text, note=note[:1].upper() + note[1:] + ".").updates()
        except BusyError:
            yield View(session.with_last(messages.trouble(BUSY)), box=text).updates()
        except BriQAError as error:
            yield View(session.with_last(messages.trouble(str(error))), box=text).updates()
        except Exception:
            log.exception("a question failed")
            yield View(session.with_last(messages.trouble(BROKEN)), box=text).updates()

    async def _run(self, question: Question, running: Running) -> AsyncGenerator[str | Answer | Wish]:
        """What the pipeline says it does, then its answer, or the wish that came between."""
        loop, stop = asyncio.get_running_loop(), Event()
        stages: asyncio.Queue[str | None] = asyncio.Queue()

        def on_stage(name: str, count: int) -> None:
            if stop.is_set():
                raise _StoppedError
            loop.call_soon_threadsafe(stages.put_nowait, messages.stage(name, count))

        def ended(done: asyncio.Future[Answer]) -> None:
            if not done.cancelled():
                done.exception()  # an answer that nobody waits for may fail in silence
            stages.put_nowait(None)

        running.begin(lambda: loop.call_soon_threadsafe(stages.put_nowait, None))
        task = asyncio.ensure_future(self.workers.run(lambda: self.pipeline.ask(question, on_stage)))
        task.add_done_callback(ended)
        try:
            while (line := await stages.get()) is not None:
                yield line
            yield running.wish or task.result()
        finally:
            stop.set()
            running.end()

    async def _tell(self, answer: Answer, session: Session, running: Running) -> AsyncIterator[View]:
        """The answer, statement by statement; then it is part of the conversation."""
        for said in range(1, len(answer.statements)):
            if running.wish:
                break
            partial = messages.answered(answer, answer.statements[:said])
            yield View(session.with_last(partial), box="", running=True)
            await asyncio.sleep(STATEMENT_PAUSE)
        content = await self.workers.run(lambda: _content(answer, self.pipeline))
        running.end()
        if running.wish is Wish.CLEAR:
            yield View(Session(), box="")
            return
        turns = (
            *session.turns,
            Turn("user", answer.question.text),
            Turn("assistant", render.as_sentence(answer)),
        )
        yield View(replace(session.with_last(content), turns=turns[-TURNS_KEPT:]), box="")

    def stop(self, running: Running) -> None:
        """The running question says that it was stopped, and gives its text back."""
        running.interrupt(Wish.STOP)

    def clear(self, running: Running) -> tuple[Any, ...]:
        """A new conversation; what is in the box stays."""
        cleared = View(Session()).updates()
        return tuple(gr.skip() for _ in cleared) if running.interrupt(Wish.CLEAR) else cleared

    async def greet(self) -> Any:
        """The examples of the moment, for a page that has just been opened."""
        try:
            articles = len(await self.workers.run(self.pipeline.documents))
        except (BriQAError, BusyError):
            return gr.skip()  # the page itself says what is wrong
        return gr.Chatbot(examples=[{"text": text} for text in examples(self.examples_file, articles)])

    def pick(self, event: gr.SelectData) -> str:
        """The example that was chosen."""
        return str(event.value["text"])


def _step(step: str | Wish, text: str, session: Session) -> View:
    if step is Wish.CLEAR:
        return View(Session(), box="")
    if step is Wish.STOP:
        return View(session.with_last(messages.stopped()), box=text)
    return View(session.with_last(messages.working(str(step))), box="", running=True)


def _content(answer: Answer, pipeline: Pipeline) -> str:
    if answer.reason is AbstainReason.SMALL_TALK:
        return messages.plain(answer)
    return messages.abstained(answer, pipeline.document) if answer.abstained else messages.answered(answer)


def build(chat: Chat) -> gr.Blocks:
    """The Gradio application, ready to be mounted."""
    with gr.Blocks(title="bri_qa: ask the articles", analytics_enabled=False, fill_height=True) as blocks:
        session, running = gr.State(Session(), time_to_live=24 * 3600), gr.State(Running())
        shown = gr.Chatbot(
            elem_id="bri-chat",
            show_label=False,
            container=False,
            buttons=[],
            feedback_options=None,
            latex_delimiters=[],
            allow_file_downloads=False,
            group_consecutive_messages=False,
            height="100%",
            layout="panel",
            autoscroll=False,  # chat.js follows the question instead
            placeholder="## What would you like to know?\n\nAsk in plain words. Every answer opens at its quote.",
        )
        with gr.Column(elem_id="bri-composer"):
            note = gr.Markdown(elem_id="bri-note", container=False)
            with gr.Row(elem_id="bri-ask-row"):
                box = gr.Textbox(
                    elem_id="bri-box",
                    label="Your question",
                    show_label=False,
                    container=False,
                    placeholder="Ask about the articles",
                    lines=1,
                    max_lines=8,
                    autofocus=True,
                )
                ask = gr.Button("Ask", variant="primary", elem_id="bri-ask")
                stop = gr.Button("Stop", elem_id="bri-stop", visible=False)
            with gr.Row(elem_id="bri-under"):
                gr.Markdown(
                    "Answers are cut from the articles. Open the quotes before you rely on one.",
                    container=False,
                )
                new = gr.Button("New conversation", elem_id="bri-new", size="sm")
        outputs = [box, shown, session, note, ask, stop]
        _wire(chat, blocks, outputs, running, new)
    # The workers, not Gradio, bound what runs at once: they say in words that a question waits or finds no room.
    blocks.queue(default_concurrency_limit=None, api_open=False)
    return blocks


def _wire(chat: Chat, blocks: gr.Blocks, outputs: Sequence[Any], running: gr.State, new: gr.Button) -> None:
    box, shown, session, _, ask, stop = outputs
    asking: dict[str, Any] = {
        "fn": chat.ask,
        "inputs": [box, session, running],
        "outputs": list(outputs),
        "show_progress": "hidden",
        "api_visibility": "private",
    }
    quick: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "queue": False}
    gr.on([box.submit, ask.click], **asking)
    shown.example_select(chat.pick, None, [box], **quick).then(**asking)
    # Gradio's own cancelling is not used: it now and then leaves an error on the page.
    stop.click(chat.stop, [running], None, **quick)
    new.click(chat.clear, [running], list(outputs), **quick)
    blocks.load(chat.greet, None, [shown], **quick)


def mount(app: FastAPI, chat: Chat) -> FastAPI:
    """`app` with the chat at `/`, behind every route that `app` already has."""
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        build(chat),
        path="/",
        theme=gr.themes.Base(),
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
        pwa=False,
        max_file_size="1kb",
    )
    return mounted
