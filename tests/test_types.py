from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bri_qa.types import (
    AbstainReason,
    Answer,
    Citation,
    CitedStatement,
    Draft,
    Filters,
    Passage,
    Question,
    Quote,
    Source,
    Span,
    Statement,
    Trace,
)

SOURCE = Source("A title", "Lindum Gazette", "2024-03-05")
CITATIONS = tuple(Citation(n, "harbour", Span(n, n + 3), "abc", SOURCE, "0" * 64) for n in (1, 2))
ANSWER = Answer(
    question=Question("Why?"),
    statements=(CitedStatement("First.", (2, 1)),),
    citations=CITATIONS,
    short_answer=None,
    reason=None,
    message=None,
    confidence=0.5,
    mode="extractive",
    hits=(),
    trace=Trace("Why?", {}, {}),
)

_SPANS = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda at: Span(min(at), max(at)))


@given(_SPANS, _SPANS, st.text(min_size=60, max_size=80), st.integers(0, 20))
def test_spans_slice_shift_contain_and_overlap_as_their_characters_do(
    one: Span, other: Span, text: str, offset: int
) -> None:
    assert one.of(text) == text[one.start : one.end]
    assert len(one) == len(one.of(text))
    assert one.shift(offset).of("x" * offset + text) == one.of(text)
    inside, outside = set(range(other.start, other.end)), set(range(one.start, one.end))
    assert one.contains(other) is (inside <= outside) or not inside
    if inside and outside:
        assert one.overlaps(other) is bool(inside & outside)


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (3, 2), (-2, -1)])
def test_a_span_runs_forwards_from_zero(start: int, end: int) -> None:
    with pytest.raises(ValueError, match=f"got {start}..{end}"):
        Span(start, end)


def test_a_passage_is_as_long_as_its_span() -> None:
    assert Passage("a#0-3", "a", Span(0, 3), "", "abc").text == "abc"
    with pytest.raises(ValueError, match="passage a#0-3"):
        Passage("a#0-3", "a", Span(0, 3), "", "ab")


def test_a_citation_has_words_as_long_as_its_span() -> None:
    for quote, span in (("", Span(2, 2)), ("ab", Span(2, 5))):
        with pytest.raises(ValueError, match="as long as its span"):
            Citation(1, "a", span, quote, SOURCE, "")


def test_a_draft_has_statements_or_a_reason() -> None:
    statements = (Statement("x", (Quote("p", "x"),)),)
    assert Draft(statements).reason is None
    assert Draft(reason=AbstainReason.NOT_STATED).statements == ()
    with pytest.raises(ValueError, match="either statements or a reason"):
        Draft()
    with pytest.raises(ValueError, match="either statements or a reason"):
        Draft(statements, reason=AbstainReason.OFF_TOPIC)


def test_a_statement_cannot_stand_alone() -> None:
    with pytest.raises(ValueError, match="no citation"):
        CitedStatement("Trust me.", ())


@pytest.mark.parametrize(
    "change",
    [
        {"statements": ()},
        {"reason": AbstainReason.NOT_STATED},
        {"citations": CITATIONS[:1]},
        {"citations": CITATIONS[::-1]},
        {"citations": (*CITATIONS, replace(CITATIONS[0], number=3))},
        {"citations": (*CITATIONS, replace(CITATIONS[0], number=4)), "statements": (CitedStatement("x", (1, 2, 4)),)},
        {"statements": (CitedStatement("x", (1,)),)},
        {"statements": (CitedStatement("x", (1, 2, 3)),)},
        {"statements": (), "reason": AbstainReason.UNVERIFIED},
    ],
)
def test_an_answer_that_does_not_hold_together_cannot_be_built(change: dict[str, Any]) -> None:
    assert not ANSWER.abstained
    with pytest.raises(ValueError, match=r"citation|abstains"):
        replace(ANSWER, **change)


def test_an_abstention_has_a_reason_and_nothing_else() -> None:
    answer = replace(ANSWER, statements=(), citations=(), reason=AbstainReason.OFF_TOPIC)
    assert answer.abstained
    assert {reason.value for reason in AbstainReason} == {
        "off_topic",
        "not_stated",
        "no_documents",
        "unverified",
        "small_talk",
    }  # public contract


def test_values_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        ANSWER.confidence = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("filters", "published", "allowed"),
    [
        (Filters(), None, True),
        (Filters(document_ids=("b", "a")), None, True),
        (Filters(document_ids=("b",)), None, False),
        (Filters(publishers=("Lindum Gazette",)), None, True),
        (Filters(publishers=("Gazette",)), None, False),
        (Filters(published_from="2024"), None, False),
        (Filters(published_to="2024"), None, False),
        (Filters(published_from="2024-03-05", published_to="2024-03-05"), "2024-03-05", True),
        (Filters(published_from="2024-03-06"), "2024-03-05", False),
        (Filters(published_to="2024-03-04"), "2024-03-05", False),
        (Filters(published_from="2024", published_to="2024"), "2024-12-31", True),
        (Filters(published_to="2023"), "2024-01-01", False),
        (Filters(published_from="2025-01", published_to="2025-12-31"), "2025", True),  # dated by its year alone
        (Filters(published_from="2025-07"), "2025", True),
        (Filters(published_from="2026-01"), "2025", False),
        (Filters(published_to="2024-12"), "2025", False),
        (Filters(document_ids=("a",), publishers=("Other",)), None, False),
    ],
)
def test_filters_allow_what_fits_every_field(filters: Filters, published: str | None, allowed: bool) -> None:
    assert filters.allow("a", Source("A title", "Lindum Gazette", published)) is allowed
    assert bool(filters) is (filters != Filters())
