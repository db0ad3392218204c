"""A message that asks two or three things, taken apart into questions that each stand alone. Plain words, no model."""

from __future__ import annotations

import re
from typing import NamedTuple

from bri_qa.conversation.followup import standalone
from bri_qa.types import Question, Turn

MOST = 3
"""Questions that one message is taken apart into, at most; one that asks more is left whole."""

_LONGEST = 400  # characters
_LEAST = 3  # words of a question that may stand before another
_ASKING = r"(?:how|what|who|whom|whose|which|when|where|why)"
_HELPING = r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might|must)"
_PLACE = r"(?:in|on|at|by|for|from|to|of|with|about|under|since|until)"
_OPENS = re.compile(rf"(?:(?:{_PLACE} )?{_ASKING}|{_HELPING})\b", re.IGNORECASE)
_LEAD = re.compile(
    r"^(?:(?:and|but|so|also|then|now|well|please|first|second|secondly|finally)[\s,:]+)*"
    rf"(?:(?:(?:can|could|would) you )?(?:please )?(?:tell me|say|explain)[\s,]+(?={_ASKING}\b)"
    r"|i (?:would like|want|need) to know[\s,]+)?",
    re.IGNORECASE,
)
_NEXT = re.compile(r"(?<=[?？])\s*(?=\S)")
_AND = re.compile(  # after a comma alone only what is in the order of a question: not "…, when asked about it"
    rf"(?:,?\s+and(?:\s+also)?\s+(?=(?:{_PLACE} )?{_ASKING}\b)"
    rf"|[,;]\s+(?=(?:{_PLACE} )?(?:{_ASKING} {_HELPING}|how (?:many|much|long|far|old))\b))",
    re.IGNORECASE,
)
_ADJUNCT = re.compile(rf"(?:when|where|why|how|(?:{_PLACE} )(?:whom|which|what|when|where))", re.IGNORECASE)
_HELPED = re.compile(rf"(?:(?:{_PLACE} )?{_ASKING}) (?={_HELPING}\b)", re.IGNORECASE)
_SPAN = re.compile(r"\b(?:between|both|compare[ds]?|differ\w*|versus|either|whether)\b", re.IGNORECASE)
_COUNTED = re.compile(r"(?:how (?:many|much)|which|what)\b", re.IGNORECASE)
_VERB = 5  # words from which a question that opens so may have a verb other than a helping one
_HELPS = re.compile(rf"\b{_HELPING}\b", re.IGNORECASE)
_RELATIVE = re.compile(r"(?<=\w )(?:who|which|whose|whom|where|when|what)\b", re.IGNORECASE)


class Asked(NamedTuple):
    """One question of a message: its own words, and a query that stands alone."""

    words: str
    query: str


def parts(text: str) -> tuple[Asked, ...]:
    """The questions in `text`, in order; the whole of it as one, where it asks one thing or not plainly several.

    "Who built the quay, and when did it open?" gives both; "where and when was it opened?" gives two with the same end;
    "who built it and when?" puts the first question anew with the second's word.
    """
    if len(text) > _LONGEST:
        return (Asked(text, text),)
    asked = [_LEAD.sub("", piece.strip(), count=1) for piece in _NEXT.split(text) if piece.strip()]
    if not all(_is_question(piece, last=at == len(asked) - 1) for at, piece in enumerate(asked)):
        return (Asked(text, text),)
    found: list[str] = []
    for piece in asked:
        found += _joined(piece)
    if not 1 < len(found) <= MOST:
        return (Asked(text, text),)
    queries: list[str] = []
    for piece in found:
        queries.append(standalone(Question(piece, tuple(Turn("user", one) for one in queries))))
    return tuple(Asked(words, query) for words, query in zip(found, queries, strict=True))


def _is_question(piece: str, last: bool) -> bool:
    return bool(_OPENS.match(piece)) and (last or piece.endswith(("?", "？")))


def _joined(piece: str) -> list[str]:
    """The questions of one sentence, which "and" joins."""
    if _SPAN.search(piece):
        return [piece]
    first, *rest = _AND.split(piece.rstrip(" ?？."))
    if not rest:
        return [piece]
    if _ADJUNCT.fullmatch(first) and len(rest) == 1 and _HELPED.match(rest[0]):
        return [f"{first} {_HELPED.sub('', rest[0], count=1)}?", f"{rest[0][:1].upper()}{rest[0][1:]}?"]
    if not _is_whole(first) or any(_opening(other) in _RELATIVE.findall(first.lower()) for other in rest):
        return [piece]
    found = [f"{first}?"]
    for other in rest:
        if _ADJUNCT.fullmatch(other):
            found.append(f"{other[:1].upper()}{other[1:]} {_ending(first)}?")
        elif len(other.split()) > 1:
            found.append(f"{other[:1].upper()}{other[1:]}?")
        else:
            return [piece]
    return found


def _is_whole(first: str) -> bool:
    """Whether what stands before an "and" is a question with a verb: not "how many ships" or "what spirit"."""
    words = len(first.split())
    told = not _COUNTED.match(first) or words >= _VERB or bool(_HELPS.search(first))
    return bool(_OPENS.match(first)) and words >= _LEAST and told


def _opening(question: str) -> str:
    return question.split(maxsplit=1)[0].lower()


def _ending(question: str) -> str:
    """A question without the word that asks: "was it built" of "who was it built"."""
    opening = re.match(rf"(?:{_PLACE} )?{_ASKING} ", question, re.IGNORECASE)
    return question[opening.end() :] if opening is not None else question
