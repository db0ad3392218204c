"""What Prometheus is told. No question, no name and no address is in it, and every label has few values."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bri_qa.errors import BriQAError
from bri_qa.types import Answer
from bri_qa.web.operation.limits import Limits
from bri_qa.web.operation.state import State
from bri_qa.web.service import Workers

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_FALLBACKS = (  # what an answer's trace says of why a language model's work was not used, in one word
    ("not_in_articles", ("stood in the articles",)),
    ("timeout", ("within", "in time", "timed out")),
    ("busy", ("already", "not asked again", "busy", "429")),
    ("broke_off", ("broke off", "no completion", "gave up")),
    ("refused", ("refused", "http ", "declined")),
    ("output_limit", ("until its limit",)),
    ("unreachable", ("reached", "connect")),
    ("rewriting", ("rewritten by rules",)),
)


class Metrics:
    """Counters and histograms of one application, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        made: dict[str, Any] = {"registry": self.registry}
        self.questions = Counter(
            "bri_qa_questions", "Questions by outcome, reason to abstain, and channel.", ["outcome", "channel"], **made
        )
        self.seconds = Histogram("bri_qa_question_seconds", "A question in whole.", buckets=_SECONDS, **made)
        self.stages = Histogram(
            "bri_qa_stage_seconds", "A question by stage.", ["stage"], buckets=_SECONDS, registry=self.registry
        )
        self.statements = Counter("bri_qa_statements", "Statements that stood.", **made)
        self.rejected = Counter("bri_qa_rejected_quotes", "Claimed quotes that did not stand.", **made)
        self.calls = Counter("bri_qa_language_model_calls", "Requests that the language model answered.", **made)
        self.tokens = Counter("bri_qa_language_model_tokens", "Tokens it read and wrote.", ["kind"], **made)
        self.cost = Counter("bri_qa_language_model_cost", "In the currency of the configured prices.", **made)
        self.fallbacks = Counter(
            "bri_qa_language_model_fallbacks", "Answers without it that it was to write, by reason.", ["reason"], **made
        )
        self.requests = Histogram(
            "bri_qa_http_request_seconds",
            "Requests by route and class of status.",
            ["method", "route", "status"],
            buckets=_SECONDS,
            registry=self.registry,
        )

    def answered(self, answer: Answer, channel: str, seconds: float) -> None:
        self.questions.labels(str(answer.reason) if answer.reason else "answered", channel).inc()
        self.seconds.observe(seconds)
        for stage, taken in answer.trace.seconds.items():
            self.stages.labels(stage).observe(taken)
        self.statements.inc(len(answer.statements))
        self.rejected.inc(len(answer.rejected))
        use = answer.trace.use
        if use is not None:
            self.calls.inc(use.calls)
            self.tokens.labels("prompt").inc(use.prompt_tokens)
            self.tokens.labels("completion").inc(use.completion_tokens)
            self.cost.inc(use.cost or 0.0)
            if use.fallback:
                self.fallbacks.labels(_fallback(use.fallback)).inc()

    def failed(self, channel: str) -> None:
        self.questions.labels("error", channel).inc()

    def page(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self.registry)


def _fallback(told: str) -> str:
    """One of a few words for what the trace says."""
    low = told.casefold()
    return next((word for word, signs in _FALLBACKS if any(sign in low for sign in signs)), "other")


class StateCollector(Collector):
    """What is looked up when it is asked for: the queue, the limits, the index."""

    def __init__(self, workers: Workers, limits: Limits, state: State) -> None:
        self.workers = workers
        self.limits = limits
        self.state = state

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily("bri_qa_queue_depth", "Questions that run or wait.", self.workers.inside)
        yield CounterMetricFamily("bri_qa_queue_refusals", "Questions without room.", self.workers.refused)
        limited = CounterMetricFamily("bri_qa_rate_limited", "Requests refused, by limit.", labels=["limit"])
        for name, count in self.limits.refused.items():
            limited.add_metric([name], count)
        yield limited
        yield from self._index()

    def _index(self) -> Iterable[Metric]:
        try:
            standing = self.state.index()
        except BriQAError:
            yield GaugeMetricFamily("bri_qa_index_usable", "Whether the index can be read.", 0)
            return
        yield GaugeMetricFamily("bri_qa_index_usable", "Whether the index can be read.", 1)
        yield GaugeMetricFamily("bri_qa_documents", "Documents in the index.", standing.documents)
        if standing.passages is not None:
            yield GaugeMetricFamily("bri_qa_passages", "Passages in the index.", standing.passages)
        if standing.built is not None:
            age = (datetime.now(UTC) - standing.built).total_seconds()
            yield GaugeMetricFamily("bri_qa_index_age_seconds", "Since the index was built.", age)
        if standing.generation is not None:
            yield GaugeMetricFamily("bri_qa_index_generation", "Number of the index's generation.", standing.generation)
