"""`/source/{document}`: an article, opened at a place, as a page of its own and as the chat's reading pane."""

from __future__ import annotations

import re
from html import escape
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from bri_qa.types import Document, Span
from bri_qa.web import article
from bri_qa.web.pages import document_page
from bri_qa.web.security import SOURCE_CSP
from bri_qa.web.service import Pipeline, Workers

MAX_MARKS = 50
_CITE = re.compile(r"([1-9]\d{0,2}):(\d{1,9})-(\d{1,9})")

CHANGED = "This article has changed since the link was made, so the quoted place cannot be shown. Ask again to see it."
OUTSIDE = "The place that this link names is not in the article."


def router(pipeline: Pipeline, workers: Workers) -> APIRouter:
    """The one route of the source view."""
    routes = APIRouter()

    @routes.get("/source/{document_id:path}", response_class=HTMLResponse, include_in_schema=False)
    async def source(
        request: Request,
        document_id: str,
        start: str = "",
        end: str = "",
        v: str = "",
        cite: Annotated[list[str], Query()] = [],  # noqa: B006 - FastAPI copies it
    ) -> HTMLResponse:
        document = await workers.run(lambda: pipeline.document(document_id))
        pane = request.query_params.get("pane") == "1"
        if document is None:
            return _response(_missing(pane), 404)
        wanted = [f"1:{start}-{end}"] if start or end else cite
        marks, notice = _marks(document, wanted, v)
        content = _article(document, marks, notice, pane)
        return _response(content if pane else document_page(document.source.title, content), 200)

    return routes


def _response(content: str, status: int) -> HTMLResponse:
    return HTMLResponse(content, status, headers={"Content-Security-Policy": SOURCE_CSP, "Cache-Control": "no-store"})


def _marks(document: Document, wanted: list[str], version: str) -> tuple[list[article.Mark], str | None]:
    """The places that lie in the text, and what to tell the reader when they cannot be shown."""
    if version and not document.sha256.startswith(version.lower()):
        return [], CHANGED
    marks = []
    for text in wanted[:MAX_MARKS]:
        found = _CITE.fullmatch(text)
        if not found:
            return [], OUTSIDE
        number, start, end = (int(part) for part in found.groups())
        if not start < end <= len(document.text):
            return [], OUTSIDE
        marks.append(article.Mark(number, Span(start, end)))
    return marks, None


def _article(document: Document, marks: list[article.Mark], notice: str | None, pane: bool) -> str:
    shown = article.window(document.text, marks[0].span if marks else None)
    heading = "h3" if pane else "h1"
    language = f' lang="{escape(document.source.language)}"' if document.source.language else ""
    warning = f'<p class="bri-notice" role="status">{escape(notice)}</p>' if notice else ""
    before = '<p class="bri-cut">The text before this place is not shown here.</p>' if shown.start else ""
    after = (
        '<p class="bri-cut">The text goes on; it is too long to show whole.</p>'
        if shown.end < len(document.text)
        else ""
    )
    return (
        f'<article class="bri-article"{language}><header><{heading} class="bri-title">'
        f"{escape(document.source.title)}</{heading}>{_facts(document)}</header>{warning}"
        f'<div class="bri-text">{before}{article.body(document, marks, shown)}{after}</div></article>'
    )


def _facts(document: Document) -> str:
    """Publisher, date, licence and the link to the original, as far as they are known."""
    source = document.source
    facts = [escape(part) for part in (source.publisher, source.published) if part]
    if source.licence:
        facts.append(f"Licence: {escape(source.licence)}")
    url = article.safe_url(source.url)
    if url:
        facts.append(f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">Original</a>')
    return f'<p class="bri-facts">{"<span> · </span>".join(facts)}</p>' if facts else ""


def _missing(pane: bool) -> str:
    text = (
        '<div class="bri-missing"><h1>This article is not here</h1><p>It may have been removed or renamed since the '
        "link was made.</p></div>"
    )
    return text if pane else document_page("Article not found", text)
