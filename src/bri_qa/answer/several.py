"""Parts of one question, each read and judged for itself, and the one draft that answers them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest

from bri_qa.types import Draft, Hit

EACH = 2
"""Statements that an answer of several parts gives each of them, at most."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a question in its own words and as a query, its hits, read, best first, and what is known of it.

    `judged`, before an answerer is asked, is the confidence to answer it with, in [0, 1], or the draft that needs no
    answerer: an abstention, or the sentences that hold a keyword.
    """

    words: str
    query: str
    hits: Sequence[Hit]
    judged: Draft | float

    @property
    def abstains(self) -> bool:
        return isinstance(self.judged, Draft) and self.judged.reason is not None


def together(parts: Sequence[Part]) -> list[Hit]:
    """The hits of all parts, what was read before what was not, the best of each part first, every passage once."""
    ranked = [hit for hit in chain.from_iterable(zip_longest(*(part.hits for part in parts))) if hit is not None]
    first: dict[str, Hit] = {}
    for hit in sorted(ranked, key=lambda hit: hit.reading is None):
        first.setdefault(hit.passage.id, hit)
    return list(first.values())


def unanswered(parts: Sequence[Part]) -> tuple[str, ...]:
    """The words of the parts that the articles leave open."""
    return tuple(part.words for part in parts if part.abstains)


def confidence(parts: Sequence[Part]) -> float:
    """That of an answer to them, in [0, 1]: the lowest of any part that is answered."""
    told = [part.judged for part in parts if not part.abstains]
    return min((one.confidence if isinstance(one, Draft) else one for one in told), default=0.0)


def combined(drafts: Sequence[Draft], parts: Sequence[Part]) -> Draft:
    """One draft of those of the parts: their statements in order, each once; a short answer only where one is answered.

    Where none is answered, the abstention of the first.
    """
    given = [draft for draft in drafts if draft.reason is None]
    if not given:
        return drafts[0]
    statements = dict.fromkeys(statement for draft in given for statement in draft.statements[:EACH])
    left = [part.words for part, draft in zip(parts, drafts, strict=True) if draft.reason is not None]
    return replace(
        given[0],
        statements=tuple(statements),
        short_answer=given[0].short_answer if len(given) == 1 else None,
        confidence=min(draft.confidence for draft in given),
        rejected=tuple(chain.from_iterable(draft.rejected for draft in drafts)),
        unanswered=tuple(left),
    )
