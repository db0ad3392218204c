"""Train the reader: bf16 autocast, no dropout, frozen embeddings; resumable, and ends on time.

The learning rate warms up, stays, and decays linearly to zero over the last `--decay` share of the run, which is
measured in seconds of training, so that a run ends when it was said to. `--init` starts from another run's weights.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor

from training.data import Example, Mix, Stream
from training.model import ReaderNet, from_pretrained

MAX_LENGTH, QUESTION_MAX = 256, 64
NEGATIVE = -1e4


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded tensors of n examples. `start` and `end` are token positions, 0 ([CLS]) where there is no answer.

    `question` numbers the units: the passages of a ranked question have one number.
    """

    ids: Tensor
    types: Tensor
    attention: Tensor
    start: Tensor
    end: Tensor
    relevance: Tensor
    relevant_known: Tensor
    weight: Tensor
    question: Tensor


Encoded = tuple[list[int], list[int], int, int, Example]


def encode(tokenizer: Tokenizer, examples: list[Example]) -> list[Encoded]:
    """(ids, types, start, end, example); a passage is cut to what fits; an answer cut off makes no answer."""
    questions = tokenizer.encode_batch([item.question for item in examples], add_special_tokens=False)
    passages = tokenizer.encode_batch([item.passage for item in examples], add_special_tokens=False)
    encoded = []
    for item, question, passage in zip(examples, questions, passages, strict=True):
        head = [101, *question.ids[:QUESTION_MAX], 102]
        room = MAX_LENGTH - len(head) - 1
        ids = [*head, *passage.ids[:room], 102]
        types = [0] * len(head) + [1] * (len(ids) - len(head))
        start = end = 0
        if item.answer:
            inside = [i for i, (a, b) in enumerate(passage.offsets[:room]) if a < item.answer[1] and item.answer[0] < b]
            if inside and passage.offsets[inside[-1]][1] >= item.answer[1]:
                start, end = len(head) + inside[0], len(head) + inside[-1]
        encoded.append((ids, types, start, end, item))
    return encoded


