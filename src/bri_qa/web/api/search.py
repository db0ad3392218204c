"""Passages for a query, found and ranked as for an answer, without answering."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Security
from fastapi.responses import JSONResponse

from bri_qa.types import Groups, Question
from bri_qa.web.access import Person, Role
from bri_qa.web.api.described import BEARER
from bri_qa.web.api.problems import refusals
from bri_qa.web.api.shapes import FoundOut, SearchOut
from bri_qa.web.guards import needs
from bri_qa.web.schemas import SearchIn
from bri_qa.web.service import Pipeline, Workers

Reader = Annotated[Person, Depends(needs(Role.READER))]


def router(pipeline: Pipeline, workers: Workers) -> APIRouter:
    routes = APIRouter(prefix="/api/v1", tags=["search"], dependencies=[Security(BEARER)])

    @routes.post("/search", operation_id="search", response_model=SearchOut, responses=refusals(400, 413))
    async def search(request: SearchIn, who: Reader) -> JSONResponse:
        """Find passages. Every query finds its nearest ones: a low score says that they are not near.

        Nothing is kept of it, so it may be sent again at any time.
        """
        question = request.to_question(who)
        found = await workers.run(lambda: _found(pipeline, question, request.top_k, who.groups))
        return JSONResponse(found.model_dump(mode="json"))

    return routes


def _found(pipeline: Pipeline, question: Question, top_k: int, groups: Groups) -> SearchOut:
    query, hits = pipeline.retrieve(question, top_k)
    documents = [pipeline.document(hit.passage.document_id, groups) for hit in hits]
    passages = [
        FoundOut.of(hit, document)
        for hit, document in zip(hits, documents, strict=True)
        if document is not None and hit.passage.span.of(document.text) == hit.passage.text  # not replaced meanwhile
    ]
    return SearchOut(query=query, passages=passages)
