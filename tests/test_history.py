from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from bri_qa import render
from bri_qa.errors import HistoryFullError, HistoryInputError, NotFoundError
from bri_qa.history import Rating, conversations, title_of
from bri_qa.history.records import TITLE_CHARS
from bri_qa.types import Document, Filters, Question, Source, Turn
from tests.keeping import MILL, MOON, QUAY, START, Kept

ANNA, BEN = "anonymous:anna", "anonymous:ben"


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    kept = Kept.open(tmp_path)
    yield kept
    kept.database.close()


@pytest.mark.parametrize("question", [QUAY, MOON, MILL, "hello", "nothing zzz"])
def test_an_answer_comes_back_as_it_was_given(kept: Kept, tmp_path: Path, question: str) -> None:
    filters = Filters(document_ids=("harbour", "odd/<i>ledger</i> & co", "tides"), published_from=None)
    given = replace(kept.answer(question), confidence=0.7999999)
    given = replace(given, question=Question(question, filters=filters))
    added = kept.history.add(ANNA, given, kept.pipeline.document)
    kept.database.close()
    again = Kept.open(tmp_path)  # a restart
    again.pipeline.by_id.clear()  # and an index without these articles
    entry = again.history.conversation(ANNA, added.conversation_id).entries[0]
    again.database.close()
    assert entry == added
    answer = entry.answer
    assert (answer.citations, answer.statements) == (given.citations, given.statements)
    assert (answer.question, answer.confidence) == (given.question, given.confidence)
    assert (answer.reason, answer.message) == (given.reason, given.message)
    assert [hit.passage.text for hit in answer.hits] == [hit.passage.text for hit in given.hits]
    assert entry.contract == render.as_json(given) == render.as_json(answer)
    for hit in given.hits:
        found, was = entry.documents[hit.passage.document_id], kept.pipeline.by_id[hit.passage.document_id]
        assert (found.source, found.sha256) == (was.source, was.sha256)


def test_a_licence_and_a_language_come_back(kept: Kept) -> None:
    given = kept.answer()
    source = Source("T", "P", "2024", "https://a.example", "fr", "CC BY 4.0")
    given = replace(given, citations=tuple(replace(item, source=source) for item in given.citations))
    entry = kept.history.entry(ANNA, kept.history.add(ANNA, given, kept.pipeline.document).id)
    assert entry.answer.citations[0].source == source


def test_an_article_that_changed_under_a_nearest_passage_is_not_linked(kept: Kept) -> None:
    given = kept.answer(MOON)
    changed = Document("harbour", "Other words.", Source("Other"), "0" * 64)
    assert kept.history.add(ANNA, given, lambda _: changed).documents == {}
    assert set(kept.history.add(ANNA, given, kept.pipeline.document).documents) == {"harbour"}


def test_a_conversation_goes_on_and_tells_the_pipeline_its_turns(kept: Kept) -> None:
    first = kept.add(ANNA)
    kept.add(ANNA, MOON, first.conversation_id)
    talk = kept.history.conversation(ANNA, first.conversation_id)
    assert talk.title == QUAY
    assert (talk.created, talk.updated) == (START + timedelta(seconds=1), START + timedelta(seconds=2))
    assert talk.turns == (
        Turn("user", QUAY),
        Turn("assistant", "The new quay is 640 metres long and takes three ships at a time. [1]"),
        Turn("user", MOON),
        Turn("assistant", "That is not stated in these articles."),
    )
    (summary,) = kept.history.conversations(ANNA).conversations
    assert (summary.id, summary.questions, summary.updated, summary.snippet) == (talk.id, 2, talk.updated, "")


def test_the_last_used_conversation_comes_first_page_by_page(kept: Kept) -> None:
    first = kept.add(ANNA, "harbour one")
    for number in ("two", "three", "four", "five"):
        kept.add(ANNA, f"harbour {number}")
    kept.add(ANNA, QUAY, first.conversation_id)
    assert kept.titles(ANNA) == [f"harbour {number}" for number in ("one", "five", "four", "three", "two")]
    seen, cursor = [], None
    while True:
        page = kept.history.conversations(ANNA, limit=2, after=cursor)
        seen.append([item.title.removeprefix("harbour ") for item in page.conversations])
        cursor = page.next
        if cursor is None:
            break
    assert seen == [["one", "five"], ["four", "three"], ["two"]]


