"""Numbers and dates in text, however they are written.

Figures of any script, grouped by comma, point, space or apostrophe, with a scale (“1.5 million”) or percent; numbers in
English words; dates in figures (ISO, 4.3.2024, 2024年3月) or with an English month. What is ambiguous has several
readings: “1,234” may be a thousand or a decimal, 4/3/2024 a day of March or of April.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

Date = tuple[int | None, int | None, int | None]  # year, month, day


@dataclass(frozen=True, slots=True)
class Number:
    """`readings` are what it may mean; `parts` the figures between spaces, should it be no one number."""

    words: str
    readings: frozenset[Fraction]
    percent: bool = False
    parts: tuple[Fraction, ...] = ()


@dataclass(frozen=True, slots=True)
class Dated:
    words: str
    readings: frozenset[Date]


def canonical(text: str) -> str:
    """NFKC, with the figures of every script as ASCII ones: full-width figures and no-break spaces go."""
    found = unicodedata.normalize("NFKC", text)
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in found)


MONTHS = (
    "january february march april may june july august september october november december".split()
)  # fmt: skip
_MONTH_OF = {name: place for place, name in enumerate(MONTHS, start=1)}
_MONTH_OF |= {name[:3]: place for name, place in _MONTH_OF.items()} | {"sept": 9}
_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTH_OF, key=len, reverse=True))})\b\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>\d{4})"
_BEFORE = r"(?:in|since|until|till|by|from|of|last|next|this|early|late|mid|through|before|after|during|and|to)[\s-]+"
_DATES = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?<![\d.,/-]){_YEAR}[-/](?P<month>\d{{1,2}})(?:[-/]{_DAY})?(?![\d/-])",
        rf"(?<!\d){_YEAR}年(?:(?P<month>\d{{1,2}})月(?:(?P<day>\d{{1,2}})日)?)?",
        r"(?<![\d.,/])(?P<first>\d{1,2})(?P<mark>[./-])(?P<second>\d{1,2})(?P=mark)(?P<year>\d{4})(?!\d)",
        rf"(?<![\d.,]){_DAY}\s+(?:of\s+)?{_MONTH}(?:,?\s+{_YEAR}(?!\d))?",
        rf"\b{_MONTH}\s+{_DAY}\b(?!,\d)(?:,?\s+{_YEAR}(?!\d))?",
        rf"\b{_MONTH},?\s+(?:of\s+)?{_YEAR}(?!\d)",
    )
]
_BARE = re.compile(rf"(?<=\b)(?:{_BEFORE}(?P<after>{'|'.join(MONTHS)})|(?P<alone>{'|'.join(MONTHS)}))\b", re.IGNORECASE)
_ALSO_A_WORD = frozenset({"march", "may"})


def dates(text: str) -> Iterator[tuple[int, int, Dated]]:
    """Each date of canonical `text` with the place it takes, never one inside another."""
    taken: list[tuple[int, int]] = []
    for pattern in _DATES:
        for found in pattern.finditer(text):
            readings = frozenset(_readings(found.groupdict()))
            if readings and not _overlaps(found.span(), taken):
                taken.append(found.span())
                yield *found.span(), Dated(found.group(), readings)
    for found in _BARE.finditer(text):
        name = "after" if found["after"] else "alone"
        month, place = found[name], found.span(name)
        sure = month[0].isupper() and (name == "after" or month.lower() not in _ALSO_A_WORD)
        if sure and not _overlaps(place, taken):
            yield *place, Dated(month, frozenset({(None, _MONTH_OF[month.lower()], None)}))


def _readings(found: dict[str, str | None]) -> Iterator[Date]:
    year = int(found["year"] or 0) if found.get("year") else None
    if found.get("first"):
        first, second = int(found["first"] or 0), int(found["second"] or 0)
        pairs = {(first, second), (second, first)}
        yield from ((year, month, day) for month, day in pairs if 1 <= month <= 12 and 1 <= day <= 31)
        return
    name = (found.get("month") or "").lower()
    month = None if not name else int(name) if name.isdecimal() else _MONTH_OF[name]
    day = int(found["day"] or 0) if found.get("day") else None
    if (month is None or 1 <= month <= 12) and (day is None or 1 <= day <= 31):
        yield year, month, day


def _overlaps(place: tuple[int, int], taken: list[tuple[int, int]]) -> bool:
    return any(place[0] < end and start < place[1] for start, end in taken)


_LONGEST = 100  # figures; what is longer is no number that anyone states
_SCALES = {
    "hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12,
    "k": 10**3, "m": 10**6, "mn": 10**6, "bn": 10**9, "tn": 10**12, "万": 10**4, "亿": 10**8,
}  # fmt: skip
_ALSO_A_UNIT = frozenset({"k", "m"})  # kelvin, metres
_SCALE = r"(?:[ -]?(?P<scale>(?:hundred|thousand|million|billion|trillion|mn|bn|tn|k|m)\b|[万亿]))?"
_PERCENT = r"(?P<percent>[ -]?(?:%|per ?cent\b|percentage points?\b|pct\b))?"
_FIGURES = re.compile(
    rf"(?<![^\W_])(?P<figures>\d{{1,3}}(?:[ ,.'’]\d{{3}})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,]\d+)?){_SCALE}{_PERCENT}",
    re.IGNORECASE,
)
_UNITS = {
    name: value
    for value, name in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
}
_UNITS |= {
    name: 10 * value
    for value, name in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
_ORDINALS = {
    name: Fraction(value)
    for value, name in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(), start=1
    )
}
_BIG = {name: scale for name, scale in _SCALES.items() if len(name) > 3}
_WORD = "|".join(sorted(_UNITS, key=len, reverse=True))
_IN_WORDS = re.compile(
    rf"\b(?P<words>(?:{_WORD})(?:(?:[ -]|[ -]and[ -])(?:{_WORD}|{'|'.join(_BIG)}))*)\b{_PERCENT}", re.IGNORECASE
)
_ORDINAL = re.compile(rf"\b(?:{'|'.join(_ORDINALS)})\b", re.IGNORECASE)


def numbers(text: str) -> Iterator[Number]:
    """Each number of canonical `text`, in figures or in words."""
    for found in _FIGURES.finditer(text):
        figures, scale = found["figures"], (found["scale"] or "").lower()
        if len(figures) > _LONGEST:
            continue
        plain = frozenset(_values(figures))
        readings = frozenset(value * _SCALES[scale] for value in plain) if scale else plain
        if scale in _ALSO_A_UNIT:
            readings |= plain
        parts = tuple(Fraction(part) for part in figures.split()) if " " in figures and "," not in figures else ()
        yield Number(found.group().strip(), readings, bool(found["percent"]), parts)
    for found in _IN_WORDS.finditer(text):
        readings = frozenset({Fraction(_in_words(found["words"]))})
        yield Number(found.group().strip(), readings, bool(found["percent"]))


def ordinals(text: str) -> set[Fraction]:
    """first to twelfth, as numbers."""
    return {_ORDINALS[found.group().lower()] for found in _ORDINAL.finditer(text)}


def _values(figures: str) -> Iterator[Fraction]:
    bare = re.sub(r"[ '’]", "", figures)
    marks = [char for char in bare if char in ",."]
    if not marks:
        yield Fraction(bare)
    elif len(set(marks)) == 2:
        yield Fraction(bare.replace(marks[0], "").replace(marks[-1], "."))
    elif len(marks) > 1:
        yield Fraction(bare.replace(marks[0], ""))
    else:
        before, after = bare.split(marks[0])
        yield Fraction(f"{before}.{after}")
        if len(after) == 3 and len(before) <= 3 and before[0] != "0":
            yield Fraction(before + after)


def _in_words(words: str) -> int:
    """“two hundred and six” is 206, “three million” 3,000,000."""
    total, group = 0, 0
    for word in re.split(r"[ -]", words.lower()):
        if word in _UNITS:
            group += _UNITS[word]
        elif word == "hundred":
            group *= 100
        elif word in _BIG:
            total, group = total + group * _BIG[word], 0
    return total + group
