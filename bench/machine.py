"""Where figures were measured, how they are summed up, and the files that keep them."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
_PACKAGES = (
    "bm25s",
    "faiss-cpu",
    "openvino",
    "sentence-transformers",
    "tantivy",
    "tokenizers",
    "torch",
    "transformers",
)


def facts() -> dict[str, Any]:
    """The processor with the flags that matter here, cores, memory in GB, and versions."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    cpu = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cpu": cpu.get("model name", platform.machine()),
        "flags": [flag for flag in _FLAGS if flag in cpu.get("flags", "").split()],
        "cores": os.cpu_count(),
        "memory_gb": round(pages / 2**30),
        "versions": {
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            **{name: version(name) for name in _PACKAGES},
        },
    }


def summed_up(seconds: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile in milliseconds, and over how many."""
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return {"p50_ms": _ms(statistics.median(ordered)), "p95_ms": _ms(p95), "n": len(ordered)}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


def keep(name: str, figures: dict[str, Any], note: str) -> Path:
    """Write `bench/results/<name>.json`."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    now = datetime.now(UTC).date().isoformat()
    result = {"name": name, "measured": now, "machine": facts(), "note": note, "figures": figures}
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
