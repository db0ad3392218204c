"""The Gradio application: its parts, how their events are wired to the handlers, and how it is mounted.

Its words stand as `@@key@@` and become those of the reader's language when the page is sent (`bri_qa.web.pages`).
Gradio's HTML component is not used: it compiles templates in the browser, which would need `unsafe-eval`; what it would
show is in `bri_qa.web.pages`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr
from fastapi import FastAPI

from bri_qa.web.chat import Chat
from bri_qa.web.session import Running, Session

SESSION_SECONDS = 24 * 3600
QUEUED = 1_000


def build(chat: Chat) -> gr.Blocks:
    """The Gradio application, ready to be mounted."""
    with gr.Blocks(title="bri_qa: ask the articles", analytics_enabled=False, fill_height=True) as blocks:
        session = gr.State(Session(), time_to_live=SESSION_SECONDS)
        running = gr.State(Running(), time_to_live=SESSION_SECONDS)
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
            placeholder="@@welcome@@",
        )
        with gr.Column(elem_id="bri-composer"):
            note = gr.Markdown(elem_id="bri-note", container=False)
            with gr.Row(elem_id="bri-ask-row"):
                box = gr.Textbox(
                    elem_id="bri-box",
                    label="@@box.label@@",
                    show_label=False,
                    container=False,
                    placeholder="@@box@@",
                    lines=1,
                    max_lines=8,
                    autofocus=True,
                )
                ask = gr.Button("@@ask@@", variant="primary", elem_id="bri-ask")
                stop = gr.Button("@@stop@@", elem_id="bri-stop", visible=False)
            with gr.Row(elem_id="bri-under"):
                gr.Markdown("@@advice@@", container=False)
                new = gr.Button("@@new@@", elem_id="bri-new", size="sm")
                opened = gr.Button("", elem_id="bri-opened")  # pressed by chat.js when the address has changed
        outputs = [box, shown, session, note, ask, stop]
        _wire(chat, blocks, outputs, running, (new, opened))
    # The workers, not Gradio, bound what runs at once: they say in words that a question waits or finds no room.
    # What waits for them must be bounded all the same.
    blocks.queue(default_concurrency_limit=None, api_open=False, max_size=QUEUED)
    return blocks


def _wire(
    chat: Chat, blocks: gr.Blocks, outputs: Sequence[Any], running: gr.State, buttons: tuple[gr.Button, gr.Button]
) -> None:
    box, shown, session, _, ask, stop = outputs
    new, opened = buttons
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
    gr.on([blocks.load, opened.click], chat.open, [running], list(outputs), **quick)


def mount(app: FastAPI, chat: Chat, root_path: str = "") -> FastAPI:
    """`app` with the chat at `/`, behind every route that `app` already has; browsers see it below `root_path`."""
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        build(chat),
        path="/",
        root_path=root_path or None,
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
