"""Requests that are too large, too deep, too many-headed or too slow are refused in good time, and nothing breaks."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from bri_qa.web.security import MAX_BODY_BYTES
from tests.fakes import FakePipeline
from tests.keeping import QUAY
from tests.serving import served

TAKING = ("/api/v1/ask", "/api/v1/ask/stream", "/api/v1/ask/batch", "/v1/chat/completions", "/gradio_api/queue/join")
JSON = {"Content-Type": "application/json"}
PATIENCE = 1.0


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(FakePipeline(), body_timeout=PATIENCE) as address:
        yield address


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=20) as client:
        yield client


@pytest.fixture(autouse=True)
def _still_answers(client: httpx.Client) -> Iterator[None]:
    yield
    answer = client.post("/api/v1/ask", json={"question": QUAY})
    assert answer.status_code == 200 and answer.json()["short_answer"] == "640"


def _raw(address: str, *parts: bytes, pause: float = 0.0, seconds: float = 10.0) -> bytes:
    """What comes back for bytes that are sent as they are, `pause` seconds between the parts."""
    where = urlsplit(address)
    found = b""
    with socket.create_connection((where.hostname, where.port), seconds) as connection:
        try:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
            while chunk := connection.recv(65_536):
                found += chunk
                if b"\r\n\r\n" in found:
                    break
        except (ConnectionError, TimeoutError):
            pass
    return found


@pytest.mark.parametrize("path", TAKING)
def test_a_body_that_is_too_large_is_refused_by_its_length(address: str, path: str) -> None:
    """Before it is sent: the head alone is answered."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {MAX_BODY_BYTES + 1}\r\n\r\n"
    assert b" 413 " in _raw(address, head.encode()).partition(b"\r\n")[0]


@pytest.mark.parametrize("path", TAKING)
def test_a_body_without_a_length_is_refused_when_it_has_grown_too_large(client: httpx.Client, path: str) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * (MAX_BODY_BYTES // 20)

    with suppress(httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):  # closed while it was being sent
        assert client.post(path, content=endless(), headers=JSON).status_code == 413


HOSTILE = {
    "deep lists": "[" * 100_000 + "]" * 100_000,
    "deep objects": '{"question":' * 20_000 + '"x"' + "}" * 20_000,
    "deep in a field": '{"question": ' + "[" * 50_000 + "]" * 50_000 + "}",
    "a huge number": '{"question": "x", "filters": ' + "9" * 200_000 + "}",
    "a huge exponent": '{"question": "x", "top": 1e999999999}',
    "no number": '{"question": NaN, "x": Infinity}',
    "many fields": json.dumps({f"f{number}": 1 for number in range(20_000)}),
    "many turns": json.dumps({"question": "x", "history": [{"role": "user", "text": "x"}] * 20_000}),
    "the same field again": '{"question": "x"' + ', "question": "x"' * 20_000 + "}",
    "half a character": '{"question": "\\ud800"}',
    "no UTF-8": "\x80\xff",
    "NUL": '{"question": "a\\u0000b"}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_json_is_refused_and_breaks_nothing(client: httpx.Client, name: str) -> None:
    for path in TAKING:
        begun = time.monotonic()
        answer = client.post(path, content=HOSTILE[name].encode("latin-1"), headers=JSON)
        assert answer.status_code < 500 or answer.status_code == 503, (path, answer.status_code)
        assert time.monotonic() - begun < 10, path


def test_numbers_of_thousands_of_digits_in_addresses_break_nothing(client: httpx.Client) -> None:
    many = "9" * 5_000
    for path in (
        f"/articles?page={many}",
        f"/source/harbour?start={many}&end={many}",
        f"/source/harbour?cite={many}:1-2",
        f"/api/v1/documents?limit={many}&offset={many}",
        "/articles?" + "&".join(f"publisher={number}" for number in range(2_000)),
    ):
        assert client.get(path).status_code < 500, path


def test_heads_that_are_too_large_are_refused(address: str) -> None:
    many = b"".join(b"X-%d: %s\r\n" % (number, b"y" * 100) for number in range(5_000))
    for head in (many, b"X: " + b"y" * 500_000 + b"\r\n", b"Cookie: " + b"a=b; " * 50_000 + b"\r\n"):
        told = _raw(address, b"GET /articles HTTP/1.1\r\nHost: x\r\n", head, b"\r\n").partition(b"\r\n")[0]
        assert told == b"" or b" 4" in told, told


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nContent-Length: 50\r\n",
        b"Content-Length: 5, 50\r\n",
        b"Content-Length: 50\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Content-Length: -5\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 0x5\r\n",
        b"Content-Length : 5\r\n",
        b" Content-Length: 5\r\n",
        b"Content-Length: 5\r\nX: a\nb: c\x00\r\n",
    ],
)
def test_no_second_request_is_smuggled_in(address: str, head: bytes) -> None:
    """Where two readers could see two different ends of a request, it is refused or read to its one end."""
    hidden = b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    asked = b"POST /api/v1/search HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
    told = _raw(address, asked + head + b"\r\n" + hidden)
    assert b'"up"' not in told
    assert told == b"" or told.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), told[:80]


def test_a_body_that_drips_is_waited_for_no_longer(address: str) -> None:
    head = b"POST /api/v1/ask HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n"
    begun = time.monotonic()
    told = _raw(address, head, *[b" "] * 4, pause=PATIENCE / 5)
    assert told.startswith(b"HTTP/1.1 408") and b"connection: close" in told.lower()
    assert time.monotonic() - begun < PATIENCE * 6


def test_many_who_drip_keep_nobody_waiting(address: str, client: httpx.Client) -> None:
    where: Any = urlsplit(address)
    head = b"POST /api/v1/ask HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
    held = [socket.create_connection((where.hostname, where.port), 5) for _ in range(50)]
    try:
        for connection in held:
            connection.sendall(head)
        assert client.post("/api/v1/ask", json={"question": QUAY}).status_code == 200
    finally:
        for connection in held:
            connection.close()
