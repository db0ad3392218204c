from __future__ import annotations

import pytest

from bri_qa.minilm import common_words
from bri_qa.spelling import Spelling
from tests.fakes import HARBOUR_TEXT, FakePipeline, document


class Articles(FakePipeline):
    """An index as spelling sees it: its documents."""


COMMON = {word: rank for rank, word in enumerate(["the", "when", "where", "were", "many", "may", "long", "copper"])}


def _correct(query: str, text: str = HARBOUR_TEXT) -> str:
    return Spelling(COMMON).correct(query, Articles([document("a", text)]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("how lnog is the nwe quya", "how long is the new quay"),
        ("wher is the habour", "where is the harbour"),
        ("how mnay vistors", "how many visitors"),
        ("who is Mara Odya", "who is Mara Oduya"),
        ("teh lighthuose", "the lighthouse"),
    ],
)
def test_a_slip_is_set_right_by_the_articles_and_by_common_words(typed: str, meant: str) -> None:
    assert _correct(typed) == meant


@pytest.mark.parametrize(
    "query",
    [
        "",
        "copper",  # near no word of the article, and known
        "repairing the repaired quays",  # forms of known words
        "zirconium xylophone",  # unknown, and near nothing
        "A-12b x9y7 640",
        "NATO Tor",  # short or in capitals: a name
        "什么 ferry",
        "don’t isn't",
    ],
)
def test_what_may_be_meant_is_left_alone(query: str) -> None:
    assert _correct(query) == query


def test_it_learns_the_words_of_the_index_that_is_asked() -> None:
    spelling = Spelling({})
    one, other = (Articles([document("a", text)]) for text in ("the telescope stands", "the stethoscope hangs"))
    assert spelling.correct("telesope", one) == "telescope"  # type: ignore[arg-type]
    assert spelling.correct("telesope", other) == "telesope"  # type: ignore[arg-type]
    assert spelling.correct("stethosope", other) == "stethoscope"  # type: ignore[arg-type]


def test_the_common_words_are_english_and_ranked() -> None:
    words = common_words()
    assert len(words) > 15_000 and words["the"] < words["harbour"]
    assert "frieght" not in words and "##ing" not in words
