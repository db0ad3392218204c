"""Words that say the opposite of each other, and bounds: at least, at most."""

from __future__ import annotations

import re
from itertools import pairwise

from bri_qa.answer.wording import bare, content, words

_OPPOSITES = tuple(
    (frozenset(one.split()), frozenset(other.split()))
    for one, other in (
        (
            "rise rises rose risen rising grow grows grew grown growing growth increase increases increased increasing "
            "climb climbs climbed surge surged jump jumped soar soared double doubled triple tripled "
            "expand expands expanded expanding gain gained",
            "fall falls fell fallen falling decrease decreases decreased decreasing decline declines declined "
            "declining drop drops dropped shrink shrinks shrank shrunk sink sank "
            "plunge plunged reduce reduces reduced halve halved lose lost",
        ),
        ("more greater", "less fewer"),
        ("higher upper", "lower"),
        ("larger bigger", "smaller"),
        ("longer", "shorter"),
        ("all every", "only some few several"),
        ("over above exceeds exceeding exceeded", "under below beneath"),
        ("later late behind delayed", "earlier early ahead"),
        ("large big huge vast", "small little tiny"),
        ("raise raises raised raising", "lower lowers lowered lowering cut cuts"),
        ("strong stronger strengthen strengthens strengthened", "weak weaker weaken weakens weakened"),
        ("open opens opened opening reopened", "close closes closed closing shut shuts"),
        ("begin begins began begun start starts started", "end ends ended finish finishes finished stop stops stopped"),
        (
            "support supports supported back backs backed favour favours favoured welcome welcomes welcomed",
            "oppose opposes opposed reject rejects rejected criticise criticised criticises",
        ),
        ("allow allows allowed permit permits permitted", "ban bans banned forbid forbids forbidden forbade"),
        ("approve approves approved accept accepts accepted", "reject rejects rejected"),
        ("improve improves improved improving better best", "worsen worsens worsened worsening worse worst"),
        ("win wins won winning", "lose loses lost losing"),
        ("buy buys bought", "sell sells sold"),
        ("import imports imported importing", "export exports exported exporting"),
        ("domestic inside internal home", "foreign outside external abroad overseas"),
        ("north northern", "south southern"),
        ("east eastern", "west western"),
        ("new newer newest", "old older oldest"),
        ("long", "short"),
        ("high", "low"),
        ("fast faster quick quickly quicker", "slow slowly slower"),
        ("rich richer", "poor poorer"),
        ("cheap cheaper", "expensive costly dearer"),
        ("easy easier", "hard harder difficult"),
        ("warm warmer hot", "cold colder cool"),
        ("public state-owned", "private"),
        ("maximum", "minimum"),
        ("before", "after"),
        ("include includes included including", "exclude excludes excluded excluding"),
        ("always", "sometimes rarely seldom"),
        ("men male boys", "women female girls"),
        ("possible", "impossible"),
        ("legal", "illegal"),
        ("safe safer", "unsafe dangerous"),
        ("likely", "unlikely"),
    )
)
_BOUNDS = tuple(
    re.compile(rf"\b(?:{bound})\b", re.IGNORECASE)
    for bound in (
        r"at least|no (?:fewer|less) than|minimum of",
        r"at most|no more than|not more than|maximum of|up to(?= \d)",
        r"(?<!no )(?<!not )more than(?= \d)|over(?= \d)|above(?= \d)|exceed(?:s|ed|ing)?(?= \d)",
        r"(?<!no )(?<!not )(?:less|fewer) than(?= \d)|under(?= \d)|below(?= \d)",
    )
)
# Those that may stand for words that are not in the list, such as “since”, or are looked for as quantities.
_LOOSE = frozenset(
    "more greater less fewer over above exceeds exceeding exceeded under below beneath before after all every only "
    "some few several late long short high low new old hard inside".split()
)
# They say which of several is meant, so they must stand before the same word: a former director, a vice chairman.
_MODIFIERS = frozenset("former vice deputy acting honorary senior junior assistant associate retired".split())
_AGAINST = {0: (1, 3), 1: (0, 2), 2: (1, 3), 3: (0, 2)}


def turned(said: str, proof: str) -> bool:
    """Whether it goes the other way: a word here whose opposite, and not itself, stands there."""
    mine, yours = _plain(said), _plain(proof)
    for one, two in _OPPOSITES:
        for here, there in ((one, two), (two, one)):
            if mine & here and not mine & there and yours & there and not yours & here:
                return True
    return False


def ungrounded(said: str, proof: str) -> str | None:
    """A word of those with an opposite that neither itself nor by a word of its side or its opposite's stands there."""
    mine, yours = _plain(said), _plain(proof)
    for one, two in _OPPOSITES:
        for word in sorted(mine & (one | two) - _LOOSE):
            if not yours & (one | two):
                return word
    return None


def misplaced(said: str, proof: str) -> str | None:
    """A modifier that stands before another word than there."""
    there = set(_modified(proof))
    return next((f"{word} {noun}" for word, noun in _modified(said) if (word, noun) not in there), None)


def _modified(text: str) -> list[tuple[str, str]]:
    every = [bare(word) for word, _ in words(text)]
    return [(word, noun) for word, noun in pairwise(every) if word in _MODIFIERS]


def _plain(text: str) -> frozenset[str]:
    """Its words as they are; “up from” and “down by” as rise and fall."""
    found = {bare(word) for word, _ in words(text)}
    for way, name in (("up", "rise"), ("down", "fall")):
        if re.search(rf"\b{way} (?:from|by|\d)|^{way}\b", text, re.IGNORECASE):
            found.add(name)
    return frozenset(found)


def swapped(said: str, proof: str) -> bool:
    """Whether the two sides of a comparison have changed places."""
    mine, yours = re.split(r"\bthan\b", said), re.split(r"\bthan\b", proof)
    if len(mine) != 2 or len(yours) != 2:
        return False
    (left, right), (first, second) = map(content, mine), map(content, yours)
    return bool(right & first - second) and bool(left & second - first)


def bounded(said: str, proof: str) -> bool:
    """Whether it sets a bound where the quotes set another one."""
    mine = {at for at, bound in enumerate(_BOUNDS) if bound.search(said)}
    yours = {at for at, bound in enumerate(_BOUNDS) if bound.search(proof)}
    return any(at not in yours and yours & set(_AGAINST[at]) for at in mine)


def bounds_alike(text: str) -> str:
    """“No fewer than” as “at least”, “up to” as “at most”."""
    return _BOUNDS[1].sub("at most", _BOUNDS[0].sub("at least", text))
