"""A keyword is no question: the sentences that hold it are what was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import regex

from bri_qa.answer.cited import each_once
from bri_qa.types import AbstainReason, Draft, Hit, Question

_MOST_WORDS = 3
_WORD = regex.compile(r"[\p{L}\p{N}]+(?:[,.'’-][\p{L}\p{N}]+)*")
_ASKING = frozenset(
    (
        "who whom whose what which when where why how is are was were do does did can could will would should has have "
        "had tell say said says give show list name explain describe compare summarise summarize more else and but he "
        "she it they him her them his its their this that these those"
    ).split()
)


@dataclass(frozen=True, slots=True)
class MentionsAnswerer:
    """Quotes sentences that hold every word of a keyword of up to three words, in the order of the hits."""

    max_statements: int = 3

    @property
    def mode(self) -> str:
        return "extractive"

    def answer(self, question: Question, query: str, hits: Sequence[Hit]) -> Draft:
        """Abstains where the query is more than a keyword, or where no sentence holds it.

        A word is held whole or as the beginning of a longer one.
        """
        del query
        wanted = _keyword(question.text)
        holding = [item for item in each_once(hits) if wanted and _holds(item.text, wanted)]
        if not holding:
            return Draft(reason=AbstainReason.NOT_STATED)
        return Draft(tuple(item.statement() for item in holding[: self.max_statements]), confidence=1.0)


def _keyword(text: str) -> list[str]:
    """The words of a keyword, folded; none if `text` is a question or longer."""
    words = [word.casefold() for word in _WORD.findall(text)]
    asks = "?" in text or "？" in text or not _ASKING.isdisjoint(words)
    return [] if asks or len(words) > _MOST_WORDS else words


def _holds(text: str, wanted: Sequence[str]) -> bool:
    words = [word.casefold() for word in _WORD.findall(text)]
    return all(any(word == one or word.startswith(one.removesuffix("s")) for word in words) for one in wanted)
