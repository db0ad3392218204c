"""What is exported, before it has a format. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlsplit

from bri_qa import render
from bri_qa.history import Conversation, Entry
from bri_qa.types import AbstainReason, Document, Span

NEAREST = 3
NAME_CHARS = 60
PROMISE = "Every quote is the article’s own text."

Link = Callable[[Document, Span], str]

# What may stand in an address; anything else would end it early in Markdown, or break it in a document.
_ADDRESS = "%/:?#[]@!$&'*+,;=-._~"


@dataclass(frozen=True, slots=True)
class Place:
    """A numbered quote and where it stands; of an abstention, a passage that comes near."""

    number: int
    quote: str
    title: str
    publisher: str | None
    published: str | None
    licence: str | None
    permalink: str | None
    original: str | None

    @property
    def origin(self) -> str:
        """Title, publisher, date and licence, as far as they are known."""
        licence = f"licence: {self.licence}" if self.licence else None
        return ", ".join(part for part in (self.title, self.publisher, self.published, licence) if part)


@dataclass(frozen=True, slots=True)
class Paper:
    """One answer (`single`: its question is the title) or the answers of a conversation, oldest first."""

    title: str
    created: datetime
    entries: tuple[Entry, ...]
    link: Link
    single: bool = False

    @classmethod
    def of_entry(cls, entry: Entry, link: Link) -> Paper:
        return cls(entry.answer.question.text, entry.asked, (entry,), link, single=True)

    @classmethod
    def of_conversation(cls, conversation: Conversation, link: Link) -> Paper:
        return cls(conversation.title, conversation.created, conversation.entries, link)

    def places(self, entry: Entry) -> list[Place]:
        """The citations of an answer, or the nearest passages of an abstention, by number."""
        answer = entry.answer
        if not answer.abstained:
            cited = [
                (Document(item.document_id, "", item.source, item.document_sha256), item.span, item.quote)
                for item in answer.citations
            ]
        elif answer.reason is AbstainReason.SMALL_TALK:
            cited = []
        else:
            cited = [
                (found, hit.passage.span, hit.passage.text)
                for hit in answer.hits[:NEAREST]
                if (found := entry.documents.get(hit.passage.document_id)) is not None
            ]
        return [self._place(number, *item) for number, item in enumerate(cited, start=1)]

    def _place(self, number: int, document: Document, span: Span, words: str) -> Place:
        source = document.source
        return Place(
            number=number,
            quote=words,
            title=source.title,
            publisher=source.publisher,
            published=source.published,
            licence=source.licence,
            permalink=safe_url(self.link(document, span)),
            original=safe_url(source.url),
        )


def heading(entry: Entry) -> str:
    """What stands above the places of an entry."""
    return "Nearest passages" if entry.answer.abstained else "Sources"


def asked(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def message(entry: Entry) -> str:
    """The plain words of an abstention."""
    return render.message(entry.answer)


def safe_url(url: str | None) -> str | None:
    """`url` if it is an ordinary web address, with everything that is no part of one percent-encoded; else None."""
    try:
        parts = urlsplit((url or "").strip())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return None
        return quote(parts.geturl(), safe=_ADDRESS)
    except (ValueError, UnicodeError):
        return None


def file_name(paper: Paper, suffix: str) -> str:
    """A name that every system takes: date and title in ASCII letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", paper.title).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", re.sub(r"['’]", "", plain)).strip("-")
    if len(words) > NAME_CHARS:
        words = words[:NAME_CHARS].rpartition("-")[0] or words[:NAME_CHARS]
    return f"{paper.created:%Y-%m-%d}-{words or ('answer' if paper.single else 'conversation')}.{suffix}"
