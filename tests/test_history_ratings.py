from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bri_qa.errors import HistoryInputError, NotFoundError
from bri_qa.evaluation.formats import feedback as imported
from bri_qa.evaluation.formats.record import Entry as Draft
from bri_qa.history import Rating, RatingFilters, Reason, ratings
from tests.keeping import MILL, MOON, QUAY, START, Kept

ANNA, BEN = "anonymous:anna", "anonymous:ben"


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    kept = Kept.open(tmp_path)
    yield kept
    kept.database.close()


def test_who_changes_their_mind_replaces_what_they_said(kept: Kept) -> None:
    entry = kept.add(ANNA)
    kept.ratings.rate(ANNA, entry.id, Rating.UP)
    given = kept.ratings.rate(ANNA, entry.id, Rating.DOWN, reason=Reason.WRONG, comment=" No.\n ")
    on_quote = kept.ratings.rate(ANNA, entry.id, Rating.UP, 1)
    assert (given.rating, given.reason, given.comment, given.citation) == (Rating.DOWN, Reason.WRONG, "No.", None)
    assert given.created == START + timedelta(seconds=3)
    assert kept.history.entry(ANNA, entry.id).feedback == (given, on_quote)
    assert kept.history.conversation(ANNA, entry.conversation_id).entries[0].feedback == (given, on_quote)
    assert [item.feedback for item in kept.ratings.listed().rated] == [on_quote, given]


def test_it_can_be_taken_back(kept: Kept) -> None:
    entry = kept.add(ANNA)
    kept.ratings.rate(ANNA, entry.id, Rating.UP)
    kept.ratings.rate(ANNA, entry.id, Rating.UP, 1)
    kept.ratings.withdraw(ANNA, entry.id)
    assert [item.citation for item in kept.history.entry(ANNA, entry.id).feedback] == [1]
    kept.ratings.withdraw(ANNA, entry.id, 1)
    assert kept.ratings.listed().rated == ()
    with pytest.raises(NotFoundError, match="you gave no feedback on this"):
        kept.ratings.withdraw(ANNA, entry.id)


def test_two_users_rate_their_own_answers(kept: Kept) -> None:
    hers, his = kept.add(ANNA), kept.add(BEN)
    kept.ratings.rate(ANNA, hers.id, Rating.UP)
    kept.ratings.rate(BEN, his.id, Rating.DOWN)
    for user, entry in ((BEN, hers), (ANNA, his)):
        with pytest.raises(NotFoundError):
            kept.ratings.rate(user, entry.id, Rating.DOWN)
        with pytest.raises(NotFoundError):
            kept.ratings.withdraw(user, entry.id)
    assert [item.rating for item in kept.history.entry(ANNA, hers.id).feedback] == [Rating.UP]
    assert [item.rating for item in kept.history.entry(BEN, his.id).feedback] == [Rating.DOWN]


def test_what_cannot_be_said_is_told(kept: Kept) -> None:
    entry, abstained = kept.add(ANNA), kept.add(ANNA, MOON)
    with pytest.raises(NotFoundError, match="this answer has no citation 2"):
        kept.ratings.rate(ANNA, entry.id, Rating.UP, 2)
    for number in (0, -1, 1):
        with pytest.raises(NotFoundError, match=f"no citation {number}"):
            kept.ratings.rate(ANNA, abstained.id, Rating.UP, number)
    with pytest.raises(HistoryInputError, match="a comment has at most 2,000 characters; shorten it"):
        kept.ratings.rate(ANNA, entry.id, Rating.DOWN, comment="x" * 2_001)
    with pytest.raises(HistoryInputError, match="a reason goes with a thumbs-down"):
        kept.ratings.rate(ANNA, entry.id, Rating.UP, reason=Reason.WRONG)
    assert kept.ratings.listed().rated == ()
    assert len(kept.ratings.rate(ANNA, entry.id, Rating.DOWN, comment="x" * 2_000).comment) == 2_000


def _mixed(kept: Kept) -> None:
    """Anna: up, wrong with a comment on a citation. Ben: down for no reason, should have answered."""
    kept.ratings.rate(ANNA, kept.add(ANNA).id, Rating.UP)
    kept.ratings.rate(ANNA, kept.add(ANNA, MILL).id, Rating.DOWN, 2, reason=Reason.WRONG, comment="It says 642 METRES.")
    kept.ratings.rate(BEN, kept.add(BEN).id, Rating.DOWN)
    kept.ratings.rate(BEN, kept.add(BEN, MOON).id, Rating.DOWN, reason=Reason.SHOULD_HAVE_ANSWERED)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (RatingFilters(), [MOON, QUAY, MILL, QUAY]),
        (RatingFilters(rating=Rating.UP), [QUAY]),
        (RatingFilters(rating=Rating.DOWN), [MOON, QUAY, MILL]),
        (RatingFilters(reason=Reason.WRONG), [MILL]),
        (RatingFilters(reason=Reason.OTHER), []),
        (RatingFilters(commented=True), [MILL]),
        (RatingFilters(commented=False), [MOON, QUAY, QUAY]),
        (RatingFilters(since=START + timedelta(seconds=6)), [MOON, QUAY]),
        (RatingFilters(until=START + timedelta(seconds=6)), [MILL, QUAY]),
        (RatingFilters(search="642 metres"), [MILL]),
        (RatingFilters(search="640 metres"), [QUAY, QUAY]),
        (RatingFilters(rating=Rating.DOWN, search="640"), [QUAY]),
    ],
)
def test_an_administrator_finds_everyones_feedback(kept: Kept, filters: RatingFilters, found: list[str]) -> None:
    _mixed(kept)
    assert [item.question for item in kept.ratings.listed(filters).rated] == found
    counts = kept.ratings.counts(filters)
    assert counts["up"] + counts["down"] == len(found)
    assert sum(counts["reasons"].values()) == counts["down"]
    assert len(list(kept.ratings.lines(filters))) == len(found)


