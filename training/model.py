"""The reader's network: a BERT encoder with a span, a relevance and a no-answer head (torch, training only)."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

HIDDEN, HEADS, LAYERS, VOCABULARY, POSITIONS = 384, 12, 6, 30_522, 512


class Layer(nn.Module):
    """One transformer block, post-norm, with query, key and value in one product."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(HIDDEN, 3 * HIDDEN)
        self.out = nn.Linear(HIDDEN, HIDDEN)
        self.norm1 = nn.LayerNorm(HIDDEN, eps=1e-12)
        self.up = nn.Linear(HIDDEN, 4 * HIDDEN)
        self.down = nn.Linear(4 * HIDDEN, HIDDEN)
        self.norm2 = nn.LayerNorm(HIDDEN, eps=1e-12)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x: [batch, length, hidden]; mask: additive [batch, 1, 1, length]."""
        n, length, _ = x.shape
        q, k, v = self.qkv(x).view(n, length, 3, HEADS, HIDDEN // HEADS).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask.to(q.dtype))
        x = self.norm1(x + self.out(attended.transpose(1, 2).reshape(n, length, HIDDEN)))
        return self.norm2(x + self.down(F.gelu(self.up(x))))


class ReaderNet(nn.Module):
    """[CLS] question [SEP] passage [SEP] to span logits [n, length, 2], relevance [n] and no-answer [n] logits."""

    def __init__(self) -> None:
        super().__init__()
        self.word = nn.Embedding(VOCABULARY, HIDDEN)
        self.position = nn.Embedding(POSITIONS, HIDDEN)
        self.segment = nn.Embedding(2, HIDDEN)
        self.norm = nn.LayerNorm(HIDDEN, eps=1e-12)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.span = nn.Linear(HIDDEN, 2)
        self.relevance = nn.Linear(HIDDEN, 1)
        self.no_answer = nn.Linear(HIDDEN, 1)

    def forward(self, ids: Tensor, types: Tensor, attention: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """All inputs are int64 [n, length]; `attention` is 1 on tokens, 0 on padding."""
        positions = torch.arange(ids.shape[1])
        x = self.norm(self.word(ids) + self.position(positions)[None] + self.segment(types))
        mask = (1.0 - attention[:, None, None, :].float()) * -1e4
        for layer in self.layers:
            x = layer(x, mask)
        first = x[:, 0]
        return self.span(x).float(), self.relevance(first).float()[:, 0], self.no_answer(first).float()[:, 0]


def _pairs() -> list[tuple[str, str]]:
    """Our parameter name and the Hugging Face BERT name, qkv apart."""
    names = [
        ("word", "word_embeddings"),
        ("position", "position_embeddings"),
        ("segment", "token_type_embeddings"),
    ]
    pairs = [(f"{ours}.weight", f"embeddings.{theirs}.weight") for ours, theirs in names]
    pairs += [(f"norm.{part}", f"embeddings.LayerNorm.{part}") for part in ("weight", "bias")]
    inside = [
        ("out", "attention.output.dense"),
        ("norm1", "attention.output.LayerNorm"),
        ("up", "intermediate.dense"),
        ("down", "output.dense"),
        ("norm2", "output.LayerNorm"),
    ]
    for i in range(LAYERS):
        for ours, theirs in inside:
            pairs += [(f"layers.{i}.{ours}.{p}", f"encoder.layer.{i}.{theirs}.{p}") for p in ("weight", "bias")]
    return pairs


def from_pretrained(weights: Path) -> ReaderNet:
    """The network with a BERT's weights (safetensors, Hugging Face names); heads start small and random."""
    tensors = load_file(str(weights))
    state = {ours: tensors[theirs] for ours, theirs in _pairs()}
    for i in range(LAYERS):
        at = f"encoder.layer.{i}.attention.self"
        for part in ("weight", "bias"):
            state[f"layers.{i}.qkv.{part}"] = torch.cat(
                [tensors[f"{at}.{n}.{part}"] for n in ("query", "key", "value")]
            )
    net = ReaderNet()
    missing, unexpected = net.load_state_dict(state, strict=False)
    heads = {f"{head}.{part}" for head in ("span", "relevance", "no_answer") for part in ("weight", "bias")}
    if unexpected or set(missing) != heads:
        raise ValueError(f"{weights} is not the expected BERT: missing {missing}, unexpected {unexpected}")
    for head in (net.span, net.relevance, net.no_answer):
        nn.init.normal_(head.weight, std=0.02)
        nn.init.zeros_(head.bias)
    return net


def to_tensors(net: ReaderNet) -> dict[str, Tensor]:
    """The weights under Hugging Face BERT names, plus `span.*`, `relevance.*` and `no_answer.*`."""
    state = net.state_dict()
    tensors = {theirs: state[ours] for ours, theirs in _pairs()}
    for i in range(LAYERS):
        for part in ("weight", "bias"):
            for name, chunk in zip(("query", "key", "value"), state[f"layers.{i}.qkv.{part}"].chunk(3), strict=True):
                tensors[f"encoder.layer.{i}.attention.self.{name}.{part}"] = chunk.contiguous()
    for head in ("span", "relevance", "no_answer"):
        for part in ("weight", "bias"):
            tensors[f"{head}.{part}"] = state[f"{head}.{part}"]
    return tensors
