from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from bri_qa.artifacts import sha256
from bri_qa.bert import HEAD_WIDTH, PAD_TO, Batch, Encoder, Head, Weights, auto_precision, runtime
from bri_qa.errors import ArtifactHashError, ArtifactMissingError, ModelError

Floats = NDArray[np.float32]
HIDDEN, INNER, LAYERS, WORDS, POSITIONS = 2 * HEAD_WIDTH, 96, 2, 50, 48
HEADS = (Head("span", "tokens"), Head("relevance", "first"), Head("embedding", "mean"))


def random_bert() -> dict[str, Floats]:
    """A small BERT with heads, the same at every call."""
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (WORDS, HIDDEN),
        "embeddings.position_embeddings.weight": (POSITIONS, HIDDEN),
        "embeddings.token_type_embeddings.weight": (2, HIDDEN),
        "span.weight": (2, HIDDEN),
        "span.bias": (2,),
        "relevance.weight": (1, HIDDEN),
        "relevance.bias": (1,),
    }
    norms = ["embeddings"]
    for i in range(LAYERS):
        at = f"encoder.layer.{i}"
        for name in ("self.query", "self.key", "self.value", "output.dense"):
            shapes[f"{at}.attention.{name}.weight"] = (HIDDEN, HIDDEN)
            shapes[f"{at}.attention.{name}.bias"] = (HIDDEN,)
        shapes[f"{at}.intermediate.dense.weight"] = (INNER, HIDDEN)
        shapes[f"{at}.intermediate.dense.bias"] = (INNER,)
        shapes[f"{at}.output.dense.weight"] = (HIDDEN, INNER)
        shapes[f"{at}.output.dense.bias"] = (HIDDEN,)
        norms += [f"{at}.attention.output", f"{at}.output"]
    for norm in norms:
        shapes[f"{norm}.LayerNorm.weight"] = shapes[f"{norm}.LayerNorm.bias"] = (HIDDEN,)
    random = np.random.default_rng(7)
    return {name: random.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()}


