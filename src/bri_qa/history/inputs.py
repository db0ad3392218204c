"""What callers give, checked: user keys, searches, cursors; and text as it is searched. Pure."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

from bri_qa.errors import HistoryInputError

MAX_USER_CHARS = 200
MAX_SEARCH_CHARS = 200
MAX_PAGE = 200
SNIPPET_CHARS = 160


def user_key(user: str) -> str:
    """`user`, if it can be the key of one."""
    if not user or len(user) > MAX_USER_CHARS:
        raise HistoryInputError(f"a user's key has 1 to {MAX_USER_CHARS} characters")
    return user


def one_line(text: str) -> str:
    """Without line breaks and runs of blanks, and without what no encoding can write."""
    return " ".join(writable(text).split())


def writable(text: str) -> str:
    """Half a character (a lone surrogate) becomes the replacement sign: no database takes it."""
    return text.encode("utf-8", "replace").decode() if any("\ud800" <= char <= "\udfff" for char in text) else text


def bounded(text: str, most: int, what: str) -> str:
    """`text`, if it has at most `most` characters."""
    if len(text) > most:
        raise HistoryInputError(f"{what} has at most {most:,} characters; shorten it")
    return text


def fold(text: str) -> str:
    """As it is searched: compatible forms (full width, ligatures) made one, no case, no line breaks."""
    return " ".join(unicodedata.normalize("NFKC", one_line(text)).casefold().split())


def words(search: str) -> list[str]:
    """The folded words of a search; all of them must be found."""
    return fold(bounded(search, MAX_SEARCH_CHARS, "a search")).split()


def snippet(text: str, found: list[str]) -> str:
    """Text of one line around the first of the words that stands in it; its beginning where none does."""
    line = one_line(text)
    places = [at for word in found if (at := line.casefold().find(word)) >= 0]
    start = max(0, min(places, default=0) - SNIPPET_CHARS // 4)
    if start:
        start = line.find(" ", start - 1, start + SNIPPET_CHARS // 8) + 1 or start
    piece = line[start : start + SNIPPET_CHARS]
    return f"{'…' if start else ''}{piece.rstrip()}{'…' if start + SNIPPET_CHARS < len(line) else ''}"


def page_size(limit: int) -> int:
    """`limit`, if a page may have it."""
    if not 1 <= limit <= MAX_PAGE:
        raise HistoryInputError(f"a page has 1 to {MAX_PAGE} lines")
    return limit


def cursor(moment: datetime, identity: str) -> str:
    """Where a page ends, for the next one to begin."""
    return f"{moment.astimezone(UTC).strftime('%Y%m%dT%H%M%S%fZ')}~{identity}"


def after(text: str) -> tuple[datetime, str]:
    """What `cursor` was made of."""
    moment, _, identity = text.partition("~")
    try:
        found = datetime.strptime(moment, "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)
    except ValueError:
        found = None
    if found is None or cursor(found, identity) != text:
        raise HistoryInputError("the cursor is not one of ours; begin at the first page")
    return found, identity
