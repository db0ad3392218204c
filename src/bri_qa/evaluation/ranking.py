"""How well what was retrieved is ranked, computed by `ir_measures`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ir_measures

from bri_qa.evaluation.metrics import RECALL_AT, mean

_MEASURES = {ir_measures.R @ k: f"recall@{k}" for k in RECALL_AT} | {
    ir_measures.RR: "mrr",
    ir_measures.nDCG @ 8: "ndcg@8",
}


@dataclass(frozen=True, slots=True)
class Ranking:
    """Items by rank, each once, and the grade (1 and up) of those that are relevant, at least one."""

    grades: Mapping[str, int]
    ranked: Sequence[str]


def of_quote(holds: Sequence[bool]) -> Ranking:
    """The ranking for one gold quote: the first hit that overlaps it is the relevant one."""
    first = holds.index(True) if any(holds) else None
    return Ranking({"gold": 1}, ["gold" if rank == first else str(rank) for rank in range(len(holds))])


def of_documents(grades: Mapping[str, int], hits: Sequence[str]) -> Ranking:
    """The ranking of documents by their best hit; `hits` are the documents' ids by rank."""
    return Ranking(grades, list(dict.fromkeys(hits)))


def retrieval(cases: Sequence[Sequence[Ranking]]) -> list[dict[str, float]]:
    """recall@k, mrr and ndcg@8 of each case, which has at least one ranking.

    recall@k and nDCG of a case are means over its rankings, so one hit may prove several gold quotes; mrr is that of
    the first hit that is relevant to any of them.
    """
    judged = iter(_judged([ranking for case in cases for ranking in case]))
    scores = []
    for case in cases:
        found = [next(judged) for _ in case]
        score = {name: mean([one[name] for one in found]) for name in _MEASURES.values()}
        scores.append(score | {"mrr": max(one["mrr"] for one in found)})
    return scores


def _judged(rankings: Sequence[Ranking]) -> list[dict[str, float]]:
    scores: list[dict[str, float]] = [{} for _ in rankings]
    if not rankings:
        return scores
    gold = [
        ir_measures.Qrel(str(query), name, grade)
        for query, ranking in enumerate(rankings)
        for name, grade in ranking.grades.items()
    ]
    ranked = [
        ir_measures.ScoredDoc(str(query), name, -float(rank))
        for query, ranking in enumerate(rankings)
        if not ranking.grades.keys().isdisjoint(ranking.ranked)
        for rank, name in enumerate(ranking.ranked)
    ]
    for result in ir_measures.iter_calc(list(_MEASURES), gold, ranked):
        scores[int(result.query_id)][_MEASURES[result.measure]] = result.value
    return scores
