"""Which articles are asked: filters as they stand in the address of the chat, and as the reader sees them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from bri_qa.types import Document, Filters
from bri_qa.web.texts import Texts

MAX_VALUES = 50
MAX_CHARS = 300
_DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")


def is_date(text: str) -> bool:
    """Whether `text` is an ISO date, a month or a year."""
    return bool(_DATE.fullmatch(text))


def read(query: QueryParams) -> Filters:
    """The filters that an address names. What is malformed does not restrict."""
    start, end = query.get("from", ""), query.get("to", "")
    return Filters(
        _values(query.getlist("document")),
        _values(query.getlist("publisher")),
        start if is_date(start) else None,
        end if is_date(end) else None,
    )


def _values(found: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item for item in found[:MAX_VALUES] if 0 < len(item) <= MAX_CHARS))


def pairs(filters: Filters) -> list[tuple[str, str]]:
    """The filters as the parameters of an address."""
    found = [("document", item) for item in filters.document_ids]
    found += [("publisher", item) for item in filters.publishers]
    found += [("from", filters.published_from)] if filters.published_from else []
    return found + ([("to", filters.published_to)] if filters.published_to else [])


def address(filters: Filters, path: str = "/") -> str:
    """The chat with these filters."""
    return f"{path}?{urlencode(pairs(filters))}" if filters.narrows else path


def _without(filters: Filters) -> Iterator[tuple[str, str, Filters]]:
    """Each single filter: its kind, its value, and the filters without it."""
    for item in filters.document_ids:
        yield "document", item, replace(filters, document_ids=tuple(x for x in filters.document_ids if x != item))
    for item in filters.publishers:
        yield "publisher", item, replace(filters, publishers=tuple(x for x in filters.publishers if x != item))
    if filters.published_from:
        yield "from", filters.published_from, replace(filters, published_from=None)
    if filters.published_to:
        yield "to", filters.published_to, replace(filters, published_to=None)


def chips(filters: Filters, documents: Sequence[Document], texts: Texts) -> str:
    """The filters as a list with a way to remove each, and how many articles they leave. Empty where there is none."""
    if not filters.narrows:
        return ""
    titles = {item.id: item.source.title for item in documents}

    def named(kind: str, value: str) -> str:
        if kind == "document":
            return titles.get(value) or texts("scope.unknown")
        return texts(f"scope.{kind}", date=value) if kind in ("from", "to") else value

    items = "".join(_chip(named(kind, value), rest, texts) for kind, value, rest in _without(filters))
    fit = sum(filters.allow(item.id, item.source) for item in documents)
    count = texts.count("articles.found", fit, total=f"{len(documents):,}")
    return (
        f'<p class="bri-scope-label" id="bri-scope-label">{texts("scope.label")}</p>'
        f'<ul aria-labelledby="bri-scope-label">{items}</ul><p class="bri-scope-count">{count}</p>'
        f'<a class="bri-scope-clear" href="/">{texts("scope.clear")}</a>'
    )


def _chip(name: str, rest: Filters, texts: Texts) -> str:
    label = escape(texts("scope.remove", name=name))
    return (
        f'<li><span>{escape(name)}</span><a href="{escape(address(rest))}" aria-label="{label}" title="{label}">'
        '<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="M7 7l10 10M17 7L7 17"/></svg></a></li>'
    )
