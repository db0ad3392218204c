"""Clause against clause: is it denied, does it go the other way, and does a figure or a name stand with other words?

Each clause of a statement is held against the clause of the quotes that it shares the most with. The lists are of
English words; what they do not know is not found. No rule here lets through what another one drops.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from bri_qa.answer.amounts import MONTHS, UNITS, amounts, counted, measured
from bri_qa.answer.opposites import bounded, swapped, turned
from bri_qa.answer.wording import FUNCTION, UNSPACED, content, names, stem, words

_CUT = re.compile(
    r"\n\s*\n|[.;:!?—–]+\s|\s+–\s+|,?\s+(?:but|because|although|though|while|whereas|unless)\s+(?!\d)"
    r"|,\s+(?:and|yet|so|(?:of )?which|who|whose|where|since)\s+"
    r"|\s+to\s+(?=\d[^,.;]{0,30}\bin \d{4})"
    r"|(?P<same>,?\s+and\s+(?=(?:\d|(?:[a-z]+\s){1,2}\d|(?:more|less|fewer|higher|lower)\b|[a-z]+ed\b|(?:has|have|had|is|are|was|were|will|would|can|could)\b)))"
)
_PAIRED = re.compile(r"(?<=\s)([a-z]\w*)\s+and\s+(?=[A-Z]\w+\s+[A-Z])")
_PAIR = re.compile(r"\b([^\W\d_]{3,}) and ([^\W\d_]{3,}) ([^\W\d_]{3,})")
_WHOLE = re.compile(
    r"\b(?:no|none|nobody|nothing|nowhere|neither|nor|den(?:y|ies|ied)|false(?:ly)?|untrue)\b", re.IGNORECASE
)
_HEAD = re.compile(
    r"\b(?:not|never|cannot|hardly|barely|unable|lacks?|lacked|fail(?:s|ed)? to|refus(?:e|es|ed))\b|n[’']t\b",
    re.IGNORECASE,
)
_NO_DENIAL = re.compile(r"\b(?:not (?:only|just|merely)|no (?:fewer|less|later|more) than|no doubt)\b", re.IGNORECASE)
_IF_NOT = re.compile(r"\b(?:if|provided)\b([^,.;]{0,60}?)(?:\s(?:not|never)|n[’']t)\b", re.IGNORECASE)
_WITHOUT = re.compile(r"\bwithout\s+(?:(?:a|an|any|the|its|their)\s+)?([^\W\d_]+)", re.IGNORECASE)
_LESS = re.compile(r"\b(?:without|no|not|none|never|free of|lack\w*|[a-z]{3,}less)\b|n[’']t\b", re.IGNORECASE)
_PRONOUN = re.compile(
    r"^\W*(?:it|they|he|she|this|these|that|which|who|there|nobody|none|nothing|no|[a-z]+ed|has|have|is|are|was|were)\b",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:1[5-9]|20|21)\d\d")
_UNITS = frozenset(map(stem, UNITS))
_MONTHS = frozenset(month.casefold() for month in MONTHS)


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause with what it says, by kind. `subject` are the names that a clause without one takes from before."""

    text: str
    words: frozenset[str]
    names: frozenset[str]
    numbers: frozenset[str]
    subject: frozenset[str] = frozenset()

    @property
    def bearings(self) -> dict[str, frozenset[str]]:
        """Names and figures by kind: one stands for another of its kind alone."""
        years = frozenset(number for number in self.numbers if _YEAR.fullmatch(number))
        shares = frozenset(number for number in self.numbers if number.endswith("%"))
        months = self.names & _MONTHS
        return {
            "name": (self.names | self.subject) - months,
            "month": months,
            "year": years,
            "share": shares,
            "number": self.numbers - years - shares - {"1"},
        }

    @property
    def said(self) -> frozenset[str]:
        """Its content words without its names and units."""
        return self.words - frozenset(map(stem, self.names | self.subject)) - _UNITS

    @property
    def denial(self) -> re.Match[str] | None:
        """Its first denial. Two of them may cancel or add up; either way it is held to be denied."""
        text = _NO_DENIAL.sub(lambda found: "-" * len(found[0]), self.text)
        found = [match for match in (_WHOLE.search(text), _HEAD.search(text)) if match]
        return min(found, key=lambda match: match.start(), default=None)


