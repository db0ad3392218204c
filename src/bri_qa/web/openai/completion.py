"""The objects of the OpenAI chat protocol that are sent back: a completion, or its chunks. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bri_qa import render
from bri_qa.types import Answer
from bri_qa.web.openai.content import Piece
from bri_qa.web.openai.schemas import MODEL

DONE = b"data: [DONE]\n\n"


def event(data: dict[str, Any]) -> bytes:
    """A server-sent event."""
    return b"data: " + json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def usage(prompt: int, completion: int) -> dict[str, int]:
    """Token counts by cl100k_base; they bear no price here."""
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def ours(answer: Answer | None) -> dict[str, Any]:
    """Our own field: the answer object of the public contract; nothing where nothing was asked of the articles."""
    return {} if answer is None else {"bri_qa": render.as_json(answer)}


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer on its way; `created` in seconds since 1970."""

    id: str
    created: int

    def whole(self, pieces: Iterable[Piece], tokens: dict[str, int], answer: Answer | None) -> dict[str, Any]:
        """The completion that is not streamed."""
        parts = list(pieces)
        message = {
            "role": "assistant",
            "content": "".join(piece.text for piece in parts),
            "refusal": None,
            "annotations": [item for piece in parts for item in piece.annotations],
        }
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return {**self._head("chat.completion"), "choices": [choice], "usage": tokens, **ours(answer)}

    def begin(self) -> bytes:
        """The first chunk."""
        return self._chunk({"role": "assistant", "content": ""})

    def piece(self, piece: Piece) -> bytes:
        """A part of the content."""
        return self._chunk({"content": piece.text, **({"annotations": piece.annotations} if piece.annotations else {})})

    def end(self, answer: Answer | None, tokens: dict[str, int] | None) -> bytes:
        """The last chunk, which carries the answer; the usage has a chunk of its own, which is then the last."""
        if tokens is None:
            return self._chunk({}, "stop", **ours(answer)) + DONE
        last = {**self._head("chat.completion.chunk"), "choices": [], "usage": tokens, **ours(answer)}
        return self._chunk({}, "stop") + event(last) + DONE

    def _chunk(self, delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return event({**self._head("chat.completion.chunk"), "choices": [choice], **more})

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": MODEL}
