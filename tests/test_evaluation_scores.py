"""One answer against its case: scores and verdicts, on answers built by hand."""

from __future__ import annotations

import pytest

from bri_qa.evaluation.cases import Case, Evidence
from bri_qa.evaluation.run import Asked, Record, summarised
from bri_qa.evaluation.scores import Verdict, answer_scores, retrieval_scores, verdict
from bri_qa.render import as_json
from bri_qa.types import (
    AbstainReason,
    Answer,
    Citation,
    CitedStatement,
    Document,
    Hit,
    Passage,
    Question,
    Span,
    Trace,
)
from tests.fakes import document

MILL = document("mill", "The mill\nIt was built in 1840. Its wheel is oak. It grinds rye.\nThe owner is Ada Holm.")
PORT = document("port", "The port\nIt was built in 1840. The pier is stone.")
BY_ID = {"mill": MILL, "port": PORT}


def place(words: str, item: Document = MILL) -> Span:
    start = item.text.index(words)
    return Span(start, start + len(words))


def case(*quotes: str, answers: tuple[str, ...] = ()) -> Case:
    evidence = tuple(Evidence("mill", quote, (place(quote),)) for quote in quotes)
    return Case("a", Question("?"), answers, evidence, "other", ())


def answer(*cited: str, hits: tuple[str, ...] = (), short: str | None = None, item: Document = MILL) -> Answer:
    """An answer whose statements are its quotes; with none, an abstention."""
    places = [place(words, item) for words in cited]
    return Answer(
        question=Question("?"),
        statements=tuple(CitedStatement(words, (number,)) for number, words in enumerate(cited, start=1)),
        citations=tuple(
            Citation(number, item.id, span, span.of(item.text), item.source, item.sha256)
            for number, span in enumerate(places, start=1)
        ),
        short_answer=short,
        reason=None if cited else AbstainReason.NOT_STATED,
        message=None,
        confidence=0.7,
        mode="extractive",
        hits=tuple(
            Hit(Passage(words, item.id, place(words, item), "", words), 1 / rank) for rank, words in enumerate(hits, 1)
        ),
        trace=Trace("?", {}, {}),
    )


FIRST, SECOND = "It was built in 1840. Its wheel is oak. It grinds rye.", "The owner is Ada Holm."


@pytest.mark.parametrize(
    ("asked", "given", "expected"),
    [
        (case(), answer(hits=(FIRST,)), Verdict.OK),
        (case(), answer("It grinds rye.", hits=(FIRST,)), Verdict.SHOULD_HAVE_ABSTAINED),
        (case("Its wheel is oak"), answer("Its wheel is oak.", hits=(FIRST,)), Verdict.OK),
        (case("Its wheel is oak"), answer("Its wheel is oak.", hits=()), Verdict.OK),  # an overview shows other hits
        (case("Its wheel is oak"), answer(SECOND, hits=(SECOND,)), Verdict.NOT_RETRIEVED),
        (case("Its wheel is oak"), answer(hits=(SECOND,)), Verdict.NOT_RETRIEVED),
        (case("Its wheel is oak", SECOND), answer(FIRST, hits=(FIRST,)), Verdict.NOT_RETRIEVED),
        (case("Its wheel is oak"), answer(hits=(SECOND, FIRST)), Verdict.WRONGLY_ABSTAINED),
        (case("Its wheel is oak"), answer(SECOND, hits=(SECOND, FIRST)), Verdict.NOT_RANKED),
        (case("Its wheel is oak"), answer("It grinds rye.", hits=(FIRST, SECOND)), Verdict.WRONG_SENTENCE),
        (case("Its wheel is oak", SECOND), answer("Its wheel is oak.", hits=(FIRST, SECOND)), Verdict.NOT_RANKED),
        (case("It was built"), answer("It was built", hits=("It was built",), item=PORT), Verdict.NOT_RETRIEVED),
        (case("built in 1840", answers=("1840",)), answer("built in 1840", short="in 1840"), Verdict.OK),
        (case("built in 1840", answers=("1840",)), answer("built in 1840", short="built"), Verdict.WRONG_SHORT_ANSWER),
        (case("built in 1840", answers=("1841",)), answer("built in 1840"), Verdict.OK),  # no short answer to be wrong
        (case(answers=("oak",)), answer("Its wheel is oak.", hits=(FIRST,)), Verdict.OK),
        (case(answers=("oak",)), answer("It grinds rye.", hits=(FIRST,)), Verdict.WRONG_SENTENCE),
        (case(answers=("oak",)), answer(SECOND, hits=(SECOND, FIRST)), Verdict.NOT_RANKED),
        (case(answers=("oak",)), answer(SECOND, hits=(SECOND,)), Verdict.NOT_RETRIEVED),
        (case(answers=("oak",)), answer(hits=(FIRST,)), Verdict.WRONGLY_ABSTAINED),
    ],
)
def test_the_first_stage_that_lost_the_answer_is_named(asked: Case, given: Answer, expected: Verdict) -> None:
    assert verdict(asked, given, answer_scores(asked, given, BY_ID.get)) is expected


