"""What every index promises; a new one is added to `INDEXES`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bri_qa.embed import HashingEmbedder
from bri_qa.index import EmbeddedIndex, Identity, build, plan
from bri_qa.protocols import Index
from bri_qa.types import Document, Filters, Hit
from tests.fakes import document, lines

EMBEDDER = HashingEmbedder(64)
EVERYTHING = Filters()


def _embedded(folder: Path, documents: Sequence[Document]) -> Index:
    identity = Identity(EMBEDDER.name, EMBEDDER.fingerprint, EMBEDDER.dim, 160, 40)
    build(plan(folder, documents, identity), EMBEDDER, lines)
    return EmbeddedIndex.open(folder, identity)


# Each makes the index in a folder hold these documents and no others, and opens it.
INDEXES: dict[str, Callable[[Path, Sequence[Document]], Index]] = {"embedded": _embedded}


@dataclass(frozen=True)
class Kind:
    """An index filled with `DOCUMENTS`, and how to fill another."""

    make: Callable[[Path, Sequence[Document]], Index]
    full: Index


TRAINS = """Trains of the coast
The express runs from Lindum to Sor in four hours.
The ferry carried 112,000 people and the train A-12b carried 3.5 tonnes.
A hundred and twelve: 112 boats and 000 cars of type B-12."""
FOOD = """Food at the Café Zoë
The Café serves naïve guests and a piñata.
Guests of the WHO came in the year 2024; it was the year of the ox.
共建“一带一路”倡议让世界受益。
พิพิธภัณฑ์เปิดแล้ว
С добрым утром, Москва!"""
SAME = "The same line again.\n" * 60
NUL = "Before\x00after\nThe zeppelin\x00landed."
DOCUMENTS = [
    document("trains", TRAINS, publisher="Gazette", published="2024-03-05"),
    document("a/food & <drink>", FOOD, publisher="Review", published="2019"),
    document("same", SAME, publisher="Gazette"),
    document("nul", NUL, published="2024-03"),
]


@pytest.fixture(scope="module", params=list(INDEXES))
def kind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Kind:
    make = INDEXES[request.param]
    return Kind(make, make(tmp_path_factory.mktemp("index"), DOCUMENTS))


@pytest.fixture
def index(kind: Kind) -> Index:
    return kind.full


def _texts(hits: Sequence[Hit]) -> list[str]:
    return [hit.passage.text for hit in hits]


def _dense(index: Index, query: str, k: int = 5, filters: Filters = EVERYTHING) -> list[Hit]:
    return index.search_dense(EMBEDDER.embed_query(query), k, filters)


def _ordered(hits: Sequence[Hit]) -> bool:
    keys = [(-hit.score, hit.passage.id) for hit in hits]
    return keys == sorted(keys) and len({hit.passage.id for hit in hits}) == len(hits)


def test_documents_come_back_as_they_were_by_id(index: Index) -> None:
    assert index.documents() == sorted(DOCUMENTS, key=lambda item: item.id)
    for item in DOCUMENTS:
        assert index.document(item.id) == item
    assert index.document("trains ") is None


def test_passages_come_back_as_they_were_in_reading_order(index: Index) -> None:
    for item in DOCUMENTS:
        assert index.passages(item.id) == lines(item)
    assert index.passages("nowhere") == []


def test_the_line_that_is_asked_for_is_the_nearest(index: Index) -> None:
    for item in DOCUMENTS:
        for passage in lines(item):
            hit = _dense(index, passage.text, 1)[0]
            assert hit.score == pytest.approx(1, abs=1e-5)
            assert hit.passage.text.casefold() == passage.text.casefold()


def test_dense_scores_are_inner_products(index: Index) -> None:
    query = "the express ferry of the WHO"
    vector = EMBEDDER.embed_query(query)
    passages = [passage for item in DOCUMENTS for passage in lines(item)]
    exact = EMBEDDER.embed_passages([passage.text for passage in passages]) @ vector
    hits = _dense(index, query, 10)
    np.testing.assert_allclose([hit.score for hit in hits], np.sort(exact)[::-1][:10], atol=1e-6)
    assert _ordered(hits)


@pytest.mark.parametrize(
    ("query", "line"),
    [
        ("express", "The express runs from Lindum to Sor in four hours."),
        ("which one was EXPRESSES?", "The express runs from Lindum to Sor in four hours."),
        ("A-12b", "The ferry carried 112,000 people and the train A-12b carried 3.5 tonnes."),
        ("the A12b", "The ferry carried 112,000 people and the train A-12b carried 3.5 tonnes."),
        ("B-12", "A hundred and twelve: 112 boats and 000 cars of type B-12."),
        ("112,000", "The ferry carried 112,000 people and the train A-12b carried 3.5 tonnes."),
        ("112000", "The ferry carried 112,000 people and the train A-12b carried 3.5 tonnes."),
        ("3.5", "The ferry carried 112,000 people and the train A-12b carried 3.5 tonnes."),
        ("Café Zoë", "Food at the Café Zoë"),
        ("cafe zoe", "Food at the Café Zoë"),
        ("naive pinata", "The Café serves naïve guests and a piñata."),
        ("WHO", "Guests of the WHO came in the year 2024; it was the year of the ox."),
        ("2024?", "Guests of the WHO came in the year 2024; it was the year of the ox."),
        ("一带一路", "共建“一带一路”倡议让世界受益。"),
        ("世界", "共建“一带一路”倡议让世界受益。"),
        ("พิพิธภัณฑ์", "พิพิธภัณฑ์เปิดแล้ว"),
        ("москва", "С добрым утром, Москва!"),
        ("zeppelin", "The zeppelin\x00landed."),
    ],
)
def test_exact_words_numbers_names_and_codes_are_found(index: Index, query: str, line: str) -> None:
    assert _texts(index.search_lexical(query, 3, EVERYTHING))[0] == line


def test_a_word_that_is_nowhere_is_not_found(index: Index) -> None:
    for query in ("quetzalcoatl", "35", "112001", "", " \n\t", "?!…", "\x00", "🚄", "x" * 5_000):
        assert index.search_lexical(query, 5, EVERYTHING) == []


def test_stop_words_find_passages_only_where_there_is_nothing_else(index: Index) -> None:
    found = _texts(index.search_lexical("the express", 100, EVERYTHING))
    assert found == ["The express runs from Lindum to Sor in four hours."]
    assert len(index.search_lexical("the", 100, EVERYTHING)) > 60


@pytest.mark.parametrize(
    "query",
    [
        '+-:"()*~ AND OR',
        'express AND NOT (ferry OR "',
        "text:express document:trains number:1",
        "expr* ~express^2 [a TO b] {c} \\ / && || !",
        "express'; DROP TABLE passages; --",
        "express " * 3_000,
        "express " + "a-" * 100_000,
        " ".join(f"word{n}" for n in range(5_000)),
        "\ufffd\U0010ffff express \u202e",
    ],
)
def test_no_character_of_a_query_is_syntax(index: Index, query: str) -> None:
    hits = index.search_lexical(query, 5, EVERYTHING)
    assert _ordered(hits) and len(hits) <= 5
    if "express" in query:
        assert "The express runs from Lindum to Sor in four hours." in _texts(hits)


@pytest.mark.parametrize(
    ("filters", "allowed"),
    [
        (Filters(document_ids=("trains",)), {"trains"}),
        (Filters(document_ids=("trains", "nul", "nowhere")), {"trains", "nul"}),
        (Filters(document_ids=("nowhere",)), set()),
        (Filters(publishers=("Gazette",)), {"trains", "same"}),
        (Filters(published_from="2024"), {"trains", "nul"}),
        (Filters(published_to="2020"), {"a/food & <drink>"}),
        (Filters(publishers=("Gazette",), published_from="2024-03-05", published_to="2024-03"), {"trains"}),
    ],
)
def test_filters_leave_only_passages_of_the_allowed_documents(
    index: Index, filters: Filters, allowed: set[str]
) -> None:
    expected = {passage.id for item in DOCUMENTS if item.id in allowed for passage in lines(item)}
    dense = _dense(index, "the year of the ferry", 1_000, filters)
    assert {hit.passage.id for hit in dense} == expected
    query = "the year of the ferry and the same zeppelin, before, again"
    lexical = index.search_lexical(query, 1_000, filters)
    everywhere = index.search_lexical(query, 1_000, EVERYTHING)
    assert lexical == [hit for hit in everywhere if hit.passage.document_id in allowed]
    assert _ordered(dense) and _ordered(lexical)


def test_ties_go_by_passage_id_however_many_there_are(index: Index) -> None:
    tied = sorted(passage.id for passage in lines(DOCUMENTS[2]))
    for k in (1, 5, 40, 59, 60):
        for hits in (_dense(index, SAME.partition("\n")[0], k), index.search_lexical("same again", k, EVERYTHING)):
            assert [hit.passage.id for hit in hits] == tied[:k]


def test_k_may_be_more_than_there_is_or_nothing(index: Index) -> None:
    count = sum(len(lines(item)) for item in DOCUMENTS)
    hits = _dense(index, "ferry", 10**9)
    assert len(hits) == count and _ordered(hits)
    assert len(index.search_lexical("same", 10**9, EVERYTHING)) == 60
    for k in (0, -1):
        assert _dense(index, "ferry", k) == [] == index.search_lexical("ferry", k, EVERYTHING)


def test_an_empty_index_answers_with_nothing(kind: Kind, tmp_path: Path) -> None:
    index = kind.make(tmp_path, [])
    assert index.documents() == [] == index.passages("trains")
    assert index.document("trains") is None
    assert _dense(index, "ferry") == [] == index.search_lexical("ferry", 5, EVERYTHING)


def test_a_document_with_no_passage_is_still_there(kind: Kind, tmp_path: Path) -> None:
    blank = document("blank", "\n\n")
    index = kind.make(tmp_path, [blank])
    assert index.documents() == [blank] and index.passages("blank") == []
    assert _dense(index, "ferry") == []


def test_threads_may_share_it(index: Index) -> None:
    queries = [passage.text for item in DOCUMENTS for passage in lines(item)][:24]

    def ask(query: str) -> tuple[list[Hit], list[Hit], list[Hit]]:
        few = Filters(publishers=("Gazette",))
        return _dense(index, query), index.search_lexical(query, 5, EVERYTHING), _dense(index, query, 5, few)

    alone = [ask(query) for query in queries]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(ask, queries * 4)) == alone * 4


def test_a_snapshot_stays_what_it_was(kind: Kind, tmp_path: Path) -> None:
    snapshot = kind.make(tmp_path, DOCUMENTS).snapshot()
    before = _dense(snapshot, "the ferry", 50), snapshot.search_lexical("ferry", 5, EVERYTHING)
    kind.make(tmp_path, DOCUMENTS[:1])
    kind.make(tmp_path, [])
    assert snapshot.documents() == sorted(DOCUMENTS, key=lambda item: item.id)
    assert (_dense(snapshot, "the ferry", 50), snapshot.search_lexical("ferry", 5, EVERYTHING)) == before


_LINE = st.lists(st.sampled_from("river boat 112,000 A-12b Café 一带 the".split()), min_size=1, max_size=4).map(
    " ".join
)
_TEXT = st.lists(_LINE, max_size=4).map("\n".join)
_CORPUS = st.dictionaries(st.sampled_from("abcd"), st.tuples(_TEXT, st.sampled_from(["", "Gazette"])), max_size=4)


@settings(max_examples=15, deadline=None)
@given(corpora=st.lists(_CORPUS, min_size=2, max_size=4), query=_LINE)
def test_an_index_that_grew_answers_like_one_built_at_once(
    kind: Kind, corpora: list[dict[str, tuple[str, str]]], query: str
) -> None:
    with TemporaryDirectory() as grown, TemporaryDirectory() as fresh:
        for corpus in corpora:
            documents = [document(key, text, publisher=publisher) for key, (text, publisher) in corpus.items()]
            index = kind.make(Path(grown), documents)
        other = kind.make(Path(fresh), documents)
        assert index.documents() == other.documents()
        for item in documents:
            assert index.passages(item.id) == other.passages(item.id) == lines(item)
        for filters in (EVERYTHING, Filters(publishers=("Gazette",))):
            for k in (2, 100):
                assert _dense(index, query, k, filters) == _dense(other, query, k, filters)
                assert index.search_lexical(query, k, filters) == other.search_lexical(query, k, filters)


def test_every_hit_tells_how_near_it_is_to_the_querys_vector(index: Index) -> None:
    query = "the ferry"
    vector = EMBEDDER.embed_query(query)
    dense = index.search_dense(vector, 100, EVERYTHING)
    lexical = index.search_lexical(query, 100, EVERYTHING, vector)
    assert lexical and {hit.cosine for hit in index.search_lexical(query, 100, EVERYTHING)} == {None}
    for hit in [*dense, *lexical]:
        expected = float(EMBEDDER.embed_passages([hit.passage.text])[0] @ vector)
        assert hit.cosine == pytest.approx(expected, abs=1e-5)
    assert [hit.cosine for hit in dense] == pytest.approx([hit.score for hit in dense], abs=1e-6)
