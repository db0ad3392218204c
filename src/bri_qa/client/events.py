"""What the server tells while it answers, read from its event stream."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
from httpx_sse import EventSource, SSEError
from pydantic import BaseModel, ConfigDict, ValidationError

from bri_qa.client.errors import ServerError, UnreachableError, problem
from bri_qa.client.results import Answer, Citation, read_object


class Progress(BaseModel):
    """A stage of the work begins or goes on; `total` 0: nobody knows how much it is."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    stage: str
    done: int
    total: int


class StatementReady(BaseModel):
    """A proven sentence that will stand in the answer as it is."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    text: str
    citations: tuple[Citation, ...]


class Answered(BaseModel):
    """The answer, always the last event."""

    model_config = ConfigDict(frozen=True)
    answer: Answer


Event = Progress | StatementReady | Answered


def read(response: httpx.Response) -> Iterator[Event]:
    """The events of a stream, up to the answer; names that this client does not know are passed over.

    Raises:
        ClientError: what the server tells in place of the answer, or the stream is no such stream or broke off.
    """
    try:
        for item in EventSource(response).iter_sse():
            if item.event == "error":
                raise problem(item.data, response)
            event = _event(item.event, item.data)
            if event is not None:
                yield event
            if isinstance(event, Answered):
                return
    except (SSEError, ValueError, ValidationError) as error:
        detail = "the server sent a stream that cannot be read; is this the address of a bri_qa server?"
        raise ServerError("unreadable", detail, response.status_code) from error
    raise UnreachableError("broken_off", "the connection ended before the answer; ask again")


def _event(name: str, data: str) -> Event | None:
    if name == "progress":
        return Progress.model_validate_json(data)
    if name == "statement":
        return StatementReady.model_validate_json(data)
    if name == "answer":
        return Answered(answer=Answer.of(read_object(data)))
    return None
