"""The documents that one may read: their list, one with its text, and the passages that it is searched by."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Security
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from bri_qa.errors import NotFoundError
from bri_qa.types import Document, Filters
from bri_qa.web import catalogue
from bri_qa.web.access import Person, Role
from bri_qa.web.api.described import BEARER
from bri_qa.web.api.problems import refusals
from bri_qa.web.api.shapes import (
    DocumentOut,
    DocumentPassageOut,
    DocumentPassagesOut,
    DocumentsOut,
    DocumentSummaryOut,
)
from bri_qa.web.guards import needs
from bri_qa.web.schemas import DATE
from bri_qa.web.service import Pipeline, Workers

Reader = Annotated[Person, Depends(needs(Role.READER))]

MAX_PAGE = 200
_TAIL = "/passages"
_TAGGED = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
_SAME: dict[int | str, dict[str, Any]] = {304: {"description": "It is still what `If-None-Match` names"}}
_KNOWN = {"name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"}}
_ONE: dict[str, Any] = {"parameters": [{**_KNOWN, "description": "`ETag` of what you have"}]}


class DocumentsIn(BaseModel):
    """Which documents are wanted, and which page of them; an absent field does not restrict."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    q: str = Field(default="", max_length=200, description="words that must all stand in title, publisher or text")
    publisher: list[str] = Field(default=[], max_length=100, description="publishers, letter for letter")
    published_from: str | None = Field(default=None, pattern=DATE, description="first day, month or year")
    published_to: str | None = Field(default=None, pattern=DATE, description="last day, month or year")
    limit: int = Field(default=50, ge=1, le=MAX_PAGE, description="documents of a page")
    cursor: str | None = Field(default=None, max_length=2_000, description="`next` of the page before")

    def wanted(self) -> catalogue.Wanted:
        filters = Filters((), tuple(self.publisher), self.published_from, self.published_to)
        return catalogue.Wanted(words=self.q, filters=filters)


def router(pipeline: Pipeline, workers: Workers) -> APIRouter:
    routes = APIRouter(prefix="/api/v1/documents", tags=["documents"], dependencies=[Security(BEARER)])

    @routes.get("", operation_id="documents", response_model=DocumentsOut, responses=refusals())
    async def documents(wanted: Annotated[DocumentsIn, Query()], who: Reader) -> JSONResponse:
        """List documents by id, with how many fit."""
        page = await workers.run(lambda: _page(pipeline.documents(who.groups), wanted))
        return JSONResponse(page.model_dump(mode="json"))

    @routes.get(
        "/{document_id:path}/passages",
        operation_id="document_passages",
        response_model=DocumentPassagesOut,
        responses={**refusals(404), **_SAME},
        openapi_extra=_ONE,
    )
    async def passages(request: Request, document_id: str, who: Reader) -> Response:
        """The passages of a document. A slash in its id is sent as it is or as %2F."""
        if not request.scope.get("raw_path", _TAIL.encode()).endswith(_TAIL.encode()):  # it was part of an id
            return await document(request, document_id + _TAIL, who)
        found = await workers.run(lambda: pipeline.passages(document_id, who.groups))
        if found is None:
            return await document(request, document_id + _TAIL, who)
        item, cut = found
        shown = DocumentPassagesOut(
            document_id=item.id, document_sha256=item.sha256, passages=[DocumentPassageOut.of(one) for one in cut]
        )
        return _tagged(request, shown)

    @routes.get(
        "/{document_id:path}",
        operation_id="document",
        response_model=DocumentOut,
        responses={**refusals(404), **_SAME},
        openapi_extra=_ONE,
    )
    async def document(request: Request, document_id: str, who: Reader) -> Response:
        """A document with its text. A slash in its id is sent as it is or as %2F."""
        found = await workers.run(lambda: pipeline.document(document_id, who.groups))
        if found is None:
            raise NotFoundError("there is no article of this id that you may read")
        return _tagged(request, DocumentOut.of(found))

    return routes


def _page(documents: Sequence[Document], wanted: DocumentsIn) -> DocumentsOut:
    fit = sorted(catalogue.fitting(documents, wanted.wanted()), key=lambda item: item.id)
    after = _read(wanted.cursor) if wanted.cursor else None
    rest = [item for item in fit if after is None or item.id > after]
    shown = rest[: wanted.limit]
    publishers = Counter(item.source.publisher for item in fit if item.source.publisher)
    return DocumentsOut(
        documents=[DocumentSummaryOut.of(item) for item in shown],
        total=len(fit),
        publishers=dict(sorted(publishers.items())),
        next=urlsafe_b64encode(shown[-1].id.encode()).decode() if len(rest) > len(shown) else None,
    )


def _read(cursor: str) -> str:
    """The last id of the page before. What is no cursor of ours begins anywhere: it reads nothing that is not shown."""
    try:
        return urlsafe_b64decode(cursor.encode()).decode()
    except ValueError:
        return ""


def _tagged(request: Request, shown: BaseModel) -> Response:
    """The object with an ETag, or 304 where the client has it."""
    body = json.dumps(shown.model_dump(mode="json"), ensure_ascii=False, separators=(",", ":")).encode()
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, **_TAGGED}
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)
