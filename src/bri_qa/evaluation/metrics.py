"""What is measured, on plain values: words, spans, ranks, confidences. A metric that does not apply is absent, never 0.

Answer words follow SQuAD 1.1 (Rajpurkar et al. 2016, “SQuAD: 100,000+ Questions for Machine Comprehension of Text”):
exact match and token F1 after normalisation, the best over all accepted answers. Its normalisation drops ASCII
punctuation; here all of Unicode's goes, as in MLQA (Lewis et al. 2020), so that “…” and – do not count as words.
On ASCII text the two are the same. Words are parted by white space.

docs/metrics.md gives each metric's formula, its source, and when it is absent.
"""

from __future__ import annotations

import string
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence
from math import fsum

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
    "ndcg@8": "gain of gold evidence among the first 8 hits, less the later it stands, out of the best that can be",
    "evidence_coverage": "every gold quote lies in the cited quotes to 80 % or more of its characters",
    "evidence_containment": "every gold quote lies in the cited quotes to its last character",
    "evidence_coverage@3": "evidence_coverage by the first three citations alone",
    "citation_precision": "share of an answer's citations that overlap gold evidence",
    "citation_recall": "share of a case's gold quotes that are covered; 0 if it abstained",
    "alce_citation_recall": "share of an answer's statements that their citations support by gold evidence (ALCE)",
    "alce_citation_precision": "share of an answer's citations that support their statement and are needed (ALCE)",
    "statement_coverage": "share of statements whose every number, name and date stands in their quotes",
    "citation_validity": "share of all citations whose quote is the document's text at its span",
    "at_most_3_quotes": "share of answers with three quotes or fewer",
    "abstention_precision": "share of abstentions that were right",
    "abstention_recall": "share of unanswerable cases that abstained",
    "abstention_f1": "harmonic mean of the two",
    "abstention_auroc": "chance that an answerable case has more confidence than an unanswerable one; a tie is half",
    "false_abstention_rate": "share of answerable cases that abstained",
    "aurc": "share of answers that are wrong, at the mean over all levels of confidence (area under risk-coverage)",
    "calibration_error": "distance between an answer's confidence and the share that is right, by tenths (ECE)",
    "latency_p50": "seconds to answer, median",
    "latency_p90": "seconds to answer, 90th percentile",
    "latency_p95": "seconds to answer, 95th percentile",
    "latency_p99": "seconds to answer, 99th percentile",
    "throughput": "questions answered a second, one after another",
    "peak_memory_mb": "the most memory that the process held, in MB (2^20 bytes)",
}
HEADS = {
    "recall@5": "rec@5",
    "evidence_coverage": "evidence",
    "citation_precision": "cit.prec",
    "exact_match": "EM",
    "f1": "F1",
    "abstention_recall": "abst.rec",
    "false_abstention_rate": "false.abst",
}
"""What tables of parts show, with the heads of the columns."""
PERCENTILES = {"latency_p50": 0.5, "latency_p90": 0.9, "latency_p95": 0.95, "latency_p99": 0.99}
LATENCY = frozenset(PERCENTILES)
MACHINE = LATENCY | {"throughput", "peak_memory_mb"}  # they tell of the machine as much as of the product
LOWER_IS_BETTER = LATENCY | {"false_abstention_rate", "aurc", "calibration_error", "peak_memory_mb"}

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


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean of at least one value, exact for whole shares (all 1 gives 1)."""
    return fsum(values) / len(values)
