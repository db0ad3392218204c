"""What the tools take and give besides the answer object and the passages of the API."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from bri_qa.types import Document, Span
from bri_qa.web.api.shapes import DocumentSummaryOut
from bri_qa.web.schemas import MAX_CHARS, MAX_FOUND, MAX_TURNS, FiltersIn, TurnIn

Words = Annotated[str, Field(max_length=MAX_CHARS, description="in plain words")]
Turns = Annotated[list[TurnIn], Field(max_length=MAX_TURNS, description="earlier turns, oldest first")]
Limit = Annotated[int, Field(ge=1, le=MAX_FOUND, description="passages wanted, at most")]
Scope = Annotated[FiltersIn, Field(description="which documents are asked; all by default")]
Start = Annotated[int, Field(ge=0, description="first code point of the quote")]
End = Annotated[int, Field(ge=1, description="the code point behind its last")]
Around = Annotated[int, Field(ge=0, le=20_000, description="code points to show on either side")]


class SourceOut(BaseModel):
    """A place in an article. `quote` is exactly the article's text from `start` to `end` (code points)."""

    document: DocumentSummaryOut
    start: int
    end: int
    before: str = Field(description="the article's words before the quote")
    quote: str
    after: str = Field(description="the article's words after it")

    @classmethod
    def of(cls, item: Document, span: Span, around: int) -> SourceOut:
        """The place at `span`, which lies in the text, with `around` code points on either side."""
        return cls(
            document=DocumentSummaryOut.of(item),
            start=span.start,
            end=span.end,
            before=item.text[max(0, span.start - around) : span.start],
            quote=span.of(item.text),
            after=item.text[span.end : span.end + around],
        )


class DocumentsOut(BaseModel):
    """The articles that there are, by id."""

    documents: list[DocumentSummaryOut]
