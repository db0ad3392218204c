"""The initials of names: what short forms such as “BRI” may stand for."""

from __future__ import annotations

import re

_LONGEST = 12  # letters of a run of names that are looked at
_RUN = re.compile(r"\b[A-Z]\w+(?:[\s-]+(?:(?:and|of|for|the)\s+)*[A-Z]\w+)+")
_NAME = re.compile(r"\b[A-Z]\w+")


def initials(text: str) -> frozenset[str]:
    """In small letters, those of runs of capitalised words and of parts of such runs, small links left out.

    “bri” and “br” of “Belt and Road Initiative”.
    """
    found: set[str] = set()
    for run in _RUN.findall(text):
        letters = "".join(name[0] for name in _NAME.findall(run)).casefold()[:_LONGEST]
        found |= {letters[a:b] for a in range(len(letters)) for b in range(a + 2, len(letters) + 1)}
    return frozenset(found)
