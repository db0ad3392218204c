"""What each way of storing the weights costs: the same questions read with f32, f16, bf16 and int8 weights.

int8 is one scale a row of each matrix, weights only, as a file would store it; all compute in f32.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from bri_qa.evaluation.metrics import exact_match, token_f1
from bri_qa.types import Passage, Span
from training.calibrate import open_network
from training.data import read_answers, read_rows
from training.model import from_pretrained, to_tensors

SCHEMES = ("f32", "f16", "bf16", "int8")


def stored(tensor: torch.Tensor, scheme: str) -> tuple[torch.Tensor, int]:
    """The tensor as it is read back in f32, and its bytes on disk."""
    if scheme == "int8" and tensor.dim() == 2:
        scale = tensor.abs().amax(1, keepdim=True).clamp_min(1e-12) / 127
        return (tensor / scale).round().clamp(-127, 127) * scale, tensor.numel() + 4 * len(tensor)
    kind = {"f32": torch.float32, "bf16": torch.bfloat16}.get(scheme, torch.float16)
    return tensor.to(kind).float(), tensor.numel() * kind.itemsize


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True, help="folder with checkpoint.pt")
    parser.add_argument("--base", type=Path, required=True, help="folder with the base's model.safetensors")
    parser.add_argument("--questions", type=int, default=300)
    options = parser.parse_args()
    net = from_pretrained(options.base / "model.safetensors")
    net.load_state_dict(torch.load(options.run / "checkpoint.pt", weights_only=True)["net"])
    base = load_file(str(options.base / "model.safetensors"))
    changed = {n: t for n, t in to_tensors(net).items() if n not in base or not torch.equal(t, base[n])}
    path = options.data / "squad2_calibration.jsonl.gz"
    rows = [pair for pair in zip(read_rows(path), read_answers(path), strict=True) if pair[1]]
    rows = random.Random(3).sample(rows, options.questions)
    best: dict[str, list[tuple[str, float]]] = {}
    for scheme in SCHEMES:
        kept = {name: stored(tensor, scheme) for name, tensor in changed.items()}
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.safetensors"
            save_file({name: tensor.contiguous() for name, (tensor, _) in kept.items()}, str(file))
            network = open_network(file)
        found = []
        for row, _ in rows:
            raw = network.raw(row.question, [Passage("p", "p", Span(0, len(row.context)), "", row.context)])[0]
            top = max(raw.sentences, key=lambda one: one.margin)
            found.append((top.span.of(row.context), top.margin))
        best[scheme] = found
        pairs = list(zip(found, best["f32"], strict=True))
        figures = {
            "bytes": sum(size for _, size in kept.values()),
            "same span": float(np.mean([one[0] == other[0] for one, other in pairs])),
            "largest change of a margin": float(max(abs(one[1] - other[1]) for one, other in pairs)),
            "f1": float(
                np.mean([token_f1(text, answers) for (text, _), (_, answers) in zip(found, rows, strict=True)])
            ),
            "em": float(
                np.mean([exact_match(text, answers) for (text, _), (_, answers) in zip(found, rows, strict=True)])
            ),
        }
        print(json.dumps({scheme: figures}), flush=True)


if __name__ == "__main__":
    main()
