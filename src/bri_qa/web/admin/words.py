"""The words and the templates of the pages of administration."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import HTTPConnection

from bri_qa.web import pages, texts, visitors
from bri_qa.web.access import Role, person
from bri_qa.web.texts import FOLDER, Texts

_MEGABYTE = 1_000_000
_PLACES = {"remove": "articles", "preview": "add"}  # the entry of the navigation that a page belongs to


@cache
def of(language: str) -> Texts:
    """The words of the interface and those of its administration.

    Raises:
        FileNotFoundError: the interface does not speak `language`.
    """
    own = json.loads((FOLDER / "admin" / f"{language}.json").read_text(encoding="utf-8"))
    return Texts(language, {**texts.of(language).words, **own})


def texts_of(connection: HTTPConnection) -> Texts:
    """The words in the visitor's language."""
    return of(visitors.texts_of(connection).language)


def page(connection: HTTPConnection, template: str, title: str, /, **values: object) -> str:
    """A page of administration: a template in the house's frame. What the template is given is escaped.

    Raises:
        KeyError: the template names a text that does not exist.
        UndefinedError: or a value that it was not given.
    """
    words, who = texts_of(connection), person(connection)
    content = (
        _templates()
        .get_template(f"{template}.html.j2")
        .render(
            t=words,
            here=_PLACES.get(template, template),
            title=title,
            size=size,
            moment=moment,
            administrator=who.may(Role.ADMINISTRATOR),
            evaluator=who.may(Role.EVALUATOR),
            **values,
        )
    )
    return pages.administration_page(title, content, words)


def size(count: int) -> str:
    """Bytes as people write them."""
    return f"{count / _MEGABYTE:,.1f} MB" if count >= _MEGABYTE // 10 else f"{count / 1_000:,.1f} kB"


def moment(when: datetime) -> str:
    """A moment in UTC, to the minute."""
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def ago(when: datetime | None, words: Texts) -> str:
    """How long something has been."""
    if when is None:
        return words("admin.built.never")
    minutes = int((datetime.now(UTC) - when).total_seconds() // 60)
    for name, unit in (("days", 24 * 60), ("hours", 60), ("minutes", 1)):
        if minutes >= unit:
            return words.count(f"admin.built.{name}", minutes // unit)
    return words("admin.built.now")


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("bri_qa.web.admin"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
