from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from transformers import BertConfig, BertForMaskedLM

from bri_qa.embed import HashingEmbedder
from bri_qa.errors import ModelError
from bri_qa.reader import open_named
from bri_qa.types import Hit, Passage, Span
from tests import tiny_models

QUESTION = "How long is the quay?"


def unread(text: str, name: str = "p#0") -> Hit:
    return Hit(Passage(name, "p", Span(0, len(text)), "", text), 0.1)


@pytest.fixture(scope="module")
def squad(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny_models.squad(tmp_path_factory.mktemp("squad"))


@pytest.fixture(scope="module")
def ranking(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny_models.ranking(tmp_path_factory.mktemp("ranking"))


def test_a_squad_model_gives_exact_spans_cut_from_the_text(squad: str) -> None:
    reader = open_named(squad, HashingEmbedder())
    text = "The ferry is new. The quay is 640 metres long, they say. It rains."
    reading = reader.read(QUESTION, [unread(text)])[0]
    assert reading.exact and reading.spans[0].span.of(text) == "640"
    assert reading.spans[0].score > 0.9 > reading.spans[1].score
    assert reading.no_answer == pytest.approx(1 - reading.spans[0].score)


def test_a_passage_longer_than_the_model_reads_is_read_to_its_end(squad: str) -> None:
    text = "It rains on the sea. " * 90 + "The quay is 640 metres long."
    reading = open_named(squad, HashingEmbedder()).read(QUESTION, [unread(text)])[0]
    assert reading.spans[0].span.of(text) == "640" and reading.spans[0].score > 0.9


def test_the_passage_with_the_best_span_comes_first_and_gives_the_confidence(squad: str) -> None:
    reader = open_named(squad, HashingEmbedder())
    found = [unread("It rains on the sea.", "a#0"), unread("The quay is 640 metres long.", "b#0")]
    readings = reader.read(QUESTION, found)
    hits = reader.rerank(
        QUESTION, [replace(hit, reading=reading) for hit, reading in zip(found, readings, strict=True)]
    )
    assert [hit.passage.id for hit in hits] == ["b#0", "a#0"]
    assert reader.confidence(QUESTION, hits) == hits[0].score > reader.threshold
    assert reader.confidence(QUESTION, hits[1:]) <= reader.threshold


def test_a_cross_encoder_scores_each_sentence(ranking: str) -> None:
    reader = open_named(ranking, HashingEmbedder())
    text = "The quay is 640 metres long. It rains."
    whole, alone = reader.read(QUESTION, [unread(text), unread("It rains.", "b#0")])
    assert not whole.exact
    assert {item.span.of(text).strip() for item in whole.spans} == {"The quay is 640 metres long.", "It rains."}
    again = next(item.score for item in whole.spans if item.span.of(text).strip() == "It rains.")
    assert again == pytest.approx(alone.spans[0].score, abs=1e-5)
    assert whole.spans[0].score != whole.spans[1].score


def test_a_model_that_neither_answers_nor_ranks_is_refused(tmp_path: Path) -> None:
    name = tiny_models.saved(tmp_path, BertForMaskedLM(BertConfig(**tiny_models.SMALL)))
    with pytest.raises(ModelError, match="neither answers nor ranks"):
        open_named(name, HashingEmbedder())


def test_a_classifier_of_several_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="3 classes"):
        open_named(tiny_models.ranking(tmp_path, classes=3), HashingEmbedder())


@pytest.mark.parametrize("name", ["./nowhere", " ", "/nowhere/at/all"])
def test_a_folder_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(ModelError, match="there is no folder"):
        open_named(name, HashingEmbedder())


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot load the reader"):
        open_named(str(tmp_path), HashingEmbedder())
