"""The trained reader: one pass of a cross-encoder over (question, passage) gives relevance, spans and "no answer"."""

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
from bri_qa.reader.spans import Window, best_spans
from bri_qa.reader.words import coverage
from bri_qa.types import Hit, Passage, Reading, ScoredSpan, Span

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CARD, WEIGHTS = "reader.json", "model.safetensors"
HEADS = (Head("span", "tokens"), Head("relevance", "first"), Head("no_answer", "first"))
MAX_TOKENS, QUESTION_TOKENS, STRIDE = 256, 64, 64
ROWS = 8  # of a batch
FEATURES = ("margin", "no_answer", "relevance", "words", "names")
_CLS, _SEP = 101, 102


@dataclass(frozen=True, slots=True)
class Raw:
    """What the network says of one passage: margins of spans over "no answer", best first; two logits."""

    spans: tuple[tuple[Span, float], ...]
    relevance: float
    no_answer: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Weights of logistic functions, fitted on public calibration questions (training/README.md).

    `span` maps `FEATURES` to the chance that a span is the answer; `rank` maps a passage's (relevance logit, margin,
    log of its retrieval score) to its place.
    """

    span: Mapping[str, float]
    rank: Mapping[str, float]
    threshold: float
    topic_threshold: float

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Calibration:
        return cls(raw["span"], raw["rank"], raw["threshold"], raw["topic_threshold"])


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

    def raw(self, question: str, passages: Sequence[Passage]) -> list[Raw]:
        """The network's own numbers, a passage longer than a window read in several."""
        rows, types, windows = self._rows(question, passages)
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]), reverse=True)
        found: list[list[tuple[list[tuple[Span, float]], float, float]]] = [[] for _ in passages]
        for at in range(0, len(order), ROWS):
            chosen = order[at : at + ROWS]
            out = self._encoder.run(Batch.of([rows[i] for i in chosen], [types[i] for i in chosen]))
            for k, i in enumerate(chosen):
                window = windows[i]
                spans = best_spans(out["span"][k], window, passages[window.passage].text)
                found[window.passage].append((spans, float(out["relevance"][k, 0]), float(out["no_answer"][k, 0])))
        return [_merged(parts) for parts in found]

    def read(self, question: str, passages: Sequence[Passage]) -> list[Reading]:
        """One reading a passage; spans are scored by how likely each is the answer."""
        return [
            self._reading(question, passage, raw)
            for passage, raw in zip(passages, self.raw(question, passages), strict=True)
        ]

    def _reading(self, question: str, passage: Passage, raw: Raw) -> Reading:
        words, names = coverage(question, passage.text)
        scored = []
        for span, margin in raw.spans:
            values = (margin, raw.no_answer, raw.relevance, words, names)
            scored.append(ScoredSpan(span, _logistic(self._calibration.span, dict(zip(FEATURES, values, strict=True)))))
        scored.sort(key=lambda item: (-item.score, item.span.start))
        return Reading(passage.id, _sigmoid(raw.relevance), _sigmoid(raw.no_answer), tuple(scored), exact=True)

    def rerank(self, hits: Sequence[Hit]) -> list[Hit]:
        """Read hits by relevance, span and retrieval together, best first; ties by passage id."""
        read = [Hit(hit.passage, self._rank(hit, hit.reading), hit.reading) for hit in hits if hit.reading is not None]
        return sorted(read, key=lambda hit: (-hit.score, hit.passage.id))

    def _rank(self, hit: Hit, reading: Reading) -> float:
        best = reading.spans[0].score if reading.spans else 0.0
        values = {
            "relevance": _logit(reading.relevance),
            "span": _logit(best),
            "retrieval": math.log(max(hit.score, 1e-9)),
        }
        return _logistic(self._calibration.rank, values)

    def confidence(self, question: str, hits: Sequence[Hit]) -> float:
        """How likely the best span of all is the answer."""
        del question
        return max((span.score for hit in hits if hit.reading for span in hit.reading.spans[:1]), default=0.0)

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


def _merged(parts: Sequence[tuple[list[tuple[Span, float]], float, float]]) -> Raw:
    """One passage's windows: all spans once, the highest relevance, the lowest "no answer"."""
    spans: list[tuple[Span, float]] = []
    for span, margin in sorted((item for part in parts for item in part[0]), key=lambda item: (-item[1], item[0])):
        if not any(span.overlaps(other) for other, _ in spans):
            spans.append((span, margin))
    return Raw(tuple(spans), max(part[1] for part in parts), min(part[2] for part in parts))


def _logistic(weights: Mapping[str, float], values: Mapping[str, float]) -> float:
    return _sigmoid(weights["bias"] + sum(weights[name] * value for name, value in values.items()))


def _sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, x))))


def _logit(p: float) -> float:
    p = min(1 - 1e-6, max(1e-6, p))
    return math.log(p / (1 - p))
