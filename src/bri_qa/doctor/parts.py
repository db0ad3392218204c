"""Tries each part as it is configured, and says what the language model's server can do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bri_qa import compose
from bri_qa.doctor.findings import Finding, tried
from bri_qa.errors import BriQAError
from bri_qa.protocols import Completion, Message
from bri_qa.settings import Settings

if TYPE_CHECKING:
    from bri_qa.answer.openai_chat import OpenAIChat

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def examined(settings: Settings) -> Iterator[Finding]:
    """What was found, one by one; a part that fails does not keep the others from being tried."""
    for name, look in (("index", _index), ("embedder", _embedder), ("reader", _reader)):
        yield tried(name, lambda look=look: look(settings))  # type: ignore[misc]
    if settings.llm_base_url is None:
        yield Finding("language model", None, "none is configured; answers are quotes (docs/language-models.md)")
        return
    try:
        chat = compose.language_model(settings)
    except BriQAError as error:
        yield Finding("language model", False, str(error))
        return
    with closing(chat):
        yield from _language_model(settings, chat)


def _index(settings: Settings) -> str:
    manifest = compose.open_index(settings).manifest
    return f"articles: {manifest.documents:,}, passages: {manifest.passages:,}"


def _embedder(settings: Settings) -> str:
    """Meaning must be nearer than another meaning: a model that is broken gives noise."""
    start = time.perf_counter()
    embedder = compose.embedding_model(settings)
    near, far = embedder.embed_passages(["The harbour opened again.", "Bread needs an hour in the oven."])
    asked = embedder.embed_query("When did the harbour open?")
    if float(near @ asked) <= float(far @ asked):
        raise BriQAError(
            f"{embedder.name} finds bread nearer to a harbour than a harbour; reinstall it (make clean setup)"
        )
    return f"{embedder.name}, {embedder.dim} dimensions, {time.perf_counter() - start:.1f} s to load and try"


def _reader(settings: Settings) -> str:
    from bri_qa.types import Hit, Passage, Span

    start = time.perf_counter()
    reader = compose.reading_model(settings, compose.embedding_model(settings))
    texts = ["The new quay is 640 metres long.", "Bread needs an hour in the oven."]
    passages = [Passage(f"p{at}", "p", Span(0, len(text)), "", text) for at, text in enumerate(texts)]
    near, far = reader.read("How long is the new quay?", [Hit(passage, 0.0) for passage in passages])
    if near.relevance <= far.relevance:
        raise BriQAError(
            f"{reader.name} does not tell an answer from another sentence; reinstall it (make clean setup)"
        )
    return f"{reader.name}, {time.perf_counter() - start:.1f} s to load and try"


def _language_model(settings: Settings, chat: OpenAIChat) -> Iterator[Finding]:
    server = tried("server", lambda: _listed(settings, chat))
    yield server
    spoken = tried("language model", lambda: _spoken(chat))
    yield spoken
    if spoken.fine:
        yield Finding("streaming", True, "yes" if chat.streams else "no: statements are shown all at once")
        held = "yes" if _held(chat) else "no: the model is asked for lines of plain text instead"
        yield Finding("JSON schema", True, held)
    host = urlsplit(settings.llm_base_url or "")
    if host.scheme == "http" and host.hostname not in _LOOPBACK:
        yield Finding("privacy", None, f"questions and passages go to {host.hostname} unencrypted; use https")
    elif host.hostname not in _LOOPBACK:
        yield Finding("privacy", None, f"questions and passages are sent to {host.hostname}")


def _listed(settings: Settings, chat: OpenAIChat) -> str:
    models = chat.models()
    if models and chat.model not in models:
        some = ", ".join(models[:8])
        raise BriQAError(f"it has no model named {chat.model}; set BRI_QA_LLM_MODEL to one of: {some}")
    return f"{settings.llm_base_url} lists {len(models)} models" if models else "it lists no models"


def _spoken(chat: OpenAIChat) -> str:
    start, first = time.perf_counter(), 0.0
    for piece in chat.stream([Message("user", "Reply with the single word: hello")]):
        first = first or time.perf_counter() - start
        if isinstance(piece, Completion):
            seconds, use = time.perf_counter() - start, piece.use
            rate = use.completion_tokens / seconds if seconds else 0.0
            return f"{chat.name} answered: first words after {first:.1f} s, {rate:.0f} tokens a second"
    return f"{chat.name} said nothing"


def _held(chat: OpenAIChat) -> bool:
    try:
        return chat.supports_schema()
    except BriQAError:
        return False
