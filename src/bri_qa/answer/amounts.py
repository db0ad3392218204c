"""Numbers and dates of a text, however written: 112,000 · 0.112 million · twenty-six · 4 March · 2024-03-04."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation

MONTHS = ("January February March April May June July August September October November December").split()
_MONTH = {name: name for name in MONTHS} | {name[:3]: name for name in MONTHS} | {"Sept": "September"}
_UNITS = {
    word: value
    for value, word in enumerate(
        (
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
            "seventeen eighteen nineteen"
        ).split()
    )
}
_TENS = {word: 10 * at for at, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
_SMALL = _UNITS | _TENS
_SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_SHORT = {"k": 10**3, "m": 10**6, "mn": 10**6, "bn": 10**9, "tn": 10**12, "万": 10**4, "亿": 10**8}
_NUMBER_WORD = "|".join([*_SMALL, *_SCALES])
_SPELLED = re.compile(
    rf"\b(?:{'|'.join([*_SMALL, 'hundred', 'thousand', 'million', 'billion'])})"
    rf"(?:(?:[\s-]+(?:and\s+)?)(?:{_NUMBER_WORD})\b)*\b",
    re.IGNORECASE,
)
_NO_NUMBER = re.compile(r"\s*(?:[.,;:!?)”\"]|$|(?:of|another|after|by one)\b)")
_ISO = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_AMOUNT = re.compile(
    r"(?<![0-9A-Za-z\u00c0-\u052f])(?<!\d[.,])(?<![^\W\d_]-)(?P<sign>(?<![\w)])[-−](?=\d))?(?P<digits>\d+(?:[.,]\d+)*)"
    rf"(?:\s?(?P<scale>{'|'.join(_SCALES)})s?\b|(?P<short>k|mn?|bn|tn)\b|(?P<han>[万亿])|(?:st|nd|rd|th|s)\b)?"
    r"(?P<percent>\s?(?:%|％|per\s?cent\b|percent(?:age points?)?\b))?(?![A-Za-z]*\d)",
    re.IGNORECASE,
)
_NAMES = "|".join(sorted(_MONTH, key=len, reverse=True))
_DAY_FIRST = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?\s+({_NAMES})\b\.?(?:,?\s+(\d{{4}})\b)?")
_MONTH_FIRST = re.compile(rf"\b({_NAMES})\b\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?\b(?!\d)(?:,?\s+(\d{{4}})\b)?")
_MONTH_YEAR = re.compile(rf"\b({_NAMES})\b\.?,?\s+(?:of\s+)?(\d{{4}})\b")
_QUARTER = re.compile(r"\bQ([1-4])\b")
_ORDINALS = ("first", "second", "third", "fourth")
UNITS = {
    form: kind
    for kind, forms in {
        "minute": "minute minutes min",
        "hour": "hour hours",
        "day": "day days",
        "week": "week weeks",
        "month": "month months",
        "year": "year years",
        "decade": "decade decades",
        "euro": "euro euros eur €",
        "dollar": "dollar dollars usd $",
        "pound": "pound pounds gbp £",
        "yuan": "yuan rmb renminbi cny 元",
        "yen": "yen jpy",
        "crown": "crown crowns",
        "franc": "franc francs chf",
        "kilometre": "kilometre kilometres kilometer kilometers km 公里",
        "metre": "metre metres meter meters",
        "mile": "mile miles",
        "kilogram": "kilogram kilograms kg",
        "ton": "ton tons tonne tonnes 吨",
        "hectare": "hectare hectares",
        "acre": "acre acres",
    }.items()
    for form in forms.split()
}
_MEASURED = re.compile(rf"\s?(?:({'|'.join(sorted(map(re.escape, UNITS), key=len, reverse=True))})(?![A-Za-z]))", re.I)
_NOUN = re.compile(r"[^\W\d_]{3,}")
_BEFORE = 3  # words between a number and what it counts, at most
_JOINING = frozenset(
    "of in and or the a an to for per than more about over nearly some from by with on at is was are were".split()
)


def written_out(text: str) -> str:
    """ISO dates as “4 March 2024”, number words as digits, Q1 as first quarter: two texts in one form."""
    plain = _QUARTER.sub(lambda found: f"{_ORDINALS[int(found[1]) - 1]} quarter", text)
    return _SPELLED.sub(_as_digits, _ISO.sub(_as_date, plain))


def amounts(text: str) -> dict[str, str]:
    """Each number in one form (112000, 3.6%), and how it was written first."""
    found: dict[str, str] = {}
    for match in _AMOUNT.finditer(text):
        found.setdefault(_value(match), match[0].strip())
    return found


def dates(text: str) -> set[str]:
    """“4 March”, “March 2024”: the parts of dates that belong together."""
    found = set()
    for day, month, year in _DAY_FIRST.findall(text):
        found |= _joined(day, month, year)
    for month, day, year in _MONTH_FIRST.findall(text):
        found |= _joined(day, month, year)
    return found | {f"{_MONTH[month]} {year}" for month, year in _MONTH_YEAR.findall(text)}


def counted(text: str, stem: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    """Each number with the stem of the nouns that follow it closely: (229, "cit")."""
    for match in _AMOUNT.finditer(text):
        following = re.split(r"[^\w\s'’-]|\d", text[match.end() : match.end() + 80], maxsplit=1)[0]
        words = following.split()[:_BEFORE]
        for word in words:
            if word.casefold() in _JOINING:
                break
            if _NOUN.fullmatch(word) and word not in _MONTH:
                yield _value(match), stem(word)


def measured(text: str) -> set[tuple[str, str]]:
    """Each number with its unit of time, money, length, weight or area, where it has one: (640, "metre")."""
    found = set()
    for match in _AMOUNT.finditer(text):
        unit = _MEASURED.match(text, match.end())
        before = text[: match.start()].rstrip()[-1:]
        if unit or before in ("€", "$", "£"):
            found.add((_value(match), UNITS[unit[1].casefold() if unit else before]))
    return found


def _value(match: re.Match[str]) -> str:
    digits = match["digits"]
    plain = (
        digits.replace(",", "") if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", digits) else digits.replace(",", ".")
    )
    scale = _SCALES.get((match["scale"] or "").lower(), 1)
    scale *= _SHORT.get((match["short"] or match["han"] or "").lower(), 1)
    try:
        value = format((Decimal(plain) * scale).normalize(), "f")
    except InvalidOperation:
        value = digits  # 1.2.3: a section, an address
    return ("-" if match["sign"] else "") + value + ("%" if match["percent"] else "")


def _as_date(match: re.Match[str]) -> str:
    year, month, day = match[1], int(match[2]), int(match[3])
    return f"{day} {MONTHS[month - 1]} {year}" if 1 <= month <= 12 else match[0]


def _joined(day: str, month: str, year: str) -> set[str]:
    name = _MONTH[month]
    return {f"{int(day)} {name}"} | ({f"{name} {year}"} if year else set())


def _as_digits(match: re.Match[str]) -> str:
    """`twenty-six` → 26; a scale that stands alone ("millions of") stays, and a “one” that counts nothing."""
    total, group = 0, 0
    words = re.findall(r"[a-z]+", match[0].lower())
    if words[0] in _SCALES or (words == ["one"] and _NO_NUMBER.match(match.string, match.end())):
        return match[0]
    for word in words:
        if word in _SMALL:
            group += _SMALL[word]
        elif word == "hundred":
            group = (group or 1) * 100
        elif word in _SCALES:
            total, group = total + (group or 1) * _SCALES[word], 0
    return str(total + group)
