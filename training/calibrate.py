"""Put the calibration questions to a trained reader, and keep what it makes of them for `training.fit`.

Two settings: given paragraph (reading), and all paragraphs pooled as a corpus that the product's own index and
retrieval search. Everything is written to `--out`, outside the repository: it holds rows of the sets.
"""

from __future__ import annotations

import argparse
import pickle
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bri_qa.bert import Encoder, Weights
from bri_qa.embed import MiniLMEmbedder
from bri_qa.index import EmbeddedIndex, Identity, build, plan
from bri_qa.minilm import tokenizer, weights
from bri_qa.passages import Limit, cut
from bri_qa.reader.network import HEADS, Network, Raw
from bri_qa.retrieve import Retriever
from bri_qa.tokens import Tokenizer
from bri_qa.types import Document, Filters, Hit, Passage, Source, Span
from training.data import Row, read_answers, read_rows

READ = 12  # hits that are read for a pooled question; more than the product reads, to see what that would give


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


def open_network(model: Path) -> Network:
    """The network of an exported safetensors file."""
    return Network(Encoder.load([weights(), Weights(model)], HEADS), tokenizer())


def sample(path: Path, count: int, seed: int, skip: int = 0, half: int | None = None) -> list[Asked]:
    """`count` questions of a set, by seed, after the first `skip`; an article is wholly in half 0 or half 1."""
    rows = list(zip(read_rows(path), read_answers(path), strict=True))
    random.Random(seed).shuffle(rows)
    found = [Asked(row, texts, zlib.crc32(row.group.encode()) % 2) for row, texts in rows[skip:]]
    return [item for item in found if half in (None, item.half)][:count]


def documents(path: Path) -> dict[str, Document]:
    """Each paragraph of a set as a document, by its text."""
    found: dict[str, Document] = {}
    for row in read_rows(path):
        if row.context not in found:
            found[row.context] = Document(f"p{len(found):05d}", row.context, Source(row.group), f"{len(found):064x}")
    return found


def distractors(folder: Path, count: int) -> list[Document]:
    """`count` paragraphs of the training sets, by a fixed seed, with ids of their own."""
    found = [text for name in ("squad1_train", "qed_train") for text in documents(folder / f"{name}.jsonl.gz")]
    random.Random(11).shuffle(found)
    return [Document(f"d{at:05d}", text, Source(""), f"{at:063x}d") for at, text in enumerate(found[:count])]


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


def ask(questions: Sequence[Asked], network: Network, index: EmbeddedIndex, embedder: MiniLMEmbedder) -> None:
    """Fill in what retrieval and the reader make of each question."""
    retriever = Retriever(embedder)
    for number, item in enumerate(questions):
        question = item.row.question
        vector = embedder.embed_query(question)
        rankings = {
            "dense": index.search_dense(vector, 50, Filters()),
            "lexical": index.search_lexical(question, 50, Filters(), vector),
            "fused": retriever.search(index, question, vector, Filters()),
        }
        item.ranks = {kind: [hit.passage.document_id for hit in hits[:20]] for kind, hits in rankings.items()}
        item.hits = rankings["fused"][:READ]
        whole = Passage("given", "given", Span(0, len(item.row.context)), "", item.row.context)
        passages = [hit.passage for hit in item.hits]
        item.given, *item.raws = network.raw(question, [whole, *passages])
        if number % 100 == 0:
            print("asked", number, len(questions), flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--model", type=Path, required=True, help="exported safetensors file of a run")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for indexes and features, outside the repository"
    )
    parser.add_argument("--questions", type=int, default=1_000, help="of each set")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--skip", type=int, nargs=2, default=(0, 0), help="questions of each set passed over")
    parser.add_argument("--half", type=int, choices=(0, 1), help="the articles that may be asked of; else all")
    parser.add_argument(
        "--distractors", type=int, default=0, help="paragraphs of the training sets that are added to each corpus"
    )
    return parser.parse_args()


def main() -> None:
    options = parse()
    network, embedder = open_network(options.model), MiniLMEmbedder.load()
    options.out.mkdir(parents=True, exist_ok=True)
    squad, qed = (options.data / f"{name}_calibration.jsonl.gz" for name in ("squad2", "qed"))
    indexes = {
        path: pooled_index(
            options.out.parent / f"index-{path.name.split('_')[0]}-{options.distractors}",
            [*documents(path).values(), *distractors(options.data, options.distractors)],
            embedder,
        )
        for path in (squad, qed)
    }
    general, search = options.skip
    for name, path, index, count, skip in (
        ("squad2", squad, indexes[squad], options.questions, general),
        ("qed", qed, indexes[qed], options.questions // 2, search),
        ("off_topic", qed, indexes[squad], options.questions // 4, search),
    ):
        questions = sample(path, count, options.seed, skip, options.half)
        if name == "off_topic":
            questions = [Asked(item.row, [], item.half) for item in questions]
        ask(questions, network, index, embedder)
        with (options.out / f"{name}.pickle").open("wb") as stream:
            pickle.dump(questions, stream)
        print(name, len(questions), flush=True)


if __name__ == "__main__":
    main()
