"""Dense and lexical retrieval and their reciprocal-rank fusion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bri_qa.protocols import Embedder, Index, Vectors
from bri_qa.types import Filters, Hit

RRF_K = 10  # of 1 to 60 the one whose best eight hold the most answers (training/README.md)


def fuse(rankings: Sequence[Sequence[Hit]], k: int = RRF_K) -> list[Hit]:
    """Reciprocal-rank fusion: a passage scores the sum of 1 / (k + rank) over the rankings that hold it.

    Source: Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank
    Learning Methods", SIGIR 2009, which has k = 60. Best first; ties are broken by passage id.
    """
    scores: dict[str, float] = {}
    found: dict[str, Hit] = {}
    for ranking in rankings:
        for rank, hit in enumerate(ranking, start=1):
            found.setdefault(hit.passage.id, hit)
            scores[hit.passage.id] = scores.get(hit.passage.id, 0.0) + 1.0 / (k + rank)
    order = sorted(scores, key=lambda passage_id: (-scores[passage_id], passage_id))
    return [replace(found[passage_id], score=scores[passage_id]) for passage_id in order]


@dataclass(frozen=True, slots=True)
class Retriever:
    """Finds candidates for a query. `candidates` is how many hits each search gives to the fusion."""

    embedder: Embedder
    mode: Literal["fused", "dense", "lexical"] = "fused"
    candidates: int = 50

    def embed(self, query: str) -> Vectors | None:
        """The query's vector, f32[dim]; None where only words are searched."""
        return None if self.mode == "lexical" else self.embedder.embed_query(query)

    def search(self, index: Index, query: str, vector: Vectors | None, filters: Filters) -> list[Hit]:
        """Hits for `query`, whose vector is `embed(query)`, best first, ties by passage id."""
        rankings, dense = [], {}
        if vector is not None:
            rankings.append(index.search_dense(vector, self.candidates, filters))
            dense = {hit.passage.id: 1.0 / rank for rank, hit in enumerate(rankings[0], start=1)}
        if self.mode in ("fused", "lexical"):
            rankings.append(index.search_lexical(query, self.candidates, filters, vector))
        found = rankings[0] if len(rankings) == 1 else fuse(rankings)
        return [replace(hit, dense=dense.get(hit.passage.id, 0.0)) for hit in found]
