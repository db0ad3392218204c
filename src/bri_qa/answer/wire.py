"""HTTP with bounds: no answer takes longer than its deadline, or more bytes than it may, however slowly it drips."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from bri_qa.errors import ChatBusyError, ChatRefusedError, ChatUnreachableError

MAX_BYTES = 4_000_000  # of one answer
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 8.0  # seconds between attempts, doubled each time
_LONGEST_DETAIL = 2_000  # characters in which what to leave out is looked for
_DEADLINE = "bri_qa_deadline"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class _Bounded(httpx.SyncByteStream):
    """The bytes of a response, until its deadline (on the monotonic clock) or its bound of bytes."""

    def __init__(self, inner: httpx.SyncByteStream, deadline: float) -> None:
        self._inner, self._deadline = inner, deadline

    def __iter__(self) -> Iterator[bytes]:
        taken = 0
        for chunk in self._inner:
            taken += len(chunk)
            if taken > MAX_BYTES:
                raise httpx.DecodingError(f"the answer is longer than {MAX_BYTES:,} bytes")
            if time.monotonic() > self._deadline:
                raise httpx.ReadTimeout("the answer took too long")
            yield chunk

    def close(self) -> None:
        self._inner.close()


class _Transport(httpx.HTTPTransport):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        stream = response.stream
        if isinstance(stream, httpx.SyncByteStream):
            response.stream = _Bounded(stream, request.extensions.get(_DEADLINE, float("inf")))
        return response


@dataclass(frozen=True, slots=True)
class Wire:
    """Requests to one server. `timeout` is in seconds, of a whole request; `key` stands in no message and no log."""

    client: httpx.Client
    timeout: float
    retries: int
    key: str | None = field(default=None, repr=False)

    @classmethod
    def open(cls, base_url: str, key: str | None, timeout: float, retries: int) -> Wire:
        """A client for `base_url`. Proxies of the environment are not used for this machine; redirects never."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        near = urlsplit(base_url).hostname in _LOOPBACK
        proxy = None if near else _proxy(base_url)
        transport = _Transport(proxy=proxy, limits=httpx.Limits(max_connections=64, max_keepalive_connections=8))
        base = base_url.rstrip("/") + "/"
        return cls(
            httpx.Client(base_url=base, headers=headers, transport=transport, trust_env=False), timeout, retries, key
        )

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """An open response of status 200; the caller closes it. Tries again only where nothing was begun.

        That is: no connection, or a server that says that it is busy (429, 503). A time that the server asks for is
        waited if it lies before the deadline.

        Raises:
            ChatUnreachableError: no connection, or no answer in time.
            ChatBusyError: still busy after the last try.
            ChatRefusedError: any other status; `status` and `detail` say which.
        """
        deadline = time.monotonic() + self.timeout
        attempt = 0
        while True:
            left = deadline - time.monotonic()
            request = self.client.build_request(
                method,
                path,
                json=body,
                timeout=httpx.Timeout(max(left, 0.001), connect=min(10.0, max(left, 0.001))),
                extensions={_DEADLINE: deadline},
            )
            wait, error = self._try(request, attempt)
            if isinstance(error, httpx.Response):
                return error
            attempt += 1
            if wait is None or attempt > self.retries or time.monotonic() + wait >= deadline:
                raise error
            time.sleep(wait)

    def _try(self, request: httpx.Request, attempt: int) -> tuple[float | None, httpx.Response | Exception]:
        """The response; or how long to wait before the next try (None: do not try again), and the error."""
        pause = min(_LONGEST_WAIT, _FIRST_WAIT * 2**attempt) * random.uniform(0.75, 1.0)  # noqa: S311 - no secret
        try:
            response = self.client.send(request, stream=True)
        except httpx.ConnectError as error:
            return pause, _told(
                ChatUnreachableError(f"the language model's server cannot be reached ({_cause(error)})"), error
            )
        except httpx.HTTPError as error:
            return None, _told(fault(error, self.timeout), error)
        if response.status_code == 200:
            return None, response
        detail = self._detail(response)
        said = f"HTTP {response.status_code}{detail and ': ' + detail[:200]}"
        if response.status_code in (429, 503):
            asked = _retry_after(response)
            message = f"the language model's server is busy ({said})"
            return (pause if asked is None else asked), ChatBusyError(message)
        return None, ChatRefusedError(
            f"the language model's server refused ({said})",
            response.status_code,
            detail,
        )

    def _detail(self, response: httpx.Response) -> str:
        """What the server says about its refusal, on one line; the response is closed."""
        try:
            response.read()
            body = response.json()
        except (httpx.HTTPError, ValueError):
            return ""
        finally:
            response.close()
        found = body.get("error", body) if isinstance(body, dict) else body
        text = found.get("message", found) if isinstance(found, dict) else found
        return self.masked(str(text), _LONGEST_DETAIL)

    def masked(self, text: str, most: int = 200) -> str:
        """What a server says, on one line of `most` characters, without the key."""
        line = " ".join(text.split())
        return (line.replace(self.key, "(the key)") if self.key else line)[:most]


def fault(error: httpx.HTTPError, timeout: float) -> ChatUnreachableError:
    """What went wrong while an answer was read, in our words."""
    if isinstance(error, httpx.TimeoutException):
        return ChatUnreachableError(f"the language model did not answer within {timeout:g} s", timed_out=True)
    return ChatUnreachableError(f"the language model's answer broke off ({_cause(error)})")


def _told(error: ChatUnreachableError, cause: Exception) -> ChatUnreachableError:
    error.__cause__ = cause
    return error


def _cause(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds, from a number or a date."""
    value = response.headers.get("retry-after", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def _proxy(base_url: str) -> str | None:
    """The proxy that the environment names for this server."""
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(base_url)
    return None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
