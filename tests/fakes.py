"""The only home of fakes: deterministic, slightly clever, so that tests assert exact results."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Generator, Sequence
from hashlib import sha256
from threading import Event as Flag

from bri_qa.citations import verify
from bri_qa.embed import HashingEmbedder
from bri_qa.errors import BriQAError, QuestionError
from bri_qa.passages import sentences
from bri_qa.protocols import Vectors
from bri_qa.types import (
    AbstainReason,
    Answer,
    Answered,
    Document,
    Draft,
    Event,
    Groups,
    Hit,
    Passage,
    Progress,
    Question,
    Quote,
    Reading,
    ScoredSpan,
    Source,
    Span,
    Statement,
    StatementReady,
    Trace,
)

HARBOUR_TEXT = """The harbour of Lindum opens again
The harbour of Lindum opens again
After two years of repairs the harbour of Lindum opened again on 4 March 2024. The new quay is 640 metres long and takes three ships at a time.
“We built it for the fishing boats first,” said Mara Oduya, the harbour master. She added that the night ferry to Sor would start in May.
The repairs cost 48 million crowns, of which the town paid a third. The rest came from the coast fund.
Tomas Reiner, who owns the fish market, said that the market would stay on the old pier until the winter. He expects 200 visitors a day.
The lighthouse was not repaired. Its lamp has been dark since the storm, and nobody has said when it will be lit."""

HOSTILE_TEXT = """Odd <b>title</b> & "quotes"
The clerk wrote <script>window.pwned = 1</script> in the ledger of the mill. </div></mark></article><img src=x onerror="window.pwned=2">
A second clerk wrote {{ 7*7 }} and ${7*7} and `{window.pwned=3}` in the ledger. --> ]]> </style></title></textarea>
The third clerk of the mill wrote [a link](javascript:window.pwned=4) and $$x^2$$ and *stars* and a \\ backslash."""

ESSAY_TEXT = "\n".join(
    ["A long essay on tides"]
    + [
        f"Paragraph {n}. The tide tables of the coast were copied by hand, line after line, and kept in a dry room."
        for n in range(1, 200)
    ]
    + ["The tidal bell of Orrin weighs 3,150 kilograms and was cast in one piece."]
    + [
        f"Paragraph {n}. The tide tables of the coast were copied by hand, line after line, and kept in a dry room."
        for n in range(200, 400)
    ]
)


def document(identity: str, text: str, *, groups: tuple[str, ...] = (), **source: str) -> Document:
    """A document whose title is its first line."""
    return Document(
        identity, text, Source(text.partition("\n")[0], groups=groups, **source), sha256(text.encode()).hexdigest()
    )


def web_documents() -> list[Document]:
    return [
        document(
            "harbour",
            HARBOUR_TEXT,
            publisher="Lindum Gazette",
            published="2024-03-05",
            url="https://gazette.example/harbour",
            language="en",
        ),
        document("odd/<i>ledger</i> & co", HOSTILE_TEXT, publisher="<u>Mill</u>", url="javascript:window.pwned=5"),
        document("tides", ESSAY_TEXT, publisher="Coast Review", published="2019"),
    ]


_STOP = frozenset(
    (
        "a an and are did do does for has have how in is it its many much of on the to was what when where who will"
    ).split()
)


def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in re.findall(r"\w+", text.lower()) if word not in _STOP)


class FakePipeline:
    """Answers by shared words, sentence by sentence, over a few documents; quotes go through the real `verify`.

    "wait" in a question holds it after its second stage until `gate` is set; "fail" raises `error`.
    """

    def __init__(self, documents: Sequence[Document] | None = None, error: BriQAError | None = None) -> None:
        self.by_id = {item.id: item for item in (web_documents() if documents is None else documents)}
        self.error = error
        self.gate = Flag()
        self.asked: list[Question] = []
        self.closed: list[str] = []  # questions whose answer nobody waited for
        self.breaks: Exception | None = None  # raised once the work has begun
        self.max_question_chars = 4_000

    def last(self, text: str) -> Question:
        """The last time that `text` was asked: the page also asks by itself, to see what it may offer."""
        return [question for question in self.asked if question.text == text][-1]

    def document(self, document_id: str, groups: Groups = None) -> Document | None:
        found = self.by_id.get(document_id)
        return found if found is not None and found.source.open_to(groups) else None

    def documents(self, groups: Groups = None) -> list[Document]:
        if self.error is not None:
            raise self.error
        return [self.by_id[key] for key in sorted(self.by_id) if self.by_id[key].source.open_to(groups)]

    def passages(self, document_id: str, groups: Groups = None) -> tuple[Document, list[Passage]] | None:
        found = self.document(document_id, groups)
        return None if found is None else (found, _sentences(found))

    def retrieve(self, question: Question, top_k: int | None = None) -> tuple[str, list[Hit]]:
        self._check(question)
        return question.text, self._hits(question, top_k or 8)

    def ask(self, question: Question) -> Answer:
        *_, last = self.stream(question)
        assert isinstance(last, Answered)
        return last.answer

    def stream(self, question: Question) -> Generator[Event]:
        try:
            yield from self._stream(question)
        except GeneratorExit:
            self.closed.append(question.text)
            raise

    def _stream(self, question: Question) -> Generator[Event]:
        self._check(question)
        self.asked.append(question)
        if question.text.lower() in ("hello", "thanks"):
            draft = Draft(reason=AbstainReason.SMALL_TALK, message="Hello. Ask me a question.")
            yield Answered(_answer(question, draft, ()))
            return
        yield Progress("searching")
        hits = self._hits(question)
        yield Progress("reading", 0, len(hits))
        if "wait" in question.text:
            self.gate.wait(20)
        if self.breaks is not None:
            raise self.breaks
        best = [hit for hit in hits if hit.score >= 0.5][:3]
        if not best:
            reason = AbstainReason.NOT_STATED if hits and hits[0].score > 0 else AbstainReason.OFF_TOPIC
            reason = reason if hits else AbstainReason.NO_DOCUMENTS
            yield Answered(_answer(question, Draft(reason=reason), hits))
            return
        yield Progress("checking", 0, len(best))
        statements = tuple(Statement(hit.passage.text, (Quote(hit.passage.id, hit.passage.text),)) for hit in best)
        number = re.search(r"\d[\d,.]*\d", best[0].passage.text) if "how" in question.text.lower() else None
        short = Quote(best[0].passage.id, number.group()) if number else None
        draft = Draft(statements, short, confidence=min(1.0, best[0].score))
        answer = _answer(question, draft, hits, self.document)
        for item in answer.statements:
            yield StatementReady(item, tuple(one for one in answer.citations if one.number in item.citations))
        yield Answered(answer)

    def _check(self, question: Question) -> None:
        if self.error is not None:
            raise self.error
        if not question.text.strip():
            raise QuestionError("the question is empty; type a question about the articles")
        if len(question.text) > self.max_question_chars:
            raise QuestionError(f"the question is longer than {self.max_question_chars} characters; shorten it")
        if "crash" in question.text:
            raise RuntimeError("a bug with a secret in it")

    def _hits(self, question: Question, top_k: int = 8) -> list[Hit]:
        """Sentences by the share of the question's words that they hold; "and …" leans on the last question."""
        wanted = _words(question.text)
        said = [turn.text for turn in question.history if turn.role == "user"]
        if question.text.lower().startswith("and ") and said:
            wanted |= _words(said[-1])
        hits = [
            Hit(passage, len(wanted & _words(passage.text)) / max(1, len(wanted)))
            for item in self.by_id.values()
            if question.filters.allow(item.id, item.source)
            for passage in _sentences(item)
        ]
        return sorted(hits, key=lambda hit: (-hit.score, hit.passage.id))[:top_k]


