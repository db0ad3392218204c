"""A long message brought to its point: the question in it, without what is told around it. Plain words, no model."""

from __future__ import annotations

import re

from bri_qa.conversation.followup import ASKING, HELPING

_LONG = 30  # words; a shorter message is left as it is
_LEAST = 3  # words of some length that a question must have to stand on its own
_CLAUSE = re.compile(r"(?<=[.?!;])\s+|(?<=[a-z]):\s+|\n+")
_ASKING = rf"(?:{'|'.join(sorted(ASKING))}|whether)"
_OPENS = re.compile(
    rf"(?:{_ASKING}|(?:in|on|at|by|for|from|to|of|with|about|under) {_ASKING}|{'|'.join(sorted(HELPING))})\b",
    re.IGNORECASE,
)
_WISH = re.compile(
    rf"\b(?:know|ask|asking|wonder|wondering|tell me|find out|learn|understand|question is)\b[^.?!;]*?"
    rf"\b(?={_ASKING}\b)",
    re.IGNORECASE,
)
_LEAD = re.compile(r"^(?:and|but|so|also|then|now|well|please|my question|in short)[\s,:]+", re.IGNORECASE)
_THANKS = re.compile(r",?\s*(?:many thanks|thanks?|thank you|please|cheers)\b[^?]{0,40}$", re.IGNORECASE)
_LEANING = re.compile(r"\b(?:it|its|he|she|him|her|his|they|them|their|this|these|those|there)\b", re.IGNORECASE)
_TOLD = re.compile(r"\b(?:article|articles|text|give|gives|tell|tells|say|says|does|what|which|that|have|with|from)\b")


def pointed(text: str) -> str:
    """The last question of a long message; the message itself where it is short, or has none that stands alone."""
    if len(text.split()) <= _LONG:
        return text
    clauses = [clause.strip() for clause in _CLAUSE.split(text) if clause.strip()]
    for clause in reversed(clauses):
        asked = _question(clause)
        if asked is not None and len(asked.split()) < len(text.split()) and _stands(asked):
            return asked
    return text


def _question(clause: str) -> str | None:
    """What a clause asks, outright or by the way: "… I would like to know how long it took, thanks"."""
    bare = _LEAD.sub("", clause)
    if bare.endswith("?") and _OPENS.match(bare):
        return bare
    wishes = list(_WISH.finditer(clause))
    if not wishes:
        return None
    return _THANKS.sub("", clause[wishes[-1].end() :]).rstrip(" .!,?") + "?"


def _stands(asked: str) -> bool:
    """Whether a question says itself what it is about."""
    words = re.findall(r"\w{4,}", _TOLD.sub(" ", asked.lower()))
    return len(words) >= _LEAST and not _LEANING.search(asked)
