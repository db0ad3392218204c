"""Whether a statement stands in its quotes: numbers, dates, names, negation and content. Plain rules, no model.

The rules are strict on purpose: what they cannot find in the quotes is dropped, however true it may be. They do not
prove entailment: who did what to whom is not checked beyond the words themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bri_qa.answer.amounts import amounts, counted, dates, written_out

CONTENT = 0.6  # share of a statement's content words that its quotes must hold; set by hand

_WORD = re.compile(r"[^\W_]+(?:[.'’&-][^\W_]+)*")
_UNSPACED = re.compile(r"[぀-ヿ㐀-鿿豈-﫿฀-໿ក-៿]")
_LINK = re.compile(
    r"https?:|www\.|\w+://|\]\(|!\[|<[a-z/!]|javascript:|data:\w+/|\b[\w-]+\.(?:com|net|org|io)/", re.IGNORECASE
)
_HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")
_NEGATION = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|nowhere|neither|nor|without|cannot|hardly|barely|fail(?:s|ed)? to"
    r"|den(?:y|ies|ied)|refus(?:e|es|ed)|unable)\b|n[’']t\b",
    re.IGNORECASE,
)
_NO_NEGATION = re.compile(r"\b(?:not (?:only|just|merely)|no (?:fewer|less|later|more) than|no doubt)\b", re.IGNORECASE)
_CLAUSE = re.compile(r"[.;:!?—–]+\s|,?\s+but\s+|,\s+(?:and|while|although|though|whereas|yet|so)\s+|\s+–\s+")
_QUANTITIES = frozenset(
    (
        "half third thirds quarter quarters double doubled twice triple tripled dozen dozens hundreds thousands "
        "millions billions most all every majority minority several few only nearly almost over under below above "
        "least best worst first last largest smallest biggest highest lowest more less fewer"
    ).split()
)
_FUNCTION = frozenset(
    (
        "a about after again against all also although am an and another any are as at be because been before being "
        "both but by can could did do does doing during each either for from further had has have having he her here "
        "hers him his how however i if in into is it its itself just may me might more most must my no nor not of on "
        "once one only or other our out over own shall she should since so some such than that the their theirs them "
        "themselves then there these they this those though through to too under until up upon us very was we were "
        "what when where whether which while who whom whose why will with within would yes yet you your according "
        "said says say told article articles text passage sentence sentences states stated reports reported mentions"
    ).split()
)
_ENDING = re.compile(r"(?:ations?|ments?|ingly|edly|ings?|ies|ied|ers?|ed|es|ly|s|e|y)$")


def unsupported(text: str, quotes: Sequence[str], known: frozenset[str] = frozenset()) -> str | None:
    """Why `text` does not stand in `quotes`; None if it does.

    `known` are names (small letters) of the passages around: they are names in `text` too, however it writes them.
    """
    if _HIDDEN.search(text) or _LINK.search(text):
        return "it holds a link, markup or hidden characters"
    said, proof = written_out(text), written_out("\n".join(quotes))
    checks = (_numbers(said, proof), _dates(said, proof), _names(said, proof, known), _quantities(said, proof))
    missing = next((reason for reason in checks if reason), None)
    return missing or _content(said, proof) or _polarity(said, proof)


def names_of(texts: Sequence[str]) -> frozenset[str]:
    """Words that `texts` write with a capital inside a sentence and never without, in small letters."""
    capital: set[str] = set()
    small: set[str] = set()
    for text in texts:
        for word, opens in _words(text):
            if not word[0].isupper():
                small.add(word.casefold())
            elif not opens:
                capital.add(_bare(word))
    return frozenset(capital - small - _FUNCTION)


def invented(text: str, sources: Sequence[str]) -> str | None:
    """The first name or number of `text` that stands in none of `sources`; None if all do."""
    said, proof = written_out(text), written_out("\n".join(sources))
    return _numbers(said, proof) or _names(said, proof, frozenset())


def content(text: str) -> frozenset[str]:
    """The stems of its content words; of a script without word bounds, its pairs of characters."""
    found = {_stem(word) for word, _ in _words(text) if word.casefold() not in _FUNCTION and not word.isdecimal()}
    runs = re.findall(rf"{_UNSPACED.pattern}+", text)
    return frozenset(found | {run[at : at + 2] for run in runs for at in range(len(run) - 1)})


def _numbers(said: str, proof: str) -> str | None:
    held = amounts(proof)
    missing = [written for amount, written in amounts(said).items() if amount not in held]
    if missing:
        return f"the number {missing[0]} is not in its quotes"
    there: dict[str, set[str]] = {}
    for amount, noun in counted(proof, _stem):
        there.setdefault(noun, set()).add(amount)
    for amount, noun in counted(said, _stem):
        if noun in there and amount not in there[noun]:
            return f"its quotes do not count {amount} of that"
    return None


def _dates(said: str, proof: str) -> str | None:
    missing = sorted(dates(said) - dates(proof))
    return f"the date {missing[0]} is not in its quotes" if missing else None


def _names(said: str, proof: str, known: frozenset[str]) -> str | None:
    held = {_bare(word) for word, _ in _words(proof)} | _initials(proof)
    stems = {_stem(word) for word in held}
    for word, opens in _words(said):
        bare = _bare(word)
        named = any(char.isupper() for char in word) or bare in known or _mixed(word)
        if not named or bare in held or all(part in held for part in re.split(r"[-&]", bare)):
            continue
        if opens and (bare in _FUNCTION or (_stem(bare) in stems and bare not in known)):
            continue
        if bare in _FUNCTION:
            continue
        return f"the name {word} is not in its quotes"
    return None


def _quantities(said: str, proof: str) -> str | None:
    held = {word.casefold() for word, _ in _words(proof)}
    for word, _ in _words(said):
        if word.casefold() in _QUANTITIES and word.casefold() not in held:
            return f"“{word}” is not in its quotes"
    return None


def _content(said: str, proof: str) -> str | None:
    wanted = content(said)
    if not wanted and not amounts(said):
        return "it says nothing"
    share = len(wanted & content(proof)) / len(wanted) if wanted else 1.0
    return None if share >= CONTENT else "too few of its words are in its quotes"


def _polarity(said: str, proof: str) -> str | None:
    """Each clause must say yes or no as the clause of the quotes does that it shares the most words with.

    One that denies nothing may not take words that only a denial holds.
    """
    theirs = [(content(clause), _negated(clause)) for clause in _clauses(proof)]
    affirmed = frozenset().union(*(words for words, negated in theirs if not negated))
    for clause in _clauses(said):
        wanted, denied = content(clause), _negated(clause)
        best = max((len(wanted & words) for words, _ in theirs), default=0)
        nearest = {negated for words, negated in theirs if len(wanted & words) == best} if best else set()
        if nearest and denied not in nearest:
            return "it denies what its quotes say" if denied else "its quotes deny it"
        if not denied and any(negated and (wanted & words) - affirmed for words, negated in theirs):
            return "its quotes deny it"
        if denied and not any(negated for _, negated in theirs):
            return "it denies what its quotes say"
    return None


def _clauses(text: str) -> list[str]:
    return [clause for clause in _CLAUSE.split(text) if clause and clause.strip()]


def _negated(text: str) -> bool:
    """Whether it holds a negation. Two of them may cancel or add up; either way it is held to be one."""
    return bool(_NEGATION.search(_NO_NEGATION.sub(" ", text)))


def _words(text: str) -> Iterator[tuple[str, bool]]:
    """Each word, and whether it opens a sentence."""
    end = 0
    for found in _WORD.finditer(text):
        between = text[end : found.start()]
        yield found[0], end == 0 or bool(re.search(r"[.!?:\n•“\"(]", between))
        end = found.end()


def _bare(word: str) -> str:
    """In small letters, without a possessive."""
    return re.sub(r"[’']s?$", "", word.casefold())


def _mixed(word: str) -> bool:
    """Whether it mixes letters and digits: G20, 5G, COVID-19."""
    return any(map(str.isdecimal, word)) and any(map(str.isalpha, word)) and not _UNSPACED.search(word)


def _initials(text: str) -> set[str]:
    """The initials of runs of capitalised words, small links left out: “bri” of Belt and Road Initiative."""
    found = set()
    for run in re.finditer(r"\b[A-Z]\w+(?:[\s-]+(?:(?:and|of|for|the)\s+)*[A-Z]\w+)+", text):
        letters = "".join(word[0] for word in re.findall(r"\b[A-Z]\w+", run[0]))
        found |= {letters[a:b].casefold() for a in range(len(letters)) for b in range(a + 2, len(letters) + 1)}
    return found


def _stem(word: str) -> str:
    bare = _bare(word)
    return _ENDING.sub("", bare) if len(bare) > 4 and bare.isalpha() else bare
