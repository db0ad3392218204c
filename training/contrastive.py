"""Contrastive tuning of the embedder on the public training sets, and what it gives for retrieval.

`train` pulls questions to the passages that answer them and away from the others of the batch and from one passage
with the same words (BM25). `evaluate` puts the calibration questions to the product's own index and retrieval, with
the bundled embedder, the tuned one, and the mean of both weights. Rows of the sets are written nowhere.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import bm25s
import Stemmer
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from bri_qa import minilm
from bri_qa.artifacts import sha256
from bri_qa.bert import Encoder, Head, Weights
from bri_qa.embed import MiniLMEmbedder
from bri_qa.passages import Limit, cut
from bri_qa.reader.words import stems
from bri_qa.retrieve import Retriever
from bri_qa.tokens import Tokenizer
from bri_qa.types import Document, Filters, Passage, Source
from training.calibrate import documents, pooled_index, sample
from training.data import Row, read_rows
from training.model import ReaderNet, from_pretrained, to_tensors
from training.train import Run, rate

SCALE = 20.0  # of cosines: one over the usual temperature of 0.05
RIVALS = 12  # paragraphs with the same words among which one without the answer is looked for
QUESTION_TOKENS, PASSAGE_TOKENS = 64, 256
PART = 16  # texts of like length that go through the network together
CUTS = {"dense": (1, 5), "fused": (1, 8)}
WARMUP = 0.1


@dataclass(frozen=True, slots=True)
class Triple:
    """A question, the passage that holds its answer, and a passage with the same words that does not."""

    question: str
    passage: str
    rival: str


class Triples:
    """A seeded stream of batches over the training sets: the batch of a step is the same in every run."""

    def __init__(self, general: Sequence[Row], search: Sequence[Row], share: float, seed: int) -> None:
        """`share` of a batch are search queries."""
        self._sources = (general, search)
        self._share = share
        self._seed = seed
        self._paragraphs = list(dict.fromkeys(row.context for row in [*general, *search]))
        count = Tokenizer.load().count
        self._limits = [Limit(count, 160), Limit(lambda text: len(_tokenizer().encode(text)), PASSAGE_TOKENS)]
        self._engine = bm25s.BM25()
        self._engine.index(_tokens(self._paragraphs), show_progress=False)

    @classmethod
    def open(cls, folder: Path, share: float, seed: int) -> Triples:
        """Over squad1_train and qed_train in `folder`."""
        general, search = (read_rows(folder / f"{name}.jsonl.gz") for name in ("squad1_train", "qed_train"))
        return cls([row for row in general if row.answer], [row for row in search if row.answer], share, seed)

    def batch(self, step: int, size: int) -> list[Triple]:
        """`size` triples, no two of one paragraph: each passage is wrong for all questions but its own."""
        rng = random.Random(self._seed * 1_000_003 + step)
        chosen: dict[str, Row] = {}
        while len(chosen) < size:
            row = rng.choice(self._sources[rng.random() < self._share])
            chosen.setdefault(row.context, row)
        rows = list(chosen.values())
        found, _ = self._engine.retrieve(_tokens([row.question for row in rows]), k=RIVALS, show_progress=False)
        return [
            Triple(row.question, self._home(row), self._rival(row, near)) for row, near in zip(rows, found, strict=True)
        ]

    def _cut(self, text: str) -> list[Passage]:
        return cut(Document("p", text, Source(""), ""), self._limits, 40)

    def _home(self, row: Row) -> str:
        """The passage of the row's paragraph in which the answer begins."""
        assert row.answer is not None
        holding = (one for one in self._cut(row.context) if one.span.start <= row.answer[0] < one.span.end)
        return next(holding).text

    def _rival(self, row: Row, near: Sequence[int]) -> str:
        """Of the nearest other paragraph without the answer's text the passage with the most words of the question."""
        assert row.answer is not None
        answer = row.context[slice(*row.answer)].casefold()
        others = [self._paragraphs[at] for at in near]
        chosen = next((text for text in others if answer not in text.casefold()), others[-1])
        wanted = stems(row.question)
        return max(self._cut(chosen), key=lambda one: len(wanted & stems(one.text))).text


