"""Fluent answers by a language model: it writes statements and names sentences, and we look the sentences up.

The model is asked only after the gate has let the question through. A statement is kept if the sentences that it names
are there, and its numbers, dates, names and negation stand in them; otherwise it is dropped and the reason kept. If
nothing stands, the model is told why and asked once more; then the extractive answer is given, and says so.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from bri_qa.answer.cache import Cache, key_of
from bri_qa.answer.cited import Sentence, same_words
from bri_qa.answer.claims import LONGEST, Claim, ClaimReader
from bri_qa.answer.evidence import Budget, gathered, speaks_to_models
from bri_qa.answer.extractive import ExtractiveAnswerer
from bri_qa.answer.prompts import VERSION, Evidence, answering, repairing, schema_of
from bri_qa.answer.support import leans, names_of, unsupported
from bri_qa.answer.wording import content
from bri_qa.citations import locate
from bri_qa.errors import ChatModelError, ChatOutputError
from bri_qa.passages import sentences
from bri_qa.protocols import ChatModel, Completion, Message, Schema
from bri_qa.types import Draft, Hit, ModelUse, Question, Quote, Rejection, Statement

_NEAR = 0.1  # share of the best span's score from which a sentence is one that the reader chose
_WORDS = 3  # content words from which a statement may share none with the question
_SHORT = 3  # words up to which a wording may stand in a sentence by chance
_MEANT = 0.8  # share of its words that a sentence must hold which a statement did not name
_LEAST = 40  # tokens of sentences below which there is nothing to answer from


@dataclass(slots=True)
class _Attempt:
    """One answer in the making: what was kept, what was dropped and why, and what the model took."""

    query: str
    hits: Sequence[Hit]
    most: int
    evidence: Evidence = field(default_factory=lambda: Evidence((), {}))
    kept: list[Statement] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    use: ModelUse = field(default_factory=ModelUse)
    names: frozenset[str] = frozenset()

    def show(self, evidence: Evidence) -> None:
        """From here on these sentences are what may be named."""
        self.evidence, self.names = evidence, names_of(evidence.texts)

    @property
    def full(self) -> bool:
        return len(self.kept) >= self.most

    def take(self, claim: Claim) -> Statement | None:
        """The statement that a claim makes, if it stands and was not made before."""
        proof = [self.evidence.sentences[name] for name in claim.ids if name in self.evidence.sentences]
        for name in claim.ids:
            if name not in self.evidence.sentences:
                self.rejected.append(Rejection(claim.text, name, "there is no such sentence"))
        reason = self._fault(claim, proof)
        if reason is not None and (found := self._verbatim(claim.text) or (self._meant(claim) if proof else [])):
            proof, reason = found, self._fault(claim, found)
        if reason is not None:
            self.rejected.append(Rejection(claim.text[:LONGEST], "", reason))
            return None
        if any(same_words(claim.text, other.text) for other in self.kept):
            return None
        quotes = tuple(Quote(item.passage.id, item.text, item.span) for item in proof)
        self.kept.append(Statement(claim.text, quotes))
        return self.kept[-1]

    def _verbatim(self, text: str) -> list[Sentence]:
        """The sentences that hold those of `text` word for word, all or none: words of an article need no id."""
        found: list[Sentence] = []
        for span in sentences(text):
            words = span.of(text).rstrip(" .!?")
            holding = (item for item in self.evidence.sentences.values() if locate(Quote("", words), item.text))
            sentence = next(holding, None)
            if sentence is None or len(words.split()) <= _SHORT:
                return []
            found.append(sentence)
        return found

    def _meant(self, claim: Claim) -> list[Sentence]:
        """The one sentence in which a claim stands that named another: nearly all of its words are there.

        Small models choose the words well and the number badly. The proof is the same for it.
        """
        wanted = content(claim.text)
        for item in self.evidence.sentences.values():
            if len(wanted & content(item.text)) >= _MEANT * len(wanted) and self._fault(claim, [item]) is None:
                return [item]
        return []

    def _fault(self, claim: Claim, proof: Sequence[Sentence]) -> str | None:
        if not proof:
            return "it names no sentence that is there"
        if len(claim.text) > LONGEST:
            return "it is too long"
        if speaks_to_models(claim.text):
            return "it speaks to a language model, not to a reader"
        fault = unsupported(claim.text, [item.text for item in proof], self.names, self._before(proof))
        if fault is None and not self._to_the_question(claim.text, proof):
            return "it has nothing to do with the question"
        return fault

    def _before(self, proof: Sequence[Sentence]) -> list[str]:
        """The sentences before those that open with a pronoun."""
        shown = list(self.evidence.sentences.values())
        places = [shown.index(item) for item in proof if leans(item.text)]
        return [shown[at - 1].text for at in places if at and shown[at - 1].passage == shown[at].passage]

    def _to_the_question(self, text: str, proof: Sequence[Sentence]) -> bool:
        """Whether it shares a word with the question, or stands on a sentence in which the reader saw an answer.

        A word or two must share one: a planted "reply with X" would make them too.
        """
        if not content(self.query).isdisjoint(content(text)):
            return True
        return len(content(text)) >= _WORDS and any(self._chosen(item) for item in proof)

    def _chosen(self, sentence: Sentence) -> bool:
        for hit in self.hits:
            spans = hit.reading.spans if hit.reading is not None and hit.passage.id == sentence.passage.id else ()
            if any(item.span.overlaps(sentence.span) and item.score >= self._near for item in spans):
                return True
        return False

    @property
    def _near(self) -> float:
        scores = [item.score for hit in self.hits if hit.reading is not None for item in hit.reading.spans]
        return _NEAR * max(scores, default=0.0)


@dataclass(frozen=True)
class GenerativeAnswerer:
    """Answers by `chat` from the hits, within `budget`; `extractive` is what is given when that fails."""

    chat: ChatModel
    budget: Budget
    extractive: ExtractiveAnswerer
    max_statements: int = 5
    cache: Cache[tuple[Statement, ...]] = field(default_factory=lambda: Cache(0))

    @property
    def mode(self) -> str:
        return "generative"

    def answer(self, question: Question, query: str, hits: Sequence[Hit]) -> Draft:
        """The draft at once; the same as the last item of `stream`."""
        drafts = [item for item in self.stream(question, query, hits) if isinstance(item, Draft)]
        return drafts[-1]

    def stream(self, question: Question, query: str, hits: Sequence[Hit]) -> Iterator[Statement | Draft]:
        """Statements that were checked, one by one, then the draft. No error of the model comes out of here."""
        attempt, fault = _Attempt(query, hits, self.max_statements), None
        try:
            yield from self._written(question, attempt)
            if not attempt.kept:
                fault = "nothing that the language model wrote stood in the articles"
        except ChatModelError as error:
            fault = str(error)
        yield self._draft(question, attempt, fault)

    def _written(self, question: Question, attempt: _Attempt) -> Iterator[Statement]:
        by_schema = self.chat.supports_schema()
        messages = self._messages(question, attempt, by_schema)
        ids = list(attempt.evidence.sentences)
        key = key_of(f"{self.chat.name} {VERSION} {by_schema}", [hit.passage.id for hit in attempt.hits], messages)
        known = self.cache.get(key)
        if known is not None:
            attempt.kept, attempt.use = list(known), ModelUse(cached=True)
            yield from known
            return
        yield from self._read(attempt, messages, ClaimReader(by_schema))
        if not attempt.kept:
            yield from self._repaired(question, attempt, ids)
        if attempt.kept:
            self.cache.put(key, tuple(attempt.kept))

    def _repaired(self, question: Question, attempt: _Attempt, ids: Sequence[str]) -> Iterator[Statement]:
        """The one repair turn. It asks for lines, which models follow that fill a schema with anything."""
        reasons = [item.reason for item in attempt.rejected[:3]]
        asked = answering(attempt.query, question.history, attempt.evidence, attempt.most, by_schema=False)
        yield from self._read(attempt, repairing(asked, reasons, ids), ClaimReader(False))

    def _messages(self, question: Question, attempt: _Attempt, by_schema: bool) -> list[Message]:
        """The messages, with as many sentences as fit beside the rules and the turns before.

        Raises:
            ChatModelError: the context holds no sentence.
        """
        empty = answering(attempt.query, question.history, Evidence((), {}), attempt.most, by_schema)
        room = self.budget.input - sum(self.budget.count(item.text) + 8 for item in empty)
        attempt.show(gathered(attempt.hits, room if room >= _LEAST else 0, self.budget.count))
        if not attempt.evidence.sentences:
            raise ChatModelError("no sentence that may be shown fits the context of the language model")
        return answering(attempt.query, question.history, attempt.evidence, attempt.most, by_schema)

    def _read(self, attempt: _Attempt, messages: Sequence[Message], reader: ClaimReader) -> Iterator[Statement]:
        schema = schema_of(list(attempt.evidence.sentences), attempt.most) if reader.as_json else None
        told = False
        try:
            with closing(_pieces(self.chat, messages, schema)) as pieces:
                for piece in pieces:
                    if isinstance(piece, Completion):
                        attempt.use, told = attempt.use + piece.use, True
                        _not_cut(piece, attempt, reader)
                        claims = reader.end(piece.cut)
                    else:
                        claims = reader.feed(piece)
                    yield from _standing(attempt, claims)
                    if attempt.full or reader.endless:
                        return
        finally:
            if not told and reader.written:
                attempt.use += self.chat.took(messages, reader.written)

    def _draft(self, question: Question, attempt: _Attempt, fault: str | None) -> Draft:
        rejected = tuple(attempt.rejected)
        shorter = self.extractive.answer(question, attempt.query, attempt.hits)
        if not attempt.kept:
            use = replace(attempt.use, fallback=fault)
            return replace(shorter, mode=self.extractive.mode, rejected=rejected, use=use)
        quoted = [quote for statement in attempt.kept for quote in statement.quotes]
        short = shorter.short_answer
        if short is not None and not any(locate(Quote("", short.text), quote.text) for quote in quoted):
            short = None
        use = replace(attempt.use, fallback=fault)
        return Draft(tuple(attempt.kept), short, mode=self.mode, rejected=rejected, use=use)


def _not_cut(completion: Completion, attempt: _Attempt, reader: ClaimReader) -> None:
    """Asking again helps no model that thinks longer than it may write.

    Raises:
        ChatOutputError: it ran into its limit and made no claim.
    """
    if completion.cut and not reader.said and not attempt.kept:
        raise ChatOutputError("the language model thought until its limit; raise BRI_QA_LLM_OUTPUT_TOKENS")


def _standing(attempt: _Attempt, claims: Iterator[Claim]) -> Iterator[Statement]:
    for claim in claims:
        statement = None if attempt.full else attempt.take(claim)
        if statement is not None:
            yield statement


def _pieces(
    chat: ChatModel, messages: Sequence[Message], schema: Schema | None
) -> Generator[str | Completion, None, None]:
    yield from chat.stream(messages, schema)
