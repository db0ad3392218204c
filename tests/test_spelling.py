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


def test_two_letters_left_out_of_a_word_of_the_articles_are_forgiven() -> None:
    spelling = Spelling({"lets": 0, "how": 1, "many": 2})
    shelf = Articles([document("a", "Four letters are on show.")])
    assert spelling.correct("how many letrs", shelf) == "how many letters"  # type: ignore[arg-type]
    assert spelling.correct("how many let", shelf) == "how many lets"  # type: ignore[arg-type]


def test_a_word_whose_longer_form_is_known_is_left_alone() -> None:
    spelling = Spelling({"mediated": 0, "painters": 1, "to": 2})
    shelf = Articles([document("a", "Nobody came.")])
    assert spelling.correct("a painter to mediate", shelf) == "a painter to mediate"  # type: ignore[arg-type]


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


def test_no_word_of_an_article_that_one_may_not_read_sets_a_slip_right() -> None:
    spelling = Spelling(COMMON)
    index = Articles([document("a", "An open telescope"), document("b", "The secret stethoscope", groups=("board",))])
    told = [
        (groups, spelling.correct("stethosope telesope", index, groups))  # type: ignore[arg-type]
        for groups in (
            frozenset[str](),
            frozenset({"board"}),
            None,
            frozenset({"press"}),
            frozenset({"board", "press"}),
        )
    ]
    assert [text for _, text in told] == [
        "stethosope telescope" if groups is not None and "board" not in groups else "stethoscope telescope"
        for groups, _ in told
    ]


def test_words_are_learned_once_for_all_who_read_the_same() -> None:
    spelling = Spelling(COMMON)
    index = Articles([document("a", "An open telescope"), document("b", "The secret stethoscope", groups=("board",))])
    for number in range(50):
        spelling.correct("telesope", index, frozenset({f"person-{number}"}))  # type: ignore[arg-type]
    assert len(spelling._learned) == 1
