"""The trained reader: one pass of a cross-encoder over (question, passage) gives relevance, spans and "no answer".

Each sentence of a passage gets its best span; how likely that span is the answer is a logistic function of what the
network says of span and passage and of how near the passage is by meaning and words (training/README.md).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from bri_qa import minilm
from bri_qa.bert import Encoder, Precision, Weights
from bri_qa.errors import ArtifactMissingError
from bri_qa.protocols import Embedder
from bri_qa.reader.network import HEADS, Network, Raw, RawSentence
from bri_qa.reader.sentences import nearness
from bri_qa.reader.words import coverage, is_search, stems
from bri_qa.types import Hit, Reading, ScoredSpan

BUNDLED = Path(__file__).parent.parent / "weights" / "reader"
CARD, WEIGHTS = "reader.json", "model.safetensors"


@dataclass(frozen=True, slots=True)
class Calibration:
    """Weights of logistic functions, fitted on public calibration questions, and the thresholds chosen there.

    `span` weighs `features`, `rank` weighs `rank_features`, `confidence` weighs `confidence_features`.
    """

    span: Mapping[str, float]
    rank: Mapping[str, float]
    confidence: Mapping[str, float]
    threshold: float
    topic_threshold: float
    settled: float

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Calibration:
        return cls(**{key: raw[key] for key in cls.__slots__})


def is_ours(folder: Path) -> bool:
    """Whether the folder holds a reader of this package's own kind: its card stands there."""
    return (folder / CARD).is_file()


def features(raw: Raw, item: RawSentence, near: float) -> dict[str, float]:
    """What the chance that a sentence answers is a function of; `near` is how near its passage is."""
    return {"margin": item.margin, "no_answer": raw.no_answer, "relevance": raw.relevance, "nearness": near}


class CrossEncoderReader:
    """Reader over the network's spans: `exact` is true. Safe from several threads at once."""

    def __init__(
        self, name: str, network: Network, embedder: Embedder, calibration: Calibration, remember: int = 4_096
    ) -> None:
        self.name = name
        self._network = network
        self._calibration = calibration
        self._query = lru_cache(maxsize=64)(embedder.embed_query)
        self._vector = lru_cache(maxsize=remember)(lambda text: embedder.embed_passages([text])[0])

    @classmethod
    def load(
        cls, folder: Path, embedder: Embedder, precision: Precision = "auto", threads: int = 0
    ) -> CrossEncoderReader:
        """The reader in `folder`: `reader.json`, and `model.safetensors`, which adds to the bundled MiniLM.

        `embedder` tells how near a passage is to the question, where a hit does not say it.

        Raises:
            ArtifactMissingError, ArtifactHashError: a file is missing or not the one that `reader.json` names.
            ModelError: the bundled MiniLM is not installed, or bf16 is asked of a CPU without it.
        """
        card = folder / CARD
        if not card.is_file():
            raise ArtifactMissingError(f"{card} is missing; reinstall the package (make clean setup)")
        raw = json.loads(card.read_text(encoding="utf-8"))
        files = [minilm.weights(), Weights(folder / WEIGHTS, raw["sha256"])]
        network = Network(Encoder.load(files, HEADS, precision=precision, threads=threads), minilm.tokenizer())
        return cls(raw["name"], network, embedder, Calibration.of(raw["calibration"]))

    @property
    def threshold(self) -> float:
        return self._calibration.threshold

    @property
    def topic_threshold(self) -> float:
        return self._calibration.topic_threshold

    @property
    def settled(self) -> float:
        return self._calibration.settled

    def read(self, question: str, hits: Sequence[Hit]) -> list[Reading]:
        """One reading a hit; spans, one a sentence, are scored by how likely each is the answer."""
        raws = self._network.raw(question, [hit.passage for hit in hits])
        return [self._reading(hit, raw, self._nearness(question, hit)) for hit, raw in zip(hits, raws, strict=True)]

    def _nearness(self, question: str, hit: Hit) -> float:
        """How near the passage is to the question without the network."""
        cosine = hit.cosine
        if cosine is None:
            cosine = float(self._vector(hit.passage.text) @ self._query(question))
        return nearness(cosine, stems(question), hit.passage.text)

    def _reading(self, hit: Hit, raw: Raw, near: float) -> Reading:
        weights = self._calibration.span
        scored = [ScoredSpan(item.span, logistic(weights, features(raw, item, near))) for item in raw.sentences]
        scored.sort(key=lambda item: (-item.score, item.span.start))
        return Reading(hit.passage.id, sigmoid(raw.relevance), sigmoid(raw.no_answer), tuple(scored), exact=True)

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """Read hits by relevance, span and retrieval together, best first; ties by passage id."""
        read = [replace(hit, score=self._rank(question, hit, hit.reading)) for hit in hits if hit.reading is not None]
        return sorted(read, key=lambda hit: (-hit.score, hit.passage.id))

    def _rank(self, question: str, hit: Hit, reading: Reading) -> float:
        best = reading.spans[0].score if reading.spans else 0.0
        near = self._nearness(question, hit)
        values = rank_features(question, hit.score, hit.dense, reading.relevance, best, near)
        return logistic(self._calibration.rank, values)

    def confidence(self, question: str, hits: Sequence[Hit]) -> float:
        """How likely the best span of all is the answer."""
        read = [(hit.reading.spans[0].score, hit) for hit in hits if hit.reading and hit.reading.spans]
        if not read:
            return 0.0
        best, hit = max(read, key=lambda one: one[0])
        values = confidence_features(question, hit.passage.text, best, self._nearness(question, hit))
        return logistic(self._calibration.confidence, values)


def rank_features(
    question: str, retrieval: float, dense: float, relevance: float, best: float, near: float
) -> dict[str, float]:
    """What a read hit's place is a function of: its retrieval score, its relevance, its best span's score, and
    `near`, how near its passage is without the network. Its place in dense retrieval counts for what is typed
    as into a search engine: the network knows less of that than of questions."""
    return {
        "relevance": _logit(relevance),
        "span": _logit(best),
        "retrieval": math.log(max(retrieval, 1e-9)),
        "nearness": near,
        "dense": dense if is_search(question) else 0.0,
    }


def confidence_features(question: str, passage: str, best: float, near: float) -> dict[str, float]:
    """What the confidence is a function of: the best span's score, and how near its passage is to the question.

    `near` is how near it is without the network.
    """
    words, names = coverage(question, passage)
    return {"best": _logit(best), "nearness": near, "words": words, "names": names}


def logistic(weights: Mapping[str, float], values: Mapping[str, float]) -> float:
    """In [0, 1]; a feature without a weight does not count."""
    return sigmoid(weights.get("bias", 0.0) + sum(weights.get(name, 0.0) * value for name, value in values.items()))


def sigmoid(x: float) -> float:
    """In [0, 1], without overflow."""
    return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, x))))


def _logit(p: float) -> float:
    p = min(1 - 1e-6, max(1e-6, p))
    return math.log(p / (1 - p))
