"""Training examples from the public sets: positives, hard negatives and adversarial unanswerable questions.

Everything is drawn from a seeded stream, so that a run can be repeated and resumed. No row is written to disk.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import bm25s
import Stemmer

ANSWER_KINDS = ("positive", "sibling", "lexical", "swapped", "excised", "random", "ranked")
RIVALS = 3  # passages of a ranked question beside its own


@dataclass(frozen=True, slots=True)
class Row:
    """One question of a source set. `answer` is a half-open range in `context`, None when there is none."""

    question: str
    context: str
    answer: tuple[int, int] | None
    group: str
    source: str


@dataclass(frozen=True, slots=True)
class Example:
    """What the network sees. `relevance` is 1, 0, or None where it says nothing (on topic but unanswerable)."""

    question: str
    passage: str
    answer: tuple[int, int] | None
    relevance: float | None
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares of the stream, and how often an example is altered. Shares are relative."""

    positive: float = 0.60
    sibling: float = 0.12
    lexical: float = 0.12
    swapped: float = 0.13
    excised: float = 0.10
    random: float = 0.03
    ranked: float = 0.0  # questions with their own and rival passages, which the relevance has to put in order
    search: float = 0.18  # share of rows taken from search-style sources
    policy: float = 0.05
    keyword: float = 0.10
    typo: float = 0.06
    window: float = 0.60  # share of passages cut to a few sentences


def read_rows(path: Path) -> list[Row]:
    """The rows of a `question, context, answers` file (gzipped JSON lines)."""
    rows = []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            raw = json.loads(line)
            first = raw["answers"][0] if raw["answers"] else None
            span = (first["start"], first["start"] + len(first["text"])) if first and first["text"].strip() else None
            rows.append(Row(raw["question"], raw["context"], span, raw["group"], raw["source"]))
    return rows


