"""Draft and hits to cited statements and rejections: every quote is located in its document and cut from it.

Pure string work. Nothing is patched up to fit: a quote is found, or it is rejected and kept for the trace.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from bri_qa.types import (
    Citation,
    CitedStatement,
    Document,
    Draft,
    Hit,
    Passage,
    Quote,
    Rejection,
    Span,
    Statement,
)

# Typographic variants that stand for the same character when a quote is looked up; the citation is always cut
# from the article, so that the reader sees the article's own character.
_VARIANTS = ('"“”„‟«»', "'‘’‚‛", "-‐‑‒–—―−")
_CLASS = {char: "[" + re.escape(group) + "]" for group in _VARIANTS for char in group}


@dataclass(frozen=True, slots=True)
class Verified:
    """What is left of a draft: statements that stand, the numbered citations they stand on, and what was rejected."""

    statements: tuple[CitedStatement, ...]
    citations: tuple[Citation, ...]
    short_answer: str | None
    rejected: tuple[Rejection, ...]


def locate(quote: Quote, text: str) -> Span | None:
    """Where `quote` stands in `text`, or None.

    The hinted place is taken if the words are there, else the first place where they stand as whole words; white
    space and typographic quotes and dashes may differ, no letter or digit may. Signs alone are no quote.
    """
    if not any(map(str.isalnum, quote.text)):
        return None
    if quote.span is not None and quote.span.of(text) == quote.text:
        return quote.span
    words = unicodedata.normalize("NFC", quote.text).split()
    if sum(map(len, words)) > len(text):
        return None
    whole = (span for span in _places(words, text) if not (_in_word(text, span.start) or _in_word(text, span.end)))
    return next(whole, None)


def _places(words: Sequence[str], text: str) -> Iterator[Span]:
    """Where the words stand as they are written, then where typographic variants of them do."""
    exact = " ".join(words)
    start = text.find(exact)
    while start >= 0:
        yield Span(start, start + len(exact))
        start = text.find(exact, start + 1)
    pattern = r"\s+".join("".join(_CLASS.get(char, re.escape(char)) for char in word) for word in words)
    for found in re.finditer(pattern, text):
        yield Span(found.start(), found.end())


def _in_word(text: str, at: int) -> bool:
    """Whether a cut at `at` would break a word, a number or a character: "12" does not stand in "112,000".

    Scripts that write no spaces between words (Unicode category Lo) can be cut anywhere.
    """
    if not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    if unicodedata.category(after).startswith("M"):
        return True
    if before in ".," and after.isdecimal():
        return text[at - 2 : at - 1].isdecimal()
    if before.isdecimal() and after in ".,":
        return text[at + 1 : at + 2].isdecimal()
    return _is_letter(before) and _is_letter(after)


def _is_letter(char: str) -> bool:
    return char.isdecimal() or (char.isalpha() and unicodedata.category(char) != "Lo")


@dataclass(slots=True)
class _Numbering:
    """Gives each cited place one number, in the order of first use."""

    document: Callable[[str], Document | None]
    citations: list[Citation] = field(default_factory=list)
    places: dict[tuple[str, Span], int] = field(default_factory=dict)

    def cite(self, quote: Quote, passage: Passage) -> int | str:
        """The number of the citation, or the reason why there is none."""
        document = self.document(passage.document_id)
        if document is None:
            return "its document is not in the index"
        if passage.span.of(document.text) != passage.text:
            return "its passage is not the document's text"
        found = locate(quote, passage.text)
        if found is None:
            return "its words are not in the passage"
        span = found.shift(passage.span.start)
        place = (document.id, span)
        if place not in self.places:
            number = len(self.citations) + 1
            self.places[place] = number
            self.citations.append(
                Citation(number, document.id, span, span.of(document.text), document.source, document.sha256)
            )
        return self.places[place]


@dataclass(slots=True)
class Verifier:
    """Verifies the statements of one draft as they come; what was given a number keeps it.

    `document` gives the documents by id.
    """

    hits: Sequence[Hit]
    document: Callable[[str], Document | None]
    statements: list[CitedStatement] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    _numbering: _Numbering = field(init=False)
    _passages: dict[str, Passage] = field(init=False)

    def __post_init__(self) -> None:
        self._numbering = _Numbering(self.document)
        self._passages = {hit.passage.id: hit.passage for hit in self.hits}

    def add(self, statement: Statement) -> CitedStatement | None:
        """The statement with the numbers of its citations; None if it was dropped for want of a quote."""
        numbers = _cite_all(statement, self._passages, self._numbering, self.rejected)
        if not numbers:
            self.rejected.append(Rejection(statement.text, "", "no quote of the statement was found"))
            return None
        cited = CitedStatement(statement.text, tuple(numbers))
        self.statements.append(cited)
        return cited

    def of(self, statement: CitedStatement) -> tuple[Citation, ...]:
        """The citations that the marks of a verified statement name."""
        return tuple(self._numbering.citations[number - 1] for number in statement.citations)

    def finish(self, short_answer: Quote | None) -> Verified:
        """All that stands, and the short answer if it stands in a cited quote."""
        citations = self._numbering.citations
        short = _short_answer(short_answer, citations, self.rejected)
        return Verified(tuple(self.statements), tuple(citations), short, tuple(self.rejected))


def verify(draft: Draft, hits: Sequence[Hit], document: Callable[[str], Document | None]) -> Verified:
    """Check every quote of `draft` against the documents that `document` gives by id.

    A quote that is not found is rejected; a statement left with no quote is dropped; a short answer that stands in
    none of the surviving quotes is dropped.
    """
    verifier = Verifier(hits, document)
    for statement in draft.statements:
        verifier.add(statement)
    return verifier.finish(draft.short_answer)


def _cite_all(
    statement: Statement, passages: dict[str, Passage], numbering: _Numbering, rejected: list[Rejection]
) -> list[int]:
    numbers: list[int] = []
    for quote in statement.quotes:
        passage = passages.get(quote.passage_id)
        outcome = numbering.cite(quote, passage) if passage else "its passage was not retrieved"
        if isinstance(outcome, str):
            rejected.append(Rejection(statement.text, quote.text, outcome))
        elif outcome not in numbers:
            numbers.append(outcome)
    return numbers


def _short_answer(quote: Quote | None, citations: Sequence[Citation], rejected: list[Rejection]) -> str | None:
    if quote is None:
        return None
    for citation in citations:
        found = locate(Quote(quote.passage_id, quote.text), citation.quote)
        if found is not None:
            return found.of(citation.quote)
    rejected.append(Rejection("", quote.text, "the short answer stands in no cited quote"))
    return None


def recut(citation: Citation, document: Document | None) -> str | None:
    """Why a saved citation no longer stands, or None when it does (`bri-qa verify`)."""
    if document is None:
        return "its document is not in the index"
    if citation.span.of(document.text) == citation.quote:
        return None
    if document.sha256 != citation.document_sha256:
        return "the article has changed and other words stand there now"
    return "other words stand there"
