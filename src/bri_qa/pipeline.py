"""The story on one page: question, query, hits, read hits, draft, verified answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from bri_qa.answer import several
from bri_qa.citations import Verifier
from bri_qa.conversation import SMALL_TALK, Asked, Intent, doubted, intent, parts, pointed, record, standalone
from bri_qa.errors import QuestionError
from bri_qa.protocols import Answerer, Index, Reader, Rewriter, StreamingAnswerer
from bri_qa.retrieve import Retriever
from bri_qa.types import (
    AbstainReason,
    Answer,
    Answered,
    Document,
    Draft,
    Event,
    Groups,
    Hit,
    ModelUse,
    Passage,
    Progress,
    Question,
    Statement,
    StatementReady,
    Trace,
)

ON_TOPIC = 0.5  # where the hits hold half of the question's words, the articles deal with it
OnStage = Callable[[str, int], None]
T = TypeVar("T")


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

    def each(self, stage: str, items: Generator[T]) -> Iterator[T]:
        """The items, with the time that making them takes; closing this closes them."""
        end = object()
        with closing(items):
            while True:
                with self.time(stage):
                    item = next(items, end)
                if item is end:
                    return
                yield item  # type: ignore[misc]


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
    spell: Callable[[str, Index, Groups], str] = lambda query, _index, _groups: query
    shared: Callable[[str, str], float] = lambda _query, _text: 0.0  # the share of a query's words that a text holds
    rewriter: Rewriter | None = None  # of follow-ups; None: the rules of `conversation`
    top_k: int = 8
    read_first: int = 2
    abstain_below: float | None = None
    max_question_chars: int = 4_000
    max_overview_passages: int = 400

    def document(self, document_id: str, groups: Groups = None) -> Document | None:
        """The document, unless there is none or `groups` may not read it."""
        found = self.index.document(document_id)
        return found if found is not None and found.source.open_to(groups) else None

    def documents(self, groups: Groups = None) -> list[Document]:
        """All documents that `groups` may read, by id."""
        return [item for item in self.index.documents() if item.source.open_to(groups)]

    def passages(self, document_id: str, groups: Groups = None) -> tuple[Document, list[Passage]] | None:
        """A document with its passages in reading order, unless there is none or `groups` may not read it."""
        index = self.index.snapshot()
        found = index.document(document_id)
        return (found, index.passages(found.id)) if found is not None and found.source.open_to(groups) else None

    def retrieve(self, question: Question, top_k: int | None = None) -> tuple[str, list[Hit]]:
        """The standalone query and its hits, reranked, best first; at most `top_k`, or what `ask` reads of one part."""
        if top_k is not None:
            return replace(self, top_k=top_k).retrieve(question)
        self._check(question)
        index, clock = self.index.snapshot(), _Clock()
        query = self.spell(self._standalone(question, clock)[0], index, question.filters.groups)
        return query, _result(self._read(index, question, query, clock))

    def ask(self, question: Question, on_stage: OnStage | None = None) -> Answer:
        """The verified answer. `on_stage(name, count)` is told what begins, and over how many things.

        Raises:
            QuestionError: the question is empty or too long.
        """
        answers = []
        for event in self.stream(question):
            if isinstance(event, Progress) and on_stage is not None:
                on_stage(event.stage, event.total)
            elif isinstance(event, Answered):
                answers.append(event.answer)
        return answers[0]

    def stream(self, question: Question) -> Generator[Event]:
        """The same, told as it goes: what begins, each verified statement once it stands, and last the answer.

        A statement that was told stands in the answer as it is. Closing the iterator stops the work.

        Raises:
            QuestionError: the question is empty or too long; raised before the first event.
        """
        self._check(question)
        return self._events(question, intent(question.text))

    def _events(self, question: Question, wanted: Intent) -> Generator[Event]:
        if wanted in SMALL_TALK:
            meet = Draft(reason=AbstainReason.SMALL_TALK, message=SMALL_TALK[wanted], mode=self.mentions.mode)
            yield Answered(self._abstain(question, meet, (), Trace(question.text, {}, self.models)))
            return
        clock, index = _Clock(), self.index.snapshot()
        if self.rewriter is not None and question.history:
            yield Progress("rewriting")
        asked, use = self._standalone(question, clock)
        query, shown = self.spell(asked, index, question.filters.groups), self.top_k
        if wanted in self.overviews:
            answerer, hits = self.overviews[wanted], self._overview(index, question)
            yield Progress("reading", 0, len(hits))
            drafting: Generator[Progress | Statement | Draft] = self._summing(answerer, question, query, hits)
        else:
            # What a follow-up leans on stands at its end, and belongs to every part of it: it is read as one.
            leans = self.rewriter is None and asked.split() != question.text.split()
            several_asked = (Asked(query, query),) if leans else parts(query)
            found = yield from self._parts(index, question, query, several_asked, clock)
            answerer, hits = self.answerer, several.together(found)
            shown *= len(found)
            drafting = self._drafting(question, query, found, hits)
        verifier = Verifier(hits, index.document)
        draft, given = None, 0
        for item in clock.each("answer", drafting):
            if isinstance(item, Draft):
                draft = item
            elif isinstance(item, Progress):
                yield item
            else:
                given += 1
                yield from _verified([item], verifier, clock)
        draft = self._nothing(index, question) if draft is None else draft
        draft, verifier.hits = record.told(draft, question, hits, index)
        if draft.use is not None:
            use = draft.use if use is None else use + draft.use
        trace = Trace(query, clock.seconds, self.models, use, draft.unanswered)
        rest = draft.statements[given:]
        if rest:
            yield Progress("checking", 0, sum(len(statement.quotes) for statement in rest))
        yield from _verified(rest, verifier, clock)
        yield Answered(self._answer(question, draft, verifier, trace, draft.mode or answerer.mode, shown))

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

    def _standalone(self, question: Question, clock: _Clock) -> tuple[str, ModelUse | None]:
        if self.rewriter is None or not question.history:
            return pointed(standalone(question)), None
        with clock.time("rewrite"):
            return self.rewriter.rewrite(question)

    def _parts(
        self, index: Index, question: Question, query: str, wanted: Sequence[Asked], clock: _Clock
    ) -> Generator[Event, None, list[several.Part]]:
        """What the question asks, part by part, read and judged; as one, where it is one or no part can be answered."""
        found: list[several.Part] = []
        for asked in dict.fromkeys((tuple(wanted), (Asked(query, query),))):
            found = []
            for words, part in asked:
                hits = yield from self._read(index, question, part, clock)
                with clock.time("answer"):
                    found.append(several.Part(words, part, hits, self._judged(question, part, hits, index)))
            if not all(part.abstains for part in found):
                break
        return found

    def _read(self, index: Index, question: Question, query: str, clock: _Clock) -> Generator[Event, None, list[Hit]]:
        yield Progress("searching")
        with clock.time("embed"):
            vector = self.retriever.embed(query)
        with clock.time("retrieve"):
            candidates = self.retriever.search(index, query, vector, question.filters)[: self.top_k]
        read: list[Hit] = []
        for some in (candidates[: self.read_first], candidates[self.read_first :]):
            if some and (not read or self.reader.confidence(query, read) < self.reader.settled):
                yield Progress("reading", 0, len(some))
                with clock.time("read"):
                    readings = self.reader.read(query, some)
                read += [replace(hit, reading=reading) for hit, reading in zip(some, readings, strict=True)]
        return [*self.reader.rerank(query, read), *candidates[len(read) :]]

    def _nothing(self, index: Index, question: Question) -> Draft:
        """Why there is no hit: no article to search, or none with a word of the question."""
        scope = (question.filters.allow(item.id, item.source) for item in index.documents())
        reason = AbstainReason.OFF_TOPIC if any(scope) else AbstainReason.NO_DOCUMENTS
        return Draft(reason=reason, mode=self.mentions.mode)

    def _summing(
        self, answerer: Answerer, question: Question, query: str, hits: Sequence[Hit]
    ) -> Generator[Progress | Statement | Draft]:
        """What an overview says of passages that were not to be read: it needs no gate."""
        if hits:
            yield answerer.answer(question, query, hits)

    def _judged(self, question: Question, query: str, hits: Sequence[Hit], index: Index) -> Draft | float:
        """The confidence to answer with, or the draft that stands before an answerer is asked.

        The gate, which is the reader's and not the answerer's, may say to abstain. A keyword needs no gate: the
        sentences that hold it are the answer.
        """
        if not hits:
            return self._nothing(index, question)
        mentioned = self.mentions.answer(question, query, hits)
        if mentioned.reason is None:
            return replace(mentioned, mode=self.mentions.mode)
        confidence = doubted(self.reader.confidence(query, hits), query, hits, index)
        threshold = self.reader.threshold if self.abstain_below is None else self.abstain_below
        if confidence >= threshold:
            return confidence
        relevance = max(hit.reading.relevance for hit in hits if hit.reading is not None)
        held = self.shared(query, " ".join(hit.passage.text for hit in hits))
        on_topic = relevance >= self.reader.topic_threshold or held >= ON_TOPIC
        reason = AbstainReason.NOT_STATED if on_topic else AbstainReason.OFF_TOPIC
        return Draft(reason=reason, confidence=confidence, mode=self.mentions.mode)

    def _drafting(
        self, question: Question, query: str, found: Sequence[several.Part], hits: Sequence[Hit]
    ) -> Generator[Progress | Statement | Draft]:
        """The answerer's statements and draft for the parts that pass the gate: as they come, or part by part."""
        if not isinstance(self.answerer, StreamingAnswerer) or all(isinstance(part.judged, Draft) for part in found):
            drafts = [self._drafted(question, part) for part in found]
            yield several.combined(drafts, found) if len(drafts) > 1 else drafts[0]
            return
        yield Progress("writing")
        sure, left = several.confidence(found), several.unanswered(found)
        if left:
            answered = [part for part in found if not part.abstains]
            query, hits = " ".join(part.query for part in answered), several.together(answered)
        for item in self.answerer.stream(question, query, hits):
            told = isinstance(item, Draft) and item.reason is None
            yield replace(item, confidence=sure, unanswered=left if told else ()) if isinstance(item, Draft) else item

    def _drafted(self, question: Question, part: several.Part) -> Draft:
        if isinstance(part.judged, Draft):
            return part.judged
        return replace(self.answerer.answer(question, part.query, part.hits), confidence=part.judged)

    def _answer(
        self, question: Question, draft: Draft, verifier: Verifier, trace: Trace, mode: str, most: int
    ) -> Answer:
        """What stands of a draft, or the abstention, with at most `most` hits."""
        shown = tuple(verifier.hits[:most])
        if draft.reason is not None:
            abstained = self._abstain(question, replace(draft, mode=mode), shown, trace)
            return replace(abstained, rejected=draft.rejected)
        verified = verifier.finish(draft.short_answer)
        rejected = draft.rejected + verified.rejected
        if not verified.statements:
            failed = Draft(reason=AbstainReason.UNVERIFIED, mode=mode)
            return replace(self._abstain(question, failed, shown, trace), rejected=rejected)
        return Answer(
            question=question,
            statements=verified.statements,
            citations=verified.citations,
            short_answer=verified.short_answer,
            reason=None,
            message=None,
            confidence=draft.confidence,
            mode=mode,
            hits=shown,
            trace=trace,
            rejected=rejected,
        )

    def _abstain(self, question: Question, draft: Draft, hits: Sequence[Hit], trace: Trace) -> Answer:
        return Answer(
            question=question,
            statements=(),
            citations=(),
            short_answer=None,
            reason=draft.reason,
            message=draft.message,
            confidence=draft.confidence,
            mode=draft.mode or self.answerer.mode,
            hits=tuple(hits),
            trace=trace,
        )


def _verified(statements: Iterable[Statement], verifier: Verifier, clock: _Clock) -> Iterator[Event]:
    for statement in statements:
        with clock.time("verify"):
            cited = verifier.add(statement)
        if cited is not None:
            yield StatementReady(cited, verifier.of(cited))


def _result(work: Generator[object, None, T]) -> T:
    """What a generator returns, its events let go."""
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
