"""By which of the doors a question came: a context that goes along into the threads that answer."""

from __future__ import annotations

from contextvars import ContextVar

_BY_PATH = (
    ("/api/v1/widget", "widget"),
    ("/widget", "widget"),
    ("/api/", "api"),
    ("/v1/", "openai"),
    ("/mcp", "mcp"),
    ("/next", "suggested"),
)
CHAT = "chat"
CHANNELS = (CHAT, *dict.fromkeys(name for _, name in _BY_PATH))

current: ContextVar[str] = ContextVar("bri_qa_channel", default=CHAT)
"""The chat page's questions run in Gradio's own tasks, outside of any request: what no path names is the chat."""


def of_path(path: str) -> str:
    return next((name for start, name in _BY_PATH if path.startswith(start)), CHAT)
