"""Markdown files: as plain text, with the heading's sign taken off the title."""

from __future__ import annotations

from bri_qa.corpus import plain
from bri_qa.corpus.canonical import canonical
from bri_qa.corpus.metadata import split_front_matter
from bri_qa.corpus.records import Article


def read(data: bytes) -> Article:
    """An article in Markdown; its text keeps the signs."""
    front, text = split_front_matter(canonical(data))
    line = plain.first_line(text)
    return Article(text, plain.shortened(line.lstrip("#").strip() or line), front)
