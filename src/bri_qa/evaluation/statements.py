"""Whether a statement's numbers, names and dates stand in its quotes, also when they are written differently there.

A number may be written otherwise (“112,000”, “112 000”, “112 thousand”), a date too (“July 2025”, “2025-07”), and a
quote may say more than the statement (4 July 2025 proves July 2025). A name stands if each of its words does, whatever
its case and accents, or if one is the other's initials (EU, European Union). Numbers in words, months and what counts
as a name are English; a capital first letter makes a name, so scripts without capitals have none, and a lone capital
at the beginning of a sentence is not taken for one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from fractions import Fraction

from bri_qa.evaluation.figures import MONTHS, Date, Dated, Number, canonical, dates, numbers, ordinals

_TOKEN = re.compile(r"[^\W\d_](?:\w|[’'.&]\w)*(?![\w$])")
_SENTENCE_END = re.compile(r"(?:^|[.!?:…\n]['\"”’)]*)\s*['\"“‘(]*$")
_JOINING = frozenset("of and the for de la du di da van von der den bin al".split())  # within a name
_NO_NAME = frozenset(
    (
        "a an and as at after all also although another any because before both but by despite during each every for "
        "from had has have he her here his how i if in is it its last many more most mr mrs ms dr my next no not of on "
        "once one only or other our over she since so some such that the their then there these they this those though "
        "through to today under until was we were what when where which while who why will with yesterday yet you your"
    ).split()
) | frozenset(MONTHS)


def unproven(statement: str, quotes: Sequence[str]) -> list[str] | None:
    """The numbers, dates and names of `statement`, as written there, that do not stand in `quotes`; None if it has
    none of them at all."""
    text = canonical(statement)
    dated = list(dates(text))
    rest = _without(text, [(start, end) for start, end, _ in dated])
    counted = [number for number in numbers(rest) if number.words.lower() != "one"]
    names = list(_names(rest))
    if not (dated or counted or names):
        return None
    if any(statement in quote for quote in quotes):
        return []
    proof = _Proof(quotes)
    found = [(date.words, proof.has_date(date)) for _, _, date in dated]
    found += [(number.words, proof.has_number(number)) for number in counted]
    found += [(" ".join(words), proof.has_name(words)) for words in names]
    return [words for words, stands in found if not stands]


class _Proof:
    """What the quotes of a statement say."""

    def __init__(self, quotes: Sequence[str]) -> None:
        text = canonical("\n".join(quotes))
        self._dates = {reading for _, _, date in dates(text) for reading in date.readings}
        found = list(numbers(text))
        self._percents = {value for number in found if number.percent for value in number.readings}
        self._numbers = {value for number in found for value in (*number.readings, *number.parts)} | ordinals(text)
        self._numbers |= {Fraction(part) for date in self._dates for part in date if part is not None}
        words = [_plain(token.group()) for token in _TOKEN.finditer(_spaced(text))]
        self._words = {part for word in words for part in word.split()}
        self._initials = {_initials(words), _initials([word for word in words if word not in _JOINING])}

    def has_number(self, number: Number) -> bool:
        known = self._percents if number.percent else self._numbers
        return not known.isdisjoint(number.readings) or bool(number.parts and known.issuperset(number.parts))

    def has_date(self, date: Dated) -> bool:
        return any(self._says(wanted, said) for wanted in date.readings for said in self._dates) or any(
            month is None and year is not None and Fraction(year) in self._numbers for year, month, _ in date.readings
        )

    def _says(self, wanted: Date, said: Date) -> bool:
        """Each part that is wanted is said; a year may be said elsewhere in the quotes."""
        year, said_year = wanted[0], said[0]
        in_year = year is None or year == said_year or (said_year is None and Fraction(year) in self._numbers)
        return in_year and all(part is None or part == other for part, other in zip(wanted[1:], said[1:], strict=True))

    def has_name(self, words: Sequence[str]) -> bool:
        plain = [_plain(word) for word in words]
        if all(self._has_word(word, written) for word, written in zip(plain, words, strict=True)):
            return True
        return len(words) > 1 and _initials([word for word in plain if word not in _JOINING]) in self._words

    def _has_word(self, word: str, written: str) -> bool:
        if all(part in self._words for part in word.split()):
            return True
        letters = written.replace(".", "")
        return letters.isupper() and len(letters) > 1 and any(word in initials for initials in self._initials)


def _names(text: str) -> Iterator[list[str]]:
    """Runs of words with a capital, without those that only begin a sentence; none in a text all in capitals."""
    spaced = _spaced(text)
    tokens = list(_TOKEN.finditer(spaced))
    if sum(token.group().isupper() for token in tokens) > len(tokens) / 2:
        return
    runs: list[list[re.Match[str]]] = []
    end = -2
    for token in tokens:
        if not any(char.isupper() for char in token.group()):
            continue
        between = spaced[end : token.start()].split()
        if end < 0 or not _JOINING.issuperset(between):
            runs.append([])
        runs[-1].append(token)
        end = token.end()
    for run in runs:
        words = [token.group() for token in run]
        begins = bool(_SENTENCE_END.search(spaced[: run[0].start()]))
        lone = begins and (len(words) == 1 or _plain(words[0]) in _NO_NAME) and not _inner_capital(words[0])
        kept = [word for word in (words[1:] if lone else words) if _plain(word) not in _NO_NAME]
        if kept:
            yield kept


def _inner_capital(word: str) -> bool:
    return any(char.isupper() for char in word[1:])


def _without(text: str, places: Sequence[tuple[int, int]]) -> str:
    """`text` with blanks at `places`."""
    chars = list(text)
    for start, end in places:
        chars[start:end] = " " * (end - start)
    return "".join(chars)


def _spaced(text: str) -> str:
    """With a space for each hyphen and dash: their parts are words of their own."""
    return "".join(" " if unicodedata.category(char) == "Pd" else char for char in text)


def _plain(word: str) -> str:
    """Without case, accents, points and a possessive s."""
    bare = "".join(char for char in unicodedata.normalize("NFKD", word) if not unicodedata.combining(char))
    return re.sub(r"['’]s?$|['’]s(?=\W|$)", "", bare.casefold().replace(".", ""))


def _initials(words: Sequence[str]) -> str:
    return "".join(word[0] for word in words if word)
