from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bri_qa.citations import locate, recut, verify
from bri_qa.types import Citation, Document, Draft, Hit, Passage, Quote, Span, Statement
from tests.fakes import HARBOUR_TEXT, HOSTILE_TEXT, document

HARBOUR = document("harbour", HARBOUR_TEXT, publisher="Lindum Gazette")
LEDGER = document("ledger", HOSTILE_TEXT)
SHELF = {item.id: item for item in (HARBOUR, LEDGER)}


def _passage(item: Document, start: int, end: int) -> Passage:
    span = Span(start, end)
    return Passage(f"{item.id}#{start}-{end}", item.id, span, "", span.of(item.text))


def _lines(item: Document) -> list[Hit]:
    hits, at = [], 0
    for line in item.text.split("\n"):
        hits.append(Hit(_passage(item, at, at + len(line)), 1.0))
        at += len(line) + 1
    return hits


HITS = [*_lines(HARBOUR), *_lines(LEDGER)]
OPENING, MASTER, COST, MARKET = (hit.passage for hit in HITS[2:6])


def _draft(*statements: tuple[str, Sequence[Quote]], short: Quote | None = None) -> Draft:
    return Draft(tuple(Statement(text, tuple(quotes)) for text, quotes in statements), short, confidence=0.5)


def _found(words: str, text: str) -> str | None:
    span = locate(Quote("p", words), text)
    return None if span is None else span.of(text)


def test_a_draft_becomes_numbered_citations_cut_from_the_article() -> None:
    cost, third = Quote(COST.id, "The repairs cost 48 million crowns"), Quote(COST.id, "the town paid a third")
    master = Quote(MASTER.id, "the night ferry to Sor would start in May")
    draft = _draft(
        ("It cost 48 million.", [cost, third]),
        ("The ferry starts in May.", [master]),
        ("Again: 48 million.", [cost, cost]),
    )
    found = verify(draft, HITS, SHELF.get)
    assert [(one.text, one.citations) for one in found.statements] == [
        ("It cost 48 million.", (1, 2)),
        ("The ferry starts in May.", (3,)),
        ("Again: 48 million.", (1,)),
    ]
    assert [one.number for one in found.citations] == [1, 2, 3]
    assert [one.quote for one in found.citations] == [cost.text, third.text, master.text]
    assert {(one.document_id, one.source, one.document_sha256) for one in found.citations} == {
        ("harbour", HARBOUR.source, HARBOUR.sha256)
    }
    assert found.rejected == ()


def test_one_place_found_in_two_passages_is_one_citation() -> None:
    wide = _passage(HARBOUR, COST.span.start - 40, COST.span.end)
    quotes = [Quote(wide.id, "48 million crowns"), Quote(COST.id, "48 million crowns")]
    found = verify(_draft(("It cost 48 million.", quotes)), [*HITS, Hit(wide, 1.0)], SHELF.get)
    assert [one.citations for one in found.statements] == [(1,)]
    assert found.citations[0].quote == "48 million crowns"


@pytest.mark.parametrize(
    ("quote", "reason"),
    [
        (Quote(COST.id, "The repairs cost 84 million crowns"), "its words are not in the passage"),
        (Quote(COST.id, "the night ferry to Sor"), "its words are not in the passage"),
        (Quote(COST.id, "the repairs cost"), "its words are not in the passage"),  # another letter: t is not T
        (Quote(COST.id, ""), "its words are not in the passage"),
        (Quote(COST.id, " \n\t"), "its words are not in the passage"),
        (Quote(COST.id, "."), "its words are not in the passage"),
        (Quote(COST.id, ".*"), "its words are not in the passage"),
        (Quote(COST.id, "(a+)+$" * 50), "its words are not in the passage"),
        (Quote(COST.id, COST.text + " " + COST.text), "its words are not in the passage"),
        (Quote("harbour#0-7", "The har"), "its passage was not retrieved"),
        (Quote("", ""), "its passage was not retrieved"),
    ],
)
def test_a_quote_that_is_not_found_is_rejected_and_its_statement_dropped(quote: Quote, reason: str) -> None:
    good = Quote(MASTER.id, "Mara Oduya")
    found = verify(_draft(("False.", [quote]), ("True.", [quote, good])), HITS, SHELF.get)
    assert [(one.text, one.citations) for one in found.statements] == [("True.", (1,))]
    assert [(one.statement, one.quote, one.reason) for one in found.rejected] == [
        ("False.", quote.text, reason),
        ("False.", "", "no quote of the statement was found"),
        ("True.", quote.text, reason),
    ]


