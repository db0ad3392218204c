"""What may go wrong between a program and the server.

ClientError              code, detail, status, request_id and retry_after, as far as they are known
├── UnreachableError     no connection, no answer in time, or it broke off
├── SignInError          401: no key, or one that is not valid
├── ForbiddenError       403: the key may not do this
├── MissingError         404: it is not there, or not for this key
├── RefusedError         another 4xx: what was sent cannot be used; sending it again changes nothing
├── OverloadedError      429 or 503: come back after `retry_after` seconds
└── ServerError          another 5xx, or what came is not what the server promises
"""

from __future__ import annotations

from dataclasses import dataclass

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError


@dataclass(eq=False)
class ClientError(Exception):
    """Something went wrong. `code` is stable, `detail` is for people; `retry_after` is in seconds."""

    code: str
    detail: str
    status: int | None = None
    request_id: str | None = None
    retry_after: float | None = None

    def __str__(self) -> str:
        known = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.code}: {self.detail}{known}"


class UnreachableError(ClientError):
    """There is no connection, no answer in time, or it broke off."""


class SignInError(ClientError):
    """There is no key, or it is not valid."""


class ForbiddenError(ClientError):
    """The key may not do this."""


class MissingError(ClientError):
    """It is not there, or not for this key."""


class RefusedError(ClientError):
    """What was sent cannot be used."""


class OverloadedError(ClientError):
    """The server is busy, or not ready, or this key has asked enough for now."""


class ServerError(ClientError):
    """The server failed, or what came is not what it promises."""


_KINDS: dict[int, type[ClientError]] = {
    401: SignInError,
    403: ForbiddenError,
    404: MissingError,
    429: OverloadedError,
    503: OverloadedError,
}


class _Problem(BaseModel):
    model_config = ConfigDict(extra="ignore")
    status: int
    code: str
    detail: str
    request_id: str | None = None


def problem(body: bytes | str, response: httpx.Response) -> ClientError:
    """The error that a problem tells; one that is no problem of ours is told by its status."""
    request_id = response.headers.get("x-request-id")
    try:
        told = _Problem.model_validate_json(body)
    except ValidationError:
        detail = f"the server answered {response.status_code} {response.reason_phrase}".strip()
        told = _Problem(status=response.status_code, code="unknown", detail=detail)
    default = RefusedError if told.status < 500 else ServerError
    kind = _KINDS.get(told.status, default)
    return kind(told.code, told.detail, told.status, told.request_id or request_id, _seconds(response))


def _seconds(response: httpx.Response) -> float | None:
    try:
        return max(0.0, float(response.headers["retry-after"]))
    except (KeyError, ValueError):  # absent, or a date
        return None
