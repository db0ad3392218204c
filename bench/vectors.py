"""Exact search as the index does it, over random unit vectors of the bundled embedder's dimension."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from bench.machine import summed_up
from bri_qa.index.vectors import VectorIndex

DIM, K = 384, 66  # 50 candidates and the 16 beyond that show ties


def measure(quick: bool) -> dict[str, Any]:
    """By number of vectors: times of one search over all, and over a tenth of them; seconds to write and to open."""
    sizes = (500,) if quick else (10_000, 100_000)
    return {"dim": DIM, "k": K, "sizes": {str(size): _measure(size, 10 if quick else 300) for size in sizes}}


def _measure(size: int, searches: int) -> dict[str, Any]:
    rng = np.random.default_rng(7)
    vectors = _unit(rng.standard_normal((size, DIM), np.float32))
    queries = _unit(rng.standard_normal((searches, DIM), np.float32))
    index = VectorIndex.create(DIM)
    index.add(vectors, range(size))
    with TemporaryDirectory() as name:
        start = time.perf_counter()
        index.write(Path(name))
        written = time.perf_counter()
        index = VectorIndex.open(Path(name))
        opened = time.perf_counter()
    times: dict[str, list[float]] = {"all": [], "tenth": []}
    for query in queries:
        for kind, allowed in (("all", None), ("tenth", range(0, size, 10))):
            begun = time.perf_counter()
            index.search(query, K, allowed)
            times[kind].append(time.perf_counter() - begun)
    return {
        "write_s": round(written - start, 3),
        "open_s": round(opened - written, 3),
        **{kind: summed_up(found) for kind, found in times.items()},
    }


def _unit(vectors: Any) -> Any:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