def read_answers(path: Path) -> list[list[str]]:
    """The accepted answers of each row of the same file; none where it is unanswerable."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [[answer["text"] for answer in json.loads(line)["answers"]] for line in lines]


_NUMBER = re.compile(r"\b\d[\d,.]*\b")
_ENTITY = re.compile(r"(?<![.?!] )(?<!^)\b[A-Z][a-z]+(?: [A-Z][a-z]+)*\b")
_WORD = re.compile(r"\w+")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"“(])")
_FUNCTION = frozenset(
    (
        "what which who whom whose when where why how many much is are was were do does did has have had the "
        "a an of in on at to for by from with and or that this it its as be been can could would should there "
        "their his her he she they"
    ).split()
)
_ANTONYMS = {
    a: b
    for pair in (
        "first last,largest smallest,highest lowest,most least,before after,increase decrease,increased "
        "decreased,more less,higher lower,oldest youngest,longest shortest,best worst,early late,north "
        "south,east west,win lose,won lost,start end,began ended,open close,opened closed,allow "
        "forbid,allowed forbidden,support oppose,supported opposed,import export,imports exports,rise "
        "fall,rose fell,major minor,northern southern,eastern western,male female,public private,modern "
        "ancient,inside outside,gain lose,accept reject"
    ).split(",")
    for a, b in (pair.split(), pair.split()[::-1])
}


@dataclass(slots=True)
class Source:
    """Rows with what their negatives are made of: the paragraphs of each article, and their names and numbers."""

    rows: list[Row]
    paragraphs: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    names: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    numbers: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for row in self.rows:
            if row.context not in seen:
                seen.add(row.context)
                self.paragraphs[row.group].append(row.context)
                self.names[row.group] += sorted(set(_ENTITY.findall(row.context)))
                self.numbers[row.group] += sorted(set(_NUMBER.findall(row.context)))


def windows(text: str, answer: tuple[int, int] | None, words: int, rng: random.Random) -> tuple[int, int]:
    """A run of whole sentences of about `words` words that holds the answer, or any run where there is none."""
    bounds = [0, *(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]
    pieces = [(a, b) for a, b in pairwise(bounds) if b > a]
    inside = [i for i, (a, b) in enumerate(pieces) if answer and a < answer[1] and answer[0] < b]
    first, last = (inside[0], inside[-1]) if inside else (rng.randrange(len(pieces)),) * 2
    while len(text[pieces[first][0] : pieces[last][1]].split()) < words and (first > 0 or last < len(pieces) - 1):
        if first > 0 and (last == len(pieces) - 1 or rng.random() < 0.5):
            first -= 1
        else:
            last += 1
    return pieces[first][0], pieces[last][1]


def excised(row: Row) -> str | None:
    """The row's paragraph without the sentences that hold the answer: on the topic, but it does not say."""
    assert row.answer is not None
    text, (start, end) = row.context, row.answer
    bounds = [0, *(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]
    kept = "".join(text[a:b] for a, b in pairwise(bounds) if b <= start or end <= a).strip()
    answer = text[start:end].lower()
    return kept if len(kept.split()) >= 15 and answer not in kept.lower() else None


def keywords(question: str, rng: random.Random) -> str:
    """The question as it is typed into a search box: function words and some others dropped, lower case."""
    words = [word for word in _WORD.findall(question) if word.lower() not in _FUNCTION]
    kept = [word for word in words if rng.random() > 0.08]
    if rng.random() < 0.15:
        rng.shuffle(kept)
    return " ".join(kept).lower() or question


def typos(question: str, rng: random.Random) -> str:
    """One or two letters swapped, dropped or doubled."""
    letters = list(question)
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.randrange(1, max(2, len(letters) - 2))
        kind = rng.randrange(3)
        if kind == 0 and at + 1 < len(letters):
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
        elif kind == 1:
            del letters[at]
        else:
            letters.insert(at, letters[at])
    return "".join(letters)


def _is_new(candidate: str, row: Row) -> bool:
    return candidate not in row.question and candidate.lower() not in row.question.lower()


def swapped(row: Row, source: Source, rng: random.Random) -> str | None:
    """The question made unanswerable on its own paragraph: another name, number, or the opposite word, or a not."""
    makers = [_swap_name, _swap_number, _swap_antonym, _negate]
    rng.shuffle(makers)
    for maker in makers:
        changed = maker(row, source, rng)
        if changed and changed != row.question:
            return changed
    return None


def _swap_name(row: Row, source: Source, rng: random.Random) -> str | None:
    found = _ENTITY.findall(row.question)
    others = [name for name in source.names[row.group] if _is_new(name, row)]
    if not found or not others:
        return None
    return row.question.replace(rng.choice(found), rng.choice(others), 1)


def _swap_number(row: Row, source: Source, rng: random.Random) -> str | None:
    found = _NUMBER.findall(row.question)
    if not found:
        return None
    old = rng.choice(found)
    others = [number for number in source.numbers[row.group] if _is_new(number, row) and len(number) == len(old)]
    new = rng.choice(others) if others else str(int(re.sub(r"\D", "", old) or 0) + rng.randint(1, 60))
    return row.question.replace(old, new, 1)


def _swap_antonym(row: Row, source: Source, rng: random.Random) -> str | None:
    del source
    found = [word for word in _WORD.findall(row.question) if word.lower() in _ANTONYMS]
    if not found:
        return None
    old = rng.choice(found)
    return re.sub(rf"\b{re.escape(old)}\b", _ANTONYMS[old.lower()], row.question, count=1)


def _negate(row: Row, source: Source, rng: random.Random) -> str | None:
    del source
    if rng.random() < 0.7:
        return None
    changed = re.sub(r"\b(did|does|do|is|are|was|were|has|have|can|could)\b", r"\1 not", row.question, count=1)
    return changed.replace("not not", "not")


@dataclass(slots=True)
class Stream:
    """An endless, seeded stream of examples over several sources."""

    main: Source
    search: Source
    policy: Source
    mix: Mix
    seed: int
    pool: list[str] = field(default_factory=list)
    _engine: bm25s.BM25 | None = None
    _orders: dict[int, list[int]] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path, mix: Mix, seed: int) -> Stream:
        """The stream over the sets in `folder` (squad1_train, qed_train, policyqa)."""
        general, search, policy = (
            Source(read_rows(folder / f"{name}.jsonl.gz")) for name in ("squad1_train", "qed_train", "policyqa")
        )
        stream = cls(general, search, policy, mix=mix, seed=seed)
        stream.pool = [text for source in (general, search) for texts in source.paragraphs.values() for text in texts]
        engine = bm25s.BM25()
        engine.index(stream._tokens(stream.pool), show_progress=False)
        stream._engine = engine
        return stream

    def _tokens(self, texts: list[str]) -> bm25s.tokenization.Tokenized:
        return bm25s.tokenize(texts, stopwords="en", stemmer=Stemmer.Stemmer("english"), show_progress=False)

    def units(self, start: int = 0) -> Iterator[list[Example]]:
        """What stays together: one example, or a ranked question's passages, its own first.

        Blocks of 512 units, each from its own seed: resume by naming the block to start at.
        """
        block = start
        while True:
            yield from self._block(block, 512)
            block += 1

    def _block(self, block: int, size: int) -> list[list[Example]]:
        rng = random.Random(self.seed * 1_000_003 + block)
        kinds = rng.choices(ANSWER_KINDS, [getattr(self.mix, kind) for kind in ANSWER_KINDS], k=size)
        picked = [(kind, *self._pick(block * size + at, rng)) for at, kind in enumerate(kinds)]
        asked = [row.question for kind, row, _ in picked if kind in ("lexical", "ranked")]
        found = self._nearest(asked) if asked else []
        made = []
        for kind, row, source in picked:
            near = found.pop(0) if kind in ("lexical", "ranked") else []
            if kind == "ranked":
                made.append(self._ranked(row, source, near, rng))
            else:
                made.append([self._alter(self._make(kind, row, source, near, rng), rng)])
        return made

    def _ranked(self, row: Row, source: Source, near: list[str], rng: random.Random) -> list[Example]:
        """The question with its passage, and rivals that lack the answer: mostly of the same words, one a sibling."""
        own = self._alter(Example(row.question, row.context, row.answer, 1.0 if row.answer else 0.0), rng)
        if row.answer is None:
            return [own]
        words = row.context[slice(*row.answer)].lower()
        lexical, siblings = (
            [text for text in texts if text != row.context and words not in text.lower()]
            for texts in (near, source.paragraphs[row.group])
        )
        rivals = rng.sample(siblings, min(1, len(siblings)))
        rivals += [text for text in lexical if text not in rivals][: RIVALS - len(rivals)]
        return [own] + [self._cut(Example(own.question, text, None, 0.0), rng) for text in rivals]

    def _pick(self, at: int, rng: random.Random) -> tuple[Row, Source]:
        """The row of place `at` in the stream; rows of the main source come in a new order each time round."""
        draw = rng.random()
        if draw < self.mix.search:
            return rng.choice(self.search.rows), self.search
        if draw < self.mix.search + self.mix.policy:
            return rng.choice(self.policy.rows), self.policy
        time_round, place = divmod(at, len(self.main.rows))
        return self.main.rows[self._order(time_round)[place]], self.main

    def _order(self, time_round: int) -> list[int]:
        if time_round not in self._orders:
            order = list(range(len(self.main.rows)))
            random.Random(self.seed * 7_919 + time_round).shuffle(order)
            self._orders = {time_round: order}
        return self._orders[time_round]

    def _nearest(self, questions: list[str]) -> list[list[str]]:
        assert self._engine is not None
        found, _ = self._engine.retrieve(self._tokens(questions), k=12, show_progress=False, n_threads=1)
        return [[self.pool[i] for i in row] for row in found]

    def _make(self, kind: str, row: Row, source: Source, near: list[str], rng: random.Random) -> Example:
        positive = Example(row.question, row.context, row.answer, 1.0 if row.answer else 0.0)
        if kind == "positive" or row.answer is None:
            return positive
        if kind == "swapped":
            question = swapped(row, source, rng)
            return Example(question, row.context, None, None) if question else positive
        if kind == "excised":
            passage = excised(row)
            return Example(row.question, passage, None, None) if passage else positive
        words = row.context[slice(*row.answer)].lower()
        choices = near if kind == "lexical" else source.paragraphs[row.group] if kind == "sibling" else self.pool
        others = (
            [text for text in choices if text != row.context and words not in text.lower()]
            if kind != "random"
            else choices
        )
        return Example(row.question, rng.choice(others), None, 0.0) if others else positive

    def _alter(self, example: Example, rng: random.Random) -> Example:
        question = example.question
        draw = rng.random()
        if draw < self.mix.keyword and example.relevance is not None:
            question = keywords(question, rng)
        elif draw < self.mix.keyword + self.mix.typo:
            question = typos(question, rng)
        return self._cut(replace(example, question=question), rng)

    def _cut(self, example: Example, rng: random.Random) -> Example:
        passage, answer = example.passage, example.answer
        if rng.random() < self.mix.window:
            start, end = windows(passage, answer, rng.randint(25, 90), rng)
            passage = passage[start:end]
            answer = (answer[0] - start, answer[1] - start) if answer else None
        return replace(example, passage=passage, answer=answer)
