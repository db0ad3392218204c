from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from bri_qa.answer import wire
from bri_qa.answer.openai_chat import OpenAIChat, Prices
from bri_qa.answer.wire import Wire
from bri_qa.errors import (
    ChatBusyError,
    ChatModelError,
    ChatOutputError,
    ChatRefusedError,
    ChatUnreachableError,
)
from bri_qa.protocols import Completion, Message
from bri_qa.types import ModelUse
from tests.chat_server import KEY, MODEL, ChatServer, Reply, Script, chat_server, refusal

ASKED = [Message("system", "Be brief."), Message("user", "Say so.")]
SCHEMA = {"type": "object"}


def _words(text: str) -> int:
    return len(text.split())


@contextmanager
def _chat(
    script: Script, *, timeout: float = 5.0, retries: int = 2, **parts: Any
) -> Iterator[tuple[OpenAIChat, ChatServer]]:
    held = parts.pop("schema", True)
    with (
        chat_server(script, held) as server,
        closing(OpenAIChat(Wire.open(server.url, KEY, timeout, retries), MODEL, 64, _words, **parts)) as chat,
    ):
        yield chat, server


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_FIRST_WAIT", 0.01)


def test_text_comes_in_pieces_and_then_as_a_whole_with_what_it_took() -> None:
    with _chat([Reply("It is so.", pieces=3)], prices=Prices(2.0, 10.0)) as (chat, server):
        *pieces, last = chat.stream(ASKED)
    assert pieces == ["It ", "is ", "so."]
    assert last == Completion("It is so.", ModelUse(1, 100, 20, 0.0004))
    (body,) = server.asked
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Say so."},
    ]
    assert (body["model"], body["max_tokens"], body["temperature"]) == (MODEL, 64, 0)
    assert "response_format" not in body
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_tokens_are_counted_where_the_server_does_not_say() -> None:
    with _chat([Reply("It is so.", usage=False)]) as (chat, _):
        assert chat.complete(ASKED).use == ModelUse(1, 4, 3)
        assert chat.took(ASKED, "It is") == ModelUse(1, 4, 2)


def test_a_schema_is_sent_as_one() -> None:
    with _chat([Reply("{}")]) as (chat, server):
        chat.complete(ASKED, SCHEMA)
    form = server.asked[0]["response_format"]
    assert form["type"] == "json_schema" and form["json_schema"]["schema"] == SCHEMA


@pytest.mark.parametrize("held", [True, False])
def test_whether_it_holds_to_a_schema_is_found_out_once(held: bool) -> None:
    with _chat([Reply("x")], schema=held) as (chat, server):
        assert [chat.supports_schema() for _ in range(3)] == [held] * 3
        assert server.probes == 1