def test_pages_are_whole_when_moments_are_the_same(kept: Kept) -> None:
    moment = kept.clock()
    kept.history = conversations.History(kept.database, lambda: moment)
    made = {kept.add(ANNA, f"harbour {number}").conversation_id for number in range(5)}
    seen, cursor = [], None
    while True:
        page = kept.history.conversations(ANNA, limit=2, after=cursor)
        seen += [item.id for item in page.conversations]
        cursor = page.next
        if cursor is None:
            break
    assert len(seen) == 5 and set(seen) == made


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", [MILL, MOON, QUAY]),
        ("QUAY", [MOON, QUAY]),  # the second one's answer does not hold it, its second question does
        ("640 metres", [MOON, QUAY]),
        ("ledger clerk", [MILL]),
        ("ｌｅｄｇｅｒ", [MILL]),  # full width
        ("dd itle", [MILL]),  # parts of words
        ("Odd <b>title", [MILL]),  # the title of a cited article
        ("100%", []),
        ("quay_", []),
        ("stated moon", [MOON]),
        ("gone", []),
    ],
)
def test_a_search_finds_conversations_that_hold_all_its_words(kept: Kept, search: str, found: list[str]) -> None:
    kept.add(ANNA)
    kept.add(ANNA, QUAY, kept.add(ANNA, MOON).conversation_id)
    kept.add(ANNA, MILL)
    assert kept.titles(ANNA, search) == found


def test_a_search_finds_titles_and_other_scripts(kept: Kept) -> None:
    entry = kept.add(ANNA)
    kept.history.rename(ANNA, entry.conversation_id, "新码头有多长 Straße")
    assert kept.titles(ANNA, "码头") == kept.titles(ANNA, "STRASSE") == ["新码头有多长 Straße"]
    assert kept.titles(ANNA, "码头 ship") == ["新码头有多长 Straße"]


def test_a_found_conversation_shows_where(kept: Kept) -> None:
    entry = kept.add(ANNA)
    kept.add(ANNA, MOON, entry.conversation_id)
    (summary,) = kept.history.conversations(ANNA, "three SHIPS").conversations
    assert summary.snippet == "…new quay is 640 metres long and takes three ships at a time. [1]"


@pytest.mark.parametrize(
    ("question", "title"),
    [
        (QUAY, QUAY),
        ("  How\nlong  is\tit? ", "How long is it?"),
        ("word " * 30, "word " * 15 + "word…"),
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 79 + "…"),
        ("码" * 200, "码" * 79 + "…"),
        ("What, " + "a" * 100, "What, " + "a" * 73 + "…"),
        (("a" * 39 + " ") * 2 + "b", "a" * 39 + " " + "a" * 39 + "…"),
        ("one two, " * 9 + "three", "one two, " * 8 + "one…"),
        ("\n", "Untitled"),
    ],
)
def test_a_title_is_the_question_shortened_at_a_word(question: str, title: str) -> None:
    assert title_of(question) == title
    assert len(title) <= TITLE_CHARS


def test_renaming_keeps_the_place_and_is_found(kept: Kept) -> None:
    first = kept.add(ANNA, "harbour one")
    kept.add(ANNA, "harbour two")
    summary = kept.history.rename(ANNA, first.conversation_id, "  My\n<b>quay</b> ")
    assert (summary.title, summary.questions) == ("My <b>quay</b>", 1)
    assert kept.titles(ANNA) == ["harbour two", "My <b>quay</b>"]
    for title in ("", " \n", "x" * 201):
        with pytest.raises(HistoryInputError, match="title"):
            kept.history.rename(ANNA, first.conversation_id, title)


def test_nobody_sees_touches_or_counts_what_is_anothers(kept: Kept) -> None:
    """Each method, asked by Ben for what is Anna's, and the other way round."""
    hers, his = kept.add(ANNA), kept.add(BEN, MILL)
    history, ratings = kept.history, kept.ratings
    ratings.rate(ANNA, hers.id, Rating.UP)
    for user, other in ((BEN, hers), (ANNA, his)):
        attempts: list[Callable[[], object]] = [
            partial(kept.add, user, QUAY, other.conversation_id),
            partial(history.conversation, user, other.conversation_id),
            partial(history.entry, user, other.id),
            partial(history.rename, user, other.conversation_id, "mine now"),
            partial(history.delete, user, other.conversation_id),
            partial(ratings.rate, user, other.id, Rating.DOWN),
        ]
        for attempt in attempts:
            with pytest.raises(NotFoundError, match="may have been deleted"):
                attempt()
    with pytest.raises(NotFoundError):
        ratings.withdraw(BEN, hers.id)
    assert kept.titles(ANNA) == kept.titles(ANNA, "quay") == [QUAY]
    assert kept.titles(BEN) == [MILL]
    assert kept.titles(BEN, "quay") == kept.titles("anonymous:anna ") == kept.titles("anonymous:%") == []
    cursor = f"20991231T000000000000Z~{hers.conversation_id}"
    assert [item.title for item in history.conversations(BEN, after=cursor).conversations] == [MILL]
    assert history.delete_all(BEN) == 1
    assert history.entry(ANNA, hers.id).feedback[0].rating is Rating.UP
    assert (kept.titles(ANNA), kept.titles(BEN)) == ([QUAY], [])


