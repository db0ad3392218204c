"""`bri-qa index` over about 10,000 passages, with hashed words for vectors: each step in a process of its own."""

from __future__ import annotations

import importlib
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.texts import many_passages

_PARAGRAPHS = 20  # of a document


def measure(quick: bool) -> dict[str, Any]:
    """Seconds and peak memory of a first build, of refreshes after no change and small ones, and of opening."""
    rounds = 1 if quick else 5
    with TemporaryDirectory() as name:
        place = Path(name)
        files = _write_corpus(place / "corpus", 200 if quick else 5_600)
        steps: dict[str, list[dict[str, Any]]] = {
            step: [] for step in ("build", "unchanged", "one_text", "one_title", "open")
        }
        for round_ in range(rounds):
            index = place / f"index-{round_}"
            steps["build"].append(_run("refresh", place / "corpus", index))
            steps["unchanged"].append(_run("refresh", place / "corpus", index))
            files[round_].write_text(f"# Round {round_}\n\n" + files[round_].read_text(encoding="utf-8"))
            steps["one_text"].append(_run("refresh", place / "corpus", index))
            (place / "corpus" / "sources.csv").write_text(f"path,title\n{files[0].name},Title {round_}\n")
            steps["one_title"].append(_run("refresh", place / "corpus", index))
            steps["open"].append(_run("open", place / "corpus", index))
        disk = sum(path.stat().st_size for path in index.glob("generation-*/**/*") if path.is_file()) / 2
    return {
        "embedder": "hashing",
        "documents": len(files),
        "passages": steps["build"][-1]["passages"],
        "rounds": rounds,
        "index_megabytes": round(disk / 1e6, 1),
        "steps": {name: _summed_up(found) for name, found in steps.items()},
    }


def _write_corpus(folder: Path, paragraphs: int) -> list[Path]:
    folder.mkdir()
    texts = many_passages(paragraphs)
    files = []
    for start in range(0, len(texts), _PARAGRAPHS):
        files.append(folder / f"article-{start:06d}.txt")
        files[-1].write_text("\n\n".join(texts[start : start + _PARAGRAPHS]), encoding="utf-8")
    return files


def _run(step: str, corpus: Path, index: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.index", step, corpus, index], capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _summed_up(found: list[dict[str, Any]]) -> dict[str, Any]:
    seconds = [one["seconds"] for one in found]
    return {
        "seconds_median": round(statistics.median(seconds), 3),
        "seconds": seconds,
        "peak_memory_mb": round(statistics.median(one["peak_memory_mb"] for one in found)),
    }


def step() -> dict[str, Any]:
    """One step in this process; seconds without the start of the interpreter and its imports."""
    for module in ("corpus", "embed", "index", "index.lexical", "passages", "tokens"):
        importlib.import_module(f"bri_qa.{module}")
    for module in ("faiss", "tantivy", "nupunkt"):
        importlib.import_module(module)
    from bri_qa.compose import open_index, refresh
    from bri_qa.settings import Settings
    from bri_qa.types import Filters

    name, corpus, index = sys.argv[1:]
    settings = Settings.load({}, corpus_dir=corpus, index_dir=index, embedding_model="hashing")
    start = time.perf_counter()
    if name == "refresh":
        manifest = refresh(settings).run()
    else:
        opened = open_index(settings)
        opened.search_lexical("how is a file opened", 10, Filters())
        manifest = opened.manifest
    seconds = time.perf_counter() - start
    return {"seconds": round(seconds, 3), "passages": manifest.passages, "peak_memory_mb": _peak_memory_mb()}


def _peak_memory_mb() -> int:
    """Of this process since its program began; `getrusage` would count the parent's, before it."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return round(int(status.partition("VmHWM:")[2].split(maxsplit=1)[0]) / 1024)


if __name__ == "__main__":
    print(json.dumps(step()))
