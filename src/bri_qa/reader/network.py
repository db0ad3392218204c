"""The network of the trained reader: rows of (question, passage) tokens to spans and logits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bri_qa.bert import Batch, Encoder, Head
from bri_qa.passages import sentences
from bri_qa.reader.spans import Window, best_in
from bri_qa.types import Passage, Span

if TYPE_CHECKING:
    from tokenizers import Tokenizer

HEADS = (Head("span", "tokens"), Head("relevance", "first"), Head("no_answer", "first"))
MAX_TOKENS, QUESTION_TOKENS, STRIDE = 256, 64, 64
ROWS = 8  # of a batch
_CLS, _SEP = 101, 102


@dataclass(frozen=True, slots=True)
class RawSentence:
    """A sentence of a passage, its best span, and that span's margin over "no answer" in logits."""

    sentence: Span
    span: Span
    margin: float


@dataclass(frozen=True, slots=True)
class Raw:
    """What the network says of one passage: its sentences in reading order, and two logits."""

    sentences: tuple[RawSentence, ...]
    relevance: float
    no_answer: float


class Network:
    """A compiled cross-encoder with its tokenizer. Safe from several threads at once."""

    def __init__(self, encoder: Encoder, tokenizer: Tokenizer) -> None:
        self._encoder = encoder
        self._tokenizer = tokenizer

    def raw(self, question: str, passages: Sequence[Passage]) -> list[Raw]:
        """The network's own numbers; a passage longer than a window is read in several."""
        rows, types, windows = self.rows(question, passages)
        bounds = [sentences(item.text) for item in passages]
        read: list[_Partial] = [_Partial() for _ in passages]
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]), reverse=True)
        for at in range(0, len(order), ROWS):
            chosen = order[at : at + ROWS]
            out = self._encoder.run(Batch.of([rows[i] for i in chosen], [types[i] for i in chosen]))
            for k, i in enumerate(chosen):
                window = windows[i]
                text = passages[window.passage].text
                found = [(one, best_in(out["span"][k], window, one, text)) for one in bounds[window.passage]]
                read[window.passage].add(found, float(out["relevance"][k, 0]), float(out["no_answer"][k, 0]))
        return [partial.raw() for partial in read]

    def rows(self, question: str, passages: Sequence[Passage]) -> tuple[list[list[int]], list[list[int]], list[Window]]:
        """Token ids, segment ids and windows; every token of a passage is in a window."""
        asked = self._tokenizer.encode(question, add_special_tokens=False).ids[:QUESTION_TOKENS]
        head = [_CLS, *asked, _SEP]
        room = MAX_TOKENS - len(head) - 1
        rows, types, windows = [], [], []
        encoded = self._tokenizer.encode_batch([item.text for item in passages], add_special_tokens=False)
        for number, tokens in enumerate(encoded):
            for start in range(0, max(1, len(tokens.ids) - STRIDE), room - STRIDE):
                ids = tokens.ids[start : start + room]
                rows.append([*head, *ids, _SEP])
                types.append([0] * len(head) + [1] * (len(ids) + 1))
                windows.append(Window(number, len(head), tokens.offsets[start : start + room]))
        return rows, types, windows


class _Partial:
    """A passage's windows, one after the other: the best of each."""

    def __init__(self) -> None:
        self._best: dict[Span, tuple[Span, float]] = {}
        self._relevance: list[float] = []
        self._no_answer: list[float] = []

    def add(self, found: Sequence[tuple[Span, tuple[Span, float] | None]], relevance: float, no_answer: float) -> None:
        for sentence, best in found:
            if best is not None and (sentence not in self._best or self._best[sentence][1] < best[1]):
                self._best[sentence] = best
        self._relevance.append(relevance)
        self._no_answer.append(no_answer)

    def raw(self) -> Raw:
        found = sorted(self._best.items())
        items = tuple(RawSentence(sentence, span, margin) for sentence, (span, margin) in found)
        return Raw(items, max(self._relevance), min(self._no_answer))
