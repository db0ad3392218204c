"""A keyword is no question: the sentences that hold it are what was asked for. So it is with "what is said of it"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import regex

from bri_qa.answer.cited import Sentence, each_once, is_whole, same_words
from bri_qa.types import AbstainReason, Draft, Hit, Question

_MOST_WORDS = 3
_LONGEST = 200  # characters; a longer message asks for more than a keyword
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+(?:[,.'’][\p{L}\p{M}\p{N}]+)*")
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}]")  # scripts with no word bounds
_STEM = 4  # letters from which a word may stand for its longer forms
_ENDING = 3  # letters that a longer form may add
_ASKING = frozenset(
    (
        "who whom whose what which when where why how is are was were do does did can could will would should has have "
        "had tell say said says give show list name explain describe compare summarise summarize more else he "
        "she it they him her them his its their this that these those"
    ).split()
)
_TEXTS = (
    r"(?:(?:the|this|that|these|those|your|any|all|whole|given|other|news|stored)\s+)*"
    r"(?:articles?|texts?|documents?|reports?|stor(?:y|ies)|pieces?|pages?|sources?|corpus|collection|it|they|you)"
)
_OF = r"(?:about|regarding|concerning)\s+(?P<topic>.+?)"
_IN = rf"(?:\s+(?:in|by|from|here in)\s+{_TEXTS}|\s+here|\s+please)*[\s?!.？！。]*"
_ABOUT = regex.compile(
    r"(?:(?:and|so|well|please|ok(?:ay)?)\W+)*(?:"
    rf"what(?:\s+else)?\s+(?:do|does|did|can)\s+{_TEXTS}\s+(?:say|tell|mention|write|report|state|know|have|contain)"
    rf"(?:\s+(?:us|me|to say|to tell))?\s+{_OF}"
    rf"|what(?:\s+else)?\s+(?:is|are|was|were)\s+(?:said|written|told|reported|stated|known|mentioned)"
    rf"(?:\s+in\s+{_TEXTS}|\s+here)?\s+{_OF}"
    rf"|(?:(?:can|could|would)\s+you\s+)?(?:please\s+)?(?:tell|show|give)\s+(?:me|us)\s+"
    rf"(?:(?:some\s+)?(?:more|something|anything|everything|all|information)\s+)?{_OF}"
    rf"|(?:is\s+there\s+|(?:do|does|did)\s+{_TEXTS}\s+(?:say|have)\s+)?(?:any\s+|some\s+)?"
    rf"(?:anything|something|information|news|more)\s+(?:on\s+(?P<topic>.+?)|{_OF})"
    rf"){_IN}",
    regex.IGNORECASE,
)
_LINKS = frozenset("and or of the a an in on for to with at by".split())  # of a keyword: they need not be held


@dataclass(frozen=True, slots=True)
class MentionsAnswerer:
    """Quotes sentences that hold every word of a keyword of up to three words, in the order of the hits.

    "What do the articles say about it?" is such a keyword, too.
    """

    max_statements: int = 3

    @property
    def mode(self) -> str:
        return "extractive"

    def answer(self, question: Question, query: str, hits: Sequence[Hit]) -> Draft:
        """Abstains where the query is more than a keyword, or where no sentence holds it.

        A word of four letters and more stands for its longer forms too. Headings only count where no sentence does.
        """
        del question
        wanted = _keyword(query)
        holding = [item for item in each_once(hits) if wanted and _holds(item.text, wanted)]
        if not holding:
            return Draft(reason=AbstainReason.NOT_STATED)
        told = _different([item for item in holding if is_whole(item)] or holding)
        return Draft(tuple(item.statement() for item in told[: self.max_statements]), confidence=1.0)


def _different(sentences: Sequence[Sentence]) -> list[Sentence]:
    kept: list[Sentence] = []
    for item in sentences:
        if not any(same_words(item.text, other.text) for other in kept):
            kept.append(item)
    return kept


def _words(text: str) -> list[str]:
    return [word.casefold().replace("’", "'") for word in _WORD.findall(text)]


def _keyword(text: str) -> list[str]:
    """The words of a keyword, folded, without links; none if `text` is a question or longer.

    What asks for no more than all that is said of something is that keyword.
    """
    about = _ABOUT.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    text = about["topic"] if about is not None else text
    words = [word for word in _words(text) if word not in _LINKS]
    asks = "?" in text or "？" in text or not _ASKING.isdisjoint(words)
    return [] if asks or len(words) > _MOST_WORDS else words


def _holds(text: str, wanted: Sequence[str]) -> bool:
    words = _words(text)
    return all(
        one in text.casefold() if _UNSPACED.search(one) else any(_is_form(word, one) for word in words)
        for one in wanted
    )


def _is_form(word: str, wanted: str) -> bool:
    """Whether `word` is `wanted`, its plural or possessive, or a form of it that is a little longer."""
    if word.removesuffix("'s") == wanted.removesuffix("'s"):
        return True
    stem = wanted.removesuffix("s")
    return len(stem) >= _STEM and word.startswith(stem) and len(word) - len(stem) <= _ENDING
