"""Writing a case: the gold span picked from an article, checked as it is picked, and appended to a file in one move."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from bri_qa.citations import locate
from bri_qa.errors import CaseError
from bri_qa.evaluation import formats, similar
from bri_qa.evaluation.formats.lines import trouble_of
from bri_qa.evaluation.formats.record import CaseLine, EvidenceLine, Problem, TurnLine, reason
from bri_qa.evaluation.importing import written
from bri_qa.evaluation.locate import near, shortened, standing
from bri_qa.evaluation.metrics import normalised, states
from bri_qa.evaluation.report import replace_file
from bri_qa.passages import sentences
from bri_qa.types import Answer, Document, Quote, Span, Turn


@dataclass(frozen=True, slots=True)
class Place:
    """Words of an article that may become evidence."""

    document: Document
    span: Span

    @property
    def text(self) -> str:
        return self.span.of(self.document.text)

    def as_evidence(self) -> EvidenceLine:
        """With its start where the words stand in several places."""
        several = len(standing(self.text, self.document.text)) > 1
        start = self.span.start if several else None
        return EvidenceLine(document_id=self.document.id, quote=self.text, start=start)


def shown_sentences(answer: Answer, documents: Sequence[Document], most: int = 20) -> list[Place]:
    """The quotes of an answer, then the sentences of its passages, best first, each once; at most so many."""
    by_id = {item.id: item for item in documents}
    found = [Place(by_id[item.document_id], item.span) for item in answer.citations if item.document_id in by_id]
    for hit in answer.hits:
        passage = hit.passage
        if passage.document_id in by_id:
            inside = (span.shift(passage.span.start) for span in sentences(passage.text))
            found += [Place(by_id[passage.document_id], span) for span in inside]
    return list({(item.document.id, item.span): item for item in found}.values())[:most]


def search(words: str, documents: Sequence[Document], most: int = 20) -> list[Place]:
    """Sentences that hold all of `words` (as parts of words, whatever their case), in the order of the documents."""
    wanted = words.casefold().split()
    found: list[Place] = []
    for document in documents if wanted else []:
        text = document.text.casefold()
        if all(word in text for word in wanted):
            found += [Place(document, span) for span in _holding(document.text, wanted)]
        if len(found) >= most:
            break
    return found[:most]


def _holding(text: str, wanted: Sequence[str]) -> Iterator[Span]:
    for span in sentences(text):
        sentence = span.of(text).casefold()
        if all(word in sentence for word in wanted):
            yield span


def quoted(quote: str, documents: Sequence[Document]) -> Place:
    """Where a pasted quote stands: its words, whatever the white space, quote marks and dashes between them.

    Raises:
        CaseError: it stands in no article, or in several.
    """
    found = [
        Place(document, span) for document in documents if (span := locate(Quote("", quote), document.text)) is not None
    ]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(item.document.id for item in found[:5])
        raise CaseError(f"the quote stands in several articles ({names}); say which with its document")
    hint = next((told for document in documents if (told := near(quote, document.text))), "")
    where = repr(documents[0].id) if len(documents) == 1 else "any article"
    raise CaseError(f"the quote {shortened(quote)!r} does not stand in {where}{hint}; copy it from the article")


def named(document_id: str, documents: Sequence[Document]) -> Document:
    """The document of an id.

    Raises:
        CaseError: there is none.
    """
    for document in documents:
        if document.id == document_id:
            return document
    known = ", ".join(item.id for item in documents[:5]) or "none"
    raise CaseError(f"no document {document_id!r} is indexed; some that are: {known}")


@dataclass(frozen=True, slots=True)
class Written:
    """A case as its writer gives it. `answers` None: judged by evidence alone; (): the articles do not say."""

    question: str
    answers: tuple[str, ...] | None
    evidence: tuple[Place, ...]
    kind: str
    tags: tuple[str, ...] = ()
    split: str | None = None
    note: str | None = None
    id: str | None = None
    history: tuple[Turn, ...] = ()


class CaseBook:
    """A file of cases that grows by one case at a time; every moment it is whole.

    Raises:
        CaseError: the file that is there has a mistake, or is not of our own format.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.saved = 0
        self._read()

    def _read(self) -> None:
        self.lines: list[CaseLine] = []
        if not self.file.exists() or not self.file.read_bytes().strip():
            return
        content = formats.read(self.file)
        if content.format != formats.lines.NAME:
            raise CaseError(
                f"{self.file} is not of our own format; convert it: bri-qa eval import {self.file} --to NEW"
            )
        for item in content.entries:
            if isinstance(item, Problem):
                raise CaseError(str(item))
            self.lines.append(item.case)

    def line(self, case: Written) -> CaseLine:
        """The case as a line, with an id if it has none.

        Raises:
            CaseError: a part of it cannot be, its id is used, or its question stands in the file.
        """
        try:
            line = CaseLine(
                id=case.id or self.next_id(case.kind),
                question=case.question.strip(),
                history=tuple(TurnLine(role=turn.role, text=turn.text) for turn in case.history),
                answers=case.answers,
                evidence=tuple(item.as_evidence() for item in case.evidence),
                kind=case.kind,
                tags=case.tags,
                split=case.split,
                note=case.note,
            )
        except ValidationError as error:
            raise CaseError(reason(error)) from error
        trouble = trouble_of(line)
        if trouble:
            raise CaseError(trouble)
        if any(item.id == line.id for item in self.lines):
            raise CaseError(f"the id {line.id!r} is used in {self.file}; give another, or none")
        asked = self.asked(line.question, case.history)
        if asked is not None:
            raise CaseError(f"{asked.id!r} in {self.file} asks the same; reword the question")
        return line

    def append(self, line: CaseLine) -> None:
        """Write the file again with one line more; killed at any point, it is the old one or the new one.

        Raises:
            InputError: it cannot be written.
        """
        self._read()
        replace_file(self.file, written([*self.lines, line]))
        self.lines.append(line)
        self.saved += 1

    def asked(self, question: str, history: Sequence[Turn] = ()) -> CaseLine | None:
        """The case of the file that asks the same after the same turns."""
        wanted = similar.key(question, [turn.text for turn in history])
        return next(
            (item for item in self.lines if similar.key(item.question, [turn.text for turn in item.history]) == wanted),
            None,
        )

    def next_id(self, kind: str) -> str:
        """`<file>-<kind>-<number>`, the number one above those in use."""
        start = f"{self.file.stem}-{kind.replace(' ', '-')}-"
        used = [re.fullmatch(re.escape(start) + r"(\d+)", item.id) for item in self.lines]
        return f"{start}{max((int(found[1]) for found in used if found), default=0) + 1:02d}"


def doubts(line: CaseLine) -> list[str]:
    """What a writer should look at again before saving, a line each."""
    found = []
    quotes = [item.quote for item in line.evidence if item.quote]
    if line.answers and quotes and not any(states(quote, line.answers) for quote in quotes):
        found.append("none of the accepted answers stands in the evidence; cut the first one from a quote")
    found += [f"the answer {item!r} has no word in it" for item in line.answers or () if not normalised(item)]
    found += [
        f"the quote {shortened(item, 40)!r} is long; the shortest clause will do" for item in quotes if len(item) > 300
    ]
    return found
