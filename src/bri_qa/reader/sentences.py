"""A reader with no trained weights of its own: sentences scored by meaning (embeddings) and by shared words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from bri_qa.passages import sentences
from bri_qa.protocols import Embedder, Vectors
from bri_qa.reader.words import stems
from bri_qa.types import Hit, Passage, Reading, ScoredSpan, Span

# Meaning and shared words in a sentence's score; logistic map of the best score to a confidence. Set by
# hand, not fitted: the trained reader, which uses the score as one of its features, weighs it by calibration.
MEANING, WORDS = 0.75, 0.25
SLOPE, MIDDLE = 9.0, 0.50


class SentenceReader:
    """Reader over whole sentences: `exact` is false, so it gives no short answers."""

    name = "sentences"
    threshold = 0.5
    topic_threshold = 0.30
    settled = math.inf  # it is quick: all passages are read

    def __init__(self, embedder: Embedder, remember: int = 4_096) -> None:
        self._embedder = embedder
        self._vectors = lru_cache(maxsize=remember)(self._embed)
        self._query = lru_cache(maxsize=64)(embedder.embed_query)

    def _embed(self, text: str) -> tuple[tuple[ScoredSpan, ...], Vectors]:
        spans = sentences(text)
        vectors = self._embedder.embed_passages([span.of(text) for span in spans])
        return tuple(ScoredSpan(span, 0.0) for span in spans), vectors

    def read(self, question: str, passages: Sequence[Passage]) -> list[Reading]:
        """One reading a passage: its sentences, best first; relevance is the best sentence's score."""
        vector = self._query(question)
        wanted = stems(question)
        return [self._read(vector, wanted, passage) for passage in passages]

    def meanings(self, question: str, passages: Sequence[Passage]) -> list[dict[Span, float]]:
        """For each passage the score of each of its sentences, in [0, 1]."""
        return [{item.span: item.score for item in reading.spans} for reading in self.read(question, passages)]

    def _read(self, vector: Vectors, wanted: frozenset[str], passage: Passage) -> Reading:
        spans, vectors = self._vectors(passage.text)
        meaning = np.clip(vectors @ vector, 0.0, 1.0) if len(spans) else np.zeros(0)
        scored = []
        for found, cosine in zip(spans, meaning, strict=True):
            shared = len(wanted & stems(found.span.of(passage.text))) / len(wanted) if wanted else 0.0
            scored.append(ScoredSpan(found.span, MEANING * float(cosine) + WORDS * shared))
        scored.sort(key=lambda item: (-item.score, item.span.start))
        best = scored[0].score if scored else 0.0
        return Reading(passage.id, best, 1.0 - _logistic(best), tuple(scored))

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """Read hits by relevance, best first; ties by passage id."""
        del question
        read = [Hit(hit.passage, hit.reading.relevance, hit.reading) for hit in hits if hit.reading is not None]
        return sorted(read, key=lambda hit: (-hit.score, hit.passage.id))

    def confidence(self, question: str, hits: Sequence[Hit]) -> float:
        """Logistic in the best sentence's score."""
        del question
        return max((_logistic(hit.reading.relevance) for hit in hits if hit.reading is not None), default=0.0)


def _logistic(score: float) -> float:
    return 1.0 / (1.0 + math.exp(-SLOPE * (score - MIDDLE)))
