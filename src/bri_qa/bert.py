"""A BERT encoder on OpenVINO, its graph built straight from a safetensors file: no torch, no export step.

Devlin et al. 2019 (arXiv:1810.04805): post-norm, exact GELU, Hugging Face tensor names. The embedder and the
cross-encoder reader share it. bench/README.md names the measurements behind the choices.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from bri_qa.artifacts import verified
from bri_qa.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    Integers: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float32]

Precision: TypeAlias = Literal["auto", "f32", "bf16"]

PAD_TO = 16  # lengths are rounded up to this: few distinct shapes, as the runtime prepares for each one anew
HEAD_WIDTH = 32  # of one attention head, in every MiniLM; the weights alone do not tell
_MASKED = -1e4  # added to the score of a padding token: its exp() is 0 in f32 and in bf16
_EPSILON = 1e-12
_importing = threading.Lock()
_CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Head:
    """An output of the encoder, f32.

    "tokens": the linear layer `{name}.weight`, `{name}.bias` over every token, [n, length, k];
    "first": the same over the first token only, [n, k];
    "mean": no weights, the mean over the tokens scaled to norm 1, [n, hidden].
    """

    name: str
    over: Literal["tokens", "first", "mean"]


@dataclass(frozen=True, slots=True)
class Weights:
    """A safetensors file, and the SHA-256 that it must have, if any."""

    path: Path
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Token ids; 1 on tokens, 0 on padding; segment ids. Each int64[n, length], padded to `PAD_TO`s."""

    input_ids: Integers
    attention_mask: Integers
    token_type_ids: Integers

    @classmethod
    def of(cls, ids: Sequence[Sequence[int]], types: Sequence[Sequence[int]] | None = None) -> Batch:
        """Rows of token ids, and of their segment ids if they are not all 0, padded to one length."""
        longest = max((len(row) for row in ids), default=0)
        shape = (len(ids), max(PAD_TO, -(-longest // PAD_TO) * PAD_TO))
        batch = cls(np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64))
        for i, row in enumerate(ids):
            batch.input_ids[i, : len(row)] = row
            batch.attention_mask[i, : len(row)] = 1
            if types is not None:
                batch.token_type_ids[i, : len(row)] = types[i]
        return batch


class Encoder:
    """A compiled encoder. `run` is safe from several threads at once."""

    def __init__(self, compiled: Any, precision: Literal["f32", "bf16"], positions: int) -> None:
        self.precision = precision
        self.max_tokens = positions
        self._compiled = compiled
        self._idle: list[Any] = []  # infer requests in no caller's hands; list.pop and list.append are atomic

    @classmethod
    def load(
        cls,
        weights: Path | Sequence[Weights],
        heads: Sequence[Head],
        *,
        precision: Precision = "auto",
        threads: int = 0,
    ) -> Encoder:
        """Build and compile. Of several files a later one adds to, or replaces, the tensors of those before it.

        Args:
            threads: 0 lets the runtime choose.

        Raises:
            ArtifactMissingError, ArtifactHashError: no such file, or not the one with its SHA-256.
            ModelError: not a BERT in safetensors, a head without weights, or bf16 on a CPU without it.
        """
        files = [Weights(weights)] if isinstance(weights, Path) else weights
        tensors: dict[str, Floats] = {}
        for file in files:
            tensors.update(_tensors(file))
        network = _Network(tensors, files[-1].path)
        model = network.model(heads)
        core = runtime().Core()
        chosen = auto_precision() if precision == "auto" else precision
        if chosen == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise ModelError("this CPU does not compute in bf16; set the precision to auto or f32")
        config: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": chosen,
            "PERFORMANCE_HINT": "LATENCY",
            "ENABLE_CPU_PINNING": False,  # pinned, the threads of two processes could share one core
        }
        if threads:
            config["INFERENCE_NUM_THREADS"] = threads
        return cls(core.compile_model(model, "CPU", config), chosen, network.positions)

    def run(self, batch: Batch) -> dict[str, Floats]:
        """The heads' outputs by name. A batch has at least one row and at most `max_tokens` columns.

        Raises:
            ModelError: it has not.
        """
        rows, length = batch.input_ids.shape
        if not rows or length > self.max_tokens:
            raise ModelError(f"a batch is 1 or more rows of at most {self.max_tokens} tokens, not {rows} of {length}")
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._compiled.create_infer_request()
        try:
            outputs = request.infer([batch.input_ids, batch.attention_mask, batch.token_type_ids])
            return {port.get_any_name(): values for port, values in outputs.items()}
        finally:
            self._idle.append(request)


def auto_precision(cpuinfo: str | None = None) -> Literal["f32", "bf16"]:
    """bf16 where it was measured to be faster: with AMX, or with AMD's AVX512-BF16 (Zen 4 on); else f32.

    Intel's AVX512-BF16 without AMX was slower than f32, and older CPUs only imitate bf16. `cpuinfo` is the
    text of /proc/cpuinfo; where there is no such file, f32.
    """
    if cpuinfo is None:
        cpuinfo = _CPUINFO.read_text(errors="replace") if _CPUINFO.is_file() else ""
    words = set(cpuinfo.split())
    return "bf16" if "amx_bf16" in words or {"avx512_bf16", "AuthenticAMD"} <= words else "f32"


def runtime() -> Any:
    """The openvino module, imported without its usage reports.

    Its import reports itself to a web analytics service and leaves an id in the home folder. Where its
    telemetry package cannot be imported it takes an empty stand-in of its own; so that is hidden meanwhile.
    """
    with _importing:
        if "openvino" not in sys.modules:
            sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
            try:
                import openvino
            finally:
                del sys.modules["openvino_telemetry"]
        import openvino
    return openvino


def load_tokenizer(path: Path, sha256: str) -> Tokenizer:
    """The tokenizer of a `tokenizer.json`, without the cutting and padding that the file may ask for.

    Raises:
        ArtifactMissingError, ArtifactHashError: no such file, or not the one with this SHA-256.
    """
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(verified(path, sha256)))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _tensors(file: Weights) -> Mapping[str, Floats]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = verified(file.path, file.sha256)
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise ModelError(f"{path} is not a safetensors file ({error}); give the weights of a BERT") from error
    return {name: tensor.astype(np.float32, copy=False) for name, tensor in tensors.items()}