def by_hand(t: Mapping[str, Floats], batch: Batch) -> dict[str, Floats]:
    """The same network written from the paper in numpy, one row at a time and without padding."""

    def linear(x: Floats, at: str) -> Floats:
        return x @ t[f"{at}.weight"].T + t[f"{at}.bias"]

    def norm(x: Floats, at: str) -> Floats:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return np.asarray(scaled * t[f"{at}.LayerNorm.weight"] + t[f"{at}.LayerNorm.bias"], np.float32)

    def attention(x: Floats, at: str) -> Floats:
        mixed = []
        for part in range(HIDDEN // HEAD_WIDTH):
            columns = slice(part * HEAD_WIDTH, (part + 1) * HEAD_WIDTH)
            q, k, v = (linear(x, f"{at}.self.{n}")[:, columns] for n in ("query", "key", "value"))
            weights = np.exp(q @ k.T / math.sqrt(HEAD_WIDTH))
            mixed.append(weights / weights.sum(-1, keepdims=True) @ v)
        return norm(linear(np.concatenate(mixed, -1), f"{at}.output.dense") + x, f"{at}.output")

    def row(ids: NDArray[np.int64], types: NDArray[np.int64]) -> Floats:
        names = ("word", "position", "token_type")
        words, positions, segments = (t[f"embeddings.{n}_embeddings.weight"] for n in names)
        x = norm(words[ids] + positions[: len(ids)] + segments[types], "embeddings")
        for i in range(LAYERS):
            at = f"encoder.layer.{i}"
            x = attention(x, f"{at}.attention")
            inner = linear(x, f"{at}.intermediate.dense")
            inner = inner * 0.5 * (1 + np.vectorize(math.erf)(inner / math.sqrt(2)))
            x = norm(linear(inner, f"{at}.output.dense") + x, f"{at}.output")
        return x

    lengths = batch.attention_mask.sum(1)
    states = [
        row(ids[:n], types[:n]) for ids, types, n in zip(batch.input_ids, batch.token_type_ids, lengths, strict=True)
    ]
    means = [x.mean(0) / np.linalg.norm(x.mean(0)) for x in states]
    spans = np.zeros((*batch.input_ids.shape, 2), np.float32)
    for i, x in enumerate(states):
        spans[i, : len(x)] = linear(x, "span")
    first = np.stack([linear(x[:1], "relevance")[0] for x in states])
    return {"span": spans, "relevance": first, "embedding": np.stack(means)}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bert") / "model.safetensors"
    save_file(random_bert(), path)
    return path


@pytest.fixture(scope="module")
def encoder(weights: Path) -> Encoder:
    return Encoder.load(weights, HEADS, precision="f32", threads=1)


@pytest.fixture
def batch() -> Batch:
    ids = [[3, 9, 4, 7, 5], list(range(1, 34)), [8]]
    return Batch.of(ids, [[0, 0, 0, 1, 1], [0] * 10 + [1] * 23, [0]])


def test_it_computes_what_the_paper_says(encoder: Encoder, batch: Batch) -> None:
    found, expected = encoder.run(batch), by_hand(random_bert(), batch)
    assert found.keys() == expected.keys()
    tokens = batch.attention_mask[..., None]
    np.testing.assert_allclose(found["span"] * tokens, expected["span"], atol=2e-5)
    np.testing.assert_allclose(found["relevance"], expected["relevance"], atol=2e-5)
    np.testing.assert_allclose(found["embedding"], expected["embedding"], atol=2e-6)


def test_segment_ids_change_the_outcome(encoder: Encoder, batch: Batch) -> None:
    plain = Batch(batch.input_ids, batch.attention_mask, np.zeros_like(batch.token_type_ids))
    assert not np.allclose(encoder.run(batch)["relevance"][0], encoder.run(plain)["relevance"][0], atol=1e-3)


def test_half_precision_weights_are_read(weights: Path, batch: Batch, tmp_path: Path) -> None:
    halves = {name: tensor.astype(np.float16) for name, tensor in random_bert().items()}
    save_file(halves, tmp_path / "half.safetensors")
    found = Encoder.load(tmp_path / "half.safetensors", HEADS, precision="f32").run(batch)
    expected = by_hand({name: tensor.astype(np.float32) for name, tensor in halves.items()}, batch)
    np.testing.assert_allclose(found["embedding"], expected["embedding"], atol=2e-6)


def test_a_later_file_adds_to_and_replaces_tensors(weights: Path, batch: Batch, tmp_path: Path) -> None:
    whole = random_bert()
    base = {name: np.zeros_like(value) if name == "span.bias" else value for name, value in whole.items()}
    del base["relevance.bias"]
    save_file(base, tmp_path / "base.safetensors")
    save_file({name: whole[name] for name in ("span.bias", "relevance.bias")}, tmp_path / "rest.safetensors")
    files = [Weights(tmp_path / "base.safetensors"), Weights(tmp_path / "rest.safetensors")]
    found, expected = Encoder.load(files, HEADS, precision="f32").run(batch), by_hand(whole, batch)
    np.testing.assert_allclose(found["relevance"], expected["relevance"], atol=2e-5)
    np.testing.assert_allclose(found["span"] * batch.attention_mask[..., None], expected["span"], atol=2e-5)


def test_bf16_is_near_where_the_cpu_has_it_and_refused_where_not(weights: Path, batch: Batch) -> None:
    if "BF16" in runtime().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        encoder = Encoder.load(weights, HEADS, precision="bf16")
        expected = by_hand(random_bert(), batch)["embedding"]
        assert encoder.precision == "bf16"
        assert (encoder.run(batch)["embedding"] * expected).sum(1).min() > 0.999
    else:
        with pytest.raises(ModelError, match="does not compute in bf16"):
            Encoder.load(weights, HEADS, precision="bf16")


def test_threads_may_share_an_encoder(encoder: Encoder) -> None:
    batches = [Batch.of([[i % WORDS, *range(1, 2 + i % 30)]] * (1 + i % 3)) for i in range(60)]
    alone = [encoder.run(batch)["embedding"] for batch in batches]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda batch: encoder.run(batch)["embedding"], batches))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_an_outcome_is_the_callers_own(encoder: Encoder, batch: Batch) -> None:
    first = encoder.run(batch)["relevance"]
    kept = first.copy()
    encoder.run(Batch.of([[1, 2], [3, 4], [5, 6]]))
    np.testing.assert_array_equal(first, kept)