def test_a_statement_without_quotes_is_rejected() -> None:
    found = verify(_draft(("Trust me.", [])), HITS, SHELF.get)
    assert (found.statements, found.citations) == ((), ())
    assert [one.reason for one in found.rejected] == ["no quote of the statement was found"]


def test_a_passage_that_is_not_its_documents_text_proves_nothing() -> None:
    forged = replace(COST, text=COST.text.replace("48", "84"))
    gone = replace(MASTER, document_id="gone")
    quotes = [Quote(forged.id, "84 million crowns"), Quote(gone.id, "Mara Oduya")]
    found = verify(_draft(("A claim.", quotes)), [Hit(forged, 1.0), Hit(gone, 1.0)], SHELF.get)
    assert found.citations == ()
    assert [one.reason for one in found.rejected[:2]] == [
        "its passage is not the document's text",
        "its document is not in the index",
    ]


def test_the_hinted_place_is_taken_only_if_the_words_stand_there() -> None:
    text = "one two one two one"
    assert locate(Quote("p", "one", Span(8, 11)), text) == Span(8, 11)
    assert locate(Quote("p", "one", Span(9, 12)), text) == Span(0, 3)
    assert locate(Quote("p", "one", Span(900, 903)), text) == Span(0, 3)
    assert locate(Quote("p", "six", Span(0, 3)), text) is None


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ('"We built it"', "“We built it”"),
        ("“We built it”", '"We built it"'),
        ("«We built it»", "„We built it“"),
        ("the town's quay", "the town’s quay"),
        ("2010-2020 — a decade", "2010–2020 - a decade"),
        ("one  two\tthree", "one two\u00a0three"),
        ("one two three", "one\ntwo\n  three"),
        ("  padded ", "padded"),
        ("cafe\u0301", "café"),
        ("a. b [c] (d) \\ $^", "a. b [c] (d) \\ $^"),
    ],
)
def test_typographic_variants_are_found_and_the_articles_own_signs_are_cited(words: str, text: str) -> None:
    assert _found(words, f"Before it: {text}. And after.") == text


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("12,000", "a total of 112,000 trains"),
        ("112", "a total of 112,000 trains"),
        ("000 trains", "a total of 112,000 trains"),
        ("229", "at 229.5 degrees"),
        ("0 degrees", "at 10 degrees"),
        ("art", "the party started"),
        ("was lit", "nobody was literate"),
        ("naive", "naïve"),
        ("e", "e\u0323\u0301 alone"),
        ("co-operation", "cooperation"),
        ("well known", "wellknown"),
        ("ONE", "one"),
        ("1O0", "100"),
    ],
)
def test_parts_of_words_and_numbers_and_other_letters_are_not_found(words: str, text: str) -> None:
    assert _found(words, unicodedata.normalize("NFC", text)) is None


def test_the_first_place_of_whole_words_is_found() -> None:
    assert locate(Quote("p", "12"), "112 and 12,5 and 12.") == Span(17, 19)
    assert _found("12", "In 2012, 12, 13") == "12"
    assert _found("229", "in 229, 26 and") == "229"
    assert _found("the end", "It was the end.2 Then") == "the end"
    assert _found("中欧班列", "今年中欧班列开行") == "中欧班列"
    assert _found("26", "通达26国") == "26"


def test_a_short_answer_must_stand_in_a_cited_quote() -> None:
    statement = ("It cost 48 million.", [Quote(COST.id, "The repairs cost 48 million crowns")])
    for short, expected in (
        ("48 million", "48 million"),
        (" 48\nmillion ", "48 million"),
        ("8 million", None),
        ("third", None),
    ):
        found = verify(_draft(statement, short=Quote(COST.id, short)), HITS, SHELF.get)
        assert found.short_answer == expected
        reasons = [one.reason for one in found.rejected]
        assert reasons == ([] if expected else ["the short answer stands in no cited quote"])
    unproven = verify(_draft(("No.", []), short=Quote(COST.id, "48 million")), HITS, SHELF.get)
    assert unproven.short_answer is None


