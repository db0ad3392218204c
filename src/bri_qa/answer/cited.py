"""Sentences of passages as statements that quote themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bri_qa.passages import sentences
from bri_qa.types import Hit, Passage, Quote, Span, Statement


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a passage; `span` lies within the passage's text."""

    passage: Passage
    span: Span

    @property
    def text(self) -> str:
        return self.span.of(self.passage.text)

    @property
    def place(self) -> tuple[str, Span]:
        """Where it stands in its document: the same for overlapping passages."""
        return self.passage.document_id, self.span.shift(self.passage.span.start)

    def statement(self) -> Statement:
        """The sentence as a statement that stands on itself, its white space made single."""
        return Statement(" ".join(self.text.split()), (Quote(self.passage.id, self.text, self.span),))


def sentences_of(passage: Passage) -> list[Sentence]:
    """In reading order."""
    return [Sentence(passage, span) for span in _spans(passage.text)]


@lru_cache(maxsize=4_096)
def _spans(text: str) -> Sequence[Span]:
    return tuple(sentences(text))


def each_once(hits: Iterable[Hit]) -> Iterator[Sentence]:
    """The sentences of all hits, those that overlapping passages share only once."""
    seen: list[tuple[str, Span]] = []
    for hit in hits:
        for sentence in sentences_of(hit.passage):
            if not is_among(sentence, seen):
                seen.append(sentence.place)
                yield sentence


def is_among(sentence: Sentence, places: Iterable[tuple[str, Span]]) -> bool:
    """Whether a place overlaps the sentence's: a passage bound may have cut one of the two."""
    document_id, span = sentence.place
    return any(document_id == other and span.overlaps(place) for other, place in places)


def same_words(one: str, other: str) -> bool:
    """Whether two sentences say the same to the letter, white space and case aside: an article and its reprint."""
    return one.casefold().split() == other.casefold().split()


def is_whole(sentence: Sentence) -> bool:
    """Whether it ends as a sentence does; headings, captions and the cut ends of a passage do not."""
    return sentence.text.rstrip()[-1:] in tuple('.!?。！？…”"’」』)')
