from __future__ import annotations

import pytest

from bri_qa.answer import ExtractiveAnswerer
from bri_qa.answer.extractive_asked import Asked
from bri_qa.types import Draft, Hit, Question, Reading, ScoredSpan, Span
from tests.articles import hits_of


def _answer(query: str, text: str, **scores: float) -> Draft:
    """What is made of a passage whose spans have these scores; a key is a span's text, its blanks underlined."""
    (hit,) = hits_of(text)
    wanted = {key.replace("_", " "): score for key, score in scores.items()}
    spans = [ScoredSpan(Span(at := text.index(key), at + len(key)), score) for key, score in wanted.items()]
    spans.sort(key=lambda item: -item.score)
    read = Hit(hit.passage, 1.0, Reading(hit.passage.id, 1.0, 0.0, tuple(spans), exact=True))
    return ExtractiveAnswerer().answer(Question(query), query, [read])


def _texts(draft: Draft) -> list[str]:
    return [item.text for item in draft.statements]


def _short(draft: Draft) -> str | None:
    return draft.short_answer.text if draft.short_answer else None


TRAFFIC = "The tram carries 900 people a day. In 2011 there were 300, and in 2015 there were 500. It is yellow."


def test_a_sentence_with_the_year_that_is_asked_for_comes_before_one_without() -> None:
    draft = _answer("How many people did the tram carry in 2015?", TRAFFIC, **{"900": 0.8, "500": 0.4})
    assert _texts(draft)[0] == "In 2011 there were 300, and in 2015 there were 500."
    assert _short(draft) == "500"
    assert _texts(_answer("How many people does the tram carry?", TRAFFIC, **{"900": 0.8, "500": 0.4}))[0] == (
        "The tram carries 900 people a day."
    )


def test_the_figure_of_another_year_is_no_short_answer() -> None:
    assert _short(_answer("How many people did the tram carry in 2015?", TRAFFIC, **{"300": 0.8})) is None


def test_a_year_that_no_sentence_holds_moves_none() -> None:
    draft = _answer("How many people did the tram carry in 1990?", TRAFFIC, **{"900": 0.8, "500": 0.4})
    assert _texts(draft)[0] == "The tram carries 900 people a day."


def test_a_question_for_yes_or_no_gets_the_sentence_about_just_that_and_no_short_answer() -> None:
    text = "The mill stood idle for years. Horses no longer pull the barges. The river is wide."
    draft = _answer("Do horses still pull barges?", text, idle=0.8, longer=0.5)
    assert _texts(draft)[0] == "Horses no longer pull the barges."
    assert _short(draft) is None


def test_a_question_for_yes_or_no_in_other_words_is_left_to_the_reader() -> None:
    text = "The mill stood idle for years. The river is wide, said the miller."
    assert _texts(_answer("Did grinding cease at the mill for long?", text, idle=0.8, wide=0.7))[0] == (
        "The mill stood idle for years."
    )


def test_of_two_things_compared_neither_is_the_short_answer() -> None:
    text = "The Rook is 58 metres long; the Heron is 46 metres long."
    assert _short(_answer("Which boat is longer, the Rook or the Heron?", text, **{"46_metres": 0.9})) is None
    assert _short(_answer("How long is the Heron?", text, **{"46_metres": 0.9})) == "46 metres"


def test_a_span_in_a_clause_that_says_less_of_what_is_asked_is_no_short_answer() -> None:
    text = "The lamp was lent by Ada Moss; the saddle was lent by a collector."
    assert _short(_answer("Who lent the saddle?", text, Ada_Moss=0.9)) is None
    assert _short(_answer("Who lent the saddle?", text, a_collector=0.9)) == "a collector"


@pytest.mark.parametrize(
    ("query", "short"),
    [
        ("In which countries does the bank lend?", "Kenya, Uganda, South Sudan and Chad"),
        ("Which states does it lend in?", "Kenya, Uganda, South Sudan and Chad"),
        ("Where was the last loan made?", "South Sudan and Chad"),
    ],
)
def test_who_asks_for_several_gets_the_whole_series(query: str, short: str) -> None:
    text = "The bank lends to farms in Kenya, Uganda, South Sudan and Chad since May."
    assert _short(_answer(query, text, South_Sudan_and_Chad=0.9)) == short


def test_headings_and_questions_do_not_stand_where_a_sentence_tells() -> None:
    text = "Why not steam?\n\nThe steam engine of the lake\n\nSteam would have cost three times as much."
    draft = _answer("Why was steam not chosen?", text, **{"not steam": 0.9, "engine": 0.9, "three times": 0.6})
    assert _texts(draft) == ["Steam would have cost three times as much."]


def test_where_only_headings_stand_they_are_quoted() -> None:
    assert _texts(_answer("What engine is it?", "The steam engine of the lake", engine=0.9)) == [
        "The steam engine of the lake"
    ]


def test_a_pronoun_is_quoted_with_the_sentence_that_says_who_it_is() -> None:
    text = "Ada Moss runs the mill. “I never liked steam,” she said. It rained."
    draft = _answer("What did Ada Moss say about steam?", text, never=0.9, runs=0.8)
    assert _texts(draft) == ["Ada Moss runs the mill. “I never liked steam,” she said."]
    assert _texts(_answer("What was said about steam?", text, never=0.9)) == ["“I never liked steam,” she said."]


@pytest.mark.parametrize(
    ("query", "yes_no"),
    [
        ("Is it open?", True),
        ("And do trains still run?", True),
        ("can you tell me who paid?", False),
        ("Who is it?", False),
        ("Issues with the pier", False),
        ("May harvest figures?", True),  # the price of telling by the first word alone
    ],
)
def test_what_a_question_asks_for_is_told_by_its_first_word(query: str, yes_no: bool) -> None:
    assert Asked(query).yes_no is yes_no
