"""`/api/v1/export`: a user's own answer or conversation as a file, or as text to copy."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from bri_qa import export
from bri_qa.export import Link, Paper
from bri_qa.types import Document, Span
from bri_qa.web import article
from bri_qa.web.guards import problems, user_of
from bri_qa.web.history_api import PRIVATE
from bri_qa.web.records import Records

PATH = "/api/v1/export"


class Format(StrEnum):
    """What a file is written as."""

    MARKDOWN = "markdown"
    DOCX = "docx"
    JSON = "json"
    TEXT = "text"


_KINDS: dict[Format, tuple[str, str, Callable[[Paper], bytes]]] = {
    Format.MARKDOWN: ("md", "text/markdown; charset=utf-8", lambda paper: export.as_markdown(paper).encode()),
    Format.DOCX: (
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        export.as_docx,
    ),
    Format.JSON: (
        "json",
        "application/json",
        lambda paper: json.dumps(export.as_json(paper), ensure_ascii=False, indent=2).encode(),
    ),
    Format.TEXT: ("txt", "text/plain; charset=utf-8", lambda paper: export.as_text(paper).encode()),
}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file", "content": {kind.partition(";")[0]: {} for _, kind, _ in _KINDS.values()}}
}

As = Annotated[Format, Query(alias="format")]


def router(records: Records, public_url: str | None = None) -> APIRouter:
    """The routes of the export; `public_url` is where the server is, for links, by default as the request says."""
    routes, history, run, user = (
        APIRouter(tags=["export"]),
        records.history,
        records.workers.run,
        user_of,
    )

    @routes.get(
        PATH + "/conversations/{conversation_id}",
        operation_id="export_conversation",
        responses={**problems(404), **_FILE},
    )
    async def conversation(request: Request, conversation_id: str, wanted: As = Format.MARKDOWN) -> Response:
        """A conversation of yours with quotes, numbered sources and permalinks."""
        who, link = user(request), _link(request, public_url)
        return await run(lambda: _file(Paper.of_conversation(history.conversation(who, conversation_id), link), wanted))

    @routes.get(PATH + "/answers/{entry_id}", operation_id="export_answer", responses={**problems(404), **_FILE})
    async def answer(request: Request, entry_id: str, wanted: As = Format.MARKDOWN) -> Response:
        """One answer of yours with quotes, numbered sources and permalinks; as JSON, `bri-qa verify` reads it."""
        who, link = user(request), _link(request, public_url)
        return await run(lambda: _file(Paper.of_entry(history.entry(who, entry_id), link), wanted))

    return routes


def _link(request: Request, public_url: str | None) -> Link:
    """The address at which a quote opens, for someone who is not on this page."""
    base = (public_url or str(request.base_url)).rstrip("/")

    def link(document: Document, span: Span) -> str:
        return base + article.address(document, span)

    return link


def _file(paper: Paper, wanted: Format) -> Response:
    suffix, kind, written = _KINDS[wanted]
    name = export.file_name(paper, suffix)
    headers = {**PRIVATE, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(written(paper), media_type=kind, headers=headers)
