"""Which fusion of dense and lexical ranks brings the answer to the top: recall on the calibration sets."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bri_qa.embed import MiniLMEmbedder
from bri_qa.types import Filters
from training.calibrate import documents, pooled_index, sample

CUTS = (1, 3, 5, 8, 12)
DEEP = 50
Ranking = Sequence[tuple[str, float]]
Fusion = Callable[[Ranking, Ranking], Mapping[str, float]]


def reciprocal(k: int) -> Fusion:
    """Reciprocal-rank fusion, as `bri_qa.retrieve` does it."""

    def fused(*rankings: Ranking) -> Mapping[str, float]:
        scores: dict[str, float] = {}
        for ranking in rankings:
            for rank, (name, _) in enumerate(ranking, start=1):
                scores[name] = scores.get(name, 0.0) + 1.0 / (k + rank)
        return scores

    return fused


def convex(dense: float) -> Fusion:
    """A weighted sum of scores, each set of them stretched to [0, 1].

    Source: Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", TOIS 2023.
    """

    def stretched(ranking: Ranking) -> dict[str, float]:
        low, high = min((s for _, s in ranking), default=0.0), max((s for _, s in ranking), default=1.0)
        return {name: (score - low) / (high - low or 1.0) for name, score in reversed(ranking)}

    def fused(near: Ranking, lexical: Ranking) -> Mapping[str, float]:
        one, other = stretched(near), stretched(lexical)
        return {name: dense * one.get(name, 0.0) + (1 - dense) * other.get(name, 0.0) for name in {**one, **other}}

    return fused


WAYS: dict[str, Fusion] = {
    "dense": lambda near, _: dict(reversed(near)),
    "lexical": lambda _, lexical: dict(reversed(lexical)),
    **{f"reciprocal, k = {k}": reciprocal(k) for k in (1, 5, 10, 20, 60)},
    **{f"convex, dense {share}": convex(share) for share in (0.35, 0.5, 0.65)},
}


def measured(path: Path, folder: Path, count: int, embedder: MiniLMEmbedder) -> dict[str, dict[str, float]]:
    """Share of `count` questions with a passage of the right paragraph among the first, at each cut, for each way."""
    pool = documents(path)
    index = pooled_index(folder, list(pool.values()), embedder)
    found: dict[str, dict[str, float]] = {way: dict.fromkeys(map(str, CUTS), 0.0) for way in WAYS}
    questions = sample(path, count, 5)
    for item in questions:
        question, gold = item.row.question, pool[item.row.context].id
        hits = (
            index.search_dense(embedder.embed_query(question), DEEP, Filters()),
            index.search_lexical(question, DEEP, Filters()),
        )
        home = {hit.passage.id: hit.passage.document_id for some in hits for hit in some}
        near, lexical = ([(hit.passage.id, hit.score) for hit in some] for some in hits)
        for way, fusion in WAYS.items():
            scores = fusion(near, lexical)
            order = sorted(scores, key=lambda name: (-scores[name], name))
            for cut in CUTS:
                found[way][str(cut)] += any(home[name] == gold for name in order[:cut])
    return {way: {cut: round(n / len(questions), 3) for cut, n in cuts.items()} for way, cuts in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--out", type=Path, required=True, help="folder for the indexes, outside the repository")
    parser.add_argument("--to", type=Path, required=True, help="file of the figures")
    parser.add_argument("--questions", type=int, default=1_500, help="of each set, at most")
    options = parser.parse_args()
    embedder = MiniLMEmbedder.load()
    figures = {
        name: measured(
            options.data / f"{name}_calibration.jsonl.gz",
            options.out / f"index-{name}-0",
            options.questions,
            embedder,
        )
        for name in ("squad2", "qed")
    }
    options.to.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