def collate(units: list[list[Encoded]]) -> Batch:
    """Pad to the longest, rounded up to a multiple of 8."""
    rows = [row for unit in units for row in unit]
    length = -(-max(len(row[0]) for row in rows) // 8) * 8

    def padded(values: list[list[int]]) -> Tensor:
        return torch.tensor([row + [0] * (length - len(row)) for row in values])

    known = [row[4].relevance is not None for row in rows]
    relevance = [row[4].relevance if row[4].relevance is not None else 0.0 for row in rows]
    return Batch(
        ids=padded([row[0] for row in rows]),
        types=padded([row[1] for row in rows]),
        attention=padded([[1] * len(row[0]) for row in rows]),
        start=torch.tensor([row[2] for row in rows]),
        end=torch.tensor([row[3] for row in rows]),
        relevance=torch.tensor(relevance),
        relevant_known=torch.tensor(known),
        weight=torch.tensor([row[4].weight for row in rows]),
        question=torch.tensor([at for at, unit in enumerate(units) for _ in unit]),
    )


def batches(stream: Iterator[list[Example]], tokenizer: Tokenizer, size: int, seed: int) -> Iterator[Batch]:
    """Batches of about `size` examples of like length, drawn from pools of 32 batches and shuffled."""
    for count in itertools.count():
        drawn = list(itertools.islice(stream, size * 32))
        rows = iter(encode(tokenizer, [example for unit in drawn for example in unit]))
        pool = [[next(rows) for _ in unit] for unit in drawn]
        pool.sort(key=lambda unit: max(len(row[0]) for row in unit))
        ends = list(itertools.accumulate(len(unit) for unit in pool))
        parts = [list(part) for _, part in itertools.groupby(range(len(pool)), key=lambda at: (ends[at] - 1) // size)]
        random.Random(seed + count).shuffle(parts)
        for part in parts:
            yield collate([pool[at] for at in part])


def loss_of(net: ReaderNet, batch: Batch, relevance_weight: float, no_answer_weight: float) -> Tensor:
    """Span cross-entropy over passage tokens and [CLS], plus weighted binary losses of the two other heads."""
    span, relevance, no_answer = net(batch.ids, batch.types, batch.attention)
    allowed = (batch.types == 1) & (batch.attention == 1)
    allowed[:, 0] = True
    logits = span.masked_fill(~allowed[:, :, None], NEGATIVE)
    places = F.cross_entropy(logits[:, :, 0], batch.start, reduction="none")
    places = (places + F.cross_entropy(logits[:, :, 1], batch.end, reduction="none")) / 2
    none = F.binary_cross_entropy_with_logits(no_answer, (batch.start == 0).float(), reduction="none")
    near = F.binary_cross_entropy_with_logits(relevance, batch.relevance, reduction="none") * batch.relevant_known
    total = places + no_answer_weight * none + relevance_weight * near
    return (total * batch.weight).mean() + listwise(relevance, batch.question)


def listwise(relevance: Tensor, question: Tensor) -> Tensor:
    """Cross-entropy of each ranked question's own passage among its rivals (Cao et al., ICML 2007), per example."""
    first = torch.cat([torch.ones(1, dtype=torch.bool), question[1:] != question[:-1]])
    sums = torch.zeros(int(question[-1]) + 1).index_add(0, question, relevance.exp())
    return (sums.log() - relevance[first]).sum() / len(question)


def rate(done: float, warmup: float, decay: float) -> float:
    """Factor of the peak learning rate at `done` of the run, both in [0, 1]."""
    if done < warmup:
        return done / warmup
    return min(1.0, max(0.0, (1.0 - done) / decay))


@dataclass(slots=True)
class Run:
    """A run in its folder: the network, the optimiser, and how far it is."""

    folder: Path
    net: ReaderNet
    optimizer: torch.optim.Optimizer
    step: int = 0
    seen: int = 0
    drawn: int = 0  # units of the stream
    seconds: float = 0.0

    def save(self) -> None:
        """Write the checkpoint in one move."""
        self.folder.mkdir(parents=True, exist_ok=True)
        state = {
            "net": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seen": self.seen,
            "drawn": self.drawn,
            "seconds": self.seconds,
        }
        part = self.folder / "checkpoint.part"
        torch.save(state, part)
        part.replace(self.folder / "checkpoint.pt")

    def resume(self, *, weights_only: bool = False, source: Path | None = None) -> None:
        """Continue from this run's checkpoint, or take only the weights of another run's."""
        path = (source or self.folder) / "checkpoint.pt"
        state = torch.load(path, weights_only=True)
        self.net.load_state_dict(state["net"])
        if not weights_only:
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.seen, self.drawn, self.seconds = (state[k] for k in ("step", "seen", "drawn", "seconds"))


def train(run: Run, stream: Stream, tokenizer: Tokenizer, options: argparse.Namespace) -> None:
    """Train until `options.minutes` of training have gone by."""
    budget = options.minutes * 60
    source = stream.units(start=options.block + run.drawn // 512)
    shown = time.perf_counter()
    total = 0.0
    run.net.train()
    for batch in batches(source, tokenizer, options.batch, options.seed):
        begin = time.perf_counter()
        factor = rate(run.seconds / budget, options.warmup, options.decay)
        for group in run.optimizer.param_groups:
            group["lr"] = options.lr * factor
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=not options.fp32):
            loss = loss_of(run.net, batch, options.relevance_weight, options.no_answer_weight)
        run.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(run.net.parameters(), 1.0)
        run.optimizer.step()
        run.step += 1
        run.seen += len(batch.ids)
        run.drawn += int(batch.question[-1]) + 1
        run.seconds += time.perf_counter() - begin
        total += float(loss.detach())
        if run.step % 50 == 0:
            print(
                f"{run.step} seen {run.seen} loss {total / 50:.3f} {run.seen / run.seconds:.1f}/s",
                flush=True,
            )
            total = 0.0
        if run.seconds >= budget or time.perf_counter() - shown > 240:
            run.save()
            shown = time.perf_counter()
        if run.seconds >= budget:
            return


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--base", type=Path, required=True, help="folder with model.safetensors and tokenizer.json")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run (outside the repository)")
    parser.add_argument("--init", type=Path, help="folder of a run whose weights to start from")
    parser.add_argument("--minutes", type=float, default=60, help="minutes of training, all resumptions together")
    parser.add_argument("--block", type=int, default=0, help="block of the stream to begin at")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--lr", type=float, default=1.5e-4)
    parser.add_argument("--warmup", type=float, default=0.04)
    parser.add_argument("--decay", type=float, default=0.35)
    parser.add_argument("--relevance-weight", type=float, default=0.5)
    parser.add_argument("--no-answer-weight", type=float, default=0.3)
    parser.add_argument("--freeze-layers", type=int, default=0, help="lowest layers that keep the base's weights")
    parser.add_argument("--fp32", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    for item in fields(Mix):
        parser.add_argument(f"--mix-{item.name}", type=float, default=item.default)
    return parser.parse_args()


def main() -> None:
    options = parse()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    mix = Mix(**{item.name: getattr(options, f"mix_{item.name}") for item in fields(Mix)})
    net = from_pretrained(options.base / "model.safetensors")
    frozen = [net.word, net.position, net.segment, net.norm, *net.layers[: options.freeze_layers]]
    for parameter in (one for part in frozen for one in part.parameters()):
        parameter.requires_grad_(False)
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    run = Run(options.out, net, torch.optim.AdamW(trained, lr=options.lr, weight_decay=0.01, fused=True))
    if (options.out / "checkpoint.pt").exists():
        run.resume()
    elif options.init:
        run.resume(weights_only=True, source=options.init)
    options.out.mkdir(parents=True, exist_ok=True)
    record = {**{key: str(value) for key, value in vars(options).items()}, "mix": asdict(mix)}
    (options.out / "options.json").write_text(json.dumps(record, indent=1))
    tokenizer = Tokenizer.from_file(str(options.base / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    train(run, Stream.open(options.data, mix, options.seed), tokenizer, options)


if __name__ == "__main__":
    main()
