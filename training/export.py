"""Write a run's checkpoint as the safetensors file that the package ships: f16, without what the base already holds."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from training.model import from_pretrained, to_tensors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder with checkpoint.pt")
    parser.add_argument("--base", type=Path, required=True, help="folder with the base's model.safetensors")
    parser.add_argument("--to", type=Path, required=True, help="file to write")
    options = parser.parse_args()
    net = from_pretrained(options.base / "model.safetensors")
    net.load_state_dict(torch.load(options.run / "checkpoint.pt", weights_only=True)["net"])
    base = load_file(str(options.base / "model.safetensors"))
    tensors = to_tensors(net)
    changed = {name: t.half() for name, t in tensors.items() if name not in base or not torch.equal(t, base[name])}
    options.to.parent.mkdir(parents=True, exist_ok=True)
    save_file(changed, str(options.to))
    print(f"{len(changed)} of {len(tensors)} tensors, {options.to.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
