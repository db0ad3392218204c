"""One answer against its case: the scores that apply to it, and where it went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum

from bri_qa.evaluation import metrics, support
from bri_qa.evaluation.cases import Case, Documents, Evidence
from bri_qa.evaluation.ranking import Ranking, of_documents, of_quote, retrieval
from bri_qa.evaluation.statements import unproven
from bri_qa.types import Answer, Citation, Span


class Verdict(StrEnum):
    """Where a case went wrong, by the first stage that lost it; `ok` if none did.

    A case with gold quotes is `ok` if they are covered; one with accepted answers only, if the answer states one of
    them; one with judged documents only, if one of them is cited.
    """

    OK = "ok"
    NOT_RETRIEVED = "not_retrieved"  # gold evidence (or any accepted answer) is in no hit
    WRONGLY_ABSTAINED = "wrongly_abstained"  # it was among the hits, but the answer abstained
    NOT_RANKED = "not_ranked"  # no quote comes from a passage that holds it
    WRONG_SENTENCE = "wrong_sentence"  # a passage that holds it is quoted, but for other words
    WRONG_SHORT_ANSWER = (
        "wrong_short_answer"  # the quotes are right; the short answer shares no word with an accepted one
    )
    SHOULD_HAVE_ABSTAINED = "should_have_abstained"  # the articles do not answer, but an answer was given


def retrieval_scores(cases: Sequence[Case], answers: Sequence[Answer]) -> list[dict[str, float]]:
    """Retrieval scores of each case; empty where there is no gold evidence."""
    found = [_rankings(case, answer) for case, answer in zip(cases, answers, strict=True)]
    scores = iter(retrieval([item for item in found if item]))
    return [next(scores) if item else {} for item in found]


def _rankings(case: Case, answer: Answer) -> list[Ranking]:
    """One for each gold quote, and one for the judged documents if there are any."""
    passages = [hit.passage for hit in answer.hits]
    quotes = [of_quote([_holds(item.document_id, item.span, gold) for item in passages]) for gold in case.quoted]
    grades = {item.document_id: item.relevance for item in case.evidence if item.whole}
    return [*quotes, of_documents(grades, [item.document_id for item in passages])] if grades else quotes


def _holds(document_id: str, span: Span, evidence: Evidence) -> bool:
    return document_id == evidence.document_id and any(span.overlaps(place) for place in evidence.spans)


def answer_scores(case: Case, answer: Answer, documents: Documents) -> dict[str, float]:
    """The scores of one answer that apply to it, without retrieval and `statement_coverage`."""
    scores: dict[str, float] = {}
    if answer.citations:
        scores["citation_validity"] = metrics.mean([_valid(item, documents) for item in answer.citations])
        scores["at_most_3_quotes"] = float(len(answer.citations) <= 3)
    if case.answers:
        scores |= _words(case, answer)
    if case.quoted:
        scores |= _proof(case, answer)
    if case.evidence and answer.citations:
        hits = [
            float(any(_holds(citation.document_id, citation.span, item) for item in case.evidence))
            for citation in answer.citations
        ]
        scores["citation_precision"] = metrics.mean(hits)
        scores |= support.alce(answer, case.evidence)
    return scores


def _valid(citation: Citation, documents: Documents) -> float:
    document = documents(citation.document_id)
    return float(document is not None and citation.span.of(document.text) == citation.quote)


def statement_scores(lacking: Sequence[Sequence[str]]) -> dict[str, float]:
    """`statement_coverage` of what `lacking_in` gave; empty if no statement has a number, name or date."""
    return {"statement_coverage": metrics.mean([float(not words) for words in lacking])} if lacking else {}


def lacking_in(answer: Answer) -> Iterator[list[str]]:
    """For each statement that has a number, name or date: those that its quotes lack, as they are written."""
    for statement in answer.statements:
        quotes = [answer.citations[number - 1].quote for number in statement.citations]
        lacking = unproven(statement.text, quotes)
        if lacking is not None:
            yield lacking


def _words(case: Case, answer: Answer) -> dict[str, float]:
    said = " ".join(statement.text for statement in answer.statements)
    short = answer.short_answer
    scores = {
        "f1": 0.0 if answer.abstained else metrics.token_f1(short or said, case.answers),
        "short_answer_rate": float(short is not None),
        "answer_stated": float(metrics.states(said, case.answers) or metrics.states(short or "", case.answers)),
    }
    if short is not None:
        scores["exact_match"] = metrics.exact_match(short, case.answers)
    return scores


def _proof(case: Case, answer: Answer) -> dict[str, float]:
    shares = list(_shares(case, answer, len(answer.citations)))
    covered = [share >= metrics.COVERED for share in shares]
    return {
        "evidence_coverage": float(all(covered)),
        "evidence_containment": float(all(share == 1 for share in shares)),
        "evidence_coverage@3": float(all(share >= metrics.COVERED for share in _shares(case, answer, 3))),
        "citation_recall": metrics.mean([float(item) for item in covered]),
    }


def _shares(case: Case, answer: Answer, first: int) -> Iterator[float]:
    """How much of each gold quote the first so many citations hold."""
    for item in case.quoted:
        cited = [citation.span for citation in answer.citations[:first] if citation.document_id == item.document_id]
        yield metrics.covered_share(item.quote, item.spans, cited)


def verdict(case: Case, answer: Answer, scores: dict[str, float]) -> Verdict:
    if not case.answerable:
        return Verdict.OK if answer.abstained else Verdict.SHOULD_HAVE_ABSTAINED
    if _proven(scores):
        missed = answer.short_answer is not None and scores.get("f1") == 0
        return Verdict.WRONG_SHORT_ANSWER if missed else Verdict.OK
    holding = _holding(case, answer)
    if not all(holding):
        return Verdict.NOT_RETRIEVED
    if answer.abstained:
        return Verdict.WRONGLY_ABSTAINED
    quoted = all(
        any(
            citation.document_id == document_id and citation.span.overlaps(span)
            for citation in answer.citations
            for document_id, span in passages
        )
        for passages in holding
    )
    return Verdict.WRONG_SENTENCE if quoted else Verdict.NOT_RANKED


def _proven(scores: dict[str, float]) -> bool:
    """By gold quotes if there are any, else by accepted answers, else by judged documents."""
    deciding = next((name for name in _DECIDING if name in scores), None)
    return deciding is not None and scores[deciding] > 0


_DECIDING = ("evidence_coverage", "answer_stated", "citation_precision")


def _holding(case: Case, answer: Answer) -> list[list[tuple[str, Span]]]:
    """For each gold quote the hits that overlap it; the hits of any judged document; with no evidence, the hits that
    state an accepted answer."""
    passages = [hit.passage for hit in answer.hits]
    if not case.evidence:
        return [[(item.document_id, item.span) for item in passages if metrics.states(item.text, case.answers)]]
    wholes = [gold for gold in case.evidence if gold.whole]
    groups = [*([gold] for gold in case.quoted), *([wholes] if wholes and not case.quoted else [])]
    return [
        [
            (item.document_id, item.span)
            for item in passages
            if any(_holds(item.document_id, item.span, gold) for gold in golds)
        ]
        for golds in groups
    ]
