"""What a question's wording asks of the sentences that are to answer it. Plain rules, no model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from bri_qa.answer.cited import Sentence, is_whole
from bri_qa.answer.wording import content
from bri_qa.types import Span

BARE, ASKING = 0.5, 0.25  # of its score: what a heading keeps, and a sentence that asks itself
MOSTLY = 0.5  # share of a yes-or-no question's words from which a sentence is held to be about just that
OTHER_NUMBER = 0.2  # of its score: what a sentence keeps that lacks the year that is asked for, where others hold it

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_LEADING = re.compile(r"^\W*(?:(?:and|but|so|then|or|also|please|tell me|well)\W+)*", re.IGNORECASE)
_YES_NO = re.compile(
    r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|must)\s+(?!you\b)", re.IGNORECASE
)
_CHOICE = re.compile(
    r"\b(?:which|who|what|whose|whether|is|are|was|were|do|does|did)\b.*\b(?:\w+er|more|less|better|worse)\b.*\bor\b",
    re.IGNORECASE,
)
_SEVERAL = re.compile(r"\b(?:which|what|list|name|all)\s+(?:\w+\s+){0,2}?\w{3,}(?<!s)s\b", re.IGNORECASE)
_CLAUSE = re.compile(r";\s+|,\s+(?:while|whereas|but|of which)\s+")
_PART = re.compile(r"[;,]\s+|\s+and\s+")
_YEAR = re.compile(r"\b(?:1[0-9]|20)\d\d\b")
_PLACE = r"(?:the )?[A-Z][\w’'-]*(?: (?:(?:of|the|and the) )?[A-Z][\w’'-]*)*"
_SERIES = re.compile(rf"{_PLACE}(?:, {_PLACE})*,? (?:and|or) {_PLACE}")
_POINTING = re.compile(r"\b(?:he|she|they|his|her|their)\b", re.IGNORECASE)
_CAPITAL = re.compile(r"(?<![.!?:“\"] )(?<!^)(?<![“\"])\b[A-Z][\w’'-]+")


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of a query, and what kind of answer its wording allows."""

    query: str

    @property
    def words(self) -> frozenset[str]:
        return words(self.query)

    @property
    def yes_no(self) -> bool:
        """Whether only yes or no would answer it: no span of an article can."""
        return bool(_YES_NO.match(self.query, _LEADING.match(self.query).end()))  # type: ignore[union-attr]

    @property
    def choice(self) -> bool:
        """Whether it has two things compared: a span of an article rather gives what one of them is."""
        return bool(_CHOICE.search(self.query))

    @property
    def several(self) -> bool:
        """Whether it asks for more than one thing: "which countries"."""
        return bool(_SEVERAL.search(self.query))

    def share(self, text: str) -> float:
        """The share of its words that `text` holds, in [0, 1]."""
        wanted = self.words
        return len(wanted & words(text)) / len(wanted) if wanted else 1.0

    def numbers(self, texts: Iterable[str]) -> frozenset[str]:
        """The years and other numbers of the query that one of `texts` holds at least."""
        return frozenset(_NUMBER.findall(self.query)) & {number for text in texts for number in _NUMBER.findall(text)}

    def weights(self, sentences: Sequence[Sentence]) -> list[float]:
        """How much of its score each sentence keeps, in [0, 1]."""
        numbers = self.numbers(item.text for item in sentences)
        shares = [self.share(item.text) if self.yes_no else 1.0 for item in sentences]
        if max(shares, default=0.0) < MOSTLY:
            shares = [1.0] * len(shares)
        return [self._weight(item, numbers) * share for item, share in zip(sentences, shares, strict=True)]

    def _weight(self, sentence: Sentence, numbers: frozenset[str]) -> float:
        text = sentence.text
        weight = 1.0 if is_whole(sentence) else BARE
        if text.rstrip("”\"’')").endswith(("?", "？")):
            weight *= ASKING
        if numbers and numbers.isdisjoint(_NUMBER.findall(text)):
            weight *= OTHER_NUMBER
        return weight

    def short(self, text: str, span: Span) -> Span | None:
        """The short answer within the sentence `text` that the best `span` in it allows; None if it allows none."""
        if self.yes_no or self.choice or self._elsewhere(text, span) or self._of_other_year(text, span):
            return None
        series = (Span(*match.span()) for match in _SERIES.finditer(text))
        whole = next((one for one in series if one.overlaps(span)), None)
        if whole is not None and self.several and not span.of(text)[:1].isdigit():
            return Span(min(whole.start, span.start), max(whole.end, span.end))
        return span

    def _elsewhere(self, text: str, span: Span) -> bool:
        """Whether another clause of the sentence says more of what is asked than the clause that holds the span."""
        clauses = _parts(_CLAUSE, text)
        told = [self.share(one.of(text)) for one in clauses if one.overlaps(span)]
        other = [self.share(one.of(text)) for one in clauses if not one.overlaps(span)]
        return bool(told and other) and max(other) > max(told)

    def _of_other_year(self, text: str, span: Span) -> bool:
        """Whether the part of the sentence that holds the span gives another year than the query does."""
        wanted = frozenset(_YEAR.findall(self.query))
        part = next((one for one in _parts(_PART, text) if one.overlaps(span)), span).of(text)
        years = frozenset(_YEAR.findall(part)) - frozenset(_YEAR.findall(span.of(text)))
        return bool(wanted and years) and wanted.isdisjoint(years)


def _parts(bounds: re.Pattern[str], text: str) -> list[Span]:
    ends = [0, *(match.end() for match in bounds.finditer(text)), len(text)]
    return [Span(a, b) for a, b in pairwise(ends)]


def leans(sentence: Sentence, before: Sentence, asked: Asked) -> bool:
    """Whether a sentence speaks of somebody whom the question names, and only the sentence before says of whom."""
    named = {name.casefold() for name in _CAPITAL.findall(asked.query)}
    here = sentence.text.casefold()
    told = any(name in here for name in named)
    return bool(
        not told
        and _POINTING.search(sentence.text)
        and not _CAPITAL.search(sentence.text)
        and any(name in before.text.casefold() for name in named)
    )


@lru_cache(maxsize=4_096)
def words(text: str) -> frozenset[str]:
    """The stems of its content words, and its numbers."""
    return content(text) | frozenset(re.findall(r"\d+", text))