def test_several_threads_find_it_out_once() -> None:
    with _chat([Reply("x")]) as (chat, server):
        threads = [threading.Thread(target=chat.supports_schema) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.probes == 1


@pytest.mark.parametrize("status", [400, 422, 500, 501])
def test_a_server_that_refuses_schemas_has_none(status: int) -> None:
    with _chat([Reply("x")]) as (chat, server):
        server.reply = lambda *_: refusal(status, "response_format is not supported")  # type: ignore[method-assign]
        assert chat.supports_schema() is False


def test_a_wrong_key_is_told_and_not_taken_for_a_want_of_schemas() -> None:
    with _chat([Reply("x")]) as (chat, server):
        ask = server.reply
        server.reply = lambda *_: refusal(401, "Incorrect API key")  # type: ignore[method-assign]
        with pytest.raises(ChatRefusedError, match=r"HTTP 401: Incorrect API key"):
            chat.supports_schema()
        server.reply = ask  # type: ignore[method-assign]
        assert chat.supports_schema() is True


def test_a_refused_connection_is_tried_again_and_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    chat = OpenAIChat(Wire.open(f"http://127.0.0.1:{port}/v1", None, 5, 2), MODEL, 64, _words)
    with pytest.raises(ChatUnreachableError, match="cannot be reached"):
        chat.complete(ASKED)
    with closing(chat), pytest.raises(ChatUnreachableError, match="cannot be reached"):
        chat.complete(ASKED)  # it is no hanging server: it may be asked again at once


def test_a_server_that_hangs_is_left_and_then_let_alone_for_a_while() -> None:
    with _chat([Reply(hang=True)], timeout=0.3) as (chat, server):
        with pytest.raises(ChatUnreachableError, match=r"did not answer within 0.3 s"):
            chat.complete(ASKED)
        assert server.left.wait(5)
        with pytest.raises(ChatBusyError, match=r"hung and is not asked again for \d+ s"):
            chat.complete(ASKED)
        assert len(server.asked) == 1  # not tried again: it may still be at work on the first


def test_an_answer_that_drips_is_left_at_its_deadline() -> None:
    with _chat([Reply("word " * 400, pieces=1, drip=0.02)], timeout=0.4) as (chat, server):
        with pytest.raises(ChatUnreachableError, match="did not answer within"):
            chat.complete(ASKED)
        assert server.left.wait(5)


def test_closing_the_stream_ends_the_request() -> None:
    with _chat([Reply("word " * 400, pieces=2, drip=0.01)]) as (chat, server):
        pieces = chat.stream(ASKED)
        assert next(pieces) == "wo"
        pieces.close()  # type: ignore[attr-defined]
        assert server.left.wait(5)
        assert chat.streams


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply("It is", cut=True), "broke off"),
        (Reply(body=b"<html>no</html>", content_type="text/html"), "no completion"),
        (Reply(body=b'{"choices": [{"message"', content_type="application/json"), "no completion"),
        (Reply(body=b'{"choices": []}', content_type="application/json"), "broke off"),
        (Reply(body=b"data: {not json\n\n", content_type="text/event-stream"), "no completion"),
        (Reply(body=b"", content_type="text/event-stream"), "broke off"),
        (
            Reply(body=b'data: {"error": {"message": "out of memory"}}\n\n', content_type="text/event-stream"),
            "gave up: out of memory",
        ),
        (Reply(body=b'{"error": "no memory"}'), "gave up: no memory"),
        (Reply(body=b'{"object": "error", "message": "no such model", "code": 404}'), "gave up: no such model"),
        (
            Reply(
                body=b'{"choices": [{"message": {"content": null, "refusal": "I may not."}, "finish_reason": "stop"}]}'
            ),
            "declined: I may not",
        ),
        (Reply("", finish="content_filter"), "declined: its server filtered"),
    ],
)
def test_an_answer_that_is_none_is_told_as_such(reply: Reply, said: str) -> None:
    with _chat([reply]) as (chat, _), pytest.raises(ChatOutputError, match=said):
        chat.complete(ASKED)


KEPT_OPEN = b""": waiting

event: ping
data:

data: {"choices": null, "usage": null}

data: {"choices": [{"delta": {"role": "assistant", "content": null, "reasoning_content": "It"}}]}

: waiting

data: {"choices": [{"delta": {"content": [{"type": "text", "text": "It is so."}]}}]}

data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}

data:[DONE]

"""


def test_comments_empty_events_and_thoughts_apart_are_passed_over() -> None:
    with _chat([Reply(body=KEPT_OPEN, content_type="text/event-stream; charset=utf-8")]) as (chat, _):
        assert chat.complete(ASKED) == Completion("It is so.", ModelUse(1, 4, 3))


def test_a_key_that_a_server_repeats_in_an_error_of_status_200_is_masked() -> None:
    reply = Reply(body=json.dumps({"error": {"message": f"bad key {KEY}"}}).encode())
    with _chat([reply]) as (chat, _), pytest.raises(ChatOutputError, match=r"bad key \(the key\)"):
        chat.complete(ASKED)


def test_a_server_that_refuses_a_larger_schema_is_asked_for_lines_from_then_on() -> None:
    with _chat([refusal(400, "Invalid schema for response_format 'answer'"), Reply("so")]) as (chat, _):
        assert chat.supports_schema()
        with pytest.raises(ChatRefusedError):
            chat.complete(ASKED, SCHEMA)
        assert not chat.supports_schema()


def test_an_upstream_error_is_no_refusal_to_stream() -> None:
    with _chat([refusal(400, "upstream connect error")]) as (chat, _):
        with pytest.raises(ChatRefusedError):
            chat.complete(ASKED)
        assert chat.streams


def test_what_to_leave_out_is_found_in_a_long_refusal() -> None:
    def script(body: dict[str, Any]) -> Reply:
        return refusal(422, "x " * 300 + "stream_options: extra fields") if "stream_options" in body else Reply("so")

    with _chat(script) as (chat, _):
        assert chat.complete(ASKED).text == "so"


def test_a_flood_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_BYTES", 20_000)
    with _chat([Reply("flood " * 20_000, pieces=500)]) as (chat, server):
        with pytest.raises(ChatModelError, match="longer than"):
            chat.complete(ASKED)
        assert server.left.wait(5)


