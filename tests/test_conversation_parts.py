from __future__ import annotations

import pytest

from bri_qa.conversation.parts import parts


@pytest.mark.parametrize(
    ("text", "queries"),
    [
        (
            "How long is the new quay, and what did the repairs cost?",
            ["How long is the new quay?", "What did the repairs cost?"],
        ),
        (
            "How long is the new quay? What did the repairs cost?",
            ["How long is the new quay?", "What did the repairs cost?"],
        ),
        ("Please tell me who runs the mill and where it stands.", ["who runs the mill?", "Where it stands runs mill?"]),
        ("Is the quay open and why?", ["Is the quay open?", "Why is the quay open?"]),
        ("Where and when was the bell cast?", ["Where was the bell cast?", "When was the bell cast?"]),
        ("Where did the ferry go and when?", ["Where did the ferry go?", "When did the ferry go?"]),
        (
            "How many ships does the quay take and in which months?",
            ["How many ships does the quay take?", "In which months does the quay take?"],
        ),
        (
            "Is the quay open? Who built it? And what did it cost?",
            ["Is the quay open?", "Who built it quay open?", "what did it cost built quay open?"],
        ),
    ],
)
def test_a_message_of_several_questions_is_taken_apart(text: str, queries: list[str]) -> None:
    assert [part.query for part in parts(text)] == queries


def test_a_part_keeps_its_own_words() -> None:
    assert [part.words for part in parts("Who built the quay, and when did it open?")] == [
        "Who built the quay?",
        "When did it open?",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "How long is the new quay?",
        "quay and ferry",
        "How many ships and how many boats does the quay take?",
        "What spirit and what rules has the fund kept to?",
        "What is the difference between what Oduya says and what Reiner says?",
        "Who are the people who built the quay and who paid for it?",
        "The quay is open. Who built it?",
        "Who built it and why not?" + " So they say." * 40,
        "Who? What? Where? When?",
        "What did Oduya say, when asked about the ferry?",
        "How did trade change, which the fund had foreseen?",
        "Who built the quay and the ferry?",
        "Who built the quay and when?",
        "How long was the quay shut and why?",
        "What prize did Oduya win and when?",
        "In which year and in which town was Oduya born?",
        'What does "what and when" mean?',
        "What did Oduya, who runs the harbour, and who owns a boat, build?",
        "How has the way people work and what they eat changed?",
        "What are the causes of and what are the cures for rust?",
        "How does a pilot know what to do and when to do it?",
        "Who knows how many men and how many women work there?",
        "?",
    ],
)
def test_what_asks_one_thing_or_is_not_plain_is_left_whole(text: str) -> None:
    assert [tuple(part) for part in parts(text)] == [(text, text)]
