"""Citation recall and precision in ALCE's meaning, decided by spans.

ALCE (Gao et al. 2023, “Enabling Large Language Models to Generate Text with Citations”, section 4) asks of each
statement whether its citations together support it (recall), and of each citation whether it is needed: it supports
the statement alone, or without it the others do not (precision). Where ALCE asks a language model what supports what,
gold evidence decides here: citations support a statement if together they hold a gold quote, or lie within one.
"""

from __future__ import annotations

from collections.abc import Sequence

from bri_qa.evaluation.cases import Evidence
from bri_qa.evaluation.metrics import COVERED, covered_share, mean
from bri_qa.types import Answer, Citation


def alce(answer: Answer, evidence: Sequence[Evidence]) -> dict[str, float]:
    """`alce_citation_recall` over the statements and `alce_citation_precision` over their citations."""
    recalls: list[float] = []
    needed: list[float] = []
    for statement in answer.statements:
        cited = [answer.citations[number - 1] for number in statement.citations]
        supported = supports(cited, evidence)
        recalls.append(float(supported))
        needed += [float(supported and _needed(place, cited, evidence)) for place in range(len(cited))]
    return {"alce_citation_recall": mean(recalls), "alce_citation_precision": mean(needed)}


def supports(cited: Sequence[Citation], evidence: Sequence[Evidence]) -> bool:
    """Whether `cited` hold at least one gold quote to 80 % of its letters, or lie within one to 80 % of theirs."""
    return any(_held(cited, gold) or any(_within(citation, gold) for citation in cited) for gold in evidence)


def _needed(place: int, cited: Sequence[Citation], evidence: Sequence[Evidence]) -> bool:
    others = [*cited[:place], *cited[place + 1 :]]
    return supports([cited[place]], evidence) or not supports(others, evidence)


def _held(cited: Sequence[Citation], gold: Evidence) -> bool:
    if gold.whole:
        return False
    spans = [citation.span for citation in cited if citation.document_id == gold.document_id]
    return covered_share(gold.quote, gold.spans, spans) >= COVERED


def _within(citation: Citation, gold: Evidence) -> bool:
    if citation.document_id != gold.document_id:
        return False
    return covered_share(citation.quote, [citation.span], gold.spans) >= COVERED
