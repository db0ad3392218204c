"""What every reader promises; a new one is added to `READERS`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

import pytest

from bri_qa import reader as readers
from bri_qa.embed import HashingEmbedder, MiniLMEmbedder
from bri_qa.protocols import Reader
from bri_qa.types import Hit, Passage, Reading, Span
from tests import tiny_models
from tests.articles import articles
from tests.fakes import WordReader

READERS: dict[str, Callable[[], Reader]] = {
    "sentences over hashed words": lambda: readers.SentenceReader(HashingEmbedder()),
    "sentences over MiniLM": lambda: readers.SentenceReader(MiniLMEmbedder.load(precision="f32")),
    "bundled": lambda: readers.CrossEncoderReader.load(readers.BUNDLED, MiniLMEmbedder.load()),
    "a SQuAD-type model": lambda: readers.open_named(tiny_models.squad(Path(mkdtemp())), HashingEmbedder()),
    "a cross-encoder": lambda: readers.open_named(tiny_models.ranking(Path(mkdtemp())), HashingEmbedder()),
    "fake words": WordReader,
}
UNTAUGHT = ("a SQuAD-type model", "a cross-encoder")  # of random weights or nearly: they know no answer
QUESTION = "How long is the new quay?"
HOSTILE = {
    "empty": "",
    "space": " \t\n\u00a0",
    "signs": "?!… 🚄👩‍👩‍👧‍👦",
    "combining": "e\u0301" * 50 + "\u0336" * 50,
    "chinese": "一带一路。" * 40,
    "markup": "<script>alert(1)</script> [CLS] [SEP] [MASK] ' OR 1=1 --",
    "one long word": "x" * 5_000,
    "long": "The quay is long. " * 400,
    "nul": "The quay\x00 is 640 metres.",
}


def _hit(text: str, identity: str = "a#0") -> Hit:
    return Hit(Passage(identity, identity.partition("#")[0], Span(0, len(text)), "", text), 0.01)


def _hits() -> list[Hit]:
    return [_hit(item.text, f"{key}#0") for key, item in articles().items()]


@pytest.fixture(scope="module", params=list(READERS))
def reader(request: pytest.FixtureRequest) -> Reader:
    return READERS[request.param]()


@pytest.fixture(scope="module", params=[name for name in READERS if name not in UNTAUGHT])
def taught(request: pytest.FixtureRequest) -> Reader:
    return READERS[request.param]()


def _check(reading: Reading, hit: Hit) -> None:
    passage = hit.passage
    assert reading.passage_id == passage.id
    assert 0 <= reading.relevance <= 1 and 0 <= reading.no_answer <= 1
    scores = [item.score for item in reading.spans]
    assert scores == sorted(scores, reverse=True) and all(0 <= score <= 1 for score in scores)
    assert all(0 <= item.span.start < item.span.end <= len(passage.text) for item in reading.spans)


def _read(reader: Reader, question: str, hits: list[Hit]) -> list[Hit]:
    readings = reader.read(question, hits)
    return reader.rerank(question, [replace(hit, reading=reading) for hit, reading in zip(hits, readings, strict=True)])


def test_it_says_what_it_is_and_when_to_abstain(reader: Reader) -> None:
    assert reader.name
    assert 0 <= reader.threshold <= 1 and 0 <= reader.topic_threshold <= 1
    assert reader.settled >= reader.threshold


def test_one_reading_a_passage_in_the_order_given(reader: Reader) -> None:
    hits = _hits()
    for reading, hit in zip(reader.read(QUESTION, hits), hits, strict=True):
        _check(reading, hit)
        assert reading.spans
    assert reader.read(QUESTION, []) == []


@pytest.mark.parametrize("kind", list(HOSTILE))
def test_any_passage_and_any_question_can_be_read(reader: Reader, kind: str) -> None:
    hit = _hit(HOSTILE[kind])
    for question in (QUESTION, HOSTILE[kind][:500]):
        (reading,) = reader.read(question, [hit])
        _check(reading, hit)
        assert 0 <= reader.confidence(question, _read(reader, question, [hit])) <= 1


def test_the_passage_that_answers_comes_first_with_the_words_that_answer(taught: Reader) -> None:
    hits = _read(taught, QUESTION, _hits())
    assert hits[0].passage.id == "harbour#0"
    assert hits[0].reading is not None
    best = hits[0].reading.spans[0].span
    text = hits[0].passage.text
    told = text.index("The new quay is 640 metres long")
    assert text.index("640") in range(best.start, best.end) and best.start >= told


def test_reranking_keeps_every_read_hit_best_first(reader: Reader) -> None:
    given = _hits()
    hits = _read(reader, QUESTION, given)
    assert sorted(hit.passage.id for hit in hits) == sorted(hit.passage.id for hit in given)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert reader.rerank(QUESTION, []) == [] and reader.rerank(QUESTION, given[:1]) == []


def test_equal_passages_are_ordered_by_id(reader: Reader) -> None:
    text = articles()["harbour"].text
    hits = _read(reader, QUESTION, [_hit(text, "b#0"), _hit(text, "c#0"), _hit(text, "a#0")])
    assert [hit.passage.id for hit in hits] == ["a#0", "b#0", "c#0"]


def test_an_answer_is_trusted_more_than_none(taught: Reader) -> None:
    hits = _hits()
    answered = taught.confidence(QUESTION, _read(taught, QUESTION, hits))
    other = "Which planet has the brightest rings?"
    assert answered >= taught.threshold > taught.confidence(other, _read(taught, other, hits))
    assert taught.confidence(QUESTION, []) < taught.threshold


def test_what_is_read_with_it_changes_nothing(reader: Reader) -> None:
    hits = _hits()
    for hit, reading in zip(hits, reader.read(QUESTION, hits), strict=True):
        (alone,) = reader.read(QUESTION, [hit])
        assert alone.relevance == pytest.approx(reading.relevance, abs=1e-3)
        assert alone.spans[0].span == reading.spans[0].span


def test_threads_may_share_it(reader: Reader) -> None:
    hits = _hits()
    once = reader.read(QUESTION, hits)
    with ThreadPoolExecutor(4) as pool:
        assert all(again == once for again in pool.map(lambda _: reader.read(QUESTION, hits), range(8)))
