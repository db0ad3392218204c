"""Who is quoted: each person to whom an article gives words, with the sentence in which it first does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import regex

from bri_qa.answer.cited import Sentence, each_once
from bri_qa.types import AbstainReason, Draft, Hit, Question, Statement

_VERB = (
    r"(?:said|says|stated|states|told|adds?|added|notes?|noted|explains?|explained|believes?|believed|argues?|argued|"
    r"suggests?|suggested|reveals?|revealed|announces?|announced|warns?|warned|remarks?|remarked|claims?|claimed|"
    r"emphasi[sz]e[sd]?|stresse[sd]|pointed out|points out|analy[sz]e[sd]|comments?|commented|declares?|declared|"
    r"observed|recalled|predicts?|predicted|urges?|urged|acknowledged|admitted|disclosed|replied|wrote|writes)"
)
_WORD = r"\p{Lu}[\p{L}’'.-]*"
_NAME = rf"(?P<name>{_WORD}(?: (?:de|da|van|von|bin|al|el|{_WORD})){{1,3}})"
_OFFICE = r"(?:, [^.;:!?“”\"]{3,160})?"  # what stands between a name and its verb: the office held
_PATTERNS = (
    regex.compile(rf"(?<![\p{{L}}\d] ){_NAME}{_OFFICE},? (?:(?:also|further|then|later) )?{_VERB}\b"),
    regex.compile(rf"\b(?:{_VERB}|according to|in the words of) {_NAME}"),
)
_NO_PERSON = frozenset(
    (
        "ministry commission department bank fund alliance centre center council university institute company group "
        "corporation association agency office times news press network bureau committee forum initiative road "
        "government party union nations republic organization organisation academy school court parliament congress "
        "society federation foundation federal national international the this these that but and according in on at"
    ).split()
)
_MOST = 12


@dataclass(frozen=True, slots=True)
class SpeakersAnswerer:
    """Lists the speakers of the articles in reading order."""

    @property
    def mode(self) -> str:
        return "extractive"

    def answer(self, question: Question, query: str, hits: Sequence[Hit]) -> Draft:
        """`hits` are all passages in scope, in reading order; they need not be read."""
        del question, query
        statements: dict[str, Statement] = {}
        for sentence in each_once(hits):
            name = speaker(sentence)
            if name and not any(name in known or known in name for known in statements):
                statements[name] = sentence.statement()
        if not statements:
            return Draft(reason=AbstainReason.NOT_STATED, message="No person is quoted by name in these articles.")
        return Draft(tuple(statements.values())[:_MOST], confidence=1.0)


def speaker(sentence: Sentence) -> str | None:
    """The name of the person who speaks in a sentence, if one does."""
    text = " ".join(sentence.text.split())
    for pattern in _PATTERNS:
        for match in pattern.finditer(text, overlapped=True):
            name: str = match["name"].removesuffix("’s").removesuffix("'s").rstrip(".,")
            if not _NO_PERSON.intersection(name.lower().split()):
                return name
    return None
