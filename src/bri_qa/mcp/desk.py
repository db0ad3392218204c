"""What the tools do, apart from the protocol: one person's questions to the pipeline."""

from __future__ import annotations

from dataclasses import dataclass

from bri_qa.errors import InputError, NotFoundError
from bri_qa.mcp.shapes import DocumentsOut, SourceOut
from bri_qa.types import Answer, Document, Filters, Question, Span, Turn
from bri_qa.web.access import Person
from bri_qa.web.api.shapes import DocumentSummaryOut, FoundOut, SearchOut
from bri_qa.web.service import Pipeline

MARK = ("»»» ", " «««")  # around a quote, in text for people and models


@dataclass(frozen=True, slots=True)
class Desk:
    """Serves `who`, who reaches only what they may read."""

    pipeline: Pipeline
    who: Person

    def ask(self, text: str, turns: tuple[Turn, ...], filters: Filters) -> Answer:
        """The verified answer.

        Raises:
            QuestionError: the question is empty or too long.
        """
        return self.pipeline.ask(self.who.question(text, turns, filters))

    def search(self, query: str, limit: int, filters: Filters) -> SearchOut:
        """The passages nearest to `query`, best first.

        Raises:
            QuestionError: the query is empty or too long.
        """
        question: Question = self.who.question(query, (), filters)
        searched, hits = self.pipeline.retrieve(question, limit)
        documents = [self.pipeline.document(hit.passage.document_id, self.who.groups) for hit in hits]
        passages = [
            FoundOut.of(hit, document)
            for hit, document in zip(hits, documents, strict=True)
            if document is not None and hit.passage.span.of(document.text) == hit.passage.text  # not replaced meanwhile
        ]
        return SearchOut(query=searched, passages=passages)

    def document(self, document_id: str) -> Document:
        """The article.

        Raises:
            NotFoundError: there is none of that id that this person may read.
        """
        found = self.pipeline.document(document_id, self.who.groups)
        if found is None:
            raise NotFoundError(f"there is no document {document_id}; search gives the ids")
        return found

    def source(self, document_id: str, start: int, end: int, around: int) -> SourceOut:
        """The place of a quote, with the text around it.

        Raises:
            NotFoundError: there is no such document.
            InputError: the place does not lie in it.
        """
        found = self.document(document_id)
        if not start < end <= len(found.text):
            raise InputError(f"{start} to {end} does not lie in {document_id}; it has {len(found.text)} characters")
        return SourceOut.of(found, Span(start, end), around)

    def documents(self) -> DocumentsOut:
        """All articles that this person may read."""
        return DocumentsOut(
            documents=[DocumentSummaryOut.of(item) for item in self.pipeline.documents(self.who.groups)]
        )


def search_text(found: SearchOut) -> str:
    """The passages, numbered, with their places."""
    lines = [f"Nearest passages for “{found.query}”:" if found.passages else "There is no article to search here."]
    for number, item in enumerate(found.passages, start=1):
        origin = ", ".join(part for part in (item.title, item.publisher, item.published) if part)
        lines += ["", f"{number}. {origin}", f"   {item.document_id}, characters {item.start}-{item.end}", item.text]
    return "\n".join(lines)


def source_text(found: SourceOut) -> str:
    """The place with its quote marked, and what it was cut from."""
    item = found.document
    origin = ", ".join(part for part in (item.title, item.publisher, item.published) if part)
    place = f"{item.id}, characters {found.start}-{found.end} of {item.characters}, SHA-256 {item.sha256}"
    return f"{origin}\n{place}\n\n{found.before}{MARK[0]}{found.quote}{MARK[1]}{found.after}"
