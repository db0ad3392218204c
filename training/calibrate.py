"""Measure a trained reader on the calibration questions, and fit its calibration on one half of them.

Questions are split by article into halves: one chooses (weights and thresholds), the other only reports. Two settings:
given paragraph (reading), and all paragraphs pooled as a corpus that the product's own index and retrieval search.
Features are cached in `--out`, outside the repository; no row of the sets is written elsewhere.
"""

from __future__ import annotations

import argparse
import json
import pickle
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bri_qa.bert import Encoder, Weights
from bri_qa.embed import MiniLMEmbedder
from bri_qa.evaluation.metrics import exact_match, token_f1
from bri_qa.index import EmbeddedIndex, Identity, build, plan
from bri_qa.minilm import tokenizer, weights
from bri_qa.passages import Limit, cut
from bri_qa.reader import CrossEncoderReader, SentenceReader
from bri_qa.reader.cross_encoder import HEADS, Calibration, Raw
from bri_qa.reader.words import coverage
from bri_qa.retrieve import Retriever
from bri_qa.tokens import Tokenizer
from bri_qa.types import Document, Filters, Hit, Passage, Source, Span
from training.data import Row, read_answers, read_rows

NO_CALIBRATION = Calibration({"bias": 0.0}, {"bias": 0.0}, 0.5, 0.5)
READ = 5  # hits that are read for a pooled question


@dataclass
class Asked:
    """A question with what retrieval and the reader made of it."""

    row: Row
    answers: list[str]
    half: int
    given: Raw | None = None
    ranks: dict[str, list[str]] = field(default_factory=dict)  # document ids by rank, per kind of retrieval
    hits: list[Hit] = field(default_factory=list)
    raws: list[Raw] = field(default_factory=list)
    meanings: list[float] = field(default_factory=list)


def open_reader(model: Path) -> CrossEncoderReader:
    """The reader of an exported safetensors file, without calibration."""
    encoder = Encoder.load([weights(), Weights(model)], HEADS)
    return CrossEncoderReader(model.parent.name, encoder, tokenizer(), NO_CALIBRATION)


def sample(path: Path, count: int, seed: int) -> list[Asked]:
    """`count` questions of a set, by seed; an article is wholly in half 0 or half 1."""
    rows = list(zip(read_rows(path), read_answers(path), strict=True))
    random.Random(seed).shuffle(rows)
    return [Asked(row, texts, zlib.crc32(row.group.encode()) % 2) for row, texts in rows[:count]]


def documents(path: Path) -> dict[str, Document]:
    """Each paragraph of a set as a document, by its text."""
    found: dict[str, Document] = {}
    for row in read_rows(path):
        if row.context not in found:
            found[row.context] = Document(f"p{len(found):05d}", row.context, Source(row.group), f"{len(found):064x}")
    return found


def pooled_index(folder: Path, found: Sequence[Document], embedder: MiniLMEmbedder) -> EmbeddedIndex:
    """The product's index over the paragraphs."""
    identity = Identity(embedder.name, embedder.fingerprint, embedder.dim, 160, 40)
    limits = [Limit(Tokenizer.load().count, 160), Limit(embedder.count_tokens, embedder.max_tokens)]
    planned = plan(folder, found, identity)
    if planned.change:
        build(
            planned, embedder, lambda document: cut(document, limits, 40), lambda a, b: print("index", a, b, flush=True)
        )
    return EmbeddedIndex.open(folder, identity)


def ask(questions: Sequence[Asked], reader: CrossEncoderReader, index: EmbeddedIndex, embedder: MiniLMEmbedder) -> None:
    """Fill in what retrieval and the reader make of each question."""
    sentences = SentenceReader(embedder)
    retriever = Retriever(embedder)
    for number, item in enumerate(questions):
        question = item.row.question
        vector = embedder.embed_query(question)
        rankings = {
            "dense": index.search_dense(vector, 50, Filters()),
            "lexical": index.search_lexical(question, 50, Filters()),
            "fused": retriever.search(index, question, vector, Filters()),
        }
        item.ranks = {kind: [hit.passage.document_id for hit in hits[:20]] for kind, hits in rankings.items()}
        item.hits = rankings["fused"][:READ]
        whole = Passage("given", "given", Span(0, len(item.row.context)), "", item.row.context)
        passages = [hit.passage for hit in item.hits]
        item.given, *item.raws = reader.raw(question, [whole, *passages])
        item.meanings = [reading.relevance for reading in sentences.read(question, passages)]
        if number % 100 == 0:
            print("asked", number, len(questions), flush=True)


def features(item: Asked, k: int) -> dict[str, float]:
    """What the calibration sees of the best span of hit `k`."""
    raw, hit = item.raws[k], item.hits[k]
    words, names = coverage(item.row.question, hit.passage.text)
    margin = raw.spans[0][1] if raw.spans else -20.0
    return {
        "margin": margin,
        "no_answer": raw.no_answer,
        "relevance": raw.relevance,
        "words": words,
        "names": names,
        "meaning": item.meanings[k],
    }


def right(answers: Sequence[str], text: str) -> bool:
    return bool(answers) and token_f1(text, answers) >= 0.5


def reading(questions: Sequence[Asked]) -> dict[str, float]:
    """Exact match and F1 of the best span of the given paragraph, and AUROC of its margin over "no answer"."""
    from sklearn.metrics import roc_auc_score

    answerable = [item for item in questions if item.answers]
    texts = [
        item.given.spans[0][0].of(item.row.context) if item.given and item.given.spans else "" for item in answerable
    ]
    scores = {
        "em": sum(exact_match(t, q.answers) for t, q in zip(texts, answerable, strict=True)) / len(answerable),
        "f1": sum(token_f1(t, q.answers) for t, q in zip(texts, answerable, strict=True)) / len(answerable),
    }
    labels = [bool(item.answers) for item in questions]
    if not all(labels):
        for name, value in (
            ("margin", [q.given.spans[0][1] if q.given and q.given.spans else -20.0 for q in questions]),
            ("no_answer", [-q.given.no_answer if q.given else 0.0 for q in questions]),
            ("relevance", [q.given.relevance if q.given else 0.0 for q in questions]),
        ):
            scores[f"auroc_{name}"] = float(roc_auc_score(labels, value))
    return scores


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--model", type=Path, required=True, help="exported safetensors file of a run")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for indexes and features, outside the repository"
    )
    parser.add_argument("--questions", type=int, default=1_000, help="of each set")
    parser.add_argument("--seed", type=int, default=5)
    return parser.parse_args()


def main() -> None:
    options = parse()
    reader, embedder = open_reader(options.model), MiniLMEmbedder.load()
    for name in ("squad2_calibration", "qed_calibration"):
        path = options.data / f"{name}.jsonl.gz"
        index = pooled_index(options.out / f"index-{name}", list(documents(path).values()), embedder)
        questions = sample(path, options.questions, options.seed)
        ask(questions, reader, index, embedder)
        with (options.out / f"{name}.pickle").open("wb") as stream:
            pickle.dump(questions, stream)
        print(name, json.dumps(reading(questions)), flush=True)


if __name__ == "__main__":
    main()
