"""A cited digest: the sentences that stand nearest to what the whole of an article is about, in reading order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bri_qa.answer.cited import Sentence, each_once
from bri_qa.protocols import Embedder, Vectors
from bri_qa.types import AbstainReason, Draft, Hit, Question

_SENTENCES = 6  # of a digest of one article
_MOST = 12  # of a digest of many
_LEAST_WORDS = 6  # a shorter line is a heading or a caption
_MOST_WORDS = 80
_DIVERSITY = 0.4


@dataclass(frozen=True)
class DigestAnswerer:
    """Chooses central sentences that differ from one another.

    A sentence's weight is its cosine to the mean of the article's sentences; those already chosen lower it
    (maximal marginal relevance, Carbonell and Goldstein, SIGIR 1998).
    """

    embedder: Embedder

    @property
    def mode(self) -> str:
        return "extractive"

    def answer(self, question: Question, query: str, hits: Sequence[Hit]) -> Draft:
        """`hits` are all passages in scope, in reading order; they need not be read."""
        del question, query
        by_document: dict[str, list[Sentence]] = defaultdict(list)
        for sentence in each_once(hits):
            if _LEAST_WORDS <= len(sentence.text.split()) <= _MOST_WORDS and sentence.text.rstrip()[-1:] in '.!?。”"’':
                by_document[sentence.passage.document_id].append(sentence)
        if not by_document:
            return Draft(reason=AbstainReason.NOT_STATED, message="There is no text here to sum up.")
        share = max(1, min(_SENTENCES, _MOST // len(by_document)))
        chosen = [item for key in list(by_document)[:_MOST] for item in self._central(by_document[key], share)]
        return Draft(tuple(item.statement() for item in chosen), confidence=1.0)

    def _central(self, sentences: Sequence[Sentence], count: int) -> list[Sentence]:
        vectors = self.embedder.embed_passages([item.text for item in sentences])
        order = _diverse(vectors, count)
        return [sentences[i] for i in sorted(order)]


def _diverse(vectors: Vectors, count: int) -> list[int]:
    """Row numbers of `count` rows that are near the mean and far from one another, in the order of choice."""
    weight = vectors @ vectors.mean(0)
    weight = weight / max(float(np.abs(weight).max()), 1e-9)
    chosen: list[int] = []
    while len(chosen) < min(count, len(vectors)):
        likeness = (vectors @ vectors[chosen].T).max(1) if chosen else np.zeros(len(vectors), np.float32)
        gain = (1 - _DIVERSITY) * weight - _DIVERSITY * likeness
        gain[chosen] = -np.inf
        chosen.append(int(gain.argmax()))
    return chosen