def clauses(text: str, known: frozenset[str]) -> list[Clause]:
    """The clauses of a text, its “if … not” written as “unless”."""
    made: list[Clause] = []
    plain = _IF_NOT.sub(lambda found: f"unless{found[1]}", text)
    start, leaning = 0, False
    for cut in [*_CUT.finditer(plain), None]:
        part = plain[start : cut.start() if cut else len(plain)].strip()
        if part:
            before = made[-1].names | made[-1].subject if leaning and made else frozenset()
            found = names(part, known)
            own = frozenset() if found and names(part.split()[0], known) else before
            made.append(Clause(part, content(part), found, frozenset(amounts(part)), own))
        if cut:
            start, leaning = cut.end(), cut["same"] is not None
    return made


def contradicted(said: str, proof: str, known: frozenset[str] = frozenset()) -> str | None:
    """Why a clause of `said` does not go with the clauses of `proof`; None if all do."""
    theirs = clauses(proof, known)
    if dropped := _without(said, proof):
        return dropped
    for clause in clauses(_PAIRED.sub(r"\1; ", said), known):
        nearest = _nearest(clause, theirs)
        reasons = [_against(clause, other) for other in nearest]
        if reasons and (all(reasons) or _only_denied(clause, nearest)):
            return next(reason for reason in reasons if reason)
        if (
            clause.denial
            and not any(other.denial for other in theirs)
            and not any(turned(clause.text, o.text) for o in nearest)
        ):
            return "it denies what its quotes say"
        fault = (
            _halved(clause, theirs)
            or _turned_figure(clause, theirs)
            or _mixed(clause, theirs)
            or _another_subject(clause, nearest, theirs)
        )
        if fault:
            return fault
    return None


def _nearest(clause: Clause, theirs: Sequence[Clause]) -> list[Clause]:
    """Those that it shares the most with: a word counts once, a name or a figure twice."""

    def shared(other: Clause) -> int:
        bearing = (clause.names & (other.names | other.subject)) | (clause.numbers & other.numbers)
        return len(clause.said & other.said) + 2 * len(bearing)

    best = max(map(shared, theirs), default=0)
    return [other for other in theirs if shared(other) == best] if best else []


def _against(clause: Clause, other: Clause) -> str | None:
    """How `clause` says another thing than `other`. A denial and an opposite undo each other."""
    turns, swaps = turned(clause.text, other.text), swapped(clause.text, other.text)
    denied = bool(clause.denial)
    if denied != bool(other.denial):
        if turns or (other.denial and not _takes_denied(clause, other)):
            return None
        return "it denies what its quotes say" if denied else "its quotes deny it"
    if bounded(clause.text, other.text):
        return "its bound is not the one of its quotes"
    return "it says the opposite of its quotes" if turns != swaps else None


def _only_denied(clause: Clause, nearest: Sequence[Clause]) -> bool:
    """Whether it takes words that of the nearest only a denial holds, and denies nothing."""
    affirmed = frozenset().union(*(other.words for other in nearest if not other.denial))
    denials = [other for other in nearest if other.denial and _against(clause, other)]
    return not clause.denial and any(clause.words & other.words - affirmed for other in denials)


def _takes_denied(clause: Clause, other: Clause) -> bool:
    """Whether `clause` says of the subject of the denial, or with the denied word, what `other` denies."""
    found = other.denial
    if found is None or _WHOLE.fullmatch(found[0]):
        return True
    before = content(other.text[: found.start()])
    after = [word for word, _ in words(other.text[found.end() :]) if word.casefold() not in FUNCTION]
    denied = {stem(after[0])} if after else set()
    return not before or bool(clause.words & (before | denied))


def _halved(clause: Clause, theirs: Sequence[Clause]) -> str | None:
    """A figure of two together, said of the second alone: “eastern and western ports had 18 ships”."""
    for other in theirs if clause.numbers else ():
        if not clause.numbers & other.numbers:
            continue
        for first, second, after in _PAIR.findall(other.text):
            told = {stem(second), stem(after)} <= clause.words and stem(first) not in clause.words
            if told and {stem(first), stem(second), stem(after)} <= other.words and first.islower() == second.islower():
                return f"its quotes say that of {first} too"
    return None


