"""What an OpenAI-compatible server sends: completions, and parts of them. Fields that are not read are passed over."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


class Text(BaseModel):
    """One of several pieces of text."""

    text: str = ""


class Part(BaseModel):
    """A piece of a message. Some servers send lists of pieces; a refusal may stand in place of what was asked for."""

    content: str | list[Text] | None = None
    refusal: str | None = None

    @property
    def text(self) -> str:
        return self.content if isinstance(self.content, str) else "".join(item.text for item in self.content or ())


class Choice(BaseModel):
    """What is said, whole or a part; `finish_reason` comes with the last."""

    delta: Part | None = None
    message: Part | None = None
    finish_reason: str | None = None


class Usage(BaseModel):
    """Tokens, where the server counts them."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Reply(BaseModel):
    """A completion, or a part of one."""

    choices: list[Choice] | None = None
    usage: Usage | None = None
    error: Any = None
    object: str | None = None
    message: str | None = None

    @property
    def failure(self) -> str | None:
        """What went wrong, where the answer is an error: some servers send one with status 200."""
        error = self.error or ((self.message or "an error") if self.object == "error" else None)
        return str(error.get("message", error) if isinstance(error, dict) else error) if error else None
