"""Three lexical engines over the same passages and questions: tantivy as the index uses it, bm25s, SQLite's FTS5."""

from __future__ import annotations

import re
import sqlite3
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from bench.machine import summed_up
from bench.texts import long_queries, many_passages, queries
from bri_qa.index.lexical import WordIndex

K = 10


class Engine(Protocol):
    """Built of passages in a folder; finds the places in that list of the best K for a query, each word of it once."""

    def build(self, folder: Path, texts: Sequence[str]) -> None: ...
    def search(self, query: str) -> list[int]: ...


class Tantivy:
    def build(self, folder: Path, texts: Sequence[str]) -> None:
        WordIndex.build(folder, ((number, "d", text) for number, text in enumerate(texts)))
        self._words = WordIndex.open(folder)

    def search(self, query: str) -> list[int]:
        return [number for number, _ in self._words.search(query, K, None)]


class Bm25s:
    def build(self, folder: Path, texts: Sequence[str]) -> None:
        import bm25s
        import Stemmer

        self._stemmer = Stemmer.Stemmer("english")
        self._index = bm25s.BM25(k1=1.2, b=0.75)  # tantivy's and FTS5's parameters
        self._index.index(self._tokens(list(texts)), show_progress=False)
        self._index.save(folder / "bm25s", show_progress=False)

    def search(self, query: str) -> list[int]:
        words = list(dict.fromkeys(self._tokens([query], ids=False)[0]))
        found, _ = self._index.retrieve([words], k=K, show_progress=False)
        return [int(number) for number in found[0]]

    def _tokens(self, texts: list[str], ids: bool = True) -> Any:
        import bm25s

        return bm25s.tokenize(texts, stopwords="en", stemmer=self._stemmer, return_ids=ids, show_progress=False)


class Fts5:
    def build(self, folder: Path, texts: Sequence[str]) -> None:
        from bm25s.stopwords import STOPWORDS_EN

        self._stops = frozenset(STOPWORDS_EN)
        self._connection = sqlite3.connect(folder / "fts5.sqlite")
        self._connection.execute("CREATE VIRTUAL TABLE texts USING fts5(text, tokenize = 'porter unicode61')")
        rows = ((number, text) for number, text in enumerate(texts))
        self._connection.executemany("INSERT INTO texts (rowid, text) VALUES (?, ?)", rows)
        self._connection.execute("INSERT INTO texts (texts) VALUES ('optimize')")
        self._connection.commit()

    def search(self, query: str) -> list[int]:
        words = dict.fromkeys(word for word in re.findall(r"\w+", query.lower()) if word not in self._stops)
        asked = " OR ".join(f'"{word}"' for word in words)
        statement = f"SELECT rowid FROM texts WHERE texts MATCH ? ORDER BY bm25(texts) LIMIT {K}"  # noqa: S608
        return [row[0] for row in self._connection.execute(statement, (asked,))]


ENGINES: dict[str, type[Engine]] = {"tantivy": Tantivy, "bm25s": Bm25s, "fts5": Fts5}


def measure(quick: bool) -> dict[str, Any]:
    """By number of passages: seconds to build, bytes on disk, times of short and long questions, agreement."""
    sizes, asked = ((500,), 5) if quick else ((10_000, 50_000), 100)
    kinds = {"short": queries(asked), "long": long_queries(asked)}
    words = {kind: round(statistics.mean(len(text.split()) for text in texts), 1) for kind, texts in kinds.items()}
    return {"k": K, "question_words": words, "sizes": {str(size): _measure(size, kinds, quick) for size in sizes}}


def _measure(size: int, kinds: dict[str, list[str]], quick: bool) -> dict[str, Any]:
    texts = many_passages(size)
    with TemporaryDirectory() as name:
        engines, built = _build(Path(name), texts, rounds=1 if quick else 3)
        asked = {kind: _ask(engines, questions, rounds=1 if quick else 3) for kind, questions in kinds.items()}
    return {"build": built, **asked}


def _build(place: Path, texts: Sequence[str], rounds: int) -> tuple[dict[str, Engine], dict[str, Any]]:
    """Build all engines in turns; those of the last round."""
    engines: dict[str, Engine] = {}
    seconds: dict[str, list[float]] = {name: [] for name in ENGINES}
    size = dict.fromkeys(ENGINES, 0)
    for round_ in range(rounds):
        for name, kind in ENGINES.items():
            folder = place / f"{name}-{round_}"
            folder.mkdir()
            engines[name] = kind()
            start = time.perf_counter()
            engines[name].build(folder, texts)
            seconds[name].append(round(time.perf_counter() - start, 2))
            size[name] = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return engines, {name: {"seconds": seconds[name], "megabytes": round(size[name] / 1e6, 1)} for name in ENGINES}


def _ask(engines: dict[str, Engine], questions: Sequence[str], rounds: int) -> dict[str, Any]:
    """Each question is put to all engines in turn."""
    times: dict[str, list[float]] = {name: [] for name in engines}
    found: dict[str, list[list[int]]] = {name: [] for name in engines}
    for round_ in range(rounds):
        for question in questions:
            for name, engine in engines.items():
                start = time.perf_counter()
                hits = engine.search(question)
                times[name].append(time.perf_counter() - start)
                if not round_:
                    found[name].append(hits)
    return {
        name: {**summed_up(times[name]), "agreement": _agreement(found["tantivy"], found[name])} for name in engines
    }


def _agreement(ours: Sequence[Sequence[int]], theirs: Sequence[Sequence[int]]) -> float:
    """The share of tantivy's best K that the other engine has among its own, at the mean."""
    shares = [len(set(one) & set(other)) / max(1, len(one)) for one, other in zip(ours, theirs, strict=True)]
    return round(statistics.mean(shares), 3)