def test_proof_by_hand() -> None:
    asked = case("Its wheel is oak. It grinds", "owner is Ada Holm")
    given = answer("It was built in 1840.", "The mill", "Its wheel is oak.", "The owner is Ada Holm.")
    # "Itswheelisoak.Itgrinds" has 22 letters, 14 of them cited; the other quote is cited whole, by the fourth
    assert answer_scores(asked, given, BY_ID.get) == {
        "citation_validity": 1,
        "at_most_3_quotes": 0,
        "evidence_coverage": 0,
        "evidence_containment": 0,
        "evidence_coverage@3": 0,
        "citation_recall": 1 / 2,
        "citation_precision": 2 / 4,
        "alce_citation_recall": 2 / 4,  # the third quote lies within the first gold quote
        "alce_citation_precision": 2 / 4,
    }


def test_coverage_forgives_a_fifth_and_containment_nothing() -> None:
    asked = case("Its wheel is oak. It")  # 16 letters
    scores = answer_scores(asked, answer("Its wheel is oak."), BY_ID.get)  # 14 of them
    assert (scores["evidence_coverage"], scores["evidence_containment"]) == (1, 0)
    asked = case("Its wheel is oak. It grin")  # 20 letters, 14 of them
    assert answer_scores(asked, answer("Its wheel is oak."), BY_ID.get)["evidence_coverage"] == 0
    split = answer("Its wheel", "is oak.")
    assert answer_scores(case("Its wheel is oak."), split, BY_ID.get)["evidence_containment"] == 1


def test_only_the_first_three_citations_count_for_coverage_at_3() -> None:
    cited = ("It was built in 1840.", "The mill", "It grinds rye.", "The owner is Ada Holm.")
    scores = answer_scores(case("Ada Holm"), answer(*cited), BY_ID.get)
    assert (scores["evidence_coverage"], scores["evidence_coverage@3"]) == (1, 0)


def test_the_same_words_of_another_document_prove_nothing() -> None:
    given = answer("It was built in 1840.", item=PORT, hits=("It was built in 1840.",))
    asked = case("It was built in 1840.")
    scores = answer_scores(asked, given, BY_ID.get)
    assert (scores["evidence_coverage"], scores["citation_precision"]) == (0, 0)
    assert retrieval_scores([asked], [given])[0]["mrr"] == 0


def test_words_are_those_of_the_short_answer_or_else_of_the_statements() -> None:
    asked = case(answers=("oak",))
    short = answer_scores(asked, answer("Its wheel is oak.", short="wheel"), BY_ID.get)
    whole = answer_scores(asked, answer("Its wheel is oak."), BY_ID.get)
    quiet = answer_scores(asked, answer(), BY_ID.get)
    assert (short["exact_match"], short["f1"], short["answer_stated"], short["short_answer_rate"]) == (0, 0, 1, 1)
    assert (whole["f1"], whole["answer_stated"], whole["short_answer_rate"]) == (2 / 5, 1, 0)
    assert quiet == {"f1": 0, "short_answer_rate": 0, "answer_stated": 0}
    assert "exact_match" not in whole


def test_an_unanswerable_case_has_only_the_scores_of_its_citations() -> None:
    assert answer_scores(case(), answer(), BY_ID.get) == {}
    assert answer_scores(case(), answer("It grinds rye."), BY_ID.get).keys() == {
        "citation_validity",
        "at_most_3_quotes",
    }
    assert retrieval_scores([case(), case("rye")], [answer(hits=(FIRST,)), answer(hits=(FIRST,))])[0] == {}


def test_a_citation_that_is_not_the_articles_text_is_invalid_and_all_citations_weigh_the_same() -> None:
    changed = {"mill": document("mill", MILL.text.replace("oak", "elm"))}
    asked = case("It grinds rye.")
    one = answer("Its wheel is oak.")
    three = answer("It was built in 1840.", "It grinds rye.", "The mill")
    scores = [answer_scores(asked, given, changed.get) for given in (one, three)]
    assert [item["citation_validity"] for item in scores] == [0, 1]
    records = [
        Record(asked, Asked(given, as_json(given), 0.1), item, Verdict.OK)
        for given, item in zip((one, three), scores, strict=True)
    ]
    assert summarised(records)["citation_validity"] == 3 / 4
    assert answer_scores(asked, one, {"port": PORT}.get)["citation_validity"] == 0  # its document is gone