def test_another_users_feedback_is_not_shown_with_an_entry(kept: Kept) -> None:
    entry = kept.add(ANNA)
    kept.ratings.rate(ANNA, entry.id, Rating.DOWN, comment="mine")
    with kept.database.writing() as session:  # as a login taken over by a shared account would leave it
        session.connection().exec_driver_sql("UPDATE feedback SET user = ?", (BEN,))
    assert kept.history.entry(ANNA, entry.id).feedback == ()
    assert kept.history.conversation(ANNA, entry.conversation_id).entries[0].feedback == ()


def test_what_is_deleted_is_gone_and_the_rest_stays(kept: Kept) -> None:
    gone, stays = kept.add(ANNA, MILL), kept.add(ANNA)
    for entry in (gone, stays):
        kept.ratings.rate(ANNA, entry.id, Rating.DOWN, comment=f"on {entry.id}")
    kept.history.delete(ANNA, gone.conversation_id)
    assert kept.titles(ANNA) == [QUAY]
    for missing in (lambda: kept.history.entry(ANNA, gone.id), lambda: kept.history.delete(ANNA, gone.conversation_id)):
        with pytest.raises(NotFoundError):
            missing()
    assert [item.feedback.comment for item in kept.ratings.listed().rated] == [f"on {stays.id}"]
    assert kept.history.delete_all(ANNA) == 1
    assert kept.history.delete_all(ANNA) == 0
    assert kept.ratings.listed().rated == ()


def test_retention_deletes_what_was_not_used_for_so_long(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "PURGED_AT_ONCE", 2)
    old = [kept.add(user, "harbour old") for user in (ANNA, BEN, ANNA)]
    used = kept.add(ANNA, "harbour used")
    kept.ratings.rate(BEN, old[1].id, Rating.UP)
    kept.clock.moment += timedelta(days=29)
    kept.add(ANNA, QUAY, used.conversation_id)
    kept.add(BEN, "harbour new")
    assert kept.history.purge(30) == 0
    kept.clock.moment += timedelta(days=2)
    assert kept.history.purge(30) == 3
    assert (kept.titles(ANNA), kept.titles(BEN)) == (["harbour used"], ["harbour new"])
    assert len(kept.history.conversation(ANNA, used.conversation_id).entries) == 2
    (rated,) = kept.ratings.listed().rated  # feedback has a retention of its own
    assert rated.question == "harbour old"
    assert kept.history.delete_all(BEN) == 1
    assert kept.ratings.listed().rated == ()  # but goes with its user


def test_there_is_room_for_so_much_and_no_more(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "MAX_CONVERSATIONS", 2)
    monkeypatch.setattr(conversations, "MAX_ENTRIES", 2)
    first = kept.add(ANNA)
    kept.add(ANNA)
    kept.add(BEN)
    with pytest.raises(HistoryFullError, match="you keep 2 conversations; delete some"):
        kept.add(ANNA)
    kept.add(ANNA, QUAY, first.conversation_id)
    with pytest.raises(HistoryFullError, match="has 2 questions; begin a new one"):
        kept.add(ANNA, QUAY, first.conversation_id)
    assert len(kept.titles(ANNA)) == 2


def test_what_cannot_be_asked_of_the_history_is_told(kept: Kept) -> None:
    with pytest.raises(HistoryInputError, match="a search has at most 200 characters"):
        kept.history.conversations(ANNA, "x" * 201)
    for limit in (0, -1, 201):
        with pytest.raises(HistoryInputError, match="a page has 1 to 200 lines"):
            kept.history.conversations(ANNA, limit=limit)
    for cursor in ("", "x", "2026~a", "20260101T000000Z~a"):
        with pytest.raises(HistoryInputError, match="begin at the first page"):
            kept.history.conversations(ANNA, after=cursor)
    for user in ("", "u" * 201):
        for refused in (partial(kept.titles, user), partial(kept.add, user)):
            with pytest.raises(HistoryInputError, match="a user's key has 1 to 200 characters"):
                refused()


def test_half_a_character_does_no_harm(kept: Kept) -> None:
    entry = kept.add(ANNA, "harbour \ud83d quay")
    assert kept.titles(ANNA, "\ud83d") == kept.titles(ANNA, "quay") == ["harbour ? quay"]
    assert kept.history.entry(ANNA, entry.id).answer.question.text == "harbour \ud83d quay"
    kept.history.rename(ANNA, entry.conversation_id, "\ud83d")
    assert kept.ratings.rate(ANNA, entry.id, Rating.UP, comment="\ud83d").comment == "?"
