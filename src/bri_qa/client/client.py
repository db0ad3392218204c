"""The client: one method a route, typed results, typed errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from bri_qa.client import events
from bri_qa.client.errors import ServerError, UnreachableError, problem
from bri_qa.client.events import Event
from bri_qa.client.results import (
    Answer,
    Document,
    DocumentPassages,
    Documents,
    Failed,
    Filters,
    Rated,
    SearchResult,
    Turn,
    read_object,
)

T = TypeVar("T", bound=BaseModel)
V = TypeVar("V")

BATCH = 100  # questions of one request, at most
_EVERYTHING = Filters()


class Client:
    """Asks one server. Safe from several threads; close it, or use it in a `with` block."""

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        *,
        timeout: float = 60.0,
        cookies: Mapping[str, str] | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`base_url` is where the server's chat is; `timeout` is in seconds, for each wait, and 10 to connect.

        `cookies`: those of a user of the chat, whose answers are to be rated. `transport`: proxies, certificates.
        """
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._http = httpx.Client(
            base_url=base_url.rstrip("/") + "/api/v1/",
            headers=headers,
            timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0)),
            cookies=dict(cookies or {}),
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connections."""
        self._http.close()

    def ask(self, question: str, history: Sequence[Turn] = (), filters: Filters = _EVERYTHING) -> Answer:
        """The answer, or an abstention with its reason.

        Raises:
            ClientError: as its kind says; so do the other methods.
        """
        return _checked(lambda: Answer.of(self._json("POST", "ask", json=_asked(question, history, filters))))

    def stream(self, question: str, history: Sequence[Turn] = (), filters: Filters = _EVERYTHING) -> Iterator[Event]:
        """What the server tells as it answers, the answer last. Closing the iterator stops the work."""
        with self._sent("POST", "ask/stream", json=_asked(question, history, filters)) as response:
            yield from events.read(response)

    def batch(self, questions: Iterable[str | tuple[str, Sequence[Turn]]]) -> Iterator[Answer | Failed]:
        """An answer for each question (with the turns before it, where it has any), in order, as they come.

        Any number of questions: they are sent in requests of at most `BATCH`.
        """
        for some in _in_parts(questions, BATCH):
            given = 0
            with self._sent("POST", "ask/batch", json=[_line(at, one) for at, one in enumerate(some)]) as response:
                for line in _lines(response):
                    yield _outcome(line)
                    given += 1
            if given < len(some):
                raise UnreachableError("broken_off", f"the connection ended after {given} of {len(some)} answers")

    def search(
        self, query: str, top_k: int = 10, history: Sequence[Turn] = (), filters: Filters = _EVERYTHING
    ) -> SearchResult:
        """Passages without an answer, best first."""
        asked = _asked(query, history, filters)
        asked["query"] = asked.pop("question")
        return self._model(SearchResult, "POST", "search", json={**asked, "top_k": top_k})

    def documents(
        self, words: str = "", filters: Filters = _EVERYTHING, limit: int = 50, cursor: str | None = None
    ) -> Documents:
        """A page of documents by id; its `next` is the `cursor` of the next. `document_ids` is not looked at."""
        wanted: dict[str, Any] = {"limit": limit, "publisher": list(filters.publishers)}
        optional = {
            "q": words,
            "published_from": filters.published_from,
            "published_to": filters.published_to,
            "cursor": cursor,
        }
        wanted |= {name: value for name, value in optional.items() if value}
        return self._model(Documents, "GET", "documents", params=wanted)

    def document(self, document_id: str) -> Document:
        """A document with its text."""
        return self._model(Document, "GET", f"documents/{quote(document_id, safe='')}")

    def passages(self, document_id: str) -> DocumentPassages:
        """The passages that a document is searched by."""
        return self._model(DocumentPassages, "GET", f"documents/{quote(document_id, safe='')}/passages")

    def rate(
        self, entry: str, rating: str, citation: int | None = None, reason: str | None = None, comment: str = ""
    ) -> Rated:
        """Rate an answer of the history, `up` or `down`, or one of its citations; the rating before is replaced."""
        body = {"entry": entry, "rating": rating, "citation": citation, "reason": reason, "comment": comment}
        return self._model(Rated, "PUT", "feedback", json=body)

    def _model(self, model: type[T], method: str, path: str, **sent: Any) -> T:
        return _checked(lambda: model.model_validate(self._json(method, path, **sent)))

    def _json(self, method: str, path: str, **sent: Any) -> dict[str, Any]:
        with self._sent(method, path, **sent) as response:
            return read_object(response.read())

    @contextmanager
    def _sent(self, method: str, path: str, **sent: Any) -> Iterator[httpx.Response]:
        """The response, not read yet; what goes wrong until the block ends is an error of ours."""
        try:
            with self._http.stream(method, path, **sent) as response:
                if not response.is_success:
                    raise problem(response.read(), response)
                yield response
        except httpx.TimeoutException as error:
            detail = f"{self._http.base_url} did not answer in time; ask again, or raise the timeout"
            raise UnreachableError("timed_out", detail) from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            detail = f"{self._http.base_url} cannot be reached ({error}); is the server running?"
            raise UnreachableError("unreachable", detail) from error


def _asked(question: str, history: Sequence[Turn], filters: Filters) -> dict[str, Any]:
    turns = [turn.model_dump() for turn in history]
    return {"question": question, "history": turns, "filters": filters.model_dump(mode="json")}


def _line(number: int, question: str | tuple[str, Sequence[Turn]]) -> dict[str, Any]:
    text, history = (question, ()) if isinstance(question, str) else question
    return {"id": number, "question": text, "history": [turn.model_dump() for turn in history]}


def _lines(response: httpx.Response) -> Iterator[dict[str, Any]]:
    """The lines of a response, split at line feeds alone: JSON may hold the other line ends."""
    rest = ""
    for piece in response.iter_text():
        *whole, rest = (rest + piece).split("\n")
        for line in whole:
            yield _read(line)


def _read(line: str) -> dict[str, Any]:
    return _checked(lambda: read_object(line))


def _outcome(line: dict[str, Any]) -> Answer | Failed:
    if "error" in line:
        return _checked(lambda: Failed.model_validate(line["error"]))
    return _checked(lambda: Answer.of({name: value for name, value in line.items() if name != "id"}))


def _in_parts(items: Iterable[V], size: int) -> Iterator[list[V]]:
    part: list[V] = []
    for item in items:
        part.append(item)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part


def _checked(read: Callable[[], V]) -> V:
    """What `read` makes of what the server sent."""
    try:
        return read()
    except (ValueError, ValidationError) as error:
        detail = "the server sent what it does not promise; is this the address of a bri_qa server?"
        raise ServerError("unreadable", detail) from error