class _Network:
    """The graph of a BERT over its tensors; every method but `model` maps graph nodes to a graph node."""

    def __init__(self, tensors: Mapping[str, Floats], source: Path) -> None:
        self._ov = runtime()
        self._op = importlib.import_module("openvino.opset13")
        self._tensors = tensors
        self._source = source
        self.positions, self._hidden = self._tensor("embeddings.position_embeddings.weight").shape

    def model(self, heads: Sequence[Head]) -> Any:
        """The whole network as an openvino.Model: inputs as the fields of `Batch`, one output a head."""
        op = self._op
        names = ("input_ids", "attention_mask", "token_type_ids")
        inputs = [op.parameter([-1, -1], np.int64, name) for name in names]
        kept = op.convert(inputs[1], np.float32)
        scores = op.multiply(op.subtract(np.float32(1), kept), np.float32(_MASKED))
        mask = op.unsqueeze(scores, np.array([1, 2]))
        x = self._embeddings(inputs[0], inputs[2])
        layer = 0
        while f"encoder.layer.{layer}.output.dense.weight" in self._tensors:
            x = self._layer(x, mask, f"encoder.layer.{layer}")
            layer += 1
        results = []
        for head in heads:
            node = self._head(x, kept, head)
            node.output(0).get_tensor().set_names({head.name})
            results.append(op.result(node))
        return self._ov.Model(results, inputs, "bert")

    def _tensor(self, name: str) -> Floats:
        try:
            return self._tensors[name]
        except KeyError:
            raise ModelError(
                f"{self._source} has no tensor {name}; give the weights of a BERT with its heads"
            ) from None

    def _constant(self, name: str) -> Any:
        return self._op.constant(self._tensor(name), shared_memory=True)

    def _linear(self, x: Any, at: str) -> Any:
        product = self._op.matmul(x, self._constant(f"{at}.weight"), False, True)
        return self._op.add(product, self._constant(f"{at}.bias"))

    def _norm(self, x: Any, at: str) -> Any:
        op = self._op
        centred = op.mvn(x, np.array([-1]), True, _EPSILON, "inside_sqrt")
        return op.add(op.multiply(centred, self._constant(f"{at}.weight")), self._constant(f"{at}.bias"))

    def _embeddings(self, ids: Any, types: Any) -> Any:
        op, at, rows = self._op, "embeddings", np.int64(0)
        length = op.gather(op.shape_of(ids), np.int64(1), rows)
        places = op.range(np.int64(0), length, np.int64(1), "i64")
        words = op.gather(self._constant(f"{at}.word_embeddings.weight"), ids, rows)
        position = op.gather(self._constant(f"{at}.position_embeddings.weight"), places, rows)
        segment = op.gather(self._constant(f"{at}.token_type_embeddings.weight"), types, rows)
        return self._norm(op.add(op.add(words, position), segment), f"{at}.LayerNorm")

    def _layer(self, x: Any, mask: Any, at: str) -> Any:
        op = self._op
        query, key, value = (
            self._split(self._linear(x, f"{at}.attention.self.{n}")) for n in ("query", "key", "value")
        )
        attended = op.transpose(op.scaled_dot_product_attention(query, key, value, mask), np.array([0, 2, 1, 3]))
        joined = op.reshape(attended, np.array([0, 0, self._hidden]), True)
        x = self._norm(
            op.add(self._linear(joined, f"{at}.attention.output.dense"), x),
            f"{at}.attention.output.LayerNorm",
        )
        inner = op.gelu(self._linear(x, f"{at}.intermediate.dense"), "erf")
        return self._norm(op.add(self._linear(inner, f"{at}.output.dense"), x), f"{at}.output.LayerNorm")

    def _split(self, x: Any) -> Any:
        """[n, length, hidden] to [n, attention heads, length, width]."""
        op = self._op
        parted = op.reshape(x, np.array([0, 0, self._hidden // HEAD_WIDTH, HEAD_WIDTH]), True)
        return op.transpose(parted, np.array([0, 2, 1, 3]))

    def _head(self, x: Any, kept: Any, head: Head) -> Any:
        op = self._op
        if head.over == "tokens":
            return self._linear(x, head.name)
        if head.over == "first":
            return self._linear(op.gather(x, np.int64(0), np.int64(1)), head.name)
        weights = op.unsqueeze(kept, np.int64(2))
        total = op.reduce_sum(op.multiply(x, weights), np.int64(1))
        return op.normalize_l2(op.divide(total, op.reduce_sum(weights, np.int64(1))), np.array([1]), _EPSILON, "add")
