from __future__ import annotations

import pytest

from bri_qa.answer import MentionsAnswerer
from bri_qa.types import AbstainReason, Question
from tests.articles import articles, hits_of


def _told(query: str, *texts: str, most: int = 3) -> list[str]:
    draft = MentionsAnswerer(most).answer(Question("what the user typed"), query, hits_of(*texts))
    assert (draft.reason == AbstainReason.NOT_STATED) == (not draft.statements)
    return [item.text for item in draft.statements]


@pytest.mark.parametrize(
    ("keyword", "sentence"),
    [
        ("crane", "A second crane came."),
        ("CRANES", "A second crane came."),
        ("second crane", "A second crane came."),
        ("Oduya", "Oduya’s boat sank."),
        ("112,000", "It sold 112,000 loaves."),
        ("low carbon", "The low-carbon road is open."),
        ("low-carbon", "The low carbon road is open."),
        ("small and beautiful", "Beautiful things are small."),
        ("AI", "The AI helps."),
        ("port", "Three ports grew."),
        ("铁路", "中欧铁路到达许多城市。"),
        ("Straße", "Die STRASSE ist neu."),
    ],
)
def test_a_keyword_gives_the_sentences_that_hold_it(keyword: str, sentence: str) -> None:
    assert _told(keyword, f"Nothing here. {sentence} Nothing there.") == [sentence]


@pytest.mark.parametrize(
    "asked",
    [
        "What does the article say about the second crane?",
        "what do the articles tell us regarding second cranes",
        "And what else is said about the second crane in the article?",
        "What do you know about the second crane?",
        "Tell me about the second crane, please.",
        "Could you please tell us more about second cranes",
        "Is there anything about a second crane in these texts?",
        "Any information on the second crane?",
        "Does the article say anything about the second crane？",
    ],
)
def test_what_is_said_about_something_are_the_sentences_that_hold_it(asked: str) -> None:
    assert _told(asked, "A crane fell. The second crane of the quay came. A second one fell.") == [
        "The second crane of the quay came."
    ]


@pytest.mark.parametrize(
    "asked",
    [
        "What did Oduya say about the crane?",
        "What did the police report say about the crane?",
        "What is written on the quay?",
        "What did they say on the crane?",
        "What does the article say about how the crane fell?",
        "What does the article say about it?",
        "What does the article say about the crane and who paid for it?",
        "What does the article say about the crane, the quay, the ferry and the market?",
        "What does the article say about " + "the crane " * 40,
    ],
)
def test_what_a_person_says_or_how_something_is_asks_for_more(asked: str) -> None:
    assert _told(asked, "The crane of the quay fell, said Oduya, and the ferry and the market paid for it.") == []


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("AI", "The air said nothing."),
        ("s", "Ships and seas."),
        ("us", "The bus stops."),
        ("bread", "The breadbasket is full."),
        ("112", "It sold 112,000 loaves."),
        ("second crane", "A crane came second to none. " * 0 + "A crane came."),
        ("the", "The end is near."),
        ("...", "The end ... is near."),
    ],
)
def test_a_word_is_not_found_in_another_word(keyword: str, text: str) -> None:
    assert _told(keyword, text) == []


@pytest.mark.parametrize(
    "query",
    [
        "crane?",
        "who owns crane",
        "crane harbour ferry market",
        "tell crane",
        "How many cranes",
        "describe crane",
        "",
        " ",
    ],
)
def test_a_question_is_not_a_keyword(query: str) -> None:
    assert _told(query, "A crane of the harbour, the ferry and the market.") == []


def test_the_query_counts_not_the_message_it_was_made_of() -> None:
    hits = hits_of("A crane came.")
    draft = MentionsAnswerer().answer(Question("crane"), "How many is the crane?", hits)
    assert draft.reason == AbstainReason.NOT_STATED


def test_headings_only_count_where_no_sentence_holds_it() -> None:
    bread = articles()["bread"].text
    assert _told("bread", bread) == [
        "This bread needs three days and almost no work.",
        "Let the bread rest overnight before you cut it.",
    ]
    assert _told("bread days", bread) == ["This bread needs three days and almost no work."]
    assert _told("rye bread", bread) == ["Rye bread in three days"]


def test_it_keeps_the_order_of_the_hits_says_nothing_twice_and_stops_at_the_most() -> None:
    texts = ("A crane came.", "A crane  CAME.", "The crane left.", "No crane.", "Every crane.")
    assert _told("crane", *texts) == ["A crane came.", "The crane left.", "No crane."]
    assert _told("crane", *texts, most=1) == ["A crane came."]
