"""What the routes about passages, documents and the evaluation give: pydantic models of the public contract."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, BaseModel, Field, FiniteFloat

from bri_qa.types import Document, Hit, Passage
from bri_qa.web.schemas import CitationOut

_ID = "securities-times-high-quality-joint-construction"
_SHA = "SHA-256 of the document's text in UTF-8"


class ProgressEvent(BaseModel):
    """Data of the event `progress`: a stage begins or goes on. `total` 0: nobody knows how much it is."""

    stage: str = Field(examples=["reading"])
    done: int
    total: int


class StatementEvent(BaseModel):
    """Data of the event `statement`: it will stand in the answer as it is, with these citations and numbers."""

    text: str
    citations: list[CitationOut]


class OriginOut(BaseModel):
    """Where a document comes from, as far as it is known; `published` is a day, a month or a year."""

    title: str
    publisher: str | None
    published: str | None
    url: str | None
    language: str | None
    licence: str | None


class FoundOut(BaseModel):
    """A passage that was found, with its document. Its words are the document's from `start` to `end` (code points)."""

    document_id: str = Field(examples=[_ID])
    title: str
    publisher: str | None
    published: str | None
    url: str | None
    section: str = Field(description="the heading above it; empty where there is none")
    start: int
    end: int
    score: float = Field(description="of the last model that saw it; compare it within this list alone")
    text: str
    document_sha256: str = Field(description=_SHA)

    @classmethod
    def of(cls, hit: Hit, document: Document) -> FoundOut:
        passage, source = hit.passage, document.source
        return cls(
            document_id=document.id,
            title=source.title,
            publisher=source.publisher,
            published=source.published,
            url=source.url,
            section=passage.section,
            start=passage.span.start,
            end=passage.span.end,
            score=round(hit.score, 6),
            text=passage.text,
            document_sha256=document.sha256,
        )


class SearchOut(BaseModel):
    """What was searched (slips set right, and what it takes from the turns before), and the passages, best first."""

    query: str
    passages: list[FoundOut]


class DocumentSummaryOut(OriginOut):
    """A document in a list."""

    id: str = Field(examples=[_ID])
    characters: int = Field(description="code points of the text")
    sha256: str = Field(description=_SHA)

    @classmethod
    def of(cls, item: Document) -> DocumentSummaryOut:
        return cls(**_facts(item))


class DocumentsOut(BaseModel):
    """Documents by id. `total` and `publishers` count all that fit, not this page; `next` is the next page's `cursor`."""

    documents: list[DocumentSummaryOut]
    total: int
    publishers: dict[str, int] = Field(examples=[{"Securities Times": 1}])
    next: str | None


class DocumentOut(DocumentSummaryOut):
    """A document with its text, which spans are counted in (Unicode code points)."""

    text: str

    @classmethod
    def of(cls, item: Document) -> DocumentOut:
        return cls(**_facts(item), text=item.text)


class DocumentPassageOut(BaseModel):
    """A passage of a document: its words from `start` to `end` (code points)."""

    id: str
    section: str
    start: int
    end: int
    text: str

    @classmethod
    def of(cls, item: Passage) -> DocumentPassageOut:
        return cls(id=item.id, section=item.section, start=item.span.start, end=item.span.end, text=item.text)


class DocumentPassagesOut(BaseModel):
    """The passages that a document is searched by, in reading order. Neighbours may share words."""

    document_id: str = Field(examples=[_ID])
    document_sha256: str = Field(description=_SHA)
    passages: list[DocumentPassageOut]


class KindOut(BaseModel):
    """The cases of one kind and their scores."""

    cases: int
    right: int
    scores: dict[str, FiniteFloat]


class EvaluationOut(BaseModel):
    """The newest run of the evaluation. `scores` by metric; those of latency and memory are of one machine.

    `passed` says whether all gates were met, `missed` how they were not; both null where the run was held to none.
    """

    run: str = Field(description="its folder", examples=["test"])
    when: AwareDatetime
    cases_file: str
    cases: int
    right: int
    scores: dict[str, FiniteFloat] = Field(examples=[{"f1": 0.77, "citation_validity": 1.0}])
    gates: int | None = Field(description="how many gates it was held to, where the run says")
    passed: bool | None
    missed: list[str] | None
    kinds: dict[str, KindOut]


def _facts(item: Document) -> dict[str, Any]:
    source = item.source
    return {
        "id": item.id,
        "title": source.title,
        "publisher": source.publisher,
        "published": source.published,
        "url": source.url,
        "language": source.language,
        "licence": source.licence,
        "characters": len(item.text),
        "sha256": item.sha256,
    }
