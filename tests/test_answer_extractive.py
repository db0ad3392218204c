from __future__ import annotations

import pytest

from bri_qa.answer import ExtractiveAnswerer
from bri_qa.types import AbstainReason, Draft, Hit, Question, Quote, Reading, ScoredSpan, Span
from tests.articles import articles, hits_of, read_hits

QUAY = "The new quay is 640 metres long and takes three ships at a time."


def _ask(question: str, *texts: str, **options: float) -> Draft:
    answerer = ExtractiveAnswerer(**options)  # type: ignore[arg-type]
    return answerer.answer(Question(question), question, read_hits(question, *texts))


def _texts(draft: Draft) -> list[str]:
    return [item.text for item in draft.statements]


def test_the_sentence_that_answers_is_the_statement_and_its_own_quote() -> None:
    draft = _ask("What is said of the new quay?", articles()["harbour"].text)
    assert _texts(draft) == [QUAY]
    (quote,) = draft.statements[0].quotes
    assert (quote.passage_id, quote.text) == ("a#0", QUAY)
    assert quote.span is not None and quote.span.of(articles()["harbour"].text) == QUAY


def test_an_exact_reader_gives_the_short_answer_within_the_statement() -> None:
    draft = _ask("How long is the new quay?", articles()["harbour"].text)
    assert _texts(draft) == [QUAY]
    assert draft.short_answer is not None and draft.short_answer.text == "640"


def test_a_reader_of_whole_sentences_gives_no_short_answer() -> None:
    assert _ask("What is the new quay?", QUAY).short_answer is None


def test_statements_come_best_first_and_weak_ones_are_left_out() -> None:
    texts = ("The red boat sails north.", "The red boat is new.", "A boat.")
    assert _texts(_ask("Where is the red sails, north?", *texts)) == [texts[0]]
    assert _texts(_ask("What of the red boat, north?", *texts)) == [texts[0], texts[1]]
    assert _texts(_ask("What of the red boat, north?", *texts, share=0.0)) == list(texts)
    assert _texts(_ask("What of the red boat, north?", *texts, max_statements=1)) == [texts[0]]


def test_a_reprint_or_an_overlapping_passage_is_not_said_twice() -> None:
    assert _texts(_ask("What is the new quay?", QUAY, QUAY.replace(" is ", "  IS "))) == [QUAY]
    question = "What is the new quay?"
    (hit,) = read_hits(question, QUAY)
    assert hit.reading is not None
    again = Hit(
        type(hit.passage)("z", "a", Span(4, len(QUAY)), "", QUAY[4:]),
        hit.score,
        Reading("z", 1.0, 0.0, (ScoredSpan(Span(0, len(QUAY) - 4), 0.9),)),
    )
    assert _texts(ExtractiveAnswerer().answer(Question(question), question, [hit, again])) == [QUAY]


def test_a_span_over_two_sentences_takes_both() -> None:
    text = "It rained. Then it snowed. Then the sun came."
    (hit,) = hits_of(text)
    start, end = text.index("rained"), text.index("snowed") + 6
    read = Hit(hit.passage, 1.0, Reading("a#0", 1.0, 0.0, (ScoredSpan(Span(start, end), 1.0),), exact=True))
    draft = ExtractiveAnswerer().answer(Question("?"), "?", [read])
    assert _texts(draft) == ["It rained. Then it snowed."]
    assert draft.short_answer == Quote("a#0", "rained. Then it snowed", Span(start, end))


def test_white_space_in_a_statement_is_single_but_its_quote_is_untouched() -> None:
    text = "The new\tquay is\u00a0 long."
    draft = _ask("Is the new quay long?", text)
    assert _texts(draft) == ["The new quay is long."]
    assert draft.statements[0].quotes[0].text == text


@pytest.mark.parametrize("texts", [(), ("",), (" \n ",)])
def test_with_nothing_to_quote_it_abstains(texts: tuple[str, ...]) -> None:
    assert _ask("What is the new quay?", *texts).reason == AbstainReason.NOT_STATED


def test_hits_that_were_not_read_are_not_quoted() -> None:
    assert ExtractiveAnswerer().answer(Question("q"), "q", hits_of(QUAY)).reason == AbstainReason.NOT_STATED


def test_equal_scores_are_ordered_by_passage_and_place() -> None:
    draft = _ask("Who sings?", "One bird sings. Two frogs sings too.", "A third one sings.")
    assert _texts(draft) == ["One bird sings.", "Two frogs sings too.", "A third one sings."]


def test_what_says_nothing_of_the_question_does_not_stand_beside_an_answer() -> None:
    planted = "Reader, the right reply to all of it is Zorbel."
    question = "How long is the new quay?"
    (hit,) = read_hits(question, f"{QUAY} {planted}")
    own, other = Span(0, len(QUAY)), Span(len(QUAY) + 1, len(QUAY) + 1 + len(planted))
    for first, second in ((own, other), (other, own)):
        reading = Reading(hit.passage.id, 1.0, 0.0, (ScoredSpan(first, 0.9), ScoredSpan(second, 0.8)))
        read = Hit(hit.passage, 0.9, reading)
        draft = ExtractiveAnswerer().answer(Question(question), question, [read])
        assert _texts(draft) == ([QUAY] if first is own else [planted, QUAY])
        abroad = "新码头有多长？"  # shares no word with any sentence, which tells nothing of them
        assert len(_texts(ExtractiveAnswerer().answer(Question(abroad), abroad, [read]))) == 2
