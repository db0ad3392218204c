from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bri_qa.retrieve import RRF_K, fuse
from bri_qa.types import Hit, Passage, Span


def _hit(name: str, score: float = 0.0) -> Hit:
    return Hit(Passage(name, "document", Span(0, 0), "", ""), score)


def _ids(hits: list[Hit]) -> list[str]:
    return [hit.passage.id for hit in hits]


def test_a_passage_scores_the_sum_of_its_reciprocal_ranks() -> None:
    fused = fuse([[_hit("a"), _hit("b"), _hit("c")], [_hit("c"), _hit("a")]])
    assert [(hit.passage.id, hit.score) for hit in fused] == [
        ("a", 1 / 11 + 1 / 12),
        ("c", 1 / 13 + 1 / 11),
        ("b", 1 / 12),
    ]
    assert RRF_K == 10


def test_scores_of_the_searches_do_not_count_only_ranks() -> None:
    assert fuse([[_hit("a", 0.01), _hit("b", -7)]]) == fuse([[_hit("a", 900), _hit("b", 899)]])


def test_ties_are_broken_by_passage_id() -> None:
    assert _ids(fuse([[_hit("b")], [_hit("a")]])) == ["a", "b"]
    assert _ids(fuse([[_hit("z"), _hit("a")], [_hit("a"), _hit("z")]])) == ["a", "z"]


def test_nothing_found_gives_nothing() -> None:
    assert fuse([]) == []
    assert fuse([[], []]) == []


def test_a_smaller_k_favours_the_first_rank() -> None:
    rankings = [[_hit("top"), _hit("x"), _hit("y"), _hit("both")], [_hit("z"), _hit("w"), _hit("v"), _hit("both")]]
    assert _ids(fuse(rankings, k=60))[0] == "both"
    assert _ids(fuse(rankings, k=1))[0] == "top"


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), unique=True), max_size=4))
def test_the_fusion_is_the_exact_order_of_the_sums(rankings: list[list[str]]) -> None:
    fused = fuse([[_hit(name) for name in ranking] for ranking in rankings])
    sums = {
        name: sum((Fraction(1, RRF_K + r.index(name) + 1) for r in rankings if name in r), Fraction())
        for ranking in rankings
        for name in ranking
    }
    assert sorted(_ids(fused)) == sorted(sums)
    for one, other in pairwise(fused):
        assert sums[one.passage.id] >= sums[other.passage.id]
        if sums[one.passage.id] == sums[other.passage.id]:
            assert one.passage.id < other.passage.id
