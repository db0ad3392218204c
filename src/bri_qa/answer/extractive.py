"""The default answerer: the sentence or few sentences in which the reader found the answer, word for word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bri_qa.answer.cited import Sentence, is_among, same_words, sentences_of
from bri_qa.answer.support import content
from bri_qa.types import AbstainReason, Draft, Hit, Question, Quote, ScoredSpan, Span

_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class _Found:
    """A sentence that holds a span of the reader's, with that span and its score."""

    sentence: Sentence
    best: ScoredSpan
    exact: bool


@dataclass(frozen=True, slots=True)
class ExtractiveAnswerer:
    """Quotes the best sentence, and others whose score is at least `share` of the best one's.

    Where the best exact span is less likely right than `sure`, the next best sentences stand beside its own whatever
    their score; less likely than half of that, it is no short answer. A sentence that says nothing of what is asked
    does not stand beside one that does: “the answer to every question is …” has a score for any question.
    """

    max_statements: int = 3
    share: float = 0.6
    sure: float = 0.1

    @property
    def mode(self) -> str:
        return "extractive"

    def answer(self, question: Question, query: str, hits: Sequence[Hit]) -> Draft:
        """`hits` are read, best first. The short answer is the best span where the reader gives exact ones."""
        del question
        found = sorted((item for hit in hits for item in _sentences(hit)), key=_order)
        if not found:
            return Draft(reason=AbstainReason.NOT_STATED)
        chosen = _to_the_point(self._chosen(found), query)
        best = found[0]
        short = None
        if best.exact and best.best.score >= self.sure / 2:
            passage = best.sentence.passage
            short = Quote(passage.id, best.best.span.of(passage.text), best.best.span)
        return Draft(tuple(item.sentence.statement() for item in chosen), short)

    def _chosen(self, found: Sequence[_Found]) -> list[_Found]:
        unsure = found[0].exact and found[0].best.score < self.sure
        least = 0.0 if unsure else found[0].best.score * self.share
        chosen: list[_Found] = []
        for item in found:
            if len(chosen) == self.max_statements or item.best.score < least:
                break
            places = [other.sentence.place for other in chosen]
            repeated = any(same_words(item.sentence.text, other.sentence.text) for other in chosen)
            if not repeated and not is_among(item.sentence, places):
                chosen.append(item)
        return chosen


def _to_the_point(chosen: Sequence[_Found], query: str) -> list[_Found]:
    """The best sentence and those that share a word with `query`; all, if none does (as in another language)."""
    wanted = _words(query)
    sharing = [item for item in chosen if wanted & _words(item.sentence.text)]
    return [item for item in chosen if item is chosen[0] or not sharing or item in sharing]


def _words(text: str) -> frozenset[str]:
    return content(text) | frozenset(_NUMBER.findall(text))


def _order(item: _Found) -> tuple[float, str, int]:
    return (-item.best.score, item.sentence.passage.id, item.sentence.span.start)


def _sentences(hit: Hit) -> list[_Found]:
    """The sentences of a read hit that hold a span, each with its best one."""
    reading = hit.reading
    if reading is None:
        return []
    sentences = sentences_of(hit.passage)
    found: dict[Span, _Found] = {}
    for scored in reading.spans:
        whole = _around(sentences, scored.span)
        if whole is not None and (whole.span not in found or found[whole.span].best.score < scored.score):
            found[whole.span] = _Found(whole, scored, reading.exact)
    return list(found.values())


def _around(sentences: Sequence[Sentence], span: Span) -> Sentence | None:
    """The sentence that holds `span`, or the run of sentences that does."""
    touched = [item for item in sentences if item.span.overlaps(span)]
    if not touched:
        return None
    return Sentence(touched[0].passage, Span(touched[0].span.start, touched[-1].span.end))