def test_markup_in_a_quote_is_cited_as_it_stands() -> None:
    script = HITS[len(_lines(HARBOUR)) + 1].passage
    words = "<script>window.pwned = 1</script>"
    found = verify(_draft(("The clerk wrote it.", [Quote(script.id, words)])), HITS, SHELF.get)
    assert found.citations[0].quote == words


def test_a_saved_citation_is_cut_again() -> None:
    citation = verify(_draft(("x", [Quote(COST.id, "48 million crowns")])), HITS, SHELF.get).citations[0]
    assert recut(citation, HARBOUR) is None
    assert recut(citation, None) == "its document is not in the index"
    assert recut(replace(citation, quote="84 million crowns"), HARBOUR) == "other words stand there"
    changed = document("harbour", "Now " + HARBOUR_TEXT)
    assert recut(citation, changed) == "the article has changed and other words stand there now"
    appended = document("harbour", HARBOUR_TEXT + " More.")
    assert recut(citation, appended) is None  # the words still stand where they stood
    cut_off = Citation(1, "harbour", Span(9_000, 9_001), "x", HARBOUR.source, HARBOUR.sha256)
    assert recut(cut_off, HARBOUR) == "other words stand there"


_SIGNS = st.text(st.sampled_from("ab1 2.,\n\"“”'’-–é\u0301🚄中\\[(*"), max_size=12)
_CLAIM = st.one_of(
    _SIGNS,
    st.sampled_from(HITS).flatmap(
        lambda hit: st.tuples(st.integers(0, 60), st.integers(1, 60)).map(lambda at: hit.passage.text[at[0] : sum(at)])
    ),
)
_QUOTES = st.builds(
    Quote,
    st.one_of(st.sampled_from([hit.passage.id for hit in HITS]), st.just("nowhere")),
    _CLAIM,
    st.one_of(st.none(), st.tuples(st.integers(0, 80), st.integers(0, 40)).map(lambda at: Span(at[0], sum(at)))),
)
_DRAFTS = st.lists(st.builds(Statement, _SIGNS, st.lists(_QUOTES, max_size=4).map(tuple)), min_size=1, max_size=5)


@given(_DRAFTS, st.one_of(st.none(), _QUOTES))
def test_whatever_a_draft_claims_every_citation_is_the_articles_own_words(
    statements: list[Statement], short: Quote | None
) -> None:
    draft = Draft(tuple(statements), short)
    found = verify(draft, HITS, SHELF.get)
    for citation in found.citations:
        assert citation.quote == citation.span.of(SHELF[citation.document_id].text)
        assert recut(citation, SHELF[citation.document_id]) is None
    assert [one.number for one in found.citations] == list(range(1, len(found.citations) + 1))
    assert len({(one.document_id, one.span) for one in found.citations}) == len(found.citations)
    first_use = list(dict.fromkeys(number for one in found.statements for number in one.citations))
    assert first_use == [one.number for one in found.citations]
    assert found.short_answer is None or any(found.short_answer in one.quote for one in found.citations)
    kept = [one.text for one in found.statements]
    dropped = [one.statement for one in found.rejected if one.reason.startswith("no quote")]
    assert sorted(kept + dropped) == sorted(one.text for one in statements)
    assert verify(draft, HITS, SHELF.get) == found


@given(_SIGNS, _SIGNS, _SIGNS)
def test_a_found_quote_differs_from_its_claim_in_no_letter_or_digit(before: str, words: str, after: str) -> None:
    text = unicodedata.normalize("NFC", before + words + after)
    found = _found(words, text)
    letters = [char for char in unicodedata.normalize("NFC", words) if char.isalnum()]
    assert found is None or [char for char in found if char.isalnum()] == letters


@given(st.lists(st.sampled_from(["one", "two", "中", "1,000", "“x”"]), min_size=1, max_size=6), _SIGNS, _SIGNS)
def test_whole_words_that_stand_in_a_text_are_always_found(words: list[str], before: str, after: str) -> None:
    claim = " ".join(words)
    assert _found(claim, f"{before} {claim} {after}") == claim
