from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bri_qa.reader.spans import LONGEST, Window, best_in, closed, whole_words
from bri_qa.types import Span

TEXT = "Ships carried 1,200 bales. They sailed on Monday."
PLACES = [(0, 5), (6, 13), (14, 15), (15, 16), (16, 19), (20, 25), (25, 26), (27, 31), (32, 38), (39, 41), (42, 48)]
FIRST, SECOND = Span(0, 26), Span(27, 49)


def logits(start: int, end: int, height: float = 5.0, rows: int = 16) -> np.ndarray:
    """Numbers that point at tokens `start` to `end` of a window that begins after 3 tokens of the row."""
    found = np.zeros((rows, 2), np.float32)
    found[3 + start, 0] = height
    found[3 + end, 1] = height
    return found


def test_the_highest_span_of_a_sentence_with_its_margin() -> None:
    found = best_in(logits(2, 4), Window(0, 3, PLACES), FIRST, TEXT)
    assert found is not None
    span, margin = found
    assert span.of(TEXT) == "1,200"
    assert margin == pytest.approx(10.0)


def test_the_first_token_is_no_answer() -> None:
    numbers = logits(2, 4)
    numbers[0] = 4.0
    found = best_in(numbers, Window(0, 3, PLACES), FIRST, TEXT)
    assert found is not None and found[1] == pytest.approx(2.0)


def test_a_span_stays_within_its_sentence_and_never_runs_backwards() -> None:
    found = best_in(logits(4, 8), Window(0, 3, PLACES), SECOND, TEXT)
    assert found is not None and SECOND.contains(found[0])
    backwards = best_in(logits(5, 1), Window(0, 3, PLACES), FIRST, TEXT)
    assert backwards is not None and backwards[1] == pytest.approx(5.0)


def test_a_window_without_the_sentence_says_nothing() -> None:
    assert best_in(logits(0, 0), Window(0, 3, PLACES[:6]), SECOND, TEXT) is None


@given(st.integers(0, 10_000), st.integers(1, 60))
def test_it_is_what_trying_every_pair_finds(seed: int, count: int) -> None:
    numbers = np.random.default_rng(seed).normal(0, 1, (count + 4, 2)).astype(np.float32)
    text = " ".join(["w"] * count)
    window = Window(0, 2, [(2 * i, 2 * i + 1) for i in range(count)])
    found = best_in(numbers, window, Span(0, len(text)), text)
    pairs = [numbers[2 + i, 0] + numbers[2 + j, 1] for i in range(count) for j in range(i, min(count, i + LONGEST))]
    assert found is not None
    assert found[1] == pytest.approx(float(max(pairs)) - float(numbers[0].sum()), abs=1e-5)


@pytest.mark.parametrize(
    ("cut", "whole"),
    [
        ((14, 15), "1,200"),
        ((16, 19), "1,200"),
        ((7, 12), "carried"),
        ((16, 18), "1,200"),
        ((0, 5), "Ships"),
        ((20, 26), "bales."),
    ],
)
def test_a_span_grows_to_whole_words(cut: tuple[int, int], whole: str) -> None:
    assert whole_words(TEXT, Span(*cut)).of(TEXT) == whole


@pytest.mark.parametrize(
    ("text", "part", "grown"),
    [
        ("It grows to 1.5 m (4 ft 11 in) at most.", "1.5 m (4 ft 11", "1.5 m (4 ft 11 in)"),
        ("It has a “broad foot” below.", "a “broad", "a “broad foot”"),
        ('It has a "broad foot" below.', 'a "broad foot', 'a "broad foot"'),
        ("The (old [and worn) rail] holds.", "old [and", "old [and worn) rail]"),
        ("He (who came) sang.", "(who came)", "(who came)"),
        ("He said (never to return.", "(never", "(never"),
        ("He said (never. Then he left).", "(never", "(never"),
        ("He came (first" + " and then" * 20 + ").", "(first", "(first"),
    ],
)
def test_a_bracket_that_a_span_opens_is_closed_within_the_sentence(text: str, part: str, grown: str) -> None:
    start = text.index(part)
    sentence = Span(0, text.index(". ") + 1 if ". " in text else len(text))
    assert closed(text, Span(start, start + len(part)), sentence).of(text) == grown
