"""Any OpenAI-compatible server as a chat model: what it can do is found out once and remembered.

HTTP is httpx and server-sent events are httpx-sse. A vendor's client is not used: it takes a second to load, reads
keys, addresses and headers from its own variables, sends the machine's description along, and bounds neither the time
nor the size of an answer; of what it offers, only the request and the stream are needed here.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Lock
from typing import Any

import httpx
from httpx_sse import EventSource, SSEError
from pydantic import ValidationError

from bri_qa.answer.prompts import schema_of
from bri_qa.answer.replies import Part, Reply, Usage
from bri_qa.answer.wire import Wire, fault
from bri_qa.errors import ChatBusyError, ChatModelError, ChatOutputError, ChatRefusedError, ChatUnreachableError
from bri_qa.protocols import Completion, Message, Schema
from bri_qa.types import ModelUse

REST = 30.0  # seconds for which a server that hung is not asked again
_PROBE_ID = "Q7"
_HELD = re.compile(rf'\s*{{\s*"statements"\s*:\s*\[\s*{{\s*"sentences"\s*:\s*\[\s*"{_PROBE_ID}"')
_JSON = re.compile(r"\s*(?:\{|$)")
_OF_SCHEMA = re.compile(r"response_format|json_schema|\bschema|grammar", re.IGNORECASE)
_OPTIONAL = ("temperature", "stream_options", "seed", "response_format")
_NO_SCHEMA = (400, 415, 422, 500, 501)  # how servers refuse a schema


@dataclass(frozen=True, slots=True)
class Prices:
    """Per million tokens, in any currency."""

    prompt: float
    completion: float


@dataclass(slots=True)
class _Abilities:
    """What a server was found to understand. `schema` is None until it was tried."""

    schema: bool | None = None
    streams: bool = True
    limit: str = "max_tokens"
    refused: set[str] = field(default_factory=set)
    lock: Lock = field(default_factory=Lock)


@dataclass(slots=True)
class OpenAIChat:
    """A chat model behind `wire`. Thread-safe; at most `concurrency` requests at a time, others wait their turn.

    `count` counts tokens where the server does not say; `extra` is put into every request as it is.
    """

    wire: Wire
    model: str
    output_tokens: int
    count: Callable[[str], int]
    concurrency: int = 2
    prices: Prices | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    _can: _Abilities = field(default_factory=_Abilities, init=False)
    _slots: BoundedSemaphore = field(init=False)
    _rests_until: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._slots = BoundedSemaphore(self.concurrency)

    @property
    def name(self) -> str:
        return self.model

    def close(self) -> None:
        """Let the connections go."""
        self.wire.client.close()

    @property
    def streams(self) -> bool:
        """Whether the server was not found to refuse streaming."""
        return self._can.streams

    def models(self) -> list[str]:
        """The names that the server lists; none if it lists none or has no such list."""
        try:
            with closing(self.wire.send("GET", "models")) as response:
                response.read()
                listed = response.json()["data"]
            return sorted(str(item["id"]) for item in listed)
        except httpx.HTTPError as error:
            raise fault(error, self.wire.timeout) from error
        except ChatRefusedError as error:
            if error.status not in (404, 405, 501):
                raise
            return []
        except (ValueError, KeyError, TypeError):
            return []

    def supports_schema(self) -> bool:
        with self._can.lock:
            if self._can.schema is None:
                self._can.schema = self._holds_to_schema()
            return self._can.schema

    def _holds_to_schema(self) -> bool:
        """Ask for one thing and demand another: only a server that holds its output to the schema gives the latter."""
        asked = [Message("user", "Reply with the single word: hello")]
        written = ""
        try:
            with closing(self._pieces(asked, schema_of([_PROBE_ID], 1))) as pieces:
                for piece in pieces:
                    written += piece if isinstance(piece, str) else ""
                    if _HELD.match(written) or not _JSON.match(written):
                        break
        except ChatRefusedError as error:
            if error.status not in _NO_SCHEMA:
                raise
            return False
        except ChatOutputError:
            return False
        return f'"{_PROBE_ID}"' in written and bool(_JSON.match(written))

    def took(self, messages: Sequence[Message], written: str) -> ModelUse:
        return self._use(self._counted(messages), self.count(written))

    def complete(self, messages: Sequence[Message], schema: Schema | None = None) -> Completion:
        *_, last = self.stream(messages, schema)
        if not isinstance(last, Completion):
            raise ChatOutputError("the language model's answer broke off")
        return last

    def stream(self, messages: Sequence[Message], schema: Schema | None = None) -> Iterator[str | Completion]:
        """Pieces of text, then the completion. A server that hung is left alone for a while.

        Raises:
            ChatModelError: one of its kinds, each with what was wrong.
        """
        with self._turn():
            try:
                yield from self._asked(messages, schema)
            except httpx.HTTPError as error:
                raise self._noted(fault(error, self.wire.timeout)) from error
            except ChatUnreachableError as error:
                raise self._noted(error) from error.__cause__
            except (SSEError, ValidationError, json.JSONDecodeError) as error:
                raise ChatOutputError("the language model's server sent what is no completion") from error

    def _pieces(self, messages: Sequence[Message], schema: Schema) -> Generator[str | Completion]:
        yield from self.stream(messages, schema)

    def _asked(self, messages: Sequence[Message], schema: Schema | None) -> Iterator[str | Completion]:
        with closing(self._opened(messages, schema)) as response:
            written, refusal, finish, usage = "", "", None, Usage()
            for part in self._parts(response):
                usage = part.usage or usage
                for choice in (part.choices or ())[:1]:
                    piece = choice.delta or choice.message or Part()
                    refusal += piece.refusal or ""
                    finish = choice.finish_reason or finish
                    written += piece.text
                    if piece.text:
                        yield piece.text
            if (refusal and not written) or finish == "content_filter":
                told = self.wire.masked(refusal) or "its server filtered the answer"
                raise ChatOutputError(f"the language model declined: {told}")
            prompt = self._counted(messages) if usage.prompt_tokens is None else usage.prompt_tokens
            written_tokens = self.count(written) if usage.completion_tokens is None else usage.completion_tokens
            yield Completion(written, self._use(prompt, written_tokens), finish == "length")

    def _opened(self, messages: Sequence[Message], schema: Schema | None) -> httpx.Response:
        """The response; a part of the request that the server does not know is left out, and remembered."""
        while True:
            body = self._body(messages, schema)
            try:
                return self.wire.send("POST", "chat/completions", body)
            except ChatRefusedError as error:
                if error.status not in (400, 422) or not self._learns(error.detail, body):
                    if schema is not None and _OF_SCHEMA.search(error.detail):
                        self._can.schema = False  # it took the probe's and not this one: from now on lines of text
                    raise

    def _learns(self, detail: str, body: Mapping[str, Any]) -> bool:
        """Whether what the server says of a refused request tells how to ask otherwise."""
        said = detail.lower()
        if "max_completion_tokens" in said and self._can.limit == "max_tokens":
            self._can.limit = "max_completion_tokens"
            return True
        for name in _OPTIONAL:
            if name in said and name in body and name != "response_format":
                self._can.refused.add(name)
                return True
        if re.search(r"\bstream(?:ing)?\b", said) and body.get("stream"):
            self._can.streams = False
            return True
        return False

    def _body(self, messages: Sequence[Message], schema: Schema | None) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": item.role, "content": item.text} for item in messages],
            "temperature": 0,
            "seed": 7,
            self._can.limit: self.output_tokens,
            **self.extra,
        }
        if self._can.streams:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        if schema is not None:
            form = {"name": "answer", "strict": True, "schema": dict(schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        return {name: value for name, value in body.items() if name not in self._can.refused}

    @contextmanager
    def _turn(self) -> Iterator[None]:
        left = self._rests_until - time.monotonic()
        if left > 0:
            raise ChatBusyError(f"the language model hung and is not asked again for {left:.0f} s")
        if not self._slots.acquire(timeout=self.wire.timeout):
            raise ChatBusyError(f"{self.concurrency} questions are with the language model already")
        try:
            yield
        finally:
            self._slots.release()

    def _noted(self, error: ChatUnreachableError) -> ChatModelError:
        if error.timed_out:
            self._rests_until = time.monotonic() + REST
        return error

    def _counted(self, messages: Sequence[Message]) -> int:
        return sum(self.count(item.text) for item in messages)

    def _use(self, prompt: int, completion: int) -> ModelUse:
        cost = None
        if self.prices is not None:
            cost = (prompt * self.prices.prompt + completion * self.prices.completion) / 1_000_000
        return ModelUse(1, prompt, completion, cost)

    def _parts(self, response: httpx.Response) -> Iterator[Reply]:
        """The parts of an answer, streamed or whole.

        Raises:
            ChatOutputError: it ends before its end, or is an error.
        """
        finished = False
        if "text/event-stream" in response.headers.get("content-type", ""):
            for event in EventSource(response).iter_sse():
                if event.data.strip() == "[DONE]":
                    finished = True
                    break
                if event.data.strip():  # some servers keep the line open with empty events
                    yield (part := self._sound(Reply.model_validate_json(event.data)))
                    finished = finished or any(choice.finish_reason for choice in part.choices or ())
        else:
            response.read()
            part = self._sound(Reply.model_validate_json(response.content))
            finished = bool(part.choices)
            yield part
        if not finished:
            raise ChatOutputError("the language model's answer broke off")

    def _sound(self, part: Reply) -> Reply:
        if part.failure:
            raise ChatOutputError(f"the language model's server gave up: {self.wire.masked(part.failure)}")
        return part
