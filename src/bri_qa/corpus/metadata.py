"""What is said of an article, in its front matter or in sources.csv: checked, one line a value."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date

import yaml

from bri_qa.corpus.records import Unusable

SOURCE_KEYS = ("title", "publisher", "published", "url", "language", "licence", "groups")
FRONT_KEYS = ("id", *SOURCE_KEYS)

_FRONT = re.compile(r"---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_PUBLISHED = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?", re.ASCII)
_ID = re.compile(r"\w[\w.\-]*(/\w[\w.\-]*)*")
_ID_CHARS = 200
_GROUP = re.compile(r"[a-z0-9._-]{1,64}")
_NULLS = ("", "~", "null")
_QUICK = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as quick, but says less of what is wrong


def split_front_matter(text: str) -> tuple[dict[str, str], str]:
    """The front matter's values and the text that follows it; ({}, text) where there is none.

    Raises:
        Unusable: it is not closed, not `key: value` lines, or has an unknown key or a bad value; says the line.
    """
    if text.split("\n", 1)[0].rstrip(" \t") != "---":
        return {}, text
    found = _FRONT.match(text)
    if found is None:
        raise Unusable("front matter: `---` on line 1 is never closed; add a line `---` below its last key")
    return checked(_entries(found[1])), text[found.end() :]


def checked(entries: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    """(place, key, value) triples as a mapping without the empty ones.

    Raises:
        Unusable: a value that cannot be used; names the place.
    """
    values: dict[str, str] = {}
    for place, key, raw in entries:
        value = " ".join(unicodedata.normalize("NFC", raw).split())
        problem = _problem(key, value) if value else None
        if problem:
            raise Unusable(f"{place}: {problem}")
        if value:
            values[key] = ",".join(groups_of(value)) if key == "groups" else value
    return values


def groups_of(value: str) -> tuple[str, ...]:
    """The names of access groups in a value of `groups`, sorted, each once."""
    return tuple(sorted({name.strip() for name in value.split(",")} - {""}))


def _problem(key: str, value: str) -> str | None:
    if any(unicodedata.category(character) == "Cc" for character in value):
        return f"{key} holds a control character; remove it"
    if key == "published" and not _is_date(value):
        return f"published is {value[:40]!r}; write YYYY, YYYY-MM or YYYY-MM-DD"
    if key == "url" and not value.startswith(("https://", "http://")):
        return f"url is {value[:40]!r}; write one that starts with https:// or http://"
    if key == "id" and not (_ID.fullmatch(value) and len(value) <= _ID_CHARS):
        return f"id is {value[:40]!r}; use letters, digits and . _ - with / between parts, at most {_ID_CHARS}"
    if key == "groups" and (bad := _bad_group(value)) is not None:
        return f"groups has {bad[:40]!r}; write names of a-z, 0-9 and . _ - with commas between, at most 64 characters each"
    return None


def _bad_group(value: str) -> str | None:
    """The first name that is none: an empty one too, for a slip must not open an article to everyone."""
    return next((name.strip() for name in value.split(",") if not _GROUP.fullmatch(name.strip())), None)


def _is_date(value: str) -> bool:
    if not _PUBLISHED.fullmatch(value):
        return False
    try:
        date.fromisoformat(value + "0000-01-01"[len(value) :])
    except ValueError:
        return False
    return True


def _entries(front: str) -> list[tuple[str, str, str]]:
    """(place, key, value) triples. Values stay the words in the file: `no` is a language, not a falsehood."""
    try:
        root = _composed(front)
    except yaml.MarkedYAMLError as error:
        line = f" on line {error.problem_mark.line + 2}" if error.problem_mark else ""
        raise Unusable(f"front matter: bad YAML{line}: {error.problem}; write `key: value` lines") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise Unusable("front matter: bad YAML; write `key: value` lines") from error
    if root is None:
        return []
    if not isinstance(root, yaml.MappingNode):
        raise Unusable("front matter: not `key: value` lines on line 2; if it is text, drop the first `---`")
    return _pairs(root)


def _composed(front: str) -> yaml.Node | None:
    try:
        return yaml.compose(front, Loader=_QUICK)
    except yaml.YAMLError:
        return yaml.compose(front, Loader=yaml.SafeLoader)


def _pairs(root: yaml.MappingNode) -> list[tuple[str, str, str]]:
    seen: dict[str, str] = {}
    pairs = []
    for key, value in root.value:
        place = f"front matter, line {key.start_mark.line + 2}"
        name = str(key.value) if isinstance(key, yaml.ScalarNode) else "(not a word)"
        if name not in FRONT_KEYS:
            raise Unusable(f"{place}: unknown key {name[:40]!r}; known keys: {', '.join(FRONT_KEYS)}")
        if name in seen:
            raise Unusable(f"{place}: {name} is set a second time; keep one")
        seen[name] = place
        pairs.append((place, name, _value(place, name, value)))
    return pairs


def _value(place: str, name: str, value: yaml.Node) -> str:
    """The words of a value; of a list of groups, its names with commas between."""
    if name == "groups" and isinstance(value, yaml.SequenceNode):
        names = [item.value for item in value.value if _is_name(item)]
        if not names or len(names) < len(value.value):
            raise Unusable(f"{place}: groups is not a list of names; write groups: [board, press]")
        return ",".join(names)
    if not isinstance(value, yaml.ScalarNode):
        raise Unusable(f"{place}: {name} is not one value; write it on one line, in quotes if it holds : or [")
    return "" if not value.style and value.value in _NULLS else str(value.value)


def _is_name(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and bool(node.value.strip()) and "," not in node.value


def merged(front: Mapping[str, str], listed: Mapping[str, str]) -> dict[str, str]:
    """Front matter wins over sources.csv, key by key."""
    return {**listed, **front}
