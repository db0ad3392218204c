from __future__ import annotations

import pytest

from bri_qa.reader.words import coverage, is_search, names, stems

TEXT = "The ferry to Sor carried 1,200 passengers in May 2021, said Mara Oduya."


@pytest.mark.parametrize(
    ("question", "words", "special"),
    [
        ("How many passengers did the ferry carry to Sor?", 1.0, 1.0),
        ("How many passengers did the ferry carry to Lindum?", 3 / 4, 0.0),
        ("How many bales were lost in May 2022?", 1 / 4, 1 / 2),
        ("who said it", 1.0, 1.0),
        ("", 1.0, 1.0),
    ],
)
def test_shares_of_words_and_names_that_a_text_holds(question: str, words: float, special: float) -> None:
    assert list(coverage(question, TEXT)) == pytest.approx([words, special])


def test_the_first_word_of_a_question_is_no_name() -> None:
    assert names("Where did Mara Oduya live in 2021?") == {"mara", "oduya", "2021"}


def test_forms_of_a_word_have_one_stem() -> None:
    assert stems("passenger passengers") == stems("passengers") == stems("Passenger")
    assert stems("1,200") == {"1,200"}
    assert not stems("the of and is")


def test_what_is_typed_into_a_search_engine_has_no_capital_and_no_question_mark() -> None:
    assert is_search("how many passengers did the ferry carry in 2021")
    for question in ("How many passengers", "ferry to Sor", "how many passengers?", "多少乘客？"):
        assert not is_search(question)
