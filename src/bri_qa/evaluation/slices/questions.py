"""Slices that change the question: mistyped, in lower case, in other words. English templates; gold stays as it is."""

from __future__ import annotations

import random
import re

_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_WORD = re.compile(r"[^\W\d_]{4,}")
_WORDS_PER_TYPO = 6


def lower_case(question: str, rng: random.Random) -> str:
    """As typed without the shift key."""
    del rng
    return question.lower()


def typos(question: str, rng: random.Random) -> str:
    """A slip in about every sixth word, at least one: in words of four letters or more, never in the first letter."""
    words = list(_WORD.finditer(question))
    chosen = rng.sample(words, min(len(words), 1 + len(words) // _WORDS_PER_TYPO))
    for word in sorted(chosen, key=re.Match.start, reverse=True):
        question = question[: word.start()] + _slip(word.group(), rng) + question[word.end() :]
    return question


def _slip(word: str, rng: random.Random) -> str:
    """`word` with two letters swapped, one left out, doubled, or hit beside: always another word."""
    at = rng.randrange(1, len(word) - 1)
    tried = [
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        word[:at] + word[at + 1 :],
        word[:at] + word[at] + word[at:],
        word[:at] + _beside(word[at], rng) + word[at + 1 :],
    ]
    return rng.choice([item for item in tried if item != word])


def _beside(letter: str, rng: random.Random) -> str:
    """A neighbour on the keyboard; a letter that is on none stays."""
    for row in _KEYS:
        at = row.find(letter.lower())
        if at >= 0:
            found = rng.choice([row[place] for place in (at - 1, at + 1) if 0 <= place < len(row)])
            return found.upper() if letter.isupper() else found
    return letter


_STARTS = {
    r"how many\b": ("What number of",),
    r"how much\b": ("What amount",),
    r"who\b(?! else)": ("Which person", "What person"),
    r"when\b": ("At what time", "On what date"),
    r"where\b": ("In what place", "At which place"),
    r"why\b": ("For what reason", "For which reason"),
    r"which\b": ("What",),
    r"what (?:is|was) the\b": ("Name the", "Tell me the"),
    r"what does\b": ("What exactly does",),
    r"how does\b": ("In what way does",),
    r"how did\b": ("In what way did",),
    r"how was\b": ("In what way was",),
}
_FRAMES = (
    "Can you tell me this: {}",
    "I would like to know: {}",
    "{} Please look it up in the articles.",
    "Here is my question: {}",
    "{} I need it for a report.",
)


def paraphrase(question: str, rng: random.Random) -> str:
    """The first words replaced by others of their meaning, else the whole put in a frame."""
    for start, others in _STARTS.items():
        found = re.match(start, question, re.IGNORECASE)
        if found:
            return rng.choice(others) + question[found.end() :]
    return rng.choice(_FRAMES).format(question)
