"""The trained reader: one pass of a cross-encoder over (question, passage) gives relevance, spans and "no answer".

Each sentence of a passage gets its best span; how likely that span is the answer is a logistic function of what the
network says of span and passage and of how much of the question's wording they hold (training/README.md).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bri_qa import minilm
from bri_qa.bert import Batch, Encoder, Head, Precision, Weights
from bri_qa.errors import ArtifactMissingError
from bri_qa.passages import sentences
from bri_qa.reader.spans import Window, best_in
from bri_qa.reader.words import coverage
from bri_qa.types import Hit, Passage, Reading, ScoredSpan, Span

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BUNDLED = Path(__file__).parent.parent / "weights" / "reader"
CARD, WEIGHTS = "reader.json", "model.safetensors"
HEADS = (Head("span", "tokens"), Head("relevance", "first"), Head("no_answer", "first"))
MAX_TOKENS, QUESTION_TOKENS, STRIDE = 256, 64, 64
ROWS = 8  # of a batch
_CLS, _SEP = 101, 102


@dataclass(frozen=True, slots=True)
class RawSentence:
    """A sentence of a passage, its best span, and that span's margin over "no answer" in logits."""

    sentence: Span
    span: Span
    margin: float


@dataclass(frozen=True, slots=True)
class Raw:
    """What the network says of one passage: its sentences in reading order, and two logits."""

    sentences: tuple[RawSentence, ...]
    relevance: float
    no_answer: float


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


def features(question: str, passage: str, raw: Raw, item: RawSentence) -> dict[str, float]:
    """What the chance that a sentence answers is a function of."""
    words, names = coverage(question, passage)
    near, near_names = coverage(question, item.sentence.of(passage))
    return {
        "margin": item.margin,
        "no_answer": raw.no_answer,
        "relevance": raw.relevance,
        "words": words,
        "names": names,
        "near_words": near,
        "near_names": near_names,
    }


