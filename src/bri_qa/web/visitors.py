"""What a request says of the one who sent it: the language of the interface, the filters, the conversation."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection

from bri_qa.types import Filters
from bri_qa.web import scope, texts
from bri_qa.web.access import person
from bri_qa.web.texts import Texts

_CONVERSATION = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Visitor:
    """`user` is the key of their history, None where nothing is kept of them; `filters` reach what they may read."""

    texts: Texts
    filters: Filters = field(default_factory=Filters)
    conversation: str | None = None
    user: str | None = None


def texts_of(connection: HTTPConnection) -> Texts:
    """The interface's words in the visitor's language."""
    return texts.chosen(connection.cookies.get(texts.COOKIE), connection.headers.get("accept-language"))


def visitor(connection: HTTPConnection, user: str | None = None) -> Visitor:
    """The chat page's address is part of every request of the chat: it says what is asked and where to go on."""
    query = connection.query_params
    found = query.get("c", "")
    filters = person(connection).narrowed(scope.read(query))
    return Visitor(texts_of(connection), filters, found if _CONVERSATION.fullmatch(found) else None, user)
