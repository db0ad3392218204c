from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bri_qa.retrieve import RRF_K, Retriever, fuse
from bri_qa.types import Filters, Hit, Passage, Span
from tests.articles import built_in, opened, pipeline_over


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


def test_a_hit_keeps_its_place_in_dense_retrieval(tmp_path: Path) -> None:
    index = opened(built_in(tmp_path))
    embedder = pipeline_over(index).retriever.embedder
    query = "How long is the new quay?"
    dense = [hit.passage.id for hit in index.search_dense(embedder.embed_query(query), 50, Filters())]
    for mode in ("fused", "dense"):
        retriever = Retriever(embedder, mode)
        found = retriever.search(index, query, retriever.embed(query), Filters())
        assert [hit.dense for hit in found if hit.passage.id in dense] == [
            1 / (1 + dense.index(hit.passage.id)) for hit in found if hit.passage.id in dense
        ]
    lexical = Retriever(embedder, "lexical").search(index, query, None, Filters())
    assert lexical and {hit.dense for hit in lexical} == {0.0}
