"""How long the server waits for those who send slowly: for the head of a request, and for its body."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

HEAD_SECONDS = 15.0


class PatienceMiddleware:
    """A body that is not here within `seconds` is waited for no longer (408)."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self.app = app
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, self._patient(receive) if scope["type"] == "http" else receive, send)

    def _patient(self, receive: Receive) -> Receive:
        end, whole = asyncio.get_running_loop().time() + self.seconds, False

        async def patient() -> Message:
            nonlocal whole
            if whole:  # from here on it only tells that the client has gone
                return await receive()
            try:
                async with asyncio.timeout_at(end):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(
                    408, f"the request did not arrive within {self.seconds:g} seconds", {"Connection": "close"}
                ) from None
            whole = not message.get("more_body", False)
            return message

        return patient


class PatientProtocol(H11Protocol):
    """Closes a connection on which no whole head of a request arrives in `HEAD_SECONDS`. Idle ones are uvicorn's."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._between():
            self._wait()
        else:
            self._stop()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def _between(self) -> bool:
        """Whether no request is being answered."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _wait(self) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _stop(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        if self._between() and not self.transport.is_closing():
            self.transport.close()