def test_reasons_are_counted(kept: Kept) -> None:
    _mixed(kept)
    counts = kept.ratings.counts()
    assert (counts["up"], counts["down"]) == (1, 3)
    assert list(counts["reasons"]) == [*(reason.value for reason in Reason), "none"]
    assert {name: count for name, count in counts["reasons"].items() if count} == {
        "wrong": 1,
        "should_have_answered": 1,
        "none": 1,
    }


def test_feedback_comes_page_by_page(kept: Kept) -> None:
    _mixed(kept)
    first = kept.ratings.listed(limit=3)
    assert [item.question for item in first.rated] == [MOON, QUAY, MILL]
    last = kept.ratings.listed(limit=3, after=first.next)
    assert ([item.question for item in last.rated], last.next) == ([QUAY], None)
    assert kept.ratings.listed(limit=4).next is None
    with pytest.raises(HistoryInputError, match="a page has"):
        kept.ratings.listed(limit=0)
    with pytest.raises(HistoryInputError, match="cursor"):
        kept.ratings.listed(after="x")
    with pytest.raises(HistoryInputError, match="a search has"):
        list(kept.ratings.lines(RatingFilters(search="x" * 201)))


def test_a_line_of_the_export_is_what_the_eval_suite_reads(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratings, "EXPORTED_AT_ONCE", 2)  # in three steps
    first = kept.add(ANNA)
    second = kept.add(ANNA, MILL, first.conversation_id)
    third = kept.add(ANNA, MOON, first.conversation_id)
    good = kept.ratings.rate(ANNA, second.id, Rating.UP, 2)
    bad = kept.ratings.rate(ANNA, third.id, Rating.DOWN, reason=Reason.SHOULD_HAVE_ANSWERED, comment="“It does.”")
    kept.ratings.rate(ANNA, first.id, Rating.UP)
    kept.ratings.rate(ANNA, first.id, Rating.UP, 1)
    lines = list(kept.ratings.lines())
    assert len(lines) == 4
    assert json.loads(lines[1]) == {
        "id": bad.id,
        "created": "2026-03-01T12:00:05Z",
        "rating": "down",
        "reason": "should_have_answered",
        "comment": "“It does.”",
        "citation": None,
        "question": MOON,
        "history": [
            {"role": "user", "text": QUAY},
            {"role": "assistant", "text": first.contract["answer"]},
            {"role": "user", "text": MILL},
            {"role": "assistant", "text": second.contract["answer"]},
        ],
        "answer": third.contract,
    }
    assert "“It does.”" in lines[1]
    drafts = list(imported.read(Path("feedback.jsonl"), "\n".join(lines)))
    assert all(isinstance(item, Draft) for item in drafts)
    case = next(item.case for item in drafts if isinstance(item, Draft) and good.id in item.case.id)
    assert [item.quote for item in case.evidence or ()] == [second.answer.citations[1].quote]
    assert [turn.text for turn in case.history] == [QUAY, first.contract["answer"]]


def test_only_the_last_turns_go_with_feedback(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratings, "TURNS_KEPT", 2)
    entry = kept.add(ANNA)
    for question in (MILL, MOON):
        entry = kept.add(ANNA, question, entry.conversation_id)
    kept.ratings.rate(ANNA, entry.id, Rating.UP)
    assert [turn.text for turn in kept.ratings.listed().rated[0].history if turn.role == "user"] == [MILL]


def test_feedback_has_a_retention_of_its_own(kept: Kept) -> None:
    kept.ratings.rate(ANNA, kept.add(ANNA).id, Rating.UP)
    kept.clock.moment += timedelta(days=10)
    kept.ratings.rate(BEN, kept.add(BEN, MILL).id, Rating.UP)
    assert kept.ratings.purge(11) == 0
    assert kept.ratings.purge(10) == 1
    assert [item.question for item in kept.ratings.listed().rated] == [MILL]
    assert kept.titles(ANNA) == [QUAY]


def test_an_administrator_is_not_told_who(kept: Kept) -> None:
    kept.ratings.rate(ANNA, kept.add(ANNA).id, Rating.UP)
    (line,) = kept.ratings.lines()
    assert "anna" not in line and "anna" not in repr(replace(kept.ratings.listed()))
