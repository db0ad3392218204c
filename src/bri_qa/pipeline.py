"""The story on one page: question, query, hits, read hits, draft, verified answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from bri_qa.citations import verify
from bri_qa.conversation import Intent, intent, standalone
from bri_qa.errors import QuestionError
from bri_qa.protocols import Answerer, Index, Reader
from bri_qa.retrieve import Retriever
from bri_qa.types import AbstainReason, Answer, Document, Draft, Hit, Question, Trace

OnStage = Callable[[str, int], None]

SMALL_TALK = {
    Intent.GREETING: "Hello. Ask me a question about the articles: every answer comes with quotes that you can open.",
    Intent.THANKS: "You are welcome. Ask on whenever you like.",
    Intent.FAREWELL: "Goodbye.",
    Intent.HELP: "I answer questions from the articles in this collection, and prove each answer with quotes cut from "
    "them. Try a question in plain words, a keyword, “Summarise the article” or “Who is quoted?”. When the articles do "
    "not say, I tell you so.",
}


def _silent(stage: str, count: int) -> None:
    del stage, count


@dataclass(slots=True)
class _Clock:
    """Seconds by stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start


@dataclass(frozen=True)
class QAPipeline:
    """Answers questions over one index. Thread-safe as far as its parts are; keeps no state of a conversation."""

    index: Index
    retriever: Retriever
    reader: Reader
    answerer: Answerer
    overviews: Mapping[Intent, Answerer]
    mentions: Answerer
    models: Mapping[str, str]
    spell: Callable[[str, Index], str] = lambda query, _: query
    top_k: int = 8
    read_first: int = 2
    abstain_below: float | None = None
    max_question_chars: int = 4_000
    max_overview_passages: int = 400

    def document(self, document_id: str) -> Document | None:
        return self.index.document(document_id)

    def documents(self) -> list[Document]:
        """All documents, by id."""
        return self.index.documents()

    def retrieve(self, question: Question) -> tuple[str, list[Hit]]:
        """The standalone query and its hits, reranked, best first."""
        self._check(question)
        index = self.index.snapshot()
        query = self.spell(standalone(question), index)
        return query, self._read(index, question, query, _Clock(), _silent)

    def ask(self, question: Question, on_stage: OnStage | None = None) -> Answer:
        """The verified answer. `on_stage(name, count)` is told what begins, and over how many things.

        Raises:
            QuestionError: the question is empty or too long.
        """
        self._check(question)
        on_stage = on_stage or _silent
        wanted = intent(question.text)
        if wanted in SMALL_TALK:
            draft = Draft(reason=AbstainReason.SMALL_TALK, message=SMALL_TALK[wanted])
            return self._abstain(question, draft, (), Trace(question.text, {}, self.models))
        clock = _Clock()
        index = self.index.snapshot()
        query = self.spell(standalone(question), index)
        if wanted in self.overviews:
            answerer, hits = self.overviews[wanted], self._overview(index, question)
            on_stage("reading", len(hits))
        else:
            answerer, hits = self.answerer, self._read(index, question, query, clock, on_stage)
        with clock.time("answer"):
            draft = self._draft(answerer, question, query, hits) if hits else self._nothing(index, question)
        shown = hits[: self.top_k]
        trace = Trace(query, clock.seconds, self.models)
        if draft.reason is not None:
            return self._abstain(question, draft, shown, trace)
        on_stage("checking", sum(len(statement.quotes) for statement in draft.statements))
        with clock.time("verify"):
            verified = verify(draft, hits, index.document)
        if not verified.statements:
            failed = Draft(reason=AbstainReason.UNVERIFIED)
            return replace(self._abstain(question, failed, shown, trace), rejected=verified.rejected)
        return Answer(
            question=question,
            statements=verified.statements,
            citations=verified.citations,
            short_answer=verified.short_answer,
            reason=None,
            message=None,
            confidence=draft.confidence,
            mode=answerer.mode,
            hits=tuple(shown),
            trace=trace,
            rejected=verified.rejected,
        )

    def _check(self, question: Question) -> None:
        if not question.text.strip():
            raise QuestionError("the question is empty; type a question about the articles")
        if not any(character.isalnum() for character in question.text):
            raise QuestionError("the question has no word in it; type a question about the articles")
        if len(question.text) > self.max_question_chars:
            raise QuestionError(
                f"the question has {len(question.text)} characters, more than the {self.max_question_chars} allowed; "
                "shorten it"
            )

    def _overview(self, index: Index, question: Question) -> list[Hit]:
        """Every passage of the documents in scope, in reading order, up to a bound."""
        allowed = [item for item in index.documents() if question.filters.allow(item.id, item.source)]
        passages = (passage for item in allowed for passage in index.passages(item.id))
        return [Hit(passage, 0.0) for passage, _ in zip(passages, range(self.max_overview_passages), strict=False)]

    def _read(self, index: Index, question: Question, query: str, clock: _Clock, on_stage: OnStage) -> list[Hit]:
        on_stage("searching", 0)
        with clock.time("embed"):
            vector = self.retriever.embed(query)
        with clock.time("retrieve"):
            candidates = self.retriever.search(index, query, vector, question.filters)[: self.top_k]
        read: list[Hit] = []
        for some in (candidates[: self.read_first], candidates[self.read_first :]):
            if some and (not read or self.reader.confidence(query, read) < self.reader.settled):
                on_stage("reading", len(some))
                with clock.time("read"):
                    readings = self.reader.read(query, [hit.passage for hit in some])
                read += [Hit(hit.passage, hit.score, reading) for hit, reading in zip(some, readings, strict=True)]
        return [*self.reader.rerank(read), *candidates[len(read) :]]

    def _nothing(self, index: Index, question: Question) -> Draft:
        """Why there is no hit: no article to search, or none with a word of the question."""
        scope = (question.filters.allow(item.id, item.source) for item in index.documents())
        return Draft(reason=AbstainReason.OFF_TOPIC if any(scope) else AbstainReason.NO_DOCUMENTS)

    def _draft(self, answerer: Answerer, question: Question, query: str, hits: Sequence[Hit]) -> Draft:
        """The answerer's draft, unless the gate, which is the reader's and not the answerer's, says to abstain.

        A keyword needs no gate: the sentences that hold it are the answer. Nor do hits that were not to be read.
        """
        if hits[0].reading is None:
            return answerer.answer(question, query, hits)
        mentioned = self.mentions.answer(question, query, hits)
        if mentioned.reason is None:
            return mentioned
        confidence = self.reader.confidence(query, hits)
        threshold = self.reader.threshold if self.abstain_below is None else self.abstain_below
        if confidence < threshold:
            relevance = max(hit.reading.relevance for hit in hits if hit.reading is not None)
            on_topic = relevance >= self.reader.topic_threshold
            reason = AbstainReason.NOT_STATED if on_topic else AbstainReason.OFF_TOPIC
            return Draft(reason=reason, confidence=confidence)
        draft = answerer.answer(question, query, hits)
        return replace(draft, confidence=confidence)

    def _abstain(self, question: Question, draft: Draft, hits: Sequence[Hit], trace: Trace) -> Answer:
        return Answer(
            question=question,
            statements=(),
            citations=(),
            short_answer=None,
            reason=draft.reason,
            message=draft.message,
            confidence=draft.confidence,
            mode=self.answerer.mode,
            hits=tuple(hits),
            trace=trace,
        )