def test_a_batch_is_padded_to_a_multiple(batch: Batch) -> None:
    assert batch.input_ids.shape == (3, 48)
    assert batch.attention_mask.sum(1).tolist() == [5, 33, 1]
    assert batch.token_type_ids[0].tolist() == [0, 0, 0, 1, 1] + [0] * 43
    assert Batch.of([[]]).input_ids.shape == (1, PAD_TO)


@pytest.mark.parametrize("ids", [[], [list(range(POSITIONS + 1))]])
def test_a_batch_that_does_not_fit_is_refused(encoder: Encoder, ids: list[list[int]]) -> None:
    with pytest.raises(ModelError, match="at most 48 tokens"):
        encoder.run(Batch.of(ids))


def test_the_weights_must_be_the_trusted_ones(weights: Path) -> None:
    assert Encoder.load([Weights(weights, sha256(weights))], HEADS, precision="f32").max_tokens == POSITIONS
    with pytest.raises(ArtifactHashError, match="reinstall"):
        Encoder.load([Weights(weights, "0" * 64)], HEADS)
    with pytest.raises(ArtifactMissingError, match="reinstall"):
        Encoder.load(weights.with_name("none"), HEADS)


def test_weights_that_are_no_bert_are_refused_by_name(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no tensor no_answer\.weight"):
        Encoder.load(weights, [Head("no_answer", "first")])
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match="not a safetensors file"):
        Encoder.load(broken, HEADS)
    tensors = random_bert()
    del tensors["encoder.layer.1.attention.self.key.bias"]
    save_file(tensors, broken)
    with pytest.raises(ModelError, match=r"no tensor encoder\.layer\.1\.attention\.self\.key\.bias"):
        Encoder.load(broken, HEADS)


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [
        ("vendor_id : GenuineIntel\nflags : avx512f avx512_bf16 amx_tile amx_bf16", "bf16"),
        ("vendor_id : AuthenticAMD\nflags : avx512f avx512_bf16", "bf16"),
        ("vendor_id : GenuineIntel\nflags : avx512f avx512_bf16", "f32"),
        ("vendor_id : AuthenticAMD\nflags : avx2", "f32"),
        ("", "f32"),
    ],
)
def test_auto_takes_bf16_only_where_it_is_faster(cpuinfo: str, expected: str) -> None:
    assert auto_precision(cpuinfo) == expected


WATCHED = """
import os, sys
watched = {"socket.connect", "socket.getaddrinfo", "socket.sendto"}
sys.addaudithook(lambda event, args: os.write(1, f"{event} {args}".encode()) if event in watched else None)
import bri_qa.bert, bri_qa.embed
heavy = {"openvino", "torch", "tokenizers", "sentence_transformers"} & set(sys.modules)
assert not heavy, heavy
embedder = bri_qa.embed.MiniLMEmbedder.load(precision="f32")
assert embedder.embed_query("Does anything call home?").shape == (384,)
assert "openvino" in sys.modules and "torch" not in sys.modules
assert "openvino_telemetry" not in sys.modules
"""


def test_loading_is_late_calls_no_host_and_writes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", WATCHED],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "", "a process or its child opened a connection"
    assert list(home.rglob("*")) == []