class CrossEncoderReader:
    """Reader over the network's spans: `exact` is true. Safe from several threads at once."""

    def __init__(self, name: str, encoder: Encoder, tokenizer: Tokenizer, calibration: Calibration) -> None:
        self.name = name
        self._encoder = encoder
        self._tokenizer = tokenizer
        self._calibration = calibration

    @classmethod
    def load(cls, folder: Path, precision: Precision = "auto", threads: int = 0) -> CrossEncoderReader:
        """The reader in `folder`: `reader.json`, and `model.safetensors`, which adds to the bundled MiniLM.

        Raises:
            ArtifactMissingError, ArtifactHashError: a file is missing or not the one that `reader.json` names.
            ModelError: the bundled MiniLM is not installed, or bf16 is asked of a CPU without it.
        """
        card = folder / CARD
        if not card.is_file():
            raise ArtifactMissingError(f"{card} is missing; reinstall the package (make clean setup)")
        raw = json.loads(card.read_text(encoding="utf-8"))
        files = [minilm.weights(), Weights(folder / WEIGHTS, raw["sha256"])]
        encoder = Encoder.load(files, HEADS, precision=precision, threads=threads)
        return cls(raw["name"], encoder, minilm.tokenizer(), Calibration.of(raw["calibration"]))

    @property
    def threshold(self) -> float:
        return self._calibration.threshold

    @property
    def topic_threshold(self) -> float:
        return self._calibration.topic_threshold

    @property
    def settled(self) -> float:
        return self._calibration.settled

    def raw(self, question: str, passages: Sequence[Passage]) -> list[Raw]:
        """The network's own numbers; a passage longer than a window is read in several."""
        rows, types, windows = self._rows(question, passages)
        bounds = [sentences(item.text) for item in passages]
        read: list[_Partial] = [_Partial() for _ in passages]
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]), reverse=True)
        for at in range(0, len(order), ROWS):
            chosen = order[at : at + ROWS]
            out = self._encoder.run(Batch.of([rows[i] for i in chosen], [types[i] for i in chosen]))
            for k, i in enumerate(chosen):
                window = windows[i]
                text = passages[window.passage].text
                found = [(one, best_in(out["span"][k], window, one, text)) for one in bounds[window.passage]]
                read[window.passage].add(found, float(out["relevance"][k, 0]), float(out["no_answer"][k, 0]))
        return [partial.raw() for partial in read]

    def read(self, question: str, passages: Sequence[Passage]) -> list[Reading]:
        """One reading a passage; spans, one a sentence, are scored by how likely each is the answer."""
        return [
            self._reading(question, passage, raw)
            for passage, raw in zip(passages, self.raw(question, passages), strict=True)
        ]

    def _reading(self, question: str, passage: Passage, raw: Raw) -> Reading:
        weights = self._calibration.span
        scored = [
            ScoredSpan(item.span, logistic(weights, features(question, passage.text, raw, item)))
            for item in raw.sentences
        ]
        scored.sort(key=lambda item: (-item.score, item.span.start))
        return Reading(passage.id, sigmoid(raw.relevance), sigmoid(raw.no_answer), tuple(scored), exact=True)

    def rerank(self, hits: Sequence[Hit]) -> list[Hit]:
        """Read hits by relevance, span and retrieval together, best first; ties by passage id."""
        read = [Hit(hit.passage, self._rank(hit, hit.reading), hit.reading) for hit in hits if hit.reading is not None]
        return sorted(read, key=lambda hit: (-hit.score, hit.passage.id))

    def _rank(self, hit: Hit, reading: Reading) -> float:
        best = reading.spans[0].score if reading.spans else 0.0
        return logistic(self._calibration.rank, rank_features(hit.score, reading.relevance, best))

    def confidence(self, question: str, hits: Sequence[Hit]) -> float:
        """How likely the best span of all is the answer."""
        del question
        scores = [span.score for hit in hits if hit.reading is not None for span in hit.reading.spans]
        return logistic(self._calibration.confidence, confidence_features(scores))

    def _rows(
        self, question: str, passages: Sequence[Passage]
    ) -> tuple[list[list[int]], list[list[int]], list[Window]]:
        """Token ids, segment ids and windows; every token of a passage is in a window."""
        asked = self._tokenizer.encode(question, add_special_tokens=False).ids[:QUESTION_TOKENS]
        head = [_CLS, *asked, _SEP]
        room = MAX_TOKENS - len(head) - 1
        rows, types, windows = [], [], []
        encoded = self._tokenizer.encode_batch([item.text for item in passages], add_special_tokens=False)
        for number, tokens in enumerate(encoded):
            for start in range(0, max(1, len(tokens.ids) - STRIDE), room - STRIDE):
                ids = tokens.ids[start : start + room]
                rows.append([*head, *ids, _SEP])
                types.append([0] * len(head) + [1] * (len(ids) + 1))
                windows.append(Window(number, len(head), tokens.offsets[start : start + room]))
        return rows, types, windows


class _Partial:
    """A passage's windows, one after the other: the best of each."""

    def __init__(self) -> None:
        self._best: dict[Span, tuple[Span, float]] = {}
        self._relevance: list[float] = []
        self._no_answer: list[float] = []

    def add(self, found: Sequence[tuple[Span, tuple[Span, float] | None]], relevance: float, no_answer: float) -> None:
        for sentence, best in found:
            if best is not None and (sentence not in self._best or self._best[sentence][1] < best[1]):
                self._best[sentence] = best
        self._relevance.append(relevance)
        self._no_answer.append(no_answer)

    def raw(self) -> Raw:
        found = sorted(self._best.items())
        items = tuple(RawSentence(sentence, span, margin) for sentence, (span, margin) in found)
        return Raw(items, max(self._relevance), min(self._no_answer))


def rank_features(retrieval: float, relevance: float, best: float) -> dict[str, float]:
    """What a read hit's place is a function of: its retrieval score, its relevance and its best span's score."""
    return {"relevance": _logit(relevance), "span": _logit(best), "retrieval": math.log(max(retrieval, 1e-9))}


def confidence_features(scores: Sequence[float]) -> dict[str, float]:
    """What the confidence is a function of: the best span's score of all that were read."""
    return {"best": _logit(max(scores, default=0.0))}


def logistic(weights: Mapping[str, float], values: Mapping[str, float]) -> float:
    """In [0, 1]; a feature without a weight does not count."""
    return sigmoid(weights.get("bias", 0.0) + sum(weights.get(name, 0.0) * value for name, value in values.items()))


def sigmoid(x: float) -> float:
    """In [0, 1], without overflow."""
    return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, x))))


def _logit(p: float) -> float:
    p = min(1 - 1e-6, max(1e-6, p))
    return math.log(p / (1 - p))
