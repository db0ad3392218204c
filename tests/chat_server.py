"""A scripted OpenAI-compatible server on the loopback: each request is met by the next step of its script.

It records what it was sent. A step is a `Reply`; steps that are short of the protocol do what servers do that fail.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from bri_qa.answer import ExtractiveAnswerer
from bri_qa.answer.evidence import Budget
from bri_qa.answer.generative import GenerativeAnswerer
from bri_qa.errors import ChatOutputError
from bri_qa.protocols import ChatModel, Completion, Message, Schema
from bri_qa.types import ModelUse

MODEL = "scripted"
KEY = "sk-secret-0123456789"


@dataclass(frozen=True)
class Reply:
    """One answer of the server.

    `text` is what the model says, in `pieces` of so many characters if the request streams; `body` replaces all of it,
    as it is. `wait` seconds pass before the answer, `drip` before each piece; `cut` ends a stream before its end;
    `hang` keeps the connection open until the client leaves.
    """

    text: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    pieces: int = 7
    wait: float = 0.0
    drip: float = 0.0
    cut: bool = False
    hang: bool = False
    finish: str = "stop"
    usage: bool = True
    content_type: str | None = None


Script = Sequence[Reply] | Callable[[dict[str, Any]], Reply]


def refusal(status: int, message: str, **headers: str) -> Reply:
    """An error as OpenAI writes it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, headers=named, body=json.dumps({"error": {"message": message}}).encode())


def statements(*items: tuple[Sequence[str], str]) -> str:
    """What a model writes by the schema: statements of (ids, text)."""
    return json.dumps({"statements": [{"sentences": list(ids), "text": text} for ids, text in items]})


@dataclass
class ChatServer:
    """`schema` says whether it holds its output to a schema; the probe for it is met without the script."""

    script: Script
    schema: bool = True
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    probes: int = 0
    left: threading.Event = field(default_factory=threading.Event)
    most_at_once: int = 0
    url: str = ""
    _inside: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, body: dict[str, Any], headers: dict[str, str]) -> Reply:
        with self._lock:
            if '"Q7"' in json.dumps(body.get("response_format", "")):
                self.probes += 1
                return Reply(statements((["Q7"], "hello"))) if self.schema else Reply("hello")
            self.asked.append(body)
            self.headers.append(headers)
            if callable(self.script):
                return self.script(body)
            return self.script[min(len(self.asked), len(self.script)) - 1]

    @contextmanager
    def one_more(self) -> Iterator[None]:
        with self._lock:
            self._inside += 1
            self.most_at_once = max(self.most_at_once, self._inside)
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1


class _Handler(BaseHTTPRequestHandler):
    chat: ChatServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        del format, args

    def do_GET(self) -> None:
        self._send(200, json.dumps({"data": [{"id": MODEL}, {"id": "another"}]}).encode(), "application/json")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        reply = self.chat.reply(body, dict(self.headers))
        with self.chat.one_more(), suppress(BrokenPipeError, ConnectionResetError):
            time.sleep(reply.wait)
            if reply.hang:
                self._hang()
            elif reply.body is not None:
                kind = reply.content_type or "application/json"
                self._send(reply.status, reply.body, kind, reply.headers)
            elif body.get("stream"):
                self._stream(reply)
            else:
                self._send(200, json.dumps(_whole(reply)).encode(), "application/json")

    def _hang(self) -> None:
        self.connection.settimeout(20)
        with suppress(OSError):
            self.connection.recv(1)
        self.chat.left.set()
        self.close_connection = True

    def _stream(self, reply: Reply) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            for at in range(0, len(reply.text), reply.pieces):
                time.sleep(reply.drip)
                self._event({"choices": [{"delta": {"content": reply.text[at : at + reply.pieces]}}]})
            if reply.cut:
                return
            self._event({"choices": [{"delta": {}, "finish_reason": reply.finish}]})
            if reply.usage:
                self._event({"choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 20}})
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            self.chat.left.set()
            raise

    def _event(self, data: dict[str, Any]) -> None:
        self.wfile.write(b"data: " + json.dumps(data).encode() + b"\n\n")
        self.wfile.flush()

    def _send(self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _whole(reply: Reply) -> dict[str, Any]:
    usage = {"usage": {"prompt_tokens": 100, "completion_tokens": 20}} if reply.usage else {}
    return {"choices": [{"message": {"content": reply.text}, "finish_reason": reply.finish}], **usage}


@contextmanager
def chat_server(script: Script, schema: bool = True) -> Iterator[ChatServer]:
    """The server while it runs; `url` is its base address."""
    chat = ChatServer(script, schema)
    handler = type("Handler", (_Handler,), {"chat": chat})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    chat.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield chat
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class ScriptedChat:
    """A chat model without a server: says the next text of its script.

    An exception in the script is raised; a zero character in a text breaks the stream off; the last step is repeated.
    """

    name = MODEL

    def __init__(self, *script: str | Exception, schema: bool = True, pieces: int = 5, cut: bool = False) -> None:
        self.script, self.schema, self.pieces, self.cut = script, schema, pieces, cut
        self.asked: list[Sequence[Message]] = []
        self.sent: list[str] = []
        self.closed = 0

    def supports_schema(self) -> bool:
        return self.schema

    def took(self, messages: Sequence[Message], written: str) -> ModelUse:
        del messages
        return ModelUse(1, 7, len(written.split()))

    def complete(self, messages: Sequence[Message], schema: Schema | None = None) -> Completion:
        *_, last = self.stream(messages, schema)
        assert isinstance(last, Completion)
        return last

    def stream(self, messages: Sequence[Message], schema: Schema | None = None) -> Iterator[str | Completion]:
        assert (schema is not None) <= self.schema
        self.asked.append(messages)
        step = self.script[min(len(self.asked), len(self.script)) - 1]
        if isinstance(step, Exception):
            raise step
        text, _, broken = step.partition("\0")  # a zero: here the stream breaks off
        try:
            for at in range(0, len(text), self.pieces):
                self.sent.append(text[at : at + self.pieces])
                yield self.sent[-1]
        except GeneratorExit:
            self.closed += 1
            raise
        if broken or step.endswith("\0"):
            raise ChatOutputError("the language model's answer broke off")
        yield Completion(text, ModelUse(1, 100, 20, 0.5), self.cut)


class CopyingChat(ScriptedChat):
    """Answers with the first sentence that shares a word with the question, word for word."""

    def __init__(self, schema: bool) -> None:
        super().__init__("", schema=schema)

    def stream(self, messages: Sequence[Message], schema: Schema | None = None) -> Iterator[str | Completion]:
        shown, _, asked = messages[-1].text.rpartition("Question: ")
        wanted = set(re.findall(r"\w{4,}", asked.partition("\n")[0].lower()))
        lines = re.findall(r"^\[(S\d+)\] (.+)$", shown, re.MULTILINE)
        fitting = [line for line in lines if wanted & set(re.findall(r"\w{4,}", line[1].lower()))]
        items = [((name,), text) for name, text in fitting[:1]]
        text = statements(*items) if schema is not None else "\n".join(f"[{ids[0]}] {said}" for ids, said in items)
        yield text
        yield Completion(text, ModelUse(1, 100, 20))


def generative(chat: ChatModel, **parts: Any) -> GenerativeAnswerer:
    """The generative answerer of a chat model, tokens counted as words."""
    budget = Budget(4_096, 200, lambda text: len(text.split()))
    return GenerativeAnswerer(chat, budget, ExtractiveAnswerer(), **parts)
