"""Readers of models that others trained, by folder or hub name: SQuAD-type models, and cross-encoders that rank.

A model trained on SQuAD 2.0 gives spans and its own "no answer"; one that ranks gives a score of (question, text), put
to every passage and to its sentences. Neither is calibrated on the questions that ours is: `BRI_QA_ABSTAIN_BELOW`
moves the gate, and `bri-qa eval` tells where to.
"""

from __future__ import annotations

import math
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bri_qa.errors import ModelError
from bri_qa.passages import sentences
from bri_qa.protocols import Embedder, Reader
from bri_qa.reader.cross_encoder import sigmoid
from bri_qa.reader.sentences import SentenceReader
from bri_qa.reader.spans import Window, best_in
from bri_qa.types import Hit, Passage, Reading, ScoredSpan, Span

MOST_TOKENS, STRIDE, QUESTION_TOKENS, ROWS = 384, 96, 96, 16
HINT = "name a SQuAD 2.0 model or a cross-encoder (folder or hub name), or use `bundled` or `sentences`"


def open_named(name: str, embedder: Embedder, threads: int = 0) -> Reader:
    """The reader of a folder or hub name, by what its configuration says it is.

    Raises:
        ModelError: there is no such model here, or it neither answers nor ranks.
    """
    if not name.strip() or (name[0] in "./~" and not Path(name).is_dir()):
        raise ModelError(f"there is no folder {name!r}; {HINT}")
    import torch
    from transformers import AutoConfig, AutoModelForQuestionAnswering, AutoModelForSequenceClassification
    from transformers import AutoTokenizer as Tokenizers

    if threads:
        torch.set_num_threads(threads)
    try:
        config = AutoConfig.from_pretrained(name)
        kind = " ".join(config.architectures or ())
        known = {
            "QuestionAnswering": (AutoModelForQuestionAnswering, SquadReader),
            "SequenceClassification": (AutoModelForSequenceClassification, RankingReader),
        }
        found = next((pair for key, pair in known.items() if key in kind), None)
        if found is None:
            raise ModelError(f"{name!r} is a {kind or 'model of unknown kind'}: it neither answers nor ranks; {HINT}")
        tokenizer = Tokenizers.from_pretrained(name, use_fast=True)
        model = found[0].from_pretrained(name).eval()
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"cannot load the reader {name!r} ({reason}); {HINT}") from error
    if not tokenizer.is_fast:
        raise ModelError(f"{name!r} has no fast tokenizer, so its spans have no places in the text; {HINT}")
    if found[1] is RankingReader and config.num_labels != 1:
        raise ModelError(f"{name!r} gives {config.num_labels} classes, not one score of relevance; {HINT}")
    return found[1](name, _Model(model, tokenizer), SentenceReader(embedder))


class _Model:
    """A transformers model with its tokenizer. One call at a time: the tokenizer's cutting is state."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._lock = threading.Lock()
        positions = getattr(model.config, "max_position_embeddings", None) or MOST_TOKENS
        self._tokens = min(MOST_TOKENS, tokenizer.model_max_length, positions - 2)

    def encode(self, question: str, texts: Sequence[str]) -> Mapping[str, Any]:
        """Padded rows of (question, text), long texts in several; with offsets and which text each row is of."""
        places = self._tokenizer(question, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        ends = [end for _, end in places["offset_mapping"]][: min(QUESTION_TOKENS, self._tokens // 3)]
        asked = question[: max(ends, default=0)]
        room = self._tokens - len(ends) - self._tokenizer.num_special_tokens_to_add(pair=True)
        encoded: Mapping[str, Any] = self._tokenizer(
            [asked] * len(texts),
            list(texts),
            truncation="only_second",
            max_length=self._tokens,
            stride=min(STRIDE, room // 4),
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        return encoded

    def run(self, question: str, texts: Sequence[str]) -> list[tuple[int, list[tuple[int, int] | None], list[Any]]]:
        """For each row: the text it is of, the place of each token (None outside the text), the outputs as arrays."""
        import torch

        with self._lock, torch.inference_mode():
            encoded = self.encode(question, texts)
            owners = encoded["overflow_to_sample_mapping"]
            keys = [key for key in ("input_ids", "attention_mask", "token_type_ids") if key in encoded]
            rows = []
            for at in range(0, len(owners), ROWS):
                part = {key: encoded[key][at : at + ROWS] for key in keys}
                out = self._model(**self._tokenizer.pad(part, return_tensors="pt"))
                names = ("start_logits", "end_logits") if "start_logits" in out else ("logits",)
                arrays = [out[name].float().numpy() for name in names]
                for k in range(len(part["input_ids"])):
                    kinds = encoded.sequence_ids(at + k)  # type: ignore[attr-defined]
                    offsets = encoded["offset_mapping"][at + k]
                    places = [tuple(o) if kind == 1 else None for o, kind in zip(offsets, kinds, strict=True)]
                    rows.append((owners[at + k], places, [array[k] for array in arrays]))
        return rows


class _Named(ABC):
    """What both kinds share: a hit is worth its best span, and the model's even chance is the gate."""

    threshold = 0.5
    topic_threshold = SentenceReader.topic_threshold
    settled = math.inf

    def __init__(self, name: str, model: _Model, meaning: SentenceReader) -> None:
        self.name = name
        self._model = model
        self._meaning = meaning

    @abstractmethod
    def read(self, question: str, hits: Sequence[Hit]) -> list[Reading]: ...

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """Read hits by their best span, best first; ties by passage id."""
        del question
        read = [Hit(hit.passage, _best(hit), hit.reading) for hit in hits if hit.reading is not None]
        return sorted(read, key=lambda hit: (-hit.score, hit.passage.id))

    def confidence(self, question: str, hits: Sequence[Hit]) -> float:
        """The score of the best span of all."""
        del question
        return max((_best(hit) for hit in hits), default=0.0)


