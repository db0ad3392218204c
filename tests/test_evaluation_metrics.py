"""Metrics on plain values, against published examples and numbers worked out by hand."""

from __future__ import annotations

import pytest

from bri_qa.evaluation.metrics import (
    LOWER_IS_BETTER,
    MACHINE,
    METRICS,
    covered_share,
    exact_match,
    mean,
    normalised,
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
        # of the published predictions of a SQuAD 2.0 model, with their published scores
        ("Y. pestis", ["the mechanism by which Y. pestis was usually transmitted"], 0, 0.4),
        ('"duty"', ["duty"], 1, 1),
        ("Red Turban rebels", ["the Red Turban Rebels", "Red Turban rebels"], 1, 1),
        ("King George's War", ["King George's War"], 1, 1),
        ("apparent", ["antiparallel", "antiparallel spins", "antisymmetric"], 0, 0),
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


def test_a_mean_of_whole_shares_is_whole() -> None:
    assert mean([0.1] * 10) == 0.1
    assert mean([1.0] * 7) == 1


def test_every_metric_is_explained_in_one_line() -> None:
    assert all(meaning and "\n" not in meaning for meaning in METRICS.values())


def test_sets_of_metrics_name_known_ones() -> None:
    assert METRICS.keys() >= LOWER_IS_BETTER | MACHINE
