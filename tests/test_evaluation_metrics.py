"""Metrics on plain values, against published examples and numbers worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bri_qa.evaluation.metrics import (
    METRICS,
    abstention,
    auroc,
    covered_share,
    exact_match,
    latency,
    mean,
    normalised,
    retrieval,
    states,
    token_f1,
)
from bri_qa.types import Span


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The Eiffel Tower!", "eiffel tower"),
        ("  an   APPLE, a day ", "apple day"),
        ("112,000", "112000"),
        ("$4.5 million", "45 million"),
        ("Beyoncé's", "beyoncés"),
        ("“Belt–Road”, he said…", "beltroad he said"),
        ("theatre anathema", "theatre anathema"),  # articles go as words, not as letters
        ("Cafe\u0301", "café"),
        ("中欧班列。", "中欧班列"),
        ("The", ""),
    ],
)
def test_words_are_normalised_as_in_squad(text: str, words: str) -> None:
    assert normalised(text) == words


@pytest.mark.parametrize(
    ("given_answer", "accepted", "exact", "f1"),
    [
        ("1976", ["1976"], 1, 1),
        ("Santa Clara, California", ["Santa Clara", "the Santa Clara California"], 1, 1),
        ("the Denver Broncos", ["Denver Broncos"], 1, 1),
        ("Broncos", ["Denver Broncos"], 0, 2 / 3),
        ("the gold anniversary of the Super Bowl", ["golden anniversary"], 0, 2 * 1 / (5 + 2)),
        ("two two cities", ["two cities two two"], 0, 6 / 7),  # words are counted as often as they stand
        ("Paris", ["London", "in Paris"], 0, 2 / 3),  # the best of those accepted
        ("yes", ["no"], 0, 0),
        ("The", ["a"], 1, 1),  # nothing is left of either
        ("The", ["cat"], 0, 0),
    ],
)
def test_exact_match_and_f1(given_answer: str, accepted: list[str], exact: float, f1: float) -> None:
    assert exact_match(given_answer, accepted) == exact
    assert token_f1(given_answer, accepted) == pytest.approx(f1)


def test_an_answer_is_stated_word_by_word() -> None:
    assert states("The train reaches 112,000 towns.", ["112000"])
    assert states("He owns the old pier.", ["new pier", "Old Pier"])
    assert not states("It is 1120 long.", ["112"])
    assert not states("old stone pier", ["old pier"])


def test_coverage_counts_letters_of_the_quote_inside_the_cited_spans() -> None:
    quote, place = "ab cd ef gh", (Span(10, 21),)  # letters at 10 11 13 14 16 17 19 20
    assert covered_share(quote, place, [Span(0, 30)]) == 1
    assert covered_share(quote, place, [Span(10, 12), Span(13, 15), Span(16, 18), Span(19, 21)]) == 1
    assert covered_share(quote, place, [Span(10, 17)]) == 5 / 8
    assert covered_share(quote, place, [Span(10, 13), Span(11, 15)]) == 4 / 8  # an overlap counts once
    assert covered_share(quote, place, [Span(0, 10), Span(12, 13), Span(21, 30)]) == 0
    assert covered_share(quote, place, []) == 0
    assert covered_share(quote, (Span(10, 21), Span(50, 61)), [Span(10, 13), Span(50, 58)]) == 6 / 8  # the best place


def test_retrieval_by_hand() -> None:
    no = [False] * 8
    third, both = [False, False, True, True], [True, False, False]
    scores = retrieval([[third], [both, no[:3]], [no], [[]], [[*no[:5], True], [True, *no[:5]]]])
    assert scores == [
        {"recall@1": 0, "recall@3": 1, "recall@5": 1, "recall@8": 1, "mrr": pytest.approx(1 / 3)},
        {"recall@1": 0.5, "recall@3": 0.5, "recall@5": 0.5, "recall@8": 0.5, "mrr": 1},
        {"recall@1": 0, "recall@3": 0, "recall@5": 0, "recall@8": 0, "mrr": 0},
        {"recall@1": 0, "recall@3": 0, "recall@5": 0, "recall@8": 0, "mrr": 0},
        {"recall@1": 0.5, "recall@3": 0.5, "recall@5": 0.5, "recall@8": 1, "mrr": 1},
    ]
    assert retrieval([]) == []


RANKED = st.lists(st.booleans(), min_size=12, max_size=12)


@given(st.lists(st.lists(RANKED, min_size=1, max_size=3), min_size=1, max_size=12))
def test_retrieval_is_what_its_definition_says(cases: list[list[list[bool]]]) -> None:
    for case, scores in zip(cases, retrieval(cases), strict=True):
        for k in (1, 3, 5, 8):
            assert scores[f"recall@{k}"] == pytest.approx(sum(any(hits[:k]) for hits in case) / len(case))
        ranks = [rank for rank in range(12) if any(hits[rank] for hits in case)]
        assert scores["mrr"] == pytest.approx(1 / (ranks[0] + 1) if ranks else 0)


@pytest.mark.parametrize(
    ("positive", "negative", "area"),
    [
        ([0.9, 0.8], [0.1, 0.2], 1),
        ([0.1], [0.9], 0),
        ([0.5, 0.5], [0.5], 0.5),
        ([0.9, 0.5], [0.5, 0.1], 3.5 / 4),  # three pairs won, one tied
        ([0.8, 0.4, 0.4], [0.4, 0.4, 0.9], 3 * 2 / 9 - 2 / 9),  # won 2, tied 4, lost 3
        ([], [0.5], None),
        ([0.5], [], None),
    ],
)
def test_auroc_counts_a_tie_as_half(positive: list[float], negative: list[float], area: float | None) -> None:
    assert auroc(positive, negative) == (None if area is None else pytest.approx(area))


FEW = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=20)


@given(FEW, FEW)
def test_auroc_is_the_share_of_pairs_won(positive: list[float], negative: list[float]) -> None:
    won = sum((p > n) + (p == n) / 2 for p in positive for n in negative)
    assert auroc(positive, negative) == pytest.approx(won / (len(positive) * len(negative)))


def test_abstention_by_hand() -> None:
    answerable = [True, True, True, True, False, False, False]
    abstained = [False, False, False, True, True, True, False]
    assert abstention(answerable, abstained, [0.9, 0.8, 0.4, 0.3, 0.2, 0.3, 0.6]) == {
        "abstention_precision": pytest.approx(2 / 3),
        "abstention_recall": pytest.approx(2 / 3),
        "abstention_f1": pytest.approx(2 / 3),
        "false_abstention_rate": 1 / 4,
        "abstention_auroc": pytest.approx((3 + 3 + 2 + 1.5) / 12),
    }


def test_abstention_metrics_that_do_not_apply_are_absent() -> None:
    assert abstention([True], [False], [0.9]) == {"false_abstention_rate": 0}
    assert abstention([True], [True], [0.1]) == {
        "abstention_precision": 0,
        "abstention_f1": 0,
        "false_abstention_rate": 1,
    }
    assert abstention([False], [False], [0.9]) == {"abstention_recall": 0, "abstention_f1": 0}
    assert abstention([], [], []) == {}


def test_latency_is_interpolated_between_neighbours() -> None:
    assert latency([float(n) for n in range(1, 22)]) == {"latency_p50": 11, "latency_p95": 20}
    assert latency([1.0, 2.0]) == {"latency_p50": 1.5, "latency_p95": pytest.approx(1.95)}
    assert latency([]) == {}


def test_a_mean_of_whole_shares_is_whole() -> None:
    assert mean([0.1] * 10) == 0.1
    assert mean([1.0] * 7) == 1


def test_every_metric_is_explained_in_one_line() -> None:
    assert all(meaning and "\n" not in meaning for meaning in METRICS.values())
