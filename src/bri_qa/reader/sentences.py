"""A reader with no trained weights of its own: sentences scored by meaning (embeddings) and by shared words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from bri_qa.passages import sentences
from bri_qa.protocols import Embedder, Vectors
from bri_qa.reader.words import stems
from bri_qa.types import Hit, Passage, Reading, ScoredSpan

# Meaning and shared words in how near a text is; logistic map of the nearest sentence's to a confidence. Not fitted.
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

    def read(self, question: str, hits: Sequence[Hit]) -> list[Reading]:
        """One reading a hit: its sentences, best first; relevance is the best sentence's score."""
        vector = self._query(question)
        wanted = stems(question)
        return [self._read(vector, wanted, hit.passage) for hit in hits]

    def _read(self, vector: Vectors, wanted: frozenset[str], passage: Passage) -> Reading:
        spans, vectors = self._vectors(passage.text)
        cosines = vectors @ vector if len(spans) else np.zeros(0)
        scored = [
            ScoredSpan(found.span, nearness(float(cosine), wanted, found.span.of(passage.text)))
            for found, cosine in zip(spans, cosines, strict=True)
        ]
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


def nearness(cosine: float, wanted: frozenset[str], text: str) -> float:
    """How near a text is to a question with the stems `wanted`, by meaning and shared words, in [0, 1]."""
    shared = len(wanted & stems(text)) / len(wanted) if wanted else 0.0
    return MEANING * min(1.0, max(0.0, cosine)) + WORDS * shared


def _logistic(score: float) -> float:
    return 1.0 / (1.0 + math.exp(-SLOPE * (score - MIDDLE)))
