"""What a corpus folder gives, and what its parts hand to one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bri_qa.types import Document


@dataclass(frozen=True, slots=True)
class RejectedFile:
    """A file that is no document: its path under the corpus folder and, in one line, why and what to do."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """The documents in the order of their paths, and every file that was rejected, by path. `paths` are by id."""

    documents: tuple[Document, ...]
    rejected: tuple[RejectedFile, ...]
    paths: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Article:
    """What a format's reader finds in a file: its text, a title of its own, and what the file says of itself."""

    text: str
    title: str
    metadata: Mapping[str, str] = field(default_factory=dict)


class Unusable(Exception):  # noqa: N818 - a verdict on one file, caught in this package
    """A file cannot become a document; the message is the reason."""
