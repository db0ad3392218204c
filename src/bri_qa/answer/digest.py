"""A cited digest: the sentences that together stand for the whole of an article, in reading order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import regex

from bri_qa.answer.cited import Sentence, each_once, is_whole
from bri_qa.protocols import Embedder, Vectors
from bri_qa.types import AbstainReason, Draft, Hit, Question

_SENTENCES = 6  # of a digest of one article
_MOST = 12  # of a digest of many
_LEAST_WORDS = 6  # a shorter line is a heading or a caption
_MOST_WORDS = 80
_LEANING = 0.5  # of its gain: what a sentence loses that is hardly understood alone
_ALONE = 8  # words with which a sentence mostly is
_WORD = regex.compile(r"\p{L}+")
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]")
_NUMBERS = "one two three four five six seven eight nine ten eleven twelve".split()
_COUNT = regex.compile(
    rf"\b(\d{{1,2}}|{'|'.join(_NUMBERS)})[ -](?:\w+ ){{0,2}}"
    r"(?:sentences?|lines?|bullets?|points?|facts?|ideas?|takeaways?)\b"
)
_POINTING = frozenset("it he she they this that these those his her its their him them such rest".split())
_JOINING = frozenset(
    (
        "and but or so then also thus hence therefore however moreover furthermore besides instead otherwise "
        "specifically meanwhile similarly likewise nevertheless nonetheless consequently accordingly still yet because "
        "here there"
    ).split()
)


@dataclass(frozen=True)
class DigestAnswerer:
    """Chooses the sentences to which the others of the article are nearest, at most half of them.

    Greedy facility location (Lin and Bilmes, "A Class of Submodular Functions for Document Summarization", ACL
    2011), each sentence weighed by its nearness to the whole, so that an aside need not be covered.
    """

    embedder: Embedder

    @property
    def mode(self) -> str:
        return "extractive"

    def answer(self, question: Question, query: str, hits: Sequence[Hit]) -> Draft:
        """`hits` are all passages in scope, in reading order; they need not be read."""
        del query
        by_document: dict[str, list[Sentence]] = {}
        said: set[str] = set()
        for sentence in each_once(hits):
            words = " ".join(sentence.text.casefold().split())
            if is_whole(sentence) and _LEAST_WORDS <= _length(words) <= _MOST_WORDS and words not in said:
                said.add(words)
                by_document.setdefault(sentence.passage.document_id, []).append(sentence)
        if not by_document:
            return Draft(reason=AbstainReason.NOT_STATED, message="There is no text here to sum up.")
        groups = self._groups(list(by_document.values()), _asked_for(question.text))
        chosen = [item for group in groups for item in group]
        return Draft(tuple(item.statement() for item in chosen), confidence=1.0)

    def _groups(self, documents: Sequence[Sequence[Sentence]], asked: int | None) -> list[list[Sentence]]:
        """The chosen sentences of each document; of more documents than a digest has room for, of one opening each."""
        most = asked or _MOST
        if len(documents) > most:
            return [self._central([item for sentences in documents for item in sentences[:1]], most)]
        share = max(1, min(asked or _SENTENCES, most // len(documents)))
        return [self._central(sentences, min(share, -(-len(sentences) // 2))) for sentences in documents]

    def _central(self, sentences: Sequence[Sentence], count: int) -> list[Sentence]:
        vectors = self.embedder.embed_passages([item.text for item in sentences])
        leaning = np.array([at > 0 and _leans(item.text) for at, item in enumerate(sentences)], np.float32)
        return [sentences[i] for i in sorted(_covering(vectors, leaning, count))]


def _asked_for(text: str) -> int | None:
    """How many sentences a message asks for, if it does: "in three sentences", "the 5 main points"."""
    found = _COUNT.search(text.casefold())
    if found is None:
        return None
    return min(_MOST, max(1, int(found[1]))) if found[1].isdecimal() else _NUMBERS.index(found[1]) + 1


def _length(text: str) -> int:
    """Words; of a script without word bounds, two characters count as one."""
    return max(len(text.split()), len(_UNSPACED.findall(text)) // 2)


def _leans(text: str) -> bool:
    """Whether it is short, or opens with a word that leans on the sentence before: "It …", "Based on this, …"."""
    words = _WORD.findall(text.casefold())[:3]
    return _length(text) < _ALONE or not _JOINING.isdisjoint(words[:1]) or not _POINTING.isdisjoint(words)


def _covering(vectors: Vectors, leaning: Vectors, count: int) -> list[int]:
    """Row numbers of `count` rows that together stand near as much of the whole as can be, in the order of choice.

    What stands far from the whole counts for little. `leaning` f32[n] is 1 for rows whose gain is cut.
    """
    likeness = np.clip(vectors @ vectors.T, 0, 1)
    weight = np.clip(vectors @ vectors.mean(0), 0, None) ** 2
    covered = np.zeros(len(vectors), np.float32)
    chosen: list[int] = []
    while len(chosen) < min(count, len(vectors)):
        gain = (weight[:, None] * np.clip(likeness - covered[:, None], 0, None)).sum(0) * (1 - _LEANING * leaning)
        gain[chosen] = -np.inf
        chosen.append(int(gain.argmax()))
        covered = np.maximum(covered, likeness[:, chosen[-1]])
    return chosen
