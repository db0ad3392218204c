"""Words of a text, and the stems by which a statement and its quotes are compared."""

from __future__ import annotations

import re
from collections.abc import Iterator

UNSPACED = re.compile(r"[぀-ヿ㐀-鿿豈-﫿฀-໿ក-៿]")
FUNCTION = frozenset(
    (
        "a about after again against all also although am an and another any are as at be because been before being "
        "both but by can could did do does doing during each either for from further had has have having he her here "
        "hers him his how however i if in into is it its itself just may me might more most must my no nor not of on "
        "once one only or other our out over own shall she should since so some such than that the their theirs them "
        "themselves then there these they this those though through to too under until up upon us very was we were "
        "what when where whether which while who whom whose why will with within would yes yet you your according "
        "said says say told article articles text passage sentence sentences states stated reports reported mentions "
        "unless without now fewer less"
    ).split()
)
_WORD = re.compile(r"[^\W_]+(?:[.'’&-][^\W_]+)*")
_ENDING = re.compile(r"(?:ations?|ments?|ingly|edly|ings?|ies|ied|ers?|ed|es|ly|s|e|y)$")
_SAME = {"km": "kilometre", "kilometer": "kilometre", "meter": "metre"}


def words(text: str) -> Iterator[tuple[str, bool]]:
    """Each word, and whether it opens a sentence."""
    end = 0
    for found in _WORD.finditer(text):
        between = text[end : found.start()]
        yield found[0], end == 0 or bool(re.search(r"[.!?:\n•“\"(]", between))
        end = found.end()


def bare(word: str) -> str:
    """In small letters, without a possessive."""
    return re.sub(r"[’']s?$", "", word.casefold())


def stem(word: str) -> str:
    plain = bare(word)
    plain = _SAME.get(plain, plain)
    return _ENDING.sub("", plain) if len(plain) > 4 and plain.isalpha() else plain


def content(text: str) -> frozenset[str]:
    """The stems of its content words; of a script without word bounds, its pairs of characters."""
    found = {stem(word) for word, _ in words(text) if word.casefold() not in FUNCTION and not word.isdecimal()}
    runs = re.findall(rf"{UNSPACED.pattern}+", text)
    return frozenset(found | {run[at : at + 2] for run in runs for at in range(len(run) - 1)})


def names(text: str, known: frozenset[str]) -> frozenset[str]:
    """Its names, a word each, in small letters: capitals inside a sentence, and `known` ones wherever they stand."""
    found = set()
    for word, opens in words(text):
        plain = bare(word)
        if plain in known or (word[0].isupper() and not opens and plain not in FUNCTION):
            found.add(plain)
    return frozenset(found)
