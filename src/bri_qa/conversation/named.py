"""Whether the articles that were read hold the names and years of a question at all. Plain rules, no model."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from bri_qa.initials import initials
from bri_qa.protocols import Index
from bri_qa.types import Hit

# By what the odds of an answer fall where a name or a year is in no hit: that is so for 2 of 596 answerable and 19 of
# 304 adversarial calibration questions (18 times as many), and for 34 of 150 that got a name of another article.
UNHELD = 20.0
_STEM = 4  # letters from which a name may stand for its other forms: Europe, European
_ENDING = 4  # letters in which two forms of a name may differ
_LINKS = frozenset("the a an of and in on for to at by with from or".split())  # small in headlines too
_WORD = re.compile(r"[^\W_]+(?:[.’'][^\W_]+)*")
_STARTS = re.compile(r"(?:^|[.?!:;“\"(])\s*$")
_YEAR = re.compile(r"(?:1\d|20)\d\d")
_SEASON = re.compile(r"\b((?:1\d|20)\d)\d[/–-](\d)\b|\b((?:1\d|20))\d\d[/–-](\d\d)\b")
_NO_NAMES = frozenset(
    (
        "i a an the mr mrs ms dr prof professor sir madam please ok hello hi thanks january february march april may "
        "june july august september october november december monday tuesday wednesday thursday friday saturday sunday"
    ).split()
)


def doubted(confidence: float, query: str, hits: Sequence[Hit], index: Index) -> float:
    """The confidence in an answer, in [0, 1]: less, where the hits and their sources lack a name or a year of it."""
    missing = unheld(query, " ".join(hit.passage.text for hit in hits))
    if missing:
        found = (index.document(name) for name in dict.fromkeys(hit.passage.document_id for hit in hits))
        sources = [item.source for item in found if item is not None]
        told = " ".join(f"{one.title} {one.publisher or ''} {one.published or ''}" for one in sources)
        missing = [name for name in missing if not _held(name, told)]
    return confidence / (confidence + (1.0 - confidence) * UNHELD) if missing else confidence


def unheld(query: str, text: str) -> list[str]:
    """The names and years of `query` that `text` does not hold in any form, in small letters, in order.

    "Europe" is held by "European" and by "Europe’s", "NHS" by "National Health Service", 2023 by "2022/23".
    """
    return [name for name in names(query) if not _held(name, text)]


def names(query: str) -> list[str]:
    """The years of a question and its capitalised words, in small letters, without possessives, each once.

    A word that opens a sentence may have its capital from that alone: it is none. Nor are there any in a question set
    like a headline, all of whose words have one.
    """
    found = list(_WORD.finditer(query))
    told = any(word[0][0].islower() and word[0] not in _LINKS for word in found)
    named = (word[0] for word in found if _YEAR.fullmatch(word[0]) or (told and _is_name(word, query)))
    return list(dict.fromkeys(map(_bare, named)))


def _is_name(word: re.Match[str], query: str) -> bool:
    opens = bool(_STARTS.search(query[: word.start()]))
    return len(word[0]) > 1 and word[0][0].isupper() and not opens and word[0].casefold() not in _NO_NAMES


def _held(name: str, text: str) -> bool:
    forms = _forms(text)
    if name in forms:
        return True
    stem = name[: max(_STEM, len(name) - _ENDING)]
    close = (word for word in forms if abs(len(word) - len(name)) <= _ENDING)
    return len(name) >= _STEM and name.isalpha() and any(word.startswith(stem) for word in close)


@lru_cache(maxsize=64)
def _forms(text: str) -> frozenset[str]:
    """Its words in small letters, the initials of its names, and the second years of its seasons."""
    words = (_bare(word) for word in _WORD.findall(text))
    seasons = (f"{a or c}{b or d}" for a, b, c, d in _SEASON.findall(text))
    return frozenset([*words, *seasons, *initials(text)])


def _bare(word: str) -> str:
    """In small letters, without accents and without a possessive."""
    plain = unicodedata.normalize("NFD", word.casefold())
    return re.sub(r"[’']s?$", "", "".join(char for char in plain if not unicodedata.combining(char)))
