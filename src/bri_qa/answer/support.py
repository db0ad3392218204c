"""Whether a statement stands in its quotes: numbers, dates, names, negation and content. Plain rules, no model.

The rules are strict on purpose: what they cannot find in the quotes is dropped, however true it may be. They do not
prove entailment: who did what to whom is checked as far as `clauses` can tell it from the words themselves.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence, Set

from bri_qa.answer.amounts import UNITS, amounts, counted, dates, measured, written_out
from bri_qa.answer.clauses import clauses, contradicted
from bri_qa.answer.opposites import bounds_alike, misplaced, ungrounded
from bri_qa.answer.wording import FUNCTION, UNSPACED, bare, content, stem, words
from bri_qa.initials import initials

CONTENT = 0.6  # share of a statement's content words that its quotes must hold; set by hand

_LINK = re.compile(
    r"https?:|www\.|\w+://|\]\(|!\[|<[a-z/!]|javascript:|data:\w+/|\b[\w-]+\.(?:com|net|org|io)/", re.IGNORECASE
)
_HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")
_QUANTITIES = frozenset(
    (
        "half third thirds quarter quarters double doubled twice triple tripled dozen dozens hundreds thousands "
        "millions billions most all every majority minority several few only nearly almost over under below above "
        "least best worst first last largest smallest biggest highest lowest more less fewer second "
        "fourth fifth spring summer autumn winter"
    ).split()
)
# Words of quantity that say the same, or that `clauses` holds against each other.
_ALIKE = (
    frozenset("more less fewer further additional".split()),
    frozenset("all every each".split()),
    frozenset("under younger below".split()),
    frozenset("over older above".split()),
)
_RUN = 5  # words that a sentence does not say twice
_UNITS = frozenset(map(stem, UNITS))
_OPENERS = frozenset(
    "between among additionally overall meanwhile currently therefore thus hence moreover furthermore besides despite "
    "instead unlike around".split()
)
_LEANS = re.compile(r"^\W*(?:it|its|they|their|this|these|that|those|he|she|his|her)\b", re.IGNORECASE)


def unsupported(
    text: str, quotes: Sequence[str], known: frozenset[str] = frozenset(), before: Sequence[str] = ()
) -> str | None:
    """Why `text` does not stand in `quotes`; None if it does.

    `known` are names (small letters) of the passages around: they are names in `text` too, however it writes them.
    `before` are the sentences that stand before those quotes which open with a pronoun: what it is called there is no
    new word. They prove nothing else.
    """
    if _HIDDEN.search(text) or _LINK.search(text):
        return "it holds a link, markup or hidden characters"
    said, proof = written_out(text), written_out("\n\n".join(quotes))
    checks = (_numbers(said, proof), _dates(said, proof), _names(said, proof, known), _quantities(said, proof))
    missing = next((reason for reason in checks if reason), None)
    missing = missing or _content(said, "\n".join([proof, *before])) or _form(text, quotes)
    return missing or _words_of_weight(said, proof) or contradicted(said, proof, known)


def leans(text: str) -> bool:
    """Whether a sentence opens with a word that names what the one before it is about."""
    return bool(_LEANS.search(text))


def names_of(texts: Sequence[str]) -> frozenset[str]:
    """Words that `texts` write with a capital inside a sentence and never without, in small letters."""
    capital: set[str] = set()
    small: set[str] = set()
    for text in texts:
        for word, opens in words(text):
            if not word[0].isupper():
                small.add(word.casefold())
            elif not opens:
                capital.add(bare(word))
    return frozenset(capital - small - FUNCTION)


def invented(text: str, sources: Sequence[str]) -> str | None:
    """The first name or number of `text` that stands in none of `sources`; None if all do."""
    said, proof = written_out(text), written_out("\n".join(sources))
    return _numbers(said, proof) or _names(said, proof, frozenset())


def _numbers(said: str, proof: str) -> str | None:
    held = amounts(proof)
    missing = [written for amount, written in amounts(said).items() if amount not in held]
    if missing:
        return f"the number {missing[0]} is not in its quotes"
    if fault := _miscounted(said, proof):
        return fault
    units = measured(proof)
    for amount, unit in measured(said):
        theirs = {other for held_amount, other in units if held_amount == amount}
        if theirs and unit not in theirs:
            return f"its quotes do not measure {amount} in that"
    return None


def _miscounted(said: str, proof: str) -> str | None:
    """A number with a noun that another number counts; where the quotes leave the noun out, it may be any."""
    pairs = [(clause.numbers, list(counted(clause.text, stem))) for clause in clauses(proof, frozenset())]
    every = {pair for _, some in pairs for pair in some}
    for amount, noun in counted(said, stem):
        if (amount, noun) in every or noun not in {other for _, other in every}:
            continue
        near = {other for numbers, some in pairs if amount in numbers for _, other in some}
        if noun in near or (noun not in _UNITS and any(held == amount for held, _ in every)):
            return f"its quotes do not count {amount} of that"
    return None


def _dates(said: str, proof: str) -> str | None:
    missing = sorted(dates(said) - dates(proof))
    return f"the date {missing[0]} is not in its quotes" if missing else None


def _names(said: str, proof: str, known: frozenset[str]) -> str | None:
    held = {bare(word) for word, _ in words(proof)} | initials(proof)
    stems = {stem(word) for word in held}
    for word, opens in words(said):
        plain = bare(word)
        named = any(char.isupper() for char in word) or plain in known or _mixed(word)
        if not named or plain in held or plain in FUNCTION or _in_parts(plain, held, stems):
            continue
        if opens and plain not in known and (stem(plain) in stems or plain in _QUANTITIES | _OPENERS):
            continue
        return f"the name {word} is not in its quotes"
    return None


def _words_of_weight(said: str, proof: str) -> str | None:
    word = ungrounded(said, proof) or misplaced(said, proof)
    return f"“{word}” is not in its quotes" if word else None


def _form(text: str, quotes: Sequence[str]) -> str | None:
    """A statement is a sentence, said once: models that are lost repeat themselves, or cut pieces out."""
    if _twice(text) - frozenset().union(*map(_twice, quotes)):
        return "it repeats itself"
    plain = " ".join(text.split())
    cut_out = any(plain in (line := " ".join(quote.split())) and plain != line for quote in quotes)
    if cut_out and not UNSPACED.search(plain) and plain[-1:] not in '.!?…”")’':
        return "it is no full sentence"
    return None


def _twice(text: str) -> frozenset[tuple[str, ...]]:
    """Runs of words that it has more than once."""
    every = [bare(word) for word, _ in words(text)]
    runs = Counter(tuple(every[at : at + _RUN]) for at in range(len(every) - _RUN + 1))
    return frozenset(run for run, count in runs.items() if count > 1)


def _in_parts(word: str, held: Set[str], stems: Set[str]) -> bool:
    """Whether the parts of a compound stand there: four-year."""
    return all(part in held or stem(part) in stems for part in re.split(r"[-–&]", word)) and bool(
        re.search(r"\W", word)
    )


def _quantities(said: str, proof: str) -> str | None:
    said, proof = bounds_alike(said), bounds_alike(proof)
    held = {word.casefold() for word, _ in words(proof)}
    for word, _ in words(said):
        wanted = word.casefold()
        alike = next((group for group in _ALIKE if wanted in group), frozenset())
        if wanted in _QUANTITIES and wanted not in held and not alike & held:
            return f"“{word}” is not in its quotes"
    return None


def _content(said: str, proof: str) -> str | None:
    wanted = content(said)
    if not wanted and not amounts(said):
        return "it says nothing"
    share = len(wanted & content(proof)) / len(wanted) if wanted else 1.0
    return None if share >= CONTENT else "too few of its words are in its quotes"


def _mixed(word: str) -> bool:
    """Whether it mixes letters and digits: G20, 5G, COVID-19."""
    return any(map(str.isdecimal, word)) and any(map(str.isalpha, word)) and not UNSPACED.search(word)
