"""Text files: the first line is the title unless the front matter gives one."""

from __future__ import annotations

from bri_qa.corpus.canonical import canonical
from bri_qa.corpus.metadata import split_front_matter
from bri_qa.corpus.records import Article

_TITLE_CHARS = 200


def read(data: bytes) -> Article:
    """An article in plain text."""
    front, text = split_front_matter(canonical(data))
    return Article(text, shortened(first_line(text)), front)


def first_line(text: str) -> str:
    """The first line that is not blank, its white space made single; "" if there is none."""
    return next((" ".join(line.split()) for line in text.split("\n") if line.strip()), "")


def shortened(title: str) -> str:
    """A title of a length that can be shown; cut between words where it has any."""
    if len(title) <= _TITLE_CHARS:
        return title
    head = title[:_TITLE_CHARS]
    return (head.rsplit(" ", 1)[0] if " " in head else head) + "…"
