"""`/articles`: the list of the articles as a page of its own and inside the chat's panel; `/scope`: the chat's filters."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from bri_qa.web import catalogue, pages, scope, visitors
from bri_qa.web.access import person
from bri_qa.web.security import LISTING_CSP
from bri_qa.web.service import Pipeline, Workers


def router(pipeline: Pipeline, workers: Workers) -> APIRouter:
    """The list, and the chips of the filters of the chat."""
    routes = APIRouter()

    @routes.get("/articles", response_class=HTMLResponse, include_in_schema=False)
    async def articles(request: Request) -> Response:
        texts = visitors.texts_of(request)
        groups = person(request).groups
        documents = await workers.run(lambda: pipeline.documents(groups))
        asked = catalogue.wanted(request.query_params)
        if request.query_params.get("pane") == "1":
            return _page(await workers.run(lambda: catalogue.listing(documents, asked, texts, level=3)))
        content = await workers.run(lambda: catalogue.listing(documents, asked, texts))
        return _page(pages.catalogue_page(content, texts))

    @routes.get("/scope", response_class=HTMLResponse, include_in_schema=False)
    async def filters(request: Request) -> Response:
        groups = person(request).groups
        documents = await workers.run(lambda: pipeline.documents(groups))
        return _page(scope.chips(scope.read(request.query_params), documents, visitors.texts_of(request)))

    return routes


def _page(content: str) -> HTMLResponse:
    return HTMLResponse(
        content,
        headers={
            "Content-Security-Policy": LISTING_CSP,
            "Cache-Control": "no-store",
            "Vary": "Accept-Language, Cookie",
        },
    )