class SquadReader(_Named):
    """Reader over a SQuAD 2.0 model's spans: `exact` is true. Safe from several threads at once."""

    def read(self, question: str, hits: Sequence[Hit]) -> list[Reading]:
        """One reading a hit; a span's score is how much likelier it is than "no answer", in [0, 1]."""
        passages = [hit.passage for hit in hits]
        if not passages:
            return []
        bounds = [sentences(item.text) for item in passages]
        best: list[dict[Span, tuple[Span, float]]] = [{} for _ in passages]
        for owner, places, (start, end) in self._model.run(question, [item.text for item in passages]):
            window = _window(owner, places)
            if window is None:
                continue
            logits = np.stack([start, end], axis=1).astype(np.float32)
            for one in bounds[owner]:
                found = best_in(logits, window, one, passages[owner].text)
                if found and (one not in best[owner] or best[owner][one][1] < found[1]):
                    best[owner][one] = found
        meanings = self._meaning.read(question, hits)
        return [self._reading(*one) for one in zip(passages, best, meanings, strict=True)]

    def _reading(self, passage: Passage, best: Mapping[Span, tuple[Span, float]], meaning: Reading) -> Reading:
        scored = [ScoredSpan(span, sigmoid(margin)) for span, margin in best.values() if span.start < span.end]
        scored.sort(key=lambda item: (-item.score, item.span.start))
        top = scored[0].score if scored else 0.0
        return Reading(passage.id, meaning.relevance, 1.0 - top, tuple(scored), exact=True)


class RankingReader(_Named):
    """Reader over whole sentences, ranked by a cross-encoder: `exact` is false, so it gives no short answers."""

    def read(self, question: str, hits: Sequence[Hit]) -> list[Reading]:
        """One reading a hit: its sentences with the model's score of (question, sentence), in [0, 1]."""
        passages = [hit.passage for hit in hits]
        if not passages:
            return []
        bounds = [[one for one in sentences(item.text) if one.of(item.text).strip()] for item in passages]
        texts = [one.of(item.text) for item, spans in zip(passages, bounds, strict=True) for one in spans]
        scores = [0.0] * len(texts)
        for owner, _, (logits,) in self._model.run(question, texts) if texts else ():
            scores[owner] = max(scores[owner], sigmoid(float(logits[0])))
        given = iter(scores)
        meanings = self._meaning.read(question, hits)
        readings = []
        for passage, spans, meaning in zip(passages, bounds, meanings, strict=True):
            scored = sorted((ScoredSpan(one, next(given)) for one in spans), key=lambda s: (-s.score, s.span.start))
            top = scored[0].score if scored else 0.0
            readings.append(Reading(passage.id, meaning.relevance, 1.0 - top, tuple(scored)))
        return readings


def _window(owner: int, places: Sequence[tuple[int, int] | None]) -> Window | None:
    """The run of a row's tokens that are of the passage."""
    inside = [i for i, place in enumerate(places) if place is not None]
    if not inside:
        return None
    return Window(owner, inside[0], [place for place in places[inside[0] : inside[-1] + 1] if place is not None])


def _best(hit: Hit) -> float:
    return hit.reading.spans[0].score if hit.reading and hit.reading.spans else 0.0
