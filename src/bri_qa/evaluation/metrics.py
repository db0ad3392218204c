"""What is measured, on plain values: words, spans, ranks, confidences. A metric that does not apply is absent, never 0.

Answer words follow SQuAD 1.1 (Rajpurkar et al. 2016, “SQuAD: 100,000+ Questions for Machine Comprehension of Text”):
exact match and token F1 after normalisation, the best over all accepted answers. Its normalisation drops ASCII
punctuation; here all of Unicode's goes, as in MLQA (Lewis et al. 2020), so that “…” and – do not count as words.
On ASCII text the two are the same. Words are parted by white space.

Retrieval is computed by `ir_measures`: recall at k and the reciprocal rank of the first relevant hit.
"""

from __future__ import annotations

import string
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from math import fsum
from typing import Any

import ir_measures
import numpy as np

from bri_qa.types import Span

METRICS = {
    "exact_match": "the short answer equals an accepted one (SQuAD); over cases that got a short answer",
    "f1": "words shared with an accepted answer (SQuAD), of the short answer or else the whole text; 0 if it abstained",
    "short_answer_rate": "share of cases with accepted answers that got a short answer: what exact match is taken over",
    "answer_stated": "an accepted answer stands word for word in what was said",
    "recall@1": "share of gold evidence that overlaps the first hit",
    "recall@3": "share of gold evidence that overlaps one of the first 3 hits",
    "recall@5": "share of gold evidence that overlaps one of the first 5 hits",
    "recall@8": "share of gold evidence that overlaps one of the first 8 hits",
    "mrr": "1 / rank of the first hit that overlaps gold evidence; 0 if none does",
    "evidence_coverage": "every gold quote lies in the cited quotes to 80 % or more of its characters",
    "evidence_containment": "every gold quote lies in the cited quotes to its last character",
    "evidence_coverage@3": "evidence_coverage by the first three citations alone",
    "citation_precision": "share of an answer's citations that overlap gold evidence",
    "citation_recall": "share of a case's gold quotes that are covered; 0 if it abstained",
    "citation_validity": "share of all citations whose quote is the document's text at its span",
    "at_most_3_quotes": "share of answers with three quotes or fewer",
    "abstention_precision": "share of abstentions that were right",
    "abstention_recall": "share of unanswerable cases that abstained",
    "abstention_f1": "harmonic mean of the two",
    "abstention_auroc": "chance that an answerable case has more confidence than an unanswerable one; a tie is half",
    "false_abstention_rate": "share of answerable cases that abstained",
    "latency_p50": "seconds to answer, median",
    "latency_p95": "seconds to answer, 95th percentile",
}
LOWER_IS_BETTER = frozenset({"false_abstention_rate", "latency_p50", "latency_p95"})
LATENCY = frozenset({"latency_p50", "latency_p95"})

COVERED = 0.8
RECALL_AT = (1, 3, 5, 8)
_ARTICLES = frozenset({"a", "an", "the"})


def normalised(text: str) -> str:
    """Lower case, no punctuation, no English articles, single spaces."""
    lowered = unicodedata.normalize("NFC", text).lower()
    kept = "".join(char for char in lowered if not _punctuation(char))
    return " ".join(word for word in kept.split() if word not in _ARTICLES)


def _punctuation(char: str) -> bool:
    return char in string.punctuation or unicodedata.category(char).startswith("P")


def exact_match(given: str, accepted: Sequence[str]) -> float:
    """1 if `given`, normalised, equals one of `accepted` (at least one), else 0."""
    return float(normalised(given) in {normalised(answer) for answer in accepted})


def token_f1(given: str, accepted: Sequence[str]) -> float:
    """The best F1 over `accepted` (at least one) between bags of normalised words, in [0, 1]."""
    return max(_f1(normalised(given).split(), normalised(answer).split()) for answer in accepted)


def _f1(given: list[str], gold: list[str]) -> float:
    if not given or not gold:
        return float(given == gold)
    shared = (Counter(given) & Counter(gold)).total()
    return 2 * shared / (len(given) + len(gold))


def states(text: str, accepted: Sequence[str]) -> bool:
    """Whether the normalised words of an accepted answer stand one after another in `text`."""
    words = f" {normalised(text)} "
    return any(f" {normalised(answer)} " in words for answer in accepted)