def _turned_figure(clause: Clause, theirs: Sequence[Clause]) -> str | None:
    """A figure that stands with “rose” here and with “fell” in each clause of the quotes that has it."""
    for number in sorted(clause.bearings["number"] | clause.bearings["share"]):
        homes = [other for other in theirs if number in other.numbers]
        if homes and all(
            turned(clause.text, home.text) and not (clause.denial or home.denial or swapped(clause.text, home.text))
            for home in homes
        ):
            return "it says the opposite of its quotes"
    return None


def _without(said: str, proof: str) -> str | None:
    """What quotes are without, a statement may not have; what it is without, they must be."""
    if _WITHOUT.search(said) and not _LESS.search(proof):
        return "it denies what its quotes say"
    if not _LESS.search(said):
        lacking = {stem(found[1]) for found in _WITHOUT.finditer(proof)}
        if lacking & content(said) - content(_WITHOUT.sub(" ", proof)):
            return "its quotes deny it"
    return None


def _mixed(clause: Clause, theirs: Sequence[Clause]) -> str | None:
    """A name or figure that stands with the words of a clause which has another one of its kind there."""
    if UNSPACED.search(clause.text):
        return None
    for kind, mine in clause.bearings.items():
        for bearing in sorted(mine):
            homes = [other for other in theirs if bearing in other.bearings[kind]]
            rivals = [other for other in theirs if _rivals(bearing, clause, other, kind)]
            for rival in rivals if homes else ():
                own = max(_held(clause, home, kind) for home in homes)
                at_home = frozenset().union(*(_parts(home, kind) for home in homes))
                alone = _parts(clause, kind) & _parts(rival, kind) - at_home
                if alone and _held(clause, rival, kind) > own:
                    return f"its quotes say that of another than {bearing}"
    return None


def _rivals(bearing: str, clause: Clause, other: Clause, kind: str) -> bool:
    """Whether `other` has, in place of `bearing`, one of its kind that `clause` leaves out; of figures, of its unit."""
    if bearing in other.bearings[kind]:
        return False
    left_out = other.bearings[kind] - clause.bearings[kind]
    if kind != "number":
        return bool(left_out)
    mine = _units(clause.text).get(bearing, frozenset())
    theirs = _units(other.text)
    return any(not mine or not theirs.get(number) or mine & theirs[number] for number in left_out)


@lru_cache(maxsize=512)
def _units(text: str) -> dict[str, frozenset[str]]:
    """What each figure counts or measures, as far as words close by tell."""
    found: dict[str, frozenset[str]] = {}
    for number, unit in [*counted(text, stem), *measured(text)]:
        found[number] = found.get(number, frozenset()) | {stem(unit)}
    return found


def _another_subject(clause: Clause, nearest: Sequence[Clause], theirs: Sequence[Clause]) -> str | None:
    """Whether it opens with what the quotes speak of elsewhere, and leaves out what its own clause there opens with."""
    first = _opening(clause.text)
    homes = [other for other in theirs if first & other.words]
    there = frozenset().union(*(other.words for other in nearest))
    if not nearest or not homes or any(len(clause.words & home.words - there) > 1 for home in homes):
        return None
    theirs_first = [_opening(other.text) for other in nearest if other not in homes]
    left_out = [opening for opening in theirs_first if opening and not opening & clause.words]
    return "its quotes say that of another" if len(left_out) == len(nearest) else None


def _opening(text: str) -> frozenset[str]:
    """The stem of its first content word; none where it opens with a pronoun or a verb of the clause before."""
    if _PRONOUN.match(text):
        return frozenset()
    return next((found for word, _ in words(text) if (found := content(word))), frozenset())


def _held(clause: Clause, other: Clause, kind: str) -> float:
    """The share of what `other` says, beside bearings of that kind, that `clause` says too."""
    yours = _parts(other, kind)
    return len(_parts(clause, kind) & yours) / len(yours) if yours else 0.0


def _parts(clause: Clause, kind: str) -> frozenset[str]:
    """Its words, names and figures but those of `kind`."""
    return clause.said.union(*(found for name, found in clause.bearings.items() if name != kind))
