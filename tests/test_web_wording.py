from __future__ import annotations

import pytest

from bri_qa.web.wording import questions


@pytest.mark.parametrize(
    ("sentence", "made"),
    [
        ("The bridge cost 312 million crowns, 40 million more than planned.", ["How much did the bridge cost?"]),
        ("A bed in a compartment for four costs about €69.", ["How much does a bed in a compartment for four cost?"]),
        ("The new quay is 640 metres long and takes three ships.", ["How long is the new quay?"]),
        ("The hospital has 85 vacant posts at present.", ["How many vacant posts does the hospital have?"]),
        ("The library had 1.3 million visitors last year.", ["How many visitors did the library have?"]),
        ("Transalp Rail has hired 120 nurses.", ["How many nurses has Transalp Rail hired?"]),
        (
            "Growers in the valley have picked 46,000 tonnes of apples.",
            ["How many tonnes have growers in the valley picked?"],
        ),
        (
            "The researchers followed 5,200 households for two years.",
            ["How many households were followed by the researchers?"],
        ),
        ("The library was founded in 1897.", ["When was the library founded?"]),
        ("The clock was made by Anton Feld in 1764.", ["When was the clock made by Anton Feld?"]),
        ("The museum will show the clock again from October.", ["When will the museum show the clock again?"]),
        ("The boats were sold on 4 March 2024.", ["When were the boats sold?"]),
        ("The road is closed because the river rose.", ["Why is the road closed?"]),
    ],
)
def test_what_a_sentence_states_is_asked_for(sentence: str, made: list[str]) -> None:
    found = list(questions(sentence))
    assert [one.text for one in found] == made
    assert all(one.wanted in sentence for one in found)


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        "It cost 312 million crowns.",
        "They have picked 46,000 tonnes.",
        "The cost 312 is a number.",
        "In 1897 the library was founded.",
        "The man who came said that the bridge cost 7 crowns.",
        "The price, however, was 7 crowns.",
        "Prices increased 18 percent.",
        "The train runs 3 days a week.",
        "Demand was high in 2024.",
        "“The bridge cost 312 crowns,” he said.",
        "The saving has not reached 100 households.",
        "The " + "very " * 40 + "long bridge cost 7 crowns.",
    ],
)
def test_what_does_not_fit_makes_no_question(sentence: str) -> None:
    assert list(questions(sentence)) == []


def test_a_long_line_without_an_end_is_read_quickly() -> None:
    assert list(questions("The word " * 20_000)) == []
