"""A message that asks two or three things, taken apart into questions that each stand alone. Plain words, no model."""

from __future__ import annotations

import re
from typing import NamedTuple

from bri_qa.conversation.followup import ASKING, HELPING, standalone
from bri_qa.types import Question, Turn

MOST = 3
"""Questions that one message is taken apart into, at most; one that asks more is left whole."""

_LONGEST = 400  # characters
_LEAST = 3  # words of a question that may stand before another
_ASKING = rf"(?:{'|'.join(sorted(ASKING))})"
_HELPING = rf"(?:{'|'.join(sorted(HELPING))})"
_PLACE = r"(?:in|on|at|by|for|from|to|of|with|about|under|since|until)"
_OPENS = re.compile(rf"(?:(?:{_PLACE} )?{_ASKING}|{_HELPING})\b", re.IGNORECASE)
_LEAD = re.compile(
    r"^(?:(?:and|but|so|also|then|now|well|please|first|second|secondly|finally)[\s,:]+)*"
    rf"(?P<indirect>(?:(?:can|could|would) you )?(?:please )?(?:tell me|say|explain)[\s,]+(?={_ASKING}\b)"
    r"|i (?:would like|want|need) to know[\s,]+)?",
    re.IGNORECASE,
)
_NEXT = re.compile(r"(?<=[?？])\s*(?=\S)")
_AND = re.compile(rf",?\s+and(?:\s+also)?\s+(?=(?:{_PLACE} )?{_ASKING}\b)", re.IGNORECASE)
_ADJUNCT = re.compile(rf"(?:when|where|why|how|(?:{_PLACE} )(?:whom|which|what|when|where))", re.IGNORECASE)
_IN_ORDER = re.compile(rf"(?:{_PLACE} )?(?:{_ASKING} {_HELPING}|how (?:many|much|long|far|old))\b", re.IGNORECASE)
_HELPED = re.compile(rf"(?:{_PLACE} )?{_ASKING} (?={_HELPING}\b)", re.IGNORECASE)
_REUSED = re.compile(rf"(?:where|when|why|how|who|whom) (?={_HELPING}\b)|(?={_HELPING}\b)", re.IGNORECASE)
_SPAN = re.compile(r"\b(?:between|both|compare[ds]?|differ\w*|versus|either|whether)\b", re.IGNORECASE)
_COUNTED = re.compile(rf"(?:{_PLACE} )?(?:how (?:many|much|long|far|old)|which|what)\b", re.IGNORECASE)
_VERB = 5  # words from which a question that opens so may have a verb other than a helping one
_HELPS = re.compile(rf"\b{_HELPING}\b", re.IGNORECASE)
_WITHIN = re.compile(rf"(?<=[\w,] ){_ASKING}\b", re.IGNORECASE)
_TOLD = re.compile(
    rf"(?:{_PLACE} )?{_ASKING} (?:he|she|it|they|we|you|i|people|the|a|an|his|her|its|their|to)\b", re.IGNORECASE
)
_OPEN_END = re.compile(rf"\b(?:{_PLACE}|{_HELPING}|the|a|an|{_ASKING})$", re.IGNORECASE)
_QUOTES = re.compile(r"[\"“”«»]")


class Asked(NamedTuple):
    """One question of a message: its own words, and a query that stands alone."""

    words: str
    query: str


def parts(text: str) -> tuple[Asked, ...]:
    """The questions in `text`, in order; the whole of it as one, where it asks one thing or not plainly several.

    "Who built the quay, and when did it open?" gives both; "where and when was it opened?" gives two with the same end;
    "where did it go and when?" puts the first question anew with the second's word.
    """
    if len(text) > _LONGEST:
        return (Asked(text, text),)
    found: list[str] = []
    pieces = [piece.strip() for piece in _NEXT.split(text) if piece.strip()]
    for at, piece in enumerate(pieces, start=1):
        lead = _LEAD.match(piece)
        asked = piece[lead.end() :] if lead is not None else piece
        if not _OPENS.match(asked) or (at < len(pieces) and not asked.endswith(("?", "？"))):
            return (Asked(text, text),)
        found += _joined(asked, indirect=lead is not None and lead["indirect"] is not None)
    if not 1 < len(found) <= MOST:
        return (Asked(text, text),)
    queries: list[str] = []
    for piece in found:
        queries.append(standalone(Question(piece, tuple(Turn("user", one) for one in queries))))
    return tuple(Asked(words, query) for words, query in zip(found, queries, strict=True))


def _joined(piece: str, *, indirect: bool) -> list[str]:
    """The questions of one sentence, which "and" joins; `indirect` after "tell me", where words stand otherwise."""
    if _SPAN.search(piece):
        return [piece]
    first, *rest = _AND.split(piece.rstrip(" ?？."))
    if not rest:
        return [piece]
    if _ADJUNCT.fullmatch(first) and len(rest) == 1 and _HELPED.match(rest[0]):
        return [f"{first} {_HELPED.sub('', rest[0], count=1)}?", _asked(rest[0])]
    if not _is_whole(first) or not all(_follows(other, first, indirect) for other in rest):
        return [piece]
    found = [f"{first}?"]
    for other in rest:
        ending = _REUSED.match(first)
        if not _ADJUNCT.fullmatch(other):
            found.append(_asked(other))
        elif ending is not None:
            words = first[ending.end() :]
            found.append(_asked(f"{other} {words[:1].lower()}{words[1:]}"))
        else:
            return [piece]
    return found


def _is_whole(first: str) -> bool:
    """Whether what stands before an "and" is a question with a verb and an end: not "how many ships"."""
    words = len(first.split())
    told = not _COUNTED.match(first) or words >= _VERB or bool(_HELPS.search(first))
    return words >= _LEAST and told and not _OPEN_END.search(first) and len(_QUOTES.findall(first)) % 2 == 0


def _follows(other: str, first: str, indirect: bool) -> bool:
    """Whether what stands after an "and" asks anew, and does not belong to a clause within the question before."""
    if _ADJUNCT.fullmatch(other):
        return not _WITHIN.search(first)
    if len(other.split()) == 1:
        return False
    if _WITHIN.search(first):
        return bool(_HELPED.match(other))
    return indirect or bool(_IN_ORDER.match(other)) or not _TOLD.match(other)


def _asked(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}?"
