"""Who speaks in a sentence: the names to which English news prose gives words, each with the office it states."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import regex

_FORWARD = (
    r"(?:said|says|stated|states|told|tells|adds?|added|notes?|noted|explains?|explained|believes?|believed|argues?|"
    r"argued|suggests?|suggested|reveals?|revealed|announces?|announced|warns?|warned|remarks?|remarked|claims?|claimed|"
    r"emphasi[sz]e[sd]?|stresse[sd]|pointed out|points out|analy[sz]e[sd]|comments?|commented|declares?|declared|"
    r"observed|recalls?|recalled|predicts?|predicted|urges?|urged|acknowledge[sd]|admits?|admitted|disclosed|replied|"
    r"wrote|writes|confirms?|confirmed|insists?|insisted|concludes?|concluded|(?:was|is) quoted as saying)"
)
_INVERTED = (
    r"(?:said|says|added|adds|explained|explains|noted|notes|argued|argues|warned|warns|remarked|recalled|replied|"
    r"wrote|writes|insisted|insists|concluded|concludes|stressed|commented|observed|admitted)"
)
_TITLE = (
    r"(?:Drs?|Profs?|Mrs?|Ms|Mx|Rev|Gen|Col|Capt|Lt|Sgt|Sen|Rep|Gov|Hon|Fr|St|Sir|Dame|Lord|Lady|Professor|Doctor)\.?"
)
_INITIAL = r"(?>\p{Lu}\.(?:-?\p{Lu}\.){0,3})"
_PLAIN = r"\p{Lu}[\p{L}\p{M}]*(?:[’'‑-]\p{L}[\p{L}\p{M}]*)*"
_WORD = rf"(?:{_TITLE}(?= )|{_INITIAL}|(?:al|el|an|ad|d)[-’']\p{{Lu}}[\p{{L}}\p{{M}}]*|{_PLAIN})"
_PARTICLE = r"(?:(?:de|da|do|dos|das|del|della|di|du|la|le|van|von|der|den|ter|ten|bin|bint|ibn|al|el|y|e) )"
_NAME = rf"(?>{_WORD}(?: {_PARTICLE}{{0,2}}{_WORD}){{0,4}})"
_WHOLE = r"(?<![\p{L}\p{N}’'-])(?<!\bof )(?<!\p{Lu}[\p{L}’'-]{0,30} )"  # not within a longer name
_APART = rf"{_WHOLE}(?<!\b(?:the|for|and|by|in|at|with|from|on|to|a|an) )"
_ASIDE = r"(?:, (?:however|meanwhile|too|though|in turn),)?"
_INSIDE = r"(?:[^.;:!?“”\"\n]|(?<=\p{Lu}|\b\p{Lu}\p{Ll}{1,3})\.|\"[^\".!?]{1,60}\"|“[^”.!?]{1,60}”)"  # of an office
_ADVERB = r"(?:(?:also|further|then|later|today|yesterday|once|has|had|however|recently|earlier|again|\p{Ll}{3,12}ly) )"
_SAYS = rf"(?:{_ASIDE}|,) {_ADVERB}{{0,2}}{_FORWARD}\b"
_FILLER = (  # "said the harbour master, Mara Oduya"
    r"(?:(?:(?!(?:that|to|in|on|at|he|she|it|they|we|there|this|these|by|with|as|if|when) )\p{Ll}[\p{L}-]*,? ){0,6}"
    r"|the [^.;:“”\"]{3,100}?, )"
)
_AFTER = r"(?:, (?P<office>[^,.;:!?“”\"]{3,100})(?=[,.;:!?”]|$))?"

_PATTERNS = (
    regex.compile(
        rf"{_APART}(?:(?P<other>{_NAME}) and )?(?P<name>{_NAME})(?: \([^()]{{1,60}}\))?"
        rf"(?:, (?P<office>{_INSIDE}{{2,180}}?)| (?P<place>(?:of|from|at) {_INSIDE}{{2,80}}?))?{_SAYS}"
    ),
    regex.compile(rf"[,.?!;”\"’'—–-] ?{_INVERTED} {_FILLER}{_APART}(?P<name>{_NAME}){_AFTER}"),
    regex.compile(rf"\b(?:[Aa]ccording to|[Ii]n the words of) {_FILLER}{_WHOLE}(?P<name>{_NAME}){_AFTER}"),
    regex.compile(rf"^(?P<name>{_NAME})(?: \((?P<office>[^()]{{2,80}})\))?: ?[“\"]"),
    regex.compile(rf"[”\"] ?[—–-] ?{_APART}(?P<name>{_NAME}){_AFTER}"),
)
_BODY = regex.compile(
    rf"(?P<name>(?:[Tt]he )?{_PLAIN}[’']?(?: (?:(?:of|for|on|and)(?: the)? )?{_PLAIN}[’']?){{0,7}}){_SAYS}"
)
_AT_END = regex.compile(rf",(?: (?:and|but|while|as))? (?P<name>{_WORD}(?: {_PARTICLE}{{0,2}}{_WORD}){{1,3}})$")
_SPEECH = regex.compile(rf"\b(?:{_FORWARD}|[Aa]ccording to|[Ii]n the words of)\b|: ?[“\"]|[”\"] ?[—–-]")
_ORGANISED = frozenset(
    (
        "ministry commission department bank fund alliance centre center council university institute company group "
        "corporation association agency office times news press network bureau committee forum initiative government "
        "party union nations republic organization organisation academy school court parliament congress society "
        "federation foundation trust authority board police hospital museum church army navy club league team service "
        "services inc ltd llc plc gmbh co corp observatory laboratory gazette journal post herald tribune company's"
    ).split()
)
_NOT_NAMES = frozenset("road street square river island county province city town day week month year".split())
_OPENERS = frozenset(
    (
        "yesterday today tomorrow meanwhile however but and or so yet on in at as while when earlier later last then "
        "still also after before since if for by from with according both asked because although though only even "
        "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
        "september october november december the a an this that these those he she it they we i his her its their "
        "there here what who which how why where finally instead thus nor"
    ).split()
)
_NO_OFFICE = frozenset(
    (
        "in on at for after while when with by as too however meanwhile asked quoted and but or that because if where "
        "which she he they it then also though although yet so from during since before once again"
    ).split()
)


@dataclass(frozen=True, slots=True)
class Voice:
    """One who speaks in a sentence. `office` is what the sentence says of them, as it says it ("" if nothing)."""

    name: str
    office: str = ""
    organisation: bool = False

    @property
    def bare(self) -> tuple[str, ...]:
        """The words of the name without titles, folded."""
        return tuple(word.casefold() for word in self.name.split() if not regex.fullmatch(_TITLE, word))

    @property
    def titled(self) -> bool:
        return len(self.bare) < len(self.name.split())


def voices(text: str) -> list[Voice]:
    """Who speaks in the one sentence `text`, persons before organisations; a name may be a surname alone.

    A line set like a headline gives words to nobody.
    """
    text = " ".join(text.split())
    if not _SPEECH.search(text) or _is_headline(text):
        return []
    found: dict[str, Voice] = {}
    taken: list[tuple[int, int]] = []
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            for voice in _persons(match):
                found.setdefault(voice.name, voice)
                taken.append(match.span())
    for match in _BODY.finditer(text):
        name, (start, end) = _unopened(match["name"]), match.span()
        apart = all(end <= one or other <= start for one, other in taken)
        if apart and not _ORGANISED.isdisjoint(name.casefold().split()):
            found.setdefault(name, Voice(name, organisation=True))
    return list(found.values())


def _is_headline(text: str) -> bool:
    """Whether most words of some length are capitalised and no full stop ends them."""
    long = [word for word in regex.findall(r"\p{L}+", text) if len(word) > 3]
    return text[-1:] not in '.!?”"’' and sum(word[0].isupper() for word in long) > 0.7 * len(long)


def _persons(match: regex.Match[str]) -> Iterator[Voice]:
    groups = match.groupdict()
    name, office, place = _unopened(groups["name"]), groups.get("office") or "", groups.get("place") or ""
    nearer = _AT_END.search(office)
    if nearer and _is_person(nearer["name"]):  # "On Monday, the head of the firm, Sam Poe, said"
        name, office = _unopened(nearer["name"]), ""
    if groups.get("other"):
        other = _unopened(groups["other"])
        if not _is_person(other) or len(other.split()) < 2:
            return  # "the Department of Health and Social Care said"
        yield Voice(other)
    if _is_person(name):
        told = f" {place}" if place else f", {office}" if _is_office(office) else ""
        yield Voice(name, told)


def _unopened(name: str) -> str:
    """A name without the capitalised word that only opens its sentence."""
    words = name.split()
    while words and words[0].casefold() in _OPENERS and (words[0] != "The" or len(words) < 2):
        words.pop(0)
    joined = " ".join(words)
    return joined.removesuffix("’s").removesuffix("'s")


def _is_person(name: str) -> bool:
    words = [word.casefold().strip(".") for word in name.split()]
    return bool(words) and words[0] != "the" and _ORGANISED.isdisjoint(words) and words[-1] not in _NOT_NAMES


def _is_office(office: str) -> bool:
    """Whether it tells who somebody is, and not how, when or to whom they spoke."""
    words = office.split()
    return bool(words) and not (
        words[0].casefold() in _NO_OFFICE or not words[0][0].isalpha() or words[0].endswith("ing")
    )
