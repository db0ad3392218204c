"""Mistyped words of a query, set right by the words of the articles and by common English words."""

from __future__ import annotations

import re
import threading
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from bri_qa.protocols import Index
from bri_qa.types import Document, Groups

_WORD = re.compile(r"(?<![\w’'])[A-Za-z]{3,40}(?![\w’'])")
_ENDINGS = ("s", "es", "d", "ed", "ing", "ings", "ly", "er", "ers", "r", "n", "ness", "al", "ful", "able", "ment")
_SOME = 5  # letters from which two that are left out are forgiven, and a word is known by its longer form
_LONG = 8  # letters from which two slips are forgiven, below it one
_MOST_CHARS = 20_000_000  # of articles whose words are learned
_KEPT = 4  # sets of articles whose words are remembered


@dataclass(frozen=True, slots=True)
class _Words:
    """How often each word of some articles stands in them, and all words that a slip may be set right to."""

    counts: Counter[str]
    vocabulary: list[str]


class Spelling:
    """Corrects words that neither the articles nor the common words know. Safe from several threads at once."""

    def __init__(self, common: Mapping[str, int]) -> None:
        """`common` maps lower-case words to their rank, the commonest first."""
        self._common = common
        self._lock = threading.Lock()
        self._index: Index | None = None
        self._learned: OrderedDict[Groups, _Words] = OrderedDict()

    def correct(self, query: str, index: Index, groups: Groups = None) -> str:
        """The query with each unknown word replaced by the nearest known one, if one is near.

        `index` is a snapshot; the words of what `groups` may read in it are learned when an unknown word is first met.
        """
        return _WORD.sub(lambda match: self._word(match[0], index, groups), query)

    def _word(self, word: str, index: Index, groups: Groups) -> str:
        lower = word.lower()
        if word.isupper() or (word[0].isupper() and len(word) <= 3) or _known(lower, self._common):
            return word
        words = self._words(index, groups)
        if _known(lower, words.counts):
            return word
        return self._nearest(lower, words, capital=word[0].isupper()) or word

    def _words(self, index: Index, groups: Groups) -> _Words:
        """The words of what `groups` may read; remembered for those who read the same, not for each person."""
        documents = index.documents()
        telling = frozenset(name for item in documents for name in item.source.groups)
        key = None if groups is None or telling <= groups else groups & telling
        with self._lock:
            if self._index is not index:
                self._index = index
                self._learned.clear()
            if key not in self._learned:
                self._learned[key] = self._learn([item for item in documents if item.source.open_to(groups)])
                while len(self._learned) > _KEPT:
                    self._learned.popitem(last=False)
            self._learned.move_to_end(key)
            return self._learned[key]

    def _learn(self, documents: list[Document]) -> _Words:
        counts: Counter[str] = Counter()
        left = _MOST_CHARS
        for document in documents:
            counts.update(re.findall(r"[a-z]{3,40}", document.text[: max(0, left)].lower()))
            left -= len(document.text)
        return _Words(counts, sorted(counts.keys() | self._common.keys()))

    def _nearest(self, word: str, words: _Words, *, capital: bool) -> str | None:
        """By optimal string alignment distance (Damerau 1964: a swap of neighbours is one slip)."""
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        forgiven = 2 if len(word) >= _LONG and not capital else 1
        found = process.extract(word, words.vocabulary, scorer=OSA.distance, score_cutoff=forgiven, limit=50)
        ranked = [
            (
                slips,
                len(near) < len(word),  # letters are left out more often than added
                near[0] != word[0],
                not near.startswith(word),
                near not in words.counts,
                sorted(near) != sorted(word),
                -words.counts[near],
                self._rank(near),
                near,
            )
            for near, slips, _ in found
        ]
        best = min(ranked)[-1] if ranked else None
        if best not in words.counts and not capital:
            best = _left_out(word, words.counts) or best
        if best is None:
            return None
        return best.capitalize() if capital else best

    def _rank(self, word: str) -> int:
        return self._common.get(word, len(self._common))


def _left_out(word: str, counts: Mapping[str, int]) -> str | None:
    """The commonest word of the articles that `word` is when two letters within it are left out."""
    if len(word) < _SOME:
        return None
    pattern = re.compile(r"[a-z]*".join(word))
    longer = [near for near in counts if len(near) == len(word) + 2 and pattern.fullmatch(near)]
    return min(longer, key=lambda near: (-counts[near], near), default=None)


def _known(word: str, words: Mapping[str, int]) -> bool:
    """Whether a word or the word that it is a form of is among `words`."""
    if word in words or (len(word) >= _SOME and f"{word}{'d' if word[-1] == 'e' else 's'}" in words):
        return True
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            stem = word.removesuffix(ending)
            doubled = stem[:-1] if stem[-1] == stem[-2] else stem
            forms = (stem, f"{stem}e", doubled, f"{stem[:-1]}y" if stem[-1] == "i" else stem)
            if any(form in words for form in forms):
                return True
    return False
