from __future__ import annotations

import numpy as np
import pytest

from bri_qa.answer import DigestAnswerer
from bri_qa.embed import HashingEmbedder, MiniLMEmbedder
from bri_qa.types import AbstainReason, Draft, Hit, Question
from tests.articles import articles, hits_of, whole


def _digest(hits: list[Hit], text: str = "Summarise") -> Draft:
    return DigestAnswerer(HashingEmbedder()).answer(Question(text), text, hits)


def _texts(draft: Draft) -> list[str]:
    return [item.text for item in draft.statements]


def test_an_article_is_summed_up_by_whole_sentences_of_its_own_in_reading_order() -> None:
    text = articles()["harbour"].text
    chosen = _texts(_digest([whole(text)]))
    assert len(chosen) == 6 and "The harbour of Lindum opens again" not in chosen
    places = [text.index(item) for item in chosen]
    assert places == sorted(places)


@pytest.mark.parametrize(
    "opening", ["However, the", "It seems that the", "Based on this, the", "In her opinion the", "The rest of the"]
)
def test_of_two_sentences_the_one_that_is_understood_alone_is_taken(opening: str) -> None:
    start = "The harbour of the town was opened again in spring."
    alone, leaning = (
        "The old crane lifts forty tons of cargo a day.",
        f"{opening} old crane lifts forty tons of cargo a day.",
    )
    for text in (f"{start} {leaning} {alone}", f"{start} {alone} {leaning}"):
        assert _texts(_digest([whole(text)])) == [start, alone]


def test_a_sentence_that_leans_is_better_than_none() -> None:
    text = "It was opened again by the town in the spring of that year."
    assert _texts(_digest([whole(text)])) == [text]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Summarise the article in one sentence", 1),
        ("a two-line summary", 2),
        ("Give me 3 bullet points", 3),
        ("What are the four main points?", 4),
        ("Summarise it in 0 sentences", 1),
        ("Summarise it in 99 sentences", 6),
        ("Summarise the article of 2024", 6),
    ],
)
def test_as_many_sentences_are_given_as_are_asked_for(text: str, count: int) -> None:
    assert len(_texts(_digest([whole(articles()["harbour"].text)], text))) == count


def test_a_number_holds_for_all_articles_together() -> None:
    hits = [whole(item.text, key) for key, item in articles().items()]
    for count in (1, 3, 4):
        assert len(_texts(_digest(hits, f"Summarise everything in {count} sentences"))) == count


def test_several_articles_share_the_digest_and_none_is_left_out() -> None:
    hits = [whole(item.text, key) for key, item in articles().items()]
    draft = _digest(hits)
    cited = [item.quotes[0].passage_id for item in draft.statements]
    assert cited == sorted(cited) and {item.partition("#")[0] for item in cited} == set(articles())
    assert len(cited) == 12


def test_of_more_articles_than_there_is_room_for_the_openings_are_chosen_from() -> None:
    texts = [
        f"The town number {n} has a well of its own and keeps it clean. Nobody knows how old that well is."
        for n in range(30)
    ]
    chosen = _texts(_digest([whole(text, f"town-{n:02}") for n, text in enumerate(texts)]))
    assert len(chosen) == 12 and all(item.startswith("The town number") for item in chosen)


def test_a_reprint_is_said_once() -> None:
    text = "The harbour of Lindum opened again on a Monday in the spring."
    assert _texts(_digest(hits_of(text, text.upper(), f" {text}"))) == [text]


def test_overlapping_passages_say_their_sentence_once() -> None:
    text = "The first sentence has quite enough words for it. The second one is about a red boat on the sea."
    (hit,) = hits_of(text)
    again = Hit(type(hit.passage)("z", "a", hit.passage.span, "", text), 0.0)
    assert _digest([hit, again]) == _digest([hit])


def test_chinese_sentences_count_though_no_space_parts_them() -> None:
    text = "这条新的铁路在去年春天开通了。"
    assert _texts(_digest([whole(text)])) == [text]


@pytest.mark.parametrize("texts", [(), ("",), ("Contents", "A heading with many words and no end")])
def test_with_no_sentence_it_abstains_and_says_why(texts: tuple[str, ...]) -> None:
    draft = _digest(hits_of(*texts))
    assert (draft.reason, draft.message) == (AbstainReason.NOT_STATED, "There is no text here to sum up.")


def test_the_same_articles_have_the_same_digest() -> None:
    hits = [whole(item.text, key) for key, item in articles().items()]
    assert _digest(hits) == _digest(hits)


def test_what_an_article_is_about_outweighs_an_aside() -> None:
    text = articles()["harbour"].text + "\nA cat was seen asleep on a red chair in the sun that day."
    draft = DigestAnswerer(MiniLMEmbedder.load(precision="f32")).answer(Question("?"), "?", [whole(text)])
    assert any("opened again on 4 March 2024" in item for item in _texts(draft))
    assert not any("cat" in item.split() for item in _texts(draft))
    assert np.isfinite(draft.confidence)
