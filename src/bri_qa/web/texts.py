"""The words of the interface in the languages it speaks. The articles, and the words cut from them, stay as they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "static" / "texts"
ENGLISH = "en"
CHINESE = "zh-Hans"
LANGUAGES = (ENGLISH, CHINESE)
COOKIE = "bri_language"


class Texts:
    """The texts of one language. `texts(key, name=…)` fills in the values."""

    def __init__(self, language: str, words: Mapping[str, str]) -> None:
        self.language = language
        self.words = words

    def __call__(self, key: str, **values: object) -> str:
        """
        Raises:
            KeyError: there is no such text.
        """
        return self.words[key].format(**values) if values else self.words[key]

    def count(self, key: str, count: int, **values: object) -> str:
        """`key.one` or `key.other`, with `count` written as people write it."""
        return self(f"{key}.{'one' if count == 1 else 'other'}", count=f"{count:,}", **values)

    def has(self, key: str) -> bool:
        return key in self.words


@cache
def of(language: str) -> Texts:
    """
    Raises:
        FileNotFoundError: the interface does not speak `language`.
    """
    return Texts(language, json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8")))


def chosen(cookie: str | None, accepted: str | None) -> Texts:
    """The reader's own choice, else the first of the browser's languages that is spoken here, else English."""
    if cookie in LANGUAGES:
        return of(cookie)
    for tag in _by_quality(accepted or ""):
        if tag == "en" or tag.startswith("en-"):
            return of(ENGLISH)
        if tag == "zh" or tag.startswith("zh-"):
            return of(CHINESE)
    return of(ENGLISH)


def _by_quality(header: str) -> list[str]:
    """The tags of an Accept-Language header, best first; those that are refused (q=0) or malformed are left out."""
    found = []
    for number, part in enumerate(header[:1_000].split(",")):
        tag, _, rest = part.strip().partition(";")
        try:
            quality = float(rest.strip().removeprefix("q=")) if rest else 1.0
        except ValueError:
            continue
        if tag and quality > 0:
            found.append((-quality, number, tag.strip().lower()))
    return [tag for _, _, tag in sorted(found)]
