from __future__ import annotations

import pytest

from bri_qa.conversation.pointed import pointed

TOLD = (
    "My aunt keeps bees on the hill above the town and she has been thinking for some time of buying a second mill, "
    "although everybody who knows about mills tells her not to"
)


@pytest.mark.parametrize(
    ("end", "point"),
    [
        ("; does the Mill Fund lend to bee keepers?", "does the Mill Fund lend to bee keepers?"),
        (". And who founded the Mill Fund in Keld? Thank you!", "who founded the Mill Fund in Keld?"),
        (
            ", and I would like to know how long the mill in Keld stood idle, thanks!",
            "how long the mill in Keld stood idle?",
        ),
        (". What I wonder is: in which year was the mill of Keld built?", "in which year was the mill of Keld built?"),
    ],
)
def test_a_long_message_is_brought_to_its_question(end: str, point: str) -> None:
    assert pointed(TOLD + end) == point


@pytest.mark.parametrize(
    "end", ["", ". What does the article say?", ". Does it lend to bee keepers of the valley?", "; what do they pay?"]
)
def test_a_question_that_leans_on_the_rest_takes_the_rest_along(end: str) -> None:
    assert pointed(TOLD + end) == TOLD + end


def test_a_message_of_usual_length_is_left_as_it_is() -> None:
    asked = "I have read about mills; how long did the mill in Keld stand idle?"
    assert pointed(asked) == asked


def test_a_long_question_is_left_whole() -> None:
    asked = "How long " + "and in what weather " * 10 + "did the mill in Keld stand idle?"
    assert pointed(asked) == asked
