"""Retrieval scores, against numbers worked out by hand and their definitions."""

from __future__ import annotations

from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bri_qa.evaluation.ranking import Ranking, of_documents, of_quote, retrieval

RECALLS = ("recall@1", "recall@3", "recall@5", "recall@8")


def shown(score: dict[str, float]) -> list[float]:
    return [score[name] for name in (*RECALLS, "mrr", "ndcg@8")]


def test_retrieval_of_quotes_by_hand() -> None:
    no = [False] * 8
    third, both = [False, False, True, True], [True, False, False]
    cases: list[list[list[bool]]] = [[third], [both, no[:3]], [no], [[]], [[*no[:5], True], [True, *no[:5]]]]
    expected: list[list[float]] = [
        [0, 1, 1, 1, 1 / 3, 1 / log2(4)],
        [0.5, 0.5, 0.5, 0.5, 1, 0.5],
        [0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0],
        [0.5, 0.5, 0.5, 1, 1, (1 / log2(7) + 1) / 2],
    ]
    for score, numbers in zip(
        retrieval([[of_quote(holds) for holds in case] for case in cases]), expected, strict=True
    ):
        assert shown(score) == pytest.approx(numbers)
    assert retrieval([]) == []


def test_documents_are_ranked_by_their_best_hit_and_weighed_by_their_grade() -> None:
    ranking = of_documents({"a": 2, "c": 1, "never": 1}, ["b", "b", "a", "b", "c", "a"])
    assert ranking == Ranking({"a": 2, "c": 1, "never": 1}, ["b", "a", "c"])
    gain, best = 2 / log2(3) + 1 / log2(4), 2 + 1 / log2(3) + 1 / log2(4)
    [score] = retrieval([[ranking]])
    assert shown(score) == pytest.approx([0, 2 / 3, 2 / 3, 2 / 3, 1 / 2, gain / best])


RANKED = st.lists(st.booleans(), min_size=12, max_size=12)


@given(st.lists(st.lists(RANKED, min_size=1, max_size=3), min_size=1, max_size=12))
def test_retrieval_is_what_its_definition_says(cases: list[list[list[bool]]]) -> None:
    rankings = [[of_quote(holds) for holds in case] for case in cases]
    for case, score in zip(cases, retrieval(rankings), strict=True):
        for k in (1, 3, 5, 8):
            assert score[f"recall@{k}"] == pytest.approx(sum(any(hits[:k]) for hits in case) / len(case))
        ranks = [rank for rank in range(12) if any(hits[rank] for hits in case)]
        assert score["mrr"] == pytest.approx(1 / (ranks[0] + 1) if ranks else 0)
        gains = [1 / log2(hits.index(True) + 2) if any(hits[:8]) else 0 for hits in case]
        assert score["ndcg@8"] == pytest.approx(sum(gains) / len(case))