def _tokens(texts: Sequence[str]) -> bm25s.tokenization.Tokenized:
    return bm25s.tokenize(list(texts), stopwords="en", stemmer=Stemmer.Stemmer("english"), show_progress=False)


_tokenizer = cache(minilm.tokenizer)


def embedded(net: ReaderNet, texts: Sequence[str], most: int) -> Tensor:
    """Unit vectors f32[n, hidden] of the mean over the tokens, each text cut to `most` tokens."""
    rows = [encoded.ids for encoded in _tokenizer().encode_batch(list(texts))]
    rows = [row if len(row) <= most else [*row[: most - 1], row[-1]] for row in rows]
    order = sorted(range(len(rows)), key=lambda at: len(rows[at]))
    parts = [_means(net, [rows[at] for at in order[start : start + PART]]) for start in range(0, len(order), PART)]
    places = torch.tensor(order).argsort()
    return F.normalize(torch.cat(parts)[places], dim=1)


def _means(net: ReaderNet, rows: Sequence[Sequence[int]]) -> Tensor:
    longest = max(map(len, rows))
    ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])
    held = torch.tensor([[1.0] * len(row) + [0.0] * (longest - len(row)) for row in rows])
    x = net.norm(net.word(ids) + net.position(torch.arange(longest))[None] + net.segment(torch.zeros_like(ids)))
    mask = (1.0 - held[:, None, None, :]) * -1e4
    for layer in net.layers:
        x = layer(x, mask)
    mean: Tensor = (x * held[:, :, None]).sum(1) / held.sum(1, keepdim=True)
    return mean


def loss_of(net: ReaderNet, triples: Sequence[Triple]) -> Tensor:
    """Cross-entropy of each question's passage among all passages and rivals of the batch.

    Source: Henderson et al., "Efficient Natural Language Response Suggestion for Smart Reply", 2017, arXiv:1705.00652.
    """
    questions = embedded(net, [one.question for one in triples], QUESTION_TOKENS)
    passages = embedded(net, [one.passage for one in triples] + [one.rival for one in triples], PASSAGE_TOKENS)
    return F.cross_entropy(SCALE * questions @ passages.T, torch.arange(len(triples)))


