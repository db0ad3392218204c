"""Right and wrong statements over three articles written for this: what is let through, and what is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bri_qa.answer.clauses import clauses, contradicted
from bri_qa.answer.support import leans, names_of, unsupported

ARTICLES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "data" / "paraphrases.json").read_text(encoding="utf-8")
)
KINDS = {"date", "direction", "merged", "name", "negation", "number"}
RIGHT_LET_THROUGH = 0.95  # the floors; the statements were seen while the rules were mended
WRONG_DROPPED = 0.95


def _judged(kind: str) -> Iterator[tuple[str, str | None]]:
    for article in ARTICLES:
        texts: dict[str, str] = article["sentences"]
        known, order = names_of(list(texts.values())), list(texts)
        for ids, text, *_ in article[kind]:
            named = ids.split()
            before = [texts[order[order.index(name) - 1]] for name in named if leans(texts[name])]
            yield text, unsupported(text, [texts[name] for name in named], known, before)


def test_right_statements_in_other_words_come_through() -> None:
    judged = list(_judged("right"))
    dropped = [(text, reason) for text, reason in judged if reason]
    assert len(judged) >= 100 and len(dropped) <= (1 - RIGHT_LET_THROUGH) * len(judged), dropped


def test_wrong_statements_in_the_quotes_own_words_do_not() -> None:
    judged = list(_judged("wrong"))
    passed = [text for text, reason in judged if not reason]
    assert {item[2] for article in ARTICLES for item in article["wrong"]} == KINDS
    assert len(judged) >= 120 and len(passed) <= (1 - WRONG_DROPPED) * len(judged), passed


@pytest.mark.parametrize(
    ("text", "quote", "stands"),
    [
        ("Ostmark has fewer jobs than Sor.", "Sor has more jobs than Ostmark.", True),
        ("Sor has fewer jobs than Ostmark.", "Sor has more jobs than Ostmark.", False),
        ("The unions oppose the plan.", "The unions do not support the plan.", True),
        ("The unions welcome the plan.", "The unions do not support the plan.", False),
        ("The line may close if the wall is not raised.", "The line may close unless the wall is raised.", True),
        ("The trams have drivers.", "The trams run without drivers.", False),
        ("Students pay 60 crowns.", "Adults pay 120 crowns and students 60 crowns.", True),
        ("Students pay 120 crowns.", "Adults pay 120 crowns and students 60 crowns.", False),
        ("At least 5 may enter.", "No fewer than 5 may enter.", True),
        ("At least 5 may enter.", "At most 5 may enter.", False),
        ("Central and western regions had 18%.", "The central and western regions had 18% of it.", True),
        ("Western regions had 18%.", "The central and western regions had 18% of it.", False),
        ("The quay is open.", "The quay is not open.", False),
        ("The quay is closed.", "The quay is not open.", True),
    ],
)
def test_denials_opposites_and_bounds_are_held_against_each_other(text: str, quote: str, stands: bool) -> None:
    assert (contradicted(text, quote) is None) is stands


def test_a_clause_without_a_subject_has_the_one_before() -> None:
    first, second = clauses("In 2014 Berg drew the bridge and planned 3 stations.", frozenset())
    assert first.names == second.subject == {"berg"} and second.numbers == {"3"}
