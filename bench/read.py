"""Reading eight passages against the bare forward pass of the same rows; and whole questions over 10,000 passages."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.machine import summed_up
from bench.texts import many_passages, passages, queries
from bri_qa import minilm
from bri_qa.bert import Batch, Encoder, Weights
from bri_qa.compose import pipeline, refresh
from bri_qa.embed import MiniLMEmbedder
from bri_qa.reader import BUNDLED, CrossEncoderReader
from bri_qa.reader.cross_encoder import CARD, WEIGHTS, Calibration
from bri_qa.reader.network import HEADS, Network
from bri_qa.settings import Settings
from bri_qa.types import Hit, Passage, Question, Span

READ, PER_DOCUMENT = 8, 40
_CUT = 1.7  # passages that a text is cut into


def measure(quick: bool) -> dict[str, Any]:
    """Times of one reading of eight passages, in turns; of a question over a large index, whole and by stage."""
    return {"reading": _reading(3 if quick else 40), "asking": _asking(400 if quick else 10_000, 5 if quick else 100)}


def _reading(rounds: int) -> dict[str, Any]:
    """The bare pass, the network with its tokens and spans, the reader with what the index knows and without."""
    embedder = MiniLMEmbedder.load()
    card = json.loads((BUNDLED / CARD).read_bytes())
    encoder = Encoder.load([minilm.weights(), Weights(BUNDLED / WEIGHTS)], HEADS)
    network = Network(encoder, minilm.tokenizer())
    calibration = Calibration.of(card["calibration"])
    texts = passages(READ, embedder)
    items = [Passage(f"p{at}", "d", Span(0, len(text)), "", text) for at, text in enumerate(texts)]
    vectors = embedder.embed_passages(texts)
    times: dict[str, list[float]] = {}
    for round_, question in enumerate(queries(rounds + 1)):
        rows, types = network.rows(question, items)[:2]
        near = (vectors @ embedder.embed_query(question)).tolist()
        hits = {
            "known": [Hit(item, 0.0, cosine=one) for item, one in zip(items, near, strict=True)],
            "new": [Hit(item, 0.0) for item in items],
        }
        reader = CrossEncoderReader("new", network, embedder, calibration)
        turns: dict[str, Callable[[], object]] = {
            "bare": partial(_bare, encoder, rows, types),
            "network": partial(network.raw, question, items),
            **{name: partial(reader.read, question, found) for name, found in hits.items()},
        }
        for name in sorted(turns, reverse=bool(round_ % 2)):
            start = time.perf_counter()
            turns[name]()
            if round_:
                times.setdefault(name, []).append(time.perf_counter() - start)
    middles = {name: sorted(found)[len(found) // 2] for name, found in times.items()}
    return {
        "passages": READ,
        "word_pieces": len(rows[0]),
        "ways": {
            name: {**summed_up(times[name]), "ratio": round(middles[name] / middles["bare"], 3)}
            for name in ("bare", "network", "known", "new")
        },
    }


def _bare(encoder: Encoder, rows: list[list[int]], types: list[list[int]]) -> object:
    return encoder.run(Batch.of(rows, types))


def _asking(count: int, asked: int) -> dict[str, Any]:
    """Questions that were not asked before, over an index of `count` passages or a little more."""
    texts = many_passages(round(count / _CUT))
    with TemporaryDirectory() as name:
        corpus = Path(name) / "corpus"
        corpus.mkdir()
        for at in range(0, len(texts), PER_DOCUMENT):
            (corpus / f"d{at:05d}.txt").write_text("\n\n".join(texts[at : at + PER_DOCUMENT]), encoding="utf-8")
        settings = Settings.load({}, corpus_dir=corpus, index_dir=Path(name) / "index")
        manifest = refresh(settings).run()
        answerer = pipeline(settings)
        times: list[float] = []
        stages: dict[str, list[float]] = {}
        for number, question in enumerate(queries(asked + 1)):
            start = time.perf_counter()
            answer = answerer.ask(Question(question))
            if number:
                times.append(time.perf_counter() - start)
                for stage, seconds in answer.trace.seconds.items():
                    stages.setdefault(stage, []).append(seconds)
    return {
        "passages": manifest.passages,
        "question": summed_up(times),
        "stages": {stage: summed_up(found) for stage, found in stages.items()},
    }