@pytest.mark.parametrize("status", [401, 403, 404, 413, 500, 502])
def test_a_refusal_is_told_and_not_tried_again(status: int) -> None:
    with _chat([refusal(status, "no such model"), Reply("later")]) as (chat, server):
        with pytest.raises(ChatRefusedError, match=f"HTTP {status}: no such model") as caught:
            chat.complete(ASKED)
        assert (caught.value.status, len(server.asked)) == (status, 1)


def test_a_redirect_is_not_followed() -> None:
    away = Reply(status=307, headers={"location": "http://127.0.0.1:1/elsewhere"}, body=b"")
    with _chat([away]) as (chat, _), pytest.raises(ChatRefusedError, match="HTTP 307"):
        chat.complete(ASKED)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_after_the_time_that_it_names(status: int) -> None:
    with _chat([refusal(status, "slow down", retry_after="0.2"), Reply("now")]) as (chat, server):
        start = time.monotonic()
        assert chat.complete(ASKED).text == "now"
        assert time.monotonic() - start >= 0.2
        assert len(server.asked) == 2


def test_a_server_that_stays_busy_is_given_up() -> None:
    with _chat([refusal(429, "slow down")], retries=2) as (chat, server):
        with pytest.raises(ChatBusyError, match=r"busy \(HTTP 429: slow down\)"):
            chat.complete(ASKED)
        assert len(server.asked) == 3


@pytest.mark.parametrize("after", ["60", "Fri, 31 Dec 2999 23:59:59 GMT"])
def test_a_time_to_wait_beyond_the_deadline_is_not_waited_for(after: str) -> None:
    with _chat([refusal(429, "slow down", retry_after=after)]) as (chat, server):
        with pytest.raises(ChatBusyError):
            chat.complete(ASKED)
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("message", "gone", "come"),
    [
        (
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
            "max_tokens",
            "max_completion_tokens",
        ),
        ("Unsupported value: 'temperature' does not support 0", "temperature", "max_tokens"),
        ("unknown field stream_options", "stream_options", "stream"),
        ("streaming is not supported", "stream", "max_tokens"),
    ],
)
def test_what_a_server_does_not_know_is_left_out_from_then_on(message: str, gone: str, come: str) -> None:
    def script(body: dict[str, Any]) -> Reply:
        return refusal(400, message) if gone in body else Reply("It is so.")

    with _chat(script) as (chat, server):
        assert chat.complete(ASKED).text == chat.complete(ASKED).text == "It is so."
    assert [gone in body for body in server.asked] == [True, False, False]
    assert come in server.asked[-1]


def test_a_refusal_that_names_nothing_to_leave_out_ends_it() -> None:
    with _chat([refusal(400, "the context of 2048 tokens is exceeded")]) as (chat, server):
        with pytest.raises(ChatRefusedError, match="context of 2048"):
            chat.complete(ASKED)
        assert len(server.asked) == 1


def test_an_answer_that_ran_into_its_limit_says_so() -> None:
    with _chat([Reply("It is", finish="length")]) as (chat, _):
        assert chat.complete(ASKED).cut


def test_only_so_many_requests_run_at_a_time() -> None:
    with _chat([Reply("so", wait=0.05)], concurrency=2) as (chat, server):
        threads = [threading.Thread(target=chat.complete, args=(ASKED,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(server.asked), server.most_at_once) == (6, 2)


def test_who_waits_too_long_for_a_turn_is_told() -> None:
    with _chat([Reply("word " * 100, pieces=1, drip=0.02)], timeout=0.3, concurrency=1) as (chat, _):
        first = chat.stream(ASKED)
        next(first)
        with pytest.raises(ChatBusyError, match="1 questions are with the language model already"):
            chat.complete(ASKED)
        first.close()  # type: ignore[attr-defined]


def test_the_models_of_the_server_are_listed() -> None:
    with _chat([]) as (chat, _):
        assert chat.models() == ["another", MODEL]


def test_the_key_stands_in_no_log_message_or_repr(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo = [refusal(401, f"Incorrect API key {KEY}"), Reply("so")]
    with _chat(echo) as (chat, server):
        with pytest.raises(ChatRefusedError) as caught:
            chat.complete(ASKED)
        chat.complete(ASKED)
        shown = [caplog.text, str(caught.value), repr(caught.value.__dict__), repr(chat), repr(chat.wire)]
    assert KEY in json.dumps(server.headers)  # it was sent …
    assert "(the key)" in str(caught.value)
    assert all(KEY not in text for text in shown)  # … and shown nowhere
