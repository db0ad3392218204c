from __future__ import annotations

from bri_qa.answer.several import Part, combined, confidence, together, unanswered
from bri_qa.types import AbstainReason, Draft, Hit, Passage, Quote, Reading, Rejection, Span, Statement

READ = Reading("one", relevance=1.0, no_answer=0.0, spans=())


def _hit(name: str, read: bool = True) -> Hit:
    return Hit(Passage(name, "a", Span(0, 3), "", "One"), 1.0, READ if read else None)


def _said(*texts: str, score: float = 0.0) -> Draft:
    quotes = tuple(Quote("one", text) for text in texts)
    return Draft(tuple(Statement(quote.text, (quote,)) for quote in quotes), quotes[0], score)


DECLINED = Draft(reason=AbstainReason.NOT_STATED, confidence=0.1, rejected=(Rejection("x", "y", "z"),))


def _part(words: str, judged: Draft | float, *hits: Hit) -> Part:
    return Part(words, words, hits, judged)


def test_the_best_hits_of_each_part_come_first_and_those_not_read_last() -> None:
    parts = [
        _part("a", 0.5, _hit("one"), _hit("two", read=False)),
        _part("b", 0.5, _hit("three"), _hit("one"), _hit("four")),
    ]
    assert [hit.passage.id for hit in together(parts)] == ["one", "three", "four", "two"]
    assert together([]) == []


def test_the_confidence_is_that_of_the_least_sure_part_that_is_answered() -> None:
    parts = [_part("a", 0.9), _part("b", _said("One", score=0.7)), _part("c", DECLINED)]
    assert confidence(parts) == 0.7
    assert confidence(parts[2:]) == 0.0
    assert unanswered(parts) == ("c",)


def test_statements_stand_in_the_order_of_the_parts_each_once_and_few_of_each() -> None:
    parts = [_part("a", 0.9), _part("b", 0.8)]
    draft = combined([_said("One", "Two", "Three", score=0.9), _said("Two", "Four", score=0.8)], parts)
    assert [item.text for item in draft.statements] == ["One", "Two", "Four"]
    assert (draft.short_answer, draft.confidence, draft.unanswered) == (None, 0.8, ())


def test_of_an_answer_and_an_abstention_the_answer_stands_and_the_rest_is_named() -> None:
    draft = combined([DECLINED, _said("One")], [_part("a", DECLINED), _part("b", 0.8)])
    assert [item.text for item in draft.statements] == ["One"]
    assert draft.short_answer is not None and draft.short_answer.text == "One"
    assert (draft.unanswered, draft.rejected) == (("a",), DECLINED.rejected)
    assert combined([DECLINED, DECLINED], [_part("a", DECLINED), _part("b", DECLINED)]) is DECLINED
