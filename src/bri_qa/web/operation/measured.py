"""The pipeline with a meter on it: what it answers is counted, traced and, if that is wanted, logged."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass

from bri_qa.errors import InputError
from bri_qa.types import Answer, Answered, Document, Event, Groups, Hit, Passage, Question
from bri_qa.web.operation import channels
from bri_qa.web.operation.metrics import Metrics
from bri_qa.web.operation.tracing import Tracing
from bri_qa.web.service import Pipeline

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Measured:
    """Answers as `pipeline` does. `log_questions`: the questions are written into the log."""

    pipeline: Pipeline
    metrics: Metrics
    tracing: Tracing
    log_questions: bool = False

    def ask(self, question: Question) -> Answer:
        with closing(self.stream(question)) as events:
            answers = [event.answer for event in events if isinstance(event, Answered)]
        return answers[0]

    def stream(self, question: Question) -> Generator[Event]:
        channel, start, began = channels.current.get(), time.perf_counter(), time.time_ns()
        try:
            stream = self.pipeline.stream(question)
        except Exception as error:
            self._failed(error, channel)
            raise
        return self._told(stream, channel, start, began)

    def _told(self, stream: Generator[Event], channel: str, start: float, began: int) -> Generator[Event]:
        try:
            with closing(stream):
                for event in stream:
                    if isinstance(event, Answered):
                        self._answered(event.answer, channel, time.perf_counter() - start, began)
                    yield event
        except Exception as error:
            self._failed(error, channel)
            raise

    def _answered(self, answer: Answer, channel: str, seconds: float, began: int) -> None:
        self.metrics.answered(answer, channel, seconds)
        self.tracing.answered(answer, channel, began)
        asked = {"question": answer.question.text} if self.log_questions else {}
        outcome = str(answer.reason) if answer.reason else "answered"
        extra = {"channel": channel, "outcome": outcome, "ms": round(seconds * 1000), **asked}
        log.info("question", extra=extra)

    def _failed(self, error: Exception, channel: str) -> None:
        """What was asked wrongly is no failure of ours."""
        if not isinstance(error, InputError):
            self.metrics.failed(channel)

    def document(self, document_id: str, groups: Groups) -> Document | None:
        return self.pipeline.document(document_id, groups)

    def documents(self, groups: Groups) -> list[Document]:
        return self.pipeline.documents(groups)

    def passages(self, document_id: str, groups: Groups) -> tuple[Document, list[Passage]] | None:
        return self.pipeline.passages(document_id, groups)

    def retrieve(self, question: Question, top_k: int | None) -> tuple[str, list[Hit]]:
        return self.pipeline.retrieve(question, top_k)