def covered_share(quote: str, places: Sequence[Span], cited: Collection[Span]) -> float:
    """How much of `quote` lies in `cited`: the share of its non-space characters, at the best of its `places`.

    All spans are of one document; `quote` is its text at each of `places` and is not blank.
    """
    letters = [offset for offset, char in enumerate(quote) if not char.isspace()]
    inside = [
        sum(any(span.start <= place.start + offset < span.end for span in cited) for offset in letters)
        for place in places
    ]
    return max(inside) / len(letters)


def retrieval(cases: Sequence[Sequence[Sequence[bool]]]) -> list[dict[str, float]]:
    """recall@k and mrr of each case.

    `cases[i][j][r]` says whether the hit of rank r + 1 overlaps gold quote j of case i; each case has at least one
    gold quote. recall@k of a case is the mean over its quotes, so one hit may prove several of them.
    """
    recalls = iter(_judged(_RECALLS, [hits for case in cases for hits in case]))
    ranks = _judged(_RANKS, [[any(hit) for hit in zip(*case, strict=True)] for case in cases])
    scores = []
    for case, rank in zip(cases, ranks, strict=True):
        quotes = [next(recalls) for _ in case]
        scores.append({name: mean([quote[name] for quote in quotes]) for name in _RECALLS.values()} | rank)
    return scores


_RECALLS = {ir_measures.R @ k: f"recall@{k}" for k in RECALL_AT}
_RANKS = {ir_measures.RR: "mrr"}


def _judged(names: Mapping[Any, str], rankings: Sequence[Sequence[bool]]) -> list[dict[str, float]]:
    """The named measures of each ranking, whose one relevant item is the first that is true."""
    scores: list[dict[str, float]] = [{} for _ in rankings]
    if not rankings:
        return scores
    gold = [ir_measures.Qrel(str(query), "gold", 1) for query in range(len(rankings))]
    ranked = [
        ir_measures.ScoredDoc(str(query), "gold" if rank == hits.index(True) else str(rank), -float(rank))
        for query, hits in enumerate(rankings)
        if any(hits)
        for rank in range(len(hits))
    ]
    for result in ir_measures.iter_calc(list(names), gold, ranked):
        scores[int(result.query_id)][names[result.measure]] = result.value
    return scores


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    """The chance that a positive scores above a negative, a tie counting half; None if there is none of one kind.

    This is the Mann-Whitney rank statistic: with tied scores sharing their mean rank, the positives' rank sum less
    the least it could be, over the number of pairs.
    """
    if not positive or not negative:
        return None
    _, place, counts = np.unique([*positive, *negative], return_inverse=True, return_counts=True)
    mean_ranks = np.cumsum(counts) - (counts - 1) / 2
    least = len(positive) * (len(positive) + 1) / 2
    return float((mean_ranks[place[: len(positive)]].sum() - least) / (len(positive) * len(negative)))


def abstention(answerable: Sequence[bool], abstained: Sequence[bool], confidence: Sequence[float]) -> dict[str, float]:
    """How well abstentions fall on unanswerable cases; one item a case in each argument."""
    right = sum(quiet and not known for known, quiet in zip(answerable, abstained, strict=True))
    quiet, unknown, known = sum(abstained), len(answerable) - sum(answerable), sum(answerable)
    scores = {}
    if quiet:
        scores["abstention_precision"] = right / quiet
    if unknown:
        scores["abstention_recall"] = right / unknown
    if quiet or unknown:
        scores["abstention_f1"] = 2 * right / (quiet + unknown)
    if known:
        scores["false_abstention_rate"] = (quiet - right) / known
    pairs = list(zip(answerable, confidence, strict=True))
    area = auroc([score for known, score in pairs if known], [score for known, score in pairs if not known])
    return scores if area is None else scores | {"abstention_auroc": area}


def latency(seconds: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile, interpolated between neighbours."""
    if not seconds:
        return {}
    return {"latency_p50": float(np.percentile(seconds, 50)), "latency_p95": float(np.percentile(seconds, 95))}


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean of at least one value, exact for whole shares (all 1 gives 1)."""
    return fsum(values) / len(values)
