"""`/source/{document}`: an article, opened at a place, as a page of its own and as the chat's reading pane."""

from __future__ import annotations

import re
from html import escape
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from bri_qa.types import Document, Filters, Span
from bri_qa.web import article, scope, visitors
from bri_qa.web.access import person
from bri_qa.web.guards import same_origin
from bri_qa.web.pages import document_page
from bri_qa.web.security import SOURCE_CSP
from bri_qa.web.service import Pipeline, Workers
from bri_qa.web.texts import Texts

MAX_MARKS = 50
_CITE = re.compile(r"([1-9]\d{0,2}):(\d{1,9})-(\d{1,9})")

MAX_QUOTE_CHARS = 20_000


class QuoteIn(BaseModel):
    """Words that were cited under a number."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int = Field(ge=1, le=999)
    quote: str = Field(min_length=1, max_length=MAX_QUOTE_CHARS)


class QuotedIn(BaseModel):
    """An article and what was quoted from it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document: str = Field(max_length=1_000)
    quotes: list[QuoteIn] = Field(max_length=MAX_MARKS)


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
        texts = visitors.texts_of(request)
        groups = person(request).groups
        document = await workers.run(lambda: pipeline.document(document_id, groups))
        pane = request.query_params.get("pane") == "1"
        if document is None:
            return _response(_missing(pane, texts), 404)
        wanted = [f"1:{start}-{end}"] if start or end else cite
        marks, notice = _marks(document, wanted, v, texts)
        content = _article(document, marks, notice, pane, texts)
        return _response(content if pane else document_page(document.source.title, content, texts), 200)

    @routes.post("/quoted", response_class=HTMLResponse, include_in_schema=False, dependencies=[Depends(same_origin)])
    async def quoted(asked: QuotedIn, request: Request) -> HTMLResponse:
        """For the pane: an article that has changed since it was quoted, with the same words marked where they stand."""
        texts = visitors.texts_of(request)
        groups = person(request).groups
        document = await workers.run(lambda: pipeline.document(asked.document, groups))
        if document is None:
            return _response(_missing(True, texts), 404)
        marks, notice = _again(document, asked.quotes, texts)
        return _response(_article(document, marks, notice, True, texts), 200)

    return routes


def _response(content: str, status: int) -> HTMLResponse:
    headers = {"Content-Security-Policy": SOURCE_CSP, "Cache-Control": "no-store", "Vary": "Accept-Language, Cookie"}
    return HTMLResponse(content, status, headers=headers)


def _marks(document: Document, wanted: list[str], version: str, texts: Texts) -> tuple[list[article.Mark], str]:
    """The places that lie in the text, and a notice in HTML when they cannot be shown."""
    if version and not document.sha256.startswith(version.lower()):
        return [], _notice(texts("source.changed"), changed=True)
    marks = []
    for text in wanted[:MAX_MARKS]:
        found = _CITE.fullmatch(text)
        if not found:
            return [], _notice(texts("source.outside"))
        number, start, end = (int(part) for part in found.groups())
        if not start < end <= len(document.text):
            return [], _notice(texts("source.outside"))
        marks.append(article.Mark(number, Span(start, end)))
    return marks, ""


def _again(document: Document, quotes: list[QuoteIn], texts: Texts) -> tuple[list[article.Mark], str]:
    """Marks where the quoted words still stand, letter for letter; the words that do not are told."""
    marks, gone = [], []
    for item in quotes[:MAX_MARKS]:
        start = document.text.find(item.quote)
        if start >= 0:
            marks.append(article.Mark(item.number, Span(start, start + len(item.quote))))
        else:
            gone.append(f"<blockquote><p>[{item.number}] {escape(item.quote)}</p></blockquote>")
    notice = _notice(texts("source.changed.found")) if marks else ""
    return marks, notice + (_notice(texts("source.changed.gone"), "".join(gone)) if gone else "")


def _notice(words: str, more: str = "", changed: bool = False) -> str:
    name = "bri-notice bri-changed" if changed else "bri-notice"
    return f'<div class="{name}" role="status"><p>{escape(words)}</p>{more}</div>'


def _article(document: Document, marks: list[article.Mark], notice: str, pane: bool, texts: Texts) -> str:
    shown = article.window(document.text, marks[0].span if marks else None)
    heading = "h3" if pane else "h1"
    language = f' lang="{escape(document.source.language)}"' if document.source.language else ""
    before = f'<p class="bri-cut">{texts("source.before")}</p>' if shown.start else ""
    after = f'<p class="bri-cut">{texts("source.after")}</p>' if shown.end < len(document.text) else ""
    return (
        f'<article class="bri-article"><header><{heading} class="bri-title"{language}>'
        f"{escape(document.source.title)}</{heading}>{_facts(document, texts)}</header>{notice}{before}"
        f'<div class="bri-text"{language}>{article.body(document, marks, shown)}</div>{after}</article>'
    )


def _facts(document: Document, texts: Texts) -> str:
    """Publisher, date, licence and the link to the original, as far as they are known; and to ask about it alone."""
    source = document.source
    facts = [escape(part) for part in (source.publisher, source.published) if part]
    if source.licence:
        facts.append(escape(texts("source.licence", licence=source.licence)))
    url = article.safe_url(source.url)
    if url:
        facts.append(
            f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{texts("source.original")}</a>'
        )
    alone = escape(scope.address(Filters(document_ids=(document.id,))))
    told = f'<p class="bri-facts">{"<span> · </span>".join(facts)}</p>' if facts else ""
    return f'{told}<p class="bri-acts"><a class="bri-alone" href="{alone}">{texts("articles.alone")}</a></p>'


def _missing(pane: bool, texts: Texts) -> str:
    level = "h3" if pane else "h1"
    text = f'<div class="bri-missing"><{level}>{texts("source.missing")}</{level}><p>{texts("source.missing.why")}</p></div>'
    return text if pane else document_page(texts("source.notfound"), text, texts)
