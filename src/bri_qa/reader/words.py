"""How much of a question's wording a passage holds: its words, and its names and numbers."""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile(r"\w+(?:[,.'’-]\w+)*")
_STOP = frozenset(
    (
        "a about after all also an and any are as at be been before being between both but by can could did do "
        "does doing during each for from give had has have he her him his how i if in into is it its just list "
        "many me more most much my name no not of on one or other our out over own please said same say says she "
        "should show so some such tell than that the their them then there these they this those through to too "
        "under up us was we were what when where which while who whom whose why will with would you your"
    ).split()
)
_SUFFIX = re.compile(r"(?:ations?|ments?|ingly|edly|ings?|ies|ied|ers?|ed|es|ly|s|e|y)$")


def is_search(question: str) -> bool:
    """Whether it is typed as into a search engine: no capital letter and no question mark."""
    return question == question.lower() and not {"?", "？"} & set(question)


def stem(word: str) -> str:
    word = word.lower()
    return _SUFFIX.sub("", word) if len(word) > 4 and word.isalpha() else word


@lru_cache(maxsize=8_192)
def stems(text: str) -> frozenset[str]:
    """The stems of a text's words, without the commonest words."""
    return frozenset(stem(word) for word in _WORD.findall(text) if word.lower() not in _STOP)


def names(question: str) -> frozenset[str]:
    """The stems of its names and numbers: capitalised words but the first, and words with a digit."""
    found = list(_WORD.finditer(question))
    special = [m[0] for m in found if any(c.isdigit() for c in m[0]) or (m.start() and m[0][0].isupper())]
    return frozenset(stem(word) for word in special if word.lower() not in _STOP)


def coverage(question: str, text: str) -> tuple[float, float]:
    """The shares of the question's words, and of its names and numbers, that `text` holds; 1 where it has none."""
    held = stems(text)
    shares = [len(wanted & held) / len(wanted) if wanted else 1.0 for wanted in (stems(question), names(question))]
    return shares[0], shares[1]