def train(options: argparse.Namespace) -> None:
    """Tune until `options.minutes` of steps have gone by, all resumptions together, and write the weights."""
    torch.manual_seed(options.seed)
    net = from_pretrained(minilm.weights().path)
    for part in (net.word, net.position, net.segment, net.norm, *net.layers[: options.freeze_layers]):
        part.requires_grad_(False)
    trained = [parameter for parameter in net.layers.parameters() if parameter.requires_grad]
    run = Run(options.out, net, torch.optim.AdamW(trained, lr=options.lr, weight_decay=0.01, fused=True))
    options.out.mkdir(parents=True, exist_ok=True)
    if (options.out / "checkpoint.pt").exists():
        run.resume()
    triples = Triples.open(options.data, options.search, options.seed)
    budget, saved = options.minutes * 60, time.perf_counter()
    while run.seconds < budget:
        begin = time.perf_counter()
        for group in run.optimizer.param_groups:
            group["lr"] = options.lr * max(rate(run.seconds / budget, WARMUP, 1.0 - WARMUP), 0.01)
        loss = loss_of(net, triples.batch(run.step, options.batch))
        run.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        run.optimizer.step()
        run.step += 1
        run.seconds += time.perf_counter() - begin
        if run.step % 10 == 0:
            print(f"{run.step} loss {loss.item():.3f} {run.step * options.batch / run.seconds:.1f}/s", flush=True)
        if run.seconds >= budget or time.perf_counter() - saved > 120:
            run.save()
            saved = time.perf_counter()
    heads = ("span.", "relevance.", "no_answer.")  # of the reader, which the embedder has not
    tensors = {name: tensor for name, tensor in to_tensors(net).items() if not name.startswith(heads)}
    save_file(tensors, str(options.out / "tuned.safetensors"))
    record = {"steps": run.step, "questions": run.step * options.batch, "seconds": round(run.seconds)}
    record |= {name: getattr(options, name) for name in ("batch", "lr", "search", "freeze_layers", "seed")}
    (options.out / "run.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def averaged(base: Path, tuned: Path, share: float, to: Path) -> Path:
    """A file of weights that lie `share` of the way from `base` to `tuned`."""
    one, other = load_file(str(base)), load_file(str(tuned))
    save_file({name: tensor.lerp(other[name], share) if name in other else tensor for name, tensor in one.items()}, to)
    return to


def embedder_of(path: Path, threads: int) -> MiniLMEmbedder:
    """The product's embedder with the weights of `path`."""
    encoder = Encoder.load([minilm.weights(), Weights(path)], [Head("embedding", "mean")], threads=threads)
    embedder = MiniLMEmbedder(encoder, minilm.tokenizer())
    embedder.fingerprint = sha256(path)
    return embedder


def ranked(path: Path, folder: Path, embedder: MiniLMEmbedder, count: int) -> dict[str, list[bool]]:
    """Whether each answerable question of a set has its paragraph among the first hits, by way and cut."""
    pool = documents(path)
    index = pooled_index(folder, list(pool.values()), embedder)
    retriever = Retriever(embedder)
    found: dict[str, list[bool]] = {f"{way}@{k}": [] for way, cuts in CUTS.items() for k in cuts}
    for item in [one for one in sample(path, 100_000, 5) if one.answers][:count]:
        vector, gold = embedder.embed_query(item.row.question), pool[item.row.context].id
        hits = {
            "dense": index.search_dense(vector, max(CUTS["dense"]), Filters()),
            "fused": retriever.search(index, item.row.question, vector, Filters()),
        }
        for way, cuts in CUTS.items():
            for k in cuts:
                found[f"{way}@{k}"].append(any(hit.passage.document_id == gold for hit in hits[way][:k]))
    return found


def evaluate(options: argparse.Namespace) -> None:
    """Recall of the bundled weights, of the tuned ones and of their mean, and questions won from the first and lost."""
    tuned = options.out / "tuned.safetensors"
    mean = averaged(minilm.weights().path, tuned, 0.5, options.out / "mean.safetensors")
    files = {"bundled": minilm.weights().path, "tuned": tuned, "mean": mean}
    figures: dict[str, object] = {"run": json.loads((options.out / "run.json").read_text(encoding="utf-8"))}
    for name in ("squad2", "qed"):
        path = options.data / f"{name}_calibration.jsonl.gz"
        found = {
            kind: ranked(path, options.out / f"index-{kind}-{name}", embedder_of(file, options.threads), options.count)
            for kind, file in files.items()
        }
        first = found["bundled"]
        figures[name] = {"questions": len(first["dense@1"])} | {
            kind: {
                at: {
                    "recall": round(sum(right) / len(right), 4),
                    "won": sum(b > a for a, b in zip(first[at], right, strict=True)),
                    "lost": sum(a > b for a, b in zip(first[at], right, strict=True)),
                }
                for at, right in by_cut.items()
            }
            for kind, by_cut in found.items()
        }
        print(name, json.dumps(figures[name]), flush=True)
    options.to.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run, outside the repository")
    parser.add_argument("--threads", type=int, default=2)
    commands = parser.add_subparsers(required=True)
    tuning = commands.add_parser("train", help="tune the embedder; a run that was broken off goes on")
    tuning.add_argument("--minutes", type=float, default=12, help="minutes of steps, all resumptions together")
    tuning.add_argument("--batch", type=int, default=32)
    tuning.add_argument("--lr", type=float, default=2e-5)
    tuning.add_argument("--search", type=float, default=0.35, help="share of search queries")
    tuning.add_argument("--freeze-layers", type=int, default=2, help="lowest layers that keep their weights")
    tuning.add_argument("--seed", type=int, default=1)
    tuning.set_defaults(run=train)
    measuring = commands.add_parser("evaluate", help="retrieval of the calibration questions")
    measuring.add_argument("--to", type=Path, required=True, help="file of the figures")
    measuring.add_argument("--count", type=int, default=100_000, help="questions of each set, at most")
    measuring.set_defaults(run=evaluate)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.run(options)


if __name__ == "__main__":
    main()
