"""OpenTelemetry traces, where an endpoint is set: a span a request, one a question, and one a stage of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from bri_qa.errors import MissingExtraError
from bri_qa.types import Answer

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter


@dataclass(frozen=True, slots=True)
class Tracing:
    """Nothing is traced without a provider."""

    provider: TracerProvider | None = None

    @classmethod
    def open(cls, endpoint: str | None) -> Tracing:
        """Traces are sent to `endpoint` in the background.

        Raises:
            MissingExtraError: an endpoint is set and OpenTelemetry is not installed.
        """
        if endpoint is None:
            return cls()
        if find_spec("opentelemetry.sdk") is None or find_spec("opentelemetry.exporter") is None:
            raise MissingExtraError("BRI_QA_OTEL_ENDPOINT needs OpenTelemetry; install it: pip install 'bri-qa[otel]'")
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        return cls.to(OTLPSpanExporter(endpoint), BatchSpanProcessor)

    @classmethod
    def to(cls, exporter: SpanExporter, processor: Any) -> Tracing:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider

        about = {"service.name": "bri_qa", "service.version": version("bri-qa")}
        provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
        provider.add_span_processor(processor(exporter))
        return cls(provider)

    @contextmanager
    def request(self, method: str) -> Iterator[dict[str, Any]]:
        """A span around a request; what is put into the mapping by its end are its attributes, `route` its name."""
        told: dict[str, Any] = {"http.request.method": method}
        if self.provider is None:
            yield told
            return
        with self.provider.get_tracer("bri_qa").start_as_current_span(method) as span:
            yield told
            span.update_name(f"{method} {told.get('http.route', '')}".strip())
            span.set_attributes(told)

    def answered(self, answer: Answer, channel: str, began: int) -> None:
        """A question that began at `began` (nanoseconds since 1970), its stages one after another; no word of it."""
        if self.provider is None:
            return
        from opentelemetry.trace import set_span_in_context

        tracer = self.provider.get_tracer("bri_qa")
        outcome = str(answer.reason) if answer.reason else "answered"
        about: dict[str, str | int] = {
            "bri_qa.channel": channel,
            "bri_qa.outcome": outcome,
            "bri_qa.rejected": len(answer.rejected),
        }
        question = tracer.start_span("question", start_time=began, attributes=about)
        for stage, seconds in answer.trace.seconds.items():
            span = tracer.start_span(stage, set_span_in_context(question), start_time=began)
            began += int(seconds * 1e9)
            span.end(began)
        question.end()

    def close(self) -> None:
        """Send what is still to be sent."""
        if self.provider is not None:
            self.provider.shutdown()
