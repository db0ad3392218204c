"""Rate limits: questions by person and by address, requests by address; counted here, or in Redis for several servers."""

from __future__ import annotations

import importlib.util
import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import limits
from fastapi import FastAPI
from limits import RateLimitItem
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bri_qa.errors import MissingExtraError
from bri_qa.settings import Settings
from bri_qa.web.access import person
from bri_qa.web.operation.forwarded import network
from bri_qa.web.security import problem

log = logging.getLogger(__name__)

KEY = "bri_qa.limits"
ASKING = ("/api/v1/ask", "/v1/chat/completions", "/mcp", "/widget/ask")
_FREE = ("/ui/", "/assets/", "/static/", "/gradio_api/heartbeat", "/healthz", "/readyz", "/metrics", "/favicon.ico")
_REST_SECONDS = 5.0  # how long a store that failed is left alone


class LimitedError(Exception):
    """Too many requests; `seconds` says when to come back."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"you have asked very often; go on in {seconds} seconds")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Standing:
    """How one limit stands for one request."""

    name: str
    rule: RateLimitItem
    left: int
    seconds: int  # until there is room again


@dataclass
class Limits:
    """The configured limits. `refused` counts by limit what was told to come back."""

    storage: Storage
    ask: RateLimitItem | None
    address: RateLimitItem | None
    request: RateLimitItem | None
    refused: dict[str, int] = field(default_factory=lambda: {"ask": 0, "address": 0, "request": 0})
    _rests_until: float = 0.0

    @classmethod
    def open(cls, settings: Settings) -> Limits:
        """
        Raises:
            MissingExtraError: they are to be counted in Redis, and its client is not installed.
        """
        rules = (settings.rate_limit_ask, settings.rate_limit_address, settings.rate_limit_request)
        ask, address, request = (limits.parse(rule) if rule else None for rule in rules)
        return cls(_storage(settings.rate_limit_storage), ask, address, request)

    async def question(self, connection: HTTPConnection, questions: int = 1) -> list[Standing]:
        """Count `questions` of the one who asks.

        Raises:
            LimitedError: they are too many by now.
        """
        return await self._count(list(self._of_question(connection)), questions)

    async def any_request(self, connection: HTTPConnection) -> list[Standing]:
        """Count a request of whatever kind.

        Raises:
            LimitedError: they are too many by now.
        """
        return await self._count([("request", self.request, network(connection))] if self.request else [], 1)

    async def close(self) -> None:
        """Let go of the store."""
        if isinstance(self.storage, RedisStorage):
            bridge: Any = self.storage.bridge  # the library has no way to close it
            await bridge.storage.aclose()

    def _of_question(self, connection: HTTPConnection) -> Iterator[tuple[str, RateLimitItem, str]]:
        if self.ask is not None:
            who = person(connection)
            known = f"{who.via}:{who.user or who.name}"
            # Somebody without a name is their address. A hash, for a store need not know names.
            yield "ask", self.ask, sha256(known.encode()).hexdigest() if who.user or who.name else network(connection)
        if self.address is not None:
            yield "address", self.address, network(connection)

    async def _count(self, rules: list[tuple[str, RateLimitItem, str]], cost: int) -> list[Standing]:
        """How each limit stands afterwards. A store that cannot be reached limits nobody, and the log says so.

        A batch that is larger than a limit uses it up; else it could never be asked.
        """
        if not rules or time.monotonic() < self._rests_until:
            return []
        window = SlidingWindowCounterRateLimiter(self.storage)
        standings = []
        try:
            for name, rule, who in rules:
                passed = await window.hit(rule, name, who, cost=min(cost, max(1, rule.amount - 1)))
                stats = await window.get_window_stats(rule, name, who)
                seconds = max(1, math.ceil(stats.reset_time - time.time()))
                standings.append(Standing(name, rule, stats.remaining, seconds))
                if not passed:
                    self.refused[name] += 1
                    raise LimitedError(seconds)
        except StorageError as error:
            self._rests_until = time.monotonic() + _REST_SECONDS
            log.error("requests are not limited: the store of the counts cannot be reached (%s)", error)
        return standings


def _storage(address: str) -> Storage:
    if address == "memory://":
        return MemoryStorage(wrap_exceptions=True)
    if importlib.util.find_spec("redis") is None:
        raise MissingExtraError(
            "BRI_QA_RATE_LIMIT_STORAGE names Redis; install its client: pip install 'bri-qa[redis]'"
        )
    options: dict[str, float | str | bool] = {"socket_timeout": 1.0, "socket_connect_timeout": 1.0}
    return RedisStorage(
        f"async+{address}", wrap_exceptions=True, implementation="redispy", key_prefix="bri_qa", **options
    )


class LimitsMiddleware:
    """Counts requests and, where a route answers questions, those; the surplus is told to come back (429)."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app = app
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope[KEY] = self.limits
        connection = HTTPConnection(scope)
        asks = scope["method"] == "POST" and scope["path"].startswith(ASKING)
        standings: list[Standing] = []
        try:
            if not scope["path"].startswith(_FREE):
                await self.limits.any_request(connection)
            if asks:
                standings = await self.limits.question(connection)
        except LimitedError as error:
            await limited(error)(scope, receive, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start" and standings:
                for name, value in _headers(standings).items():
                    MutableHeaders(scope=message).setdefault(name, value)
            await send(message)

        await self.app(scope, receive, told)


def _headers(standings: list[Standing]) -> dict[str, str]:
    """As the IETF's draft on rate limit headers has it: the limits, and how they stand."""
    return {
        "RateLimit-Policy": ", ".join(
            f'"{one.name}";q={one.rule.amount};w={one.rule.get_expiry()}' for one in standings
        ),
        "RateLimit": ", ".join(f'"{one.name}";r={one.left};t={one.seconds}' for one in standings),
    }


async def charge(connection: HTTPConnection, questions: int = 1) -> None:
    """Count questions that no path shows: those of the chat page, and of a batch all but its first.

    Raises:
        LimitedError: they are too many by now.
    """
    found = connection.scope.get(KEY)
    if isinstance(found, Limits) and questions > 0:
        await found.question(connection, questions)


def limited(error: LimitedError) -> JSONResponse:
    return problem(429, "rate_limited", str(error), **{"Retry-After": str(error.seconds)})


def add_problems(app: FastAPI) -> None:
    """Refusals leave as problem+json with a stable code."""

    @app.exception_handler(LimitedError)
    async def too_often(_: Request, error: LimitedError) -> JSONResponse:
        return limited(error)
