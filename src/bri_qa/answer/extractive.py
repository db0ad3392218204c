"""The default answerer: the sentence or few sentences in which the reader found the answer, word for word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bri_qa.answer.cited import Sentence, is_among, is_whole, same_words, sentences_of
from bri_qa.answer.extractive_asked import Asked, leans
from bri_qa.types import AbstainReason, Draft, Hit, Question, Quote, ScoredSpan, Span


@dataclass(frozen=True, slots=True)
class _Found:
    """A sentence that holds a span of the reader's, with that span, the reader's score and what of it counts."""

    sentence: Sentence
    best: ScoredSpan
    exact: bool
    score: float
    lead: Sentence | None = None  # the sentence before, which says of whom this one speaks

    @property
    def whole(self) -> Sentence:
        """The sentence, its lead before it."""
        start = self.sentence.span.start if self.lead is None else self.lead.span.start
        return Sentence(self.sentence.passage, Span(start, self.sentence.span.end))


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
        asked = Asked(query)
        found = _weighed([item for hit in hits for item in _sentences(hit, asked)], asked)
        if not found:
            return Draft(reason=AbstainReason.NOT_STATED)
        chosen = _to_the_point(self._chosen(found), asked)
        return Draft(tuple(item.whole.statement() for item in chosen), self._short(found[0], asked))

    def _short(self, best: _Found, asked: Asked) -> Quote | None:
        if not best.exact or best.best.score < self.sure / 2:
            return None
        passage, at = best.sentence.passage, best.sentence.span
        if not at.contains(best.best.span):
            return None
        inside = asked.short(best.sentence.text, best.best.span.shift(-at.start))
        if inside is None:
            return None
        span = inside.shift(at.start)
        return Quote(passage.id, span.of(passage.text), span)

    def _chosen(self, found: Sequence[_Found]) -> list[_Found]:
        unsure = found[0].exact and found[0].best.score < self.sure
        least = 0.0 if unsure else found[0].score * self.share
        chosen: list[_Found] = []
        for item in found:
            if len(chosen) == self.max_statements or item.score < least:
                break
            places = [other.whole.place for other in chosen]
            repeated = any(same_words(item.sentence.text, other.sentence.text) for other in chosen)
            if not repeated and not is_among(item.whole, places):
                chosen.append(item)
        return chosen


def _weighed(found: Sequence[_Found], asked: Asked) -> list[_Found]:
    """Best first, each with as much of its score as the question's wording leaves it."""
    weights = asked.weights([item.sentence for item in found])
    weighed = [replace(item, score=item.best.score * kept) for item, kept in zip(found, weights, strict=True)]
    return sorted(weighed, key=lambda item: (-item.score, item.sentence.passage.id, item.sentence.span.start))


def _to_the_point(chosen: Sequence[_Found], asked: Asked) -> list[_Found]:
    """The best sentence, and whole ones that share a word with the query; all, if none does (another language)."""
    sharing = [item for item in chosen if asked.share(item.sentence.text)]
    whole = is_whole(chosen[0].sentence)
    return [
        item
        for at, item in enumerate(chosen)
        if at == 0 or ((not sharing or item in sharing) and (is_whole(item.sentence) or not whole))
    ]


def _sentences(hit: Hit, asked: Asked) -> list[_Found]:
    """The sentences of a read hit that hold a span, each with its best one."""
    reading = hit.reading
    if reading is None:
        return []
    sentences = sentences_of(hit.passage)
    found: dict[Span, _Found] = {}
    for scored in reading.spans:
        touched = [at for at, item in enumerate(sentences) if item.span.overlaps(scored.span)]
        if not touched:
            continue
        whole = Sentence(hit.passage, Span(sentences[touched[0]].span.start, sentences[touched[-1]].span.end))
        if whole.span not in found or found[whole.span].best.score < scored.score:
            before = sentences[touched[0] - 1] if touched[0] else None
            lead = before if before is not None and leans(whole, before, asked) else None
            found[whole.span] = _Found(whole, scored, reading.exact, scored.score, lead)
    return list(found.values())
