"""Citation recall and precision in ALCE's meaning."""

from __future__ import annotations

import pytest

from bri_qa.evaluation.cases import Evidence
from bri_qa.evaluation.support import alce
from bri_qa.types import Answer, Citation, CitedStatement, Question, Source, Span, Trace

TEXT = "The quay is long. It was built in 1840. The owner is Ada Holm. It rains."


def cited(number: int, quote: str, document_id: str = "port") -> Citation:
    start = TEXT.index(quote)
    return Citation(number, document_id, Span(start, start + len(quote)), quote, Source("Port"), "0" * 64)


def answer(statements: list[list[int]], *quotes: str) -> Answer:
    return Answer(
        question=Question("?"),
        statements=tuple(CitedStatement("So it is.", tuple(numbers)) for numbers in statements),
        citations=tuple(cited(number, quote) for number, quote in enumerate(quotes, start=1)),
        short_answer=None,
        reason=None,
        message=None,
        confidence=1.0,
        mode="extractive",
        hits=(),
        trace=Trace("?", {}, {}),
    )


def gold(quote: str, document_id: str = "port") -> Evidence:
    start = TEXT.index(quote)
    return Evidence(document_id, quote, (Span(start, start + len(quote)),))


LONG, BUILT, OWNER, RAINS = "The quay is long.", "It was built in 1840.", "The owner is Ada Holm.", "It rains."


@pytest.mark.parametrize(
    ("given", "evidence", "recall", "precision"),
    [
        (answer([[1]], BUILT), [gold("built in 1840")], 1, 1),
        (answer([[1]], RAINS), [gold("built in 1840")], 0, 0),
        (answer([[1], [2]], BUILT, RAINS), [gold("built in 1840")], 1 / 2, 1 / 2),
        (answer([[1, 2]], BUILT, RAINS), [gold("built in 1840")], 1, 1 / 2),  # the second alone supports nothing
        (answer([[1, 2]], LONG, BUILT), [gold(f"{LONG} {BUILT}")], 1, 1),  # parts of one gold quote
        (answer([[1, 2]], "quay is", "built in"), [gold(f"{LONG} {BUILT}")], 1, 1),  # each lies within it
        (answer([[1, 2]], "was built", "in 1840."), [gold("built in")], 1, 1),  # together they hold it
        (answer([[1]], "was built in"), [gold("built in 1840")], 0, 0),  # neither the whole nor within
        (answer([[1]], BUILT), [gold("built in 1840", "other")], 0, 0),
        (answer([[1], [1]], OWNER), [gold("Ada Holm"), gold("built in 1840")], 1, 1),  # one gold quote is enough
        (answer([[1]], OWNER), [Evidence("port", "", (Span(0, len(TEXT)),), whole=True)], 1, 1),
        (answer([[1]], OWNER), [Evidence("other", "", (Span(0, len(TEXT)),), whole=True)], 0, 0),
    ],
)
def test_alce_by_spans(given: Answer, evidence: list[Evidence], recall: float, precision: float) -> None:
    assert alce(given, evidence) == {"alce_citation_recall": recall, "alce_citation_precision": precision}
