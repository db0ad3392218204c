from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from bri_qa import minilm
from bri_qa.artifacts import sha256
from bri_qa.bert import HEAD_WIDTH, Encoder
from bri_qa.embed import HashingEmbedder, MiniLMEmbedder
from bri_qa.errors import ArtifactHashError, ArtifactMissingError
from bri_qa.reader.cross_encoder import BUNDLED, Calibration, CrossEncoderReader, features, logistic, sigmoid
from bri_qa.reader.network import HEADS, MAX_TOKENS, Network, Raw, RawSentence
from bri_qa.types import Hit, Passage, Reading, ScoredSpan, Span

HIDDEN = 2 * HEAD_WIDTH
EVEN = Calibration({"margin": 1.0}, {"span": 1.0, "retrieval": 0.5}, {"best": 1.0}, 0.5, 0.5, 0.9)


def passage(text: str, name: str = "p") -> Passage:
    return Passage(name, "d", Span(0, len(text)), "", text)


def unread(text: str, name: str = "p") -> Hit:
    return Hit(passage(text, name), 0.01)


@pytest.fixture(scope="module")
def random_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One layer of random numbers under the vocabulary of the real tokenizer."""
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (30_522, HIDDEN),
        "embeddings.position_embeddings.weight": (512, HIDDEN),
        "embeddings.token_type_embeddings.weight": (2, HIDDEN),
        "span.weight": (2, HIDDEN),
        "span.bias": (2,),
        "relevance.weight": (1, HIDDEN),
        "relevance.bias": (1,),
        "no_answer.weight": (1, HIDDEN),
        "no_answer.bias": (1,),
        "encoder.layer.0.intermediate.dense.weight": (96, HIDDEN),
        "encoder.layer.0.intermediate.dense.bias": (96,),
        "encoder.layer.0.output.dense.weight": (HIDDEN, 96),
        "encoder.layer.0.output.dense.bias": (HIDDEN,),
    }
    for name in ("self.query", "self.key", "self.value", "output.dense"):
        shapes[f"encoder.layer.0.attention.{name}.weight"] = (HIDDEN, HIDDEN)
        shapes[f"encoder.layer.0.attention.{name}.bias"] = (HIDDEN,)
    for norm in ("embeddings", "encoder.layer.0.attention.output", "encoder.layer.0.output"):
        shapes[f"{norm}.LayerNorm.weight"] = shapes[f"{norm}.LayerNorm.bias"] = (HIDDEN,)
    random = np.random.default_rng(3)
    path = tmp_path_factory.mktemp("reader") / "model.safetensors"
    save_file({name: random.normal(0, 0.4, shape).astype(np.float32) for name, shape in shapes.items()}, path)
    return path


@pytest.fixture(scope="module")
def network(random_weights: Path) -> Network:
    return Network(Encoder.load(random_weights, HEADS, precision="f32"), minilm.tokenizer())


@pytest.fixture(scope="module")
def reader(network: Network) -> CrossEncoderReader:
    return CrossEncoderReader("random", network, HashingEmbedder(), EVEN)


SHORT = "The ferry sailed on Monday. It carried 1,200 bales of wool!"
LONG = " ".join(f"Sentence number {n} tells of ship {n} and its {n * 37} bales." for n in range(120))


def test_each_sentence_of_a_passage_has_its_best_span_whatever_the_length(network: Network) -> None:
    for raw, text, count in zip(
        network.raw("How many bales?", [passage(SHORT), passage(LONG)]), (SHORT, LONG), (2, 120), strict=True
    ):
        assert len(raw.sentences) == count
        assert all(item.sentence.contains(item.span) and item.span.of(text).strip() for item in raw.sentences)
        assert [item.sentence.start for item in raw.sentences] == sorted(item.sentence.start for item in raw.sentences)


def test_a_passage_reads_the_same_in_any_company(reader: CrossEncoderReader) -> None:
    alone = reader.read("How many bales?", [unread(SHORT)])[0]
    among = reader.read("How many bales?", [unread(LONG, "q"), unread(SHORT), unread("Wool.", "r")])[1]
    assert alone.spans[0].span == among.spans[0].span
    assert alone.relevance == pytest.approx(among.relevance, abs=1e-5)
    assert [item.score for item in alone.spans] == pytest.approx([item.score for item in among.spans], abs=1e-5)


@pytest.mark.parametrize("question", ["", "?", "long " * 500, "多少?", "\u202e<b>", "a\x00b"])
@pytest.mark.parametrize("text", ["Wool.", "。", "x" * 5_000, "🚄 " * 400, "one\n\ntwo"])
def test_any_question_and_text_can_be_read(reader: CrossEncoderReader, question: str, text: str) -> None:
    found = reader.read(question, [unread(text)])[0]
    assert 0 <= found.relevance <= 1 and 0 <= found.no_answer <= 1
    assert all(0 <= item.score <= 1 and item.span.end <= len(text) for item in found.spans)


def test_no_passages_no_readings(reader: CrossEncoderReader) -> None:
    assert reader.read("How many?", []) == []
    assert reader.rerank("Which?", []) == []
    assert reader.confidence("How many?", []) == 0


def test_scores_are_the_calibrated_functions_of_what_was_read(reader: CrossEncoderReader, network: Network) -> None:
    raw = network.raw("How many bales?", [passage(SHORT)])[0]
    read = reader.read("How many bales?", [unread(SHORT)])[0]
    assert read.exact
    assert read.spans[0].score == pytest.approx(sigmoid(max(item.margin for item in raw.sentences)))
    assert read.no_answer == pytest.approx(sigmoid(raw.no_answer))
    hit = Hit(passage(SHORT), 1 / 61, read)
    assert reader.confidence("How many bales?", [hit]) == pytest.approx(read.spans[0].score, abs=1e-5)


def test_hits_are_ordered_by_what_was_read_and_how_they_were_found() -> None:
    def hit(name: str, found: float, span: float) -> Hit:
        reading = Reading(name, 0.5, 0.5, (ScoredSpan(Span(0, 1), span),), exact=True)
        return Hit(passage("x", name), found, reading)

    reader = CrossEncoderReader("none", None, HashingEmbedder(), EVEN)  # type: ignore[arg-type]
    ordered = reader.rerank(
        "Which?", [hit("a", 0.01, 0.2), hit("b", 0.01, 0.9), hit("d", 0.02, 0.2), hit("c", 0.02, 0.2)]
    )
    assert [item.passage.id for item in ordered] == ["b", "c", "d", "a"]
    odds = 0.9 / 0.1 * math.sqrt(0.01)
    assert ordered[0].score == pytest.approx(odds / (1 + odds))


def test_the_place_in_dense_retrieval_counts_for_what_is_typed_into_a_search_engine() -> None:
    weights = Calibration({}, {"dense": 2.0}, {}, 0.5, 0.5, 0.9)
    reader = CrossEncoderReader("none", None, HashingEmbedder(), weights)  # type: ignore[arg-type]
    reading = Reading("a", 0.5, 0.5, (), exact=True)
    hits = [Hit(passage("x", name), 1.0, reading, dense=dense) for name, dense in (("a", 0.0), ("b", 0.5), ("c", 1.0))]
    assert [item.passage.id for item in reader.rerank("ferry to sor", hits)] == ["c", "b", "a"]
    for question in ("Ferry to sor", "ferry to sor?"):
        assert [item.passage.id for item in reader.rerank(question, hits)] == ["a", "b", "c"]


def test_a_span_is_as_likely_as_the_network_and_the_nearness_of_its_passage_say() -> None:
    sentence = RawSentence(Span(27, 38), Span(33, 37), 2.5)
    found = features(Raw((sentence,), -1.0, 3.0), sentence, 0.25)
    assert found == {"margin": 2.5, "no_answer": 3.0, "relevance": -1.0, "nearness": 0.25}
    assert logistic({"bias": -1.0, "margin": 2.0, "unknown": 9.0}, found) == pytest.approx(sigmoid(4.0))


def test_how_near_a_passage_is_comes_from_the_hit_else_from_the_embedder(network: Network) -> None:
    embedder, question = HashingEmbedder(), "Which ferry carried wool?"
    weights = Calibration({"nearness": 4.0}, {"nearness": 1.0}, {"nearness": 2.0}, 0.5, 0.5, 0.9)
    reader = CrossEncoderReader("random", network, embedder, weights)
    own = float(embedder.embed_passages([SHORT])[0] @ embedder.embed_query(question))
    shared = 3 / 3  # ferry, carried, wool
    for cosine, expected in ((None, 0.75 * own + 0.25 * shared), (0.4, 0.3 + 0.25 * shared), (-0.5, 0.25 * shared)):
        hit = Hit(passage(SHORT), 0.01, cosine=cosine)
        (reading,) = reader.read(question, [hit])
        assert [item.score for item in reading.spans] == pytest.approx([sigmoid(4 * expected)] * 2)
        (ranked,) = reader.rerank(question, [replace(hit, reading=reading)])
        assert ranked.score == pytest.approx(sigmoid(expected))
        assert reader.confidence(question, [ranked]) == pytest.approx(sigmoid(2 * expected))


def test_a_reader_is_known_by_its_card(random_weights: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissingError, match=r"reader\.json is missing"):
        CrossEncoderReader.load(tmp_path, HashingEmbedder())
    (tmp_path / "model.safetensors").write_bytes(random_weights.read_bytes())
    calibration = {key: getattr(EVEN, key) for key in Calibration.__slots__}
    card = {"name": "mine", "sha256": "0" * 64, "calibration": calibration}
    (tmp_path / "reader.json").write_text(json.dumps(card))
    with pytest.raises(ArtifactHashError, match="not the file we trust"):
        CrossEncoderReader.load(tmp_path, HashingEmbedder())
    assert sha256(random_weights) != card["sha256"]


@pytest.fixture(scope="module")
def bundled() -> CrossEncoderReader:
    return CrossEncoderReader.load(BUNDLED, MiniLMEmbedder.load())


def test_the_bundled_reader_finds_a_number_and_tells_that_one_is_not_given(bundled: CrossEncoderReader) -> None:
    text = (
        "After two years of repairs the harbour of Lindum opened again on 4 March 2024. The new quay is 640 metres "
        "long and takes three ships at a time. The repairs cost 48 million crowns, of which the town paid a third."
    )
    (known,) = bundled.read("How long is the new quay?", [unread(text)])
    assert known.spans[0].span.of(text).startswith("640")
    (other,) = bundled.read("Who painted the ceiling of the chapel?", [unread(text)])
    assert other.spans[0].score < known.spans[0].score and other.relevance < known.relevance


def test_the_bundled_reader_is_small_and_reads_as_much_as_a_passage_holds(bundled: CrossEncoderReader) -> None:
    files = [path for path in BUNDLED.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 50_000_000
    assert 0 < bundled.threshold < 1 and 0 < bundled.topic_threshold < 1 and bundled.threshold < bundled.settled <= 1
    assert MAX_TOKENS == 256