def _sentences(item: Document) -> list[Passage]:
    """Each line's sentences, without the lines that repeat the title."""
    found = []
    for match in re.finditer(r"[^\n]*?(?:[.!?”](?= |\n|$)|(?=\n|$))", item.text):
        words = match.group().strip()
        if len(words) > 12 and words != item.source.title:
            start = item.text.index(words, match.start())
            span = Span(start, start + len(words))
            found.append(Passage(f"{item.id}#{span.start}-{span.end}", item.id, span, "", words))
    return found


def _answer(
    question: Question,
    draft: Draft,
    hits: Sequence[Hit],
    documents: Callable[[str], Document | None] = lambda _: None,
) -> Answer:
    verified = verify(draft, hits, documents)
    return Answer(
        question=question,
        statements=verified.statements,
        citations=verified.citations,
        short_answer=verified.short_answer,
        reason=draft.reason,
        message=draft.message,
        confidence=draft.confidence,
        mode="extractive",
        hits=tuple(hits),
        trace=Trace(question.text, {"read": 0.001}, {"reader": "fake"}),
    )


class CountingEmbedder(HashingEmbedder):
    """Hashed words; remembers each passage that it was given."""

    def __init__(self, dim: int = 64) -> None:
        super().__init__(dim)
        self.embedded: list[str] = []

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.embedded += texts
        return super().embed_passages(texts)


def lines(item: Document) -> list[Passage]:
    """A passage for each line that is not empty."""
    spans = [Span(*match.span()) for match in re.finditer(r"[^\n]+", item.text)]
    return [Passage(f"{item.id}#{s.start}-{s.end}", item.id, s, "", s.of(item.text)) for s in spans]


class WordReader:
    """Scores a sentence by the share of the question's words that it holds; "how …" gives its first number exactly."""

    name = "fake words"
    threshold = 0.5
    topic_threshold = 0.2
    settled = math.inf

    def read(self, question: str, hits: Sequence[Hit]) -> list[Reading]:
        return [self._read(question, hit.passage) for hit in hits]

    def _read(self, question: str, passage: Passage) -> Reading:
        wanted, exact = _words(question), question.lower().startswith("how")
        spans = []
        for span in sentences(passage.text):
            number = re.compile(r"\d[\d,.:]*\d|\d").search(passage.text, span.start, span.end) if exact else None
            score = len(wanted & _words(span.of(passage.text))) / max(1, len(wanted))
            spans.append(ScoredSpan(Span(number.start(), number.end()) if number else span, score))
        spans.sort(key=lambda item: (-item.score, item.span))
        best = max((item.score for item in spans), default=0.0)
        return Reading(passage.id, best, 1.0 - best, tuple(spans), exact)

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        del question
        read = [Hit(hit.passage, hit.reading.relevance, hit.reading) for hit in hits if hit.reading is not None]
        return sorted(read, key=lambda hit: (-hit.score, hit.passage.id))

    def confidence(self, question: str, hits: Sequence[Hit]) -> float:
        del question
        return max((hit.reading.relevance for hit in hits if hit.reading is not None), default=0.0)


class ScriptedAnswerer:
    """Drafts what `script` makes of the hits, whatever is asked."""

    mode = "scripted"

    def __init__(self, script: Callable[[Sequence[Hit]], Draft]) -> None:
        self.script = script

    def answer(self, question: Question, query: str, hits: Sequence[Hit]) -> Draft:
        del question, query
        return self.script(hits)
