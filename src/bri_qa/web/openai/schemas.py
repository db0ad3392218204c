"""What a client of the OpenAI chat protocol sends, as far as it matters here; the rest is let pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bri_qa.types import Turn
from bri_qa.web.openai import content
from bri_qa.web.schemas import FiltersIn

MODEL = "bri_qa"
NO_MODEL = f"there is no model of that name; it is {MODEL}"
TURNS_KEPT = 20  # as many as the chat keeps


class UnusableError(Exception):
    """A part of the request asks for what is not done here. `code` is stable, `param` names the part."""

    def __init__(self, code: str, message: str, param: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.param, self.status = code, param, status


class MessageIn(BaseModel):
    """One message. `content` is text, or a list of parts."""

    model_config = ConfigDict(frozen=True)

    role: str
    content: str | list[dict[str, Any]] | None = None

    def text(self, at: int) -> str:
        """The text of the message, which is number `at` of the request.

        Raises:
            UnusableError: it has a part that is no text.
        """
        if isinstance(self.content, str):
            return self.content
        texts = []
        for number, part in enumerate(self.content or ()):
            kind = part.get("type")
            words = part.get("text") if kind == "text" else part.get("refusal") if kind == "refusal" else None
            if not isinstance(words, str):
                told = f"a part of the type {kind} cannot be read here; send text alone"
                raise UnusableError("unsupported_content", told, f"messages.{at}.content.{number}")
            texts.append(words)
        return "\n".join(texts)


class StreamOptionsIn(BaseModel):
    """How it is streamed."""

    model_config = ConfigDict(frozen=True)

    include_usage: bool | None = False


class OptionsIn(BaseModel):
    """Our own field: whether the list of sources ends the content, and which documents are searched."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: bool = True
    filters: FiltersIn = FiltersIn()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request comes to: the question, the turns before it, and all the text that was sent."""

    question: str
    turns: tuple[Turn, ...]
    sent: str

    @property
    def before(self) -> str:
        """The first question of the conversation."""
        return next((turn.text for turn in self.turns if turn.role == "user"), "")


class CompletionIn(BaseModel):
    """A request for a completion. Sampling (`temperature`, `max_tokens`, `stop`, …) and `tools` bear on nothing."""

    model_config = ConfigDict(frozen=True)

    model: str
    messages: list[MessageIn] = Field(min_length=1, max_length=10_000)
    stream: bool | None = False
    stream_options: StreamOptionsIn | None = None
    n: int | None = 1
    tool_choice: str | dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    modalities: list[str] | None = None
    bri_qa: OptionsIn = OptionsIn()

    @property
    def counts(self) -> bool:
        """Whether the last chunk of a stream tells the usage."""
        return self.stream_options is not None and bool(self.stream_options.include_usage)

    def asked(self) -> Asked:
        """The last message of the user, and what stands before it.

        Raises:
            UnusableError: there is none, or the request asks for what is not done here.
        """
        self._check()
        said = [(item.role, item.text(at)) for at, item in enumerate(self.messages) if item.role in _SPEAKERS]
        last = max((at for at, (role, _) in enumerate(said) if role == "user"), default=None)
        if last is None:
            raise UnusableError("no_question", "no message has the role user; the last such one is asked", "messages")
        turns = [
            Turn("user", words) if role == "user" else Turn("assistant", content.plain(words))
            for role, words in said[:last]
        ]
        return Asked(said[last][1], tuple(turns)[-TURNS_KEPT:], "\n".join(words for _, words in said))

    def _check(self) -> None:
        if self.model != MODEL:
            raise UnusableError("model_not_found", NO_MODEL, "model", 404)
        if self.n not in (None, 1):
            raise UnusableError("unsupported_value", "there is one answer to a question; leave out n", "n")
        if isinstance(self.tool_choice, dict) or self.tool_choice == "required":
            raise UnusableError("unsupported_value", "no tool is ever called; leave out tool_choice", "tool_choice")
        if (self.response_format or {}).get("type", "text") != "text":
            told = "the content is text; leave out response_format and read the field bri_qa"
            raise UnusableError("unsupported_value", told, "response_format")
        if "audio" in (self.modalities or ()):
            raise UnusableError("unsupported_value", "the content is text; leave out modalities", "modalities")


_SPEAKERS = ("user", "assistant")
