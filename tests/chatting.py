"""A client of the OpenAI protocol and the key it shows, for tests of `/v1`."""

from __future__ import annotations

from typing import Any

from starlette.requests import HTTPConnection

from bri_qa.web.access import CredentialsError, Person, Role

QUAY = "How long is the new quay?"
KEY = "key-of-a-portal"


def resolve(connection: HTTPConnection) -> Person:
    """A reader of the group `press` with the key; somebody who may do nothing; or a refusal."""
    header = connection.headers.get("authorization", "")
    if header == f"Bearer {KEY}":
        return Person(Role.READER, frozenset({"press"}), via="key")
    if header == "Bearer nobody":
        return Person()
    raise CredentialsError("the key is not known; ask for a new one")


def said(text: str) -> list[Any]:
    """Messages with one of the user."""
    return [{"role": "user", "content": text}]
