"""`/api/v1/history`: a user's own conversations. Answers are kept by the chat; none can be put here from outside."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response

from bri_qa.history.inputs import MAX_PAGE, MAX_SEARCH_CHARS
from bri_qa.web.guards import problems, same_origin, user_of
from bri_qa.web.history_schemas import ConversationOut, DeletedOut, PageOut, SummaryOut, TitleIn, conversation_json
from bri_qa.web.records import Records

PRIVATE = {"Cache-Control": "no-store"}
PATH = "/api/v1/history"
ONE = PATH + "/{conversation_id}"


def router(records: Records) -> APIRouter:
    """The routes of the history. Each sees what belongs to the user of the cookie and nothing else."""
    routes, history, run, user = (
        APIRouter(tags=["history"]),
        records.history,
        records.workers.run,
        user_of,
    )
    ours = [Depends(same_origin)]

    @routes.get(PATH, operation_id="conversations", response_model=PageOut, responses=problems(400))
    async def conversations(
        request: Request,
        q: Annotated[str, Query(max_length=MAX_SEARCH_CHARS, description="words that must all be found")] = "",
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
        cursor: Annotated[str | None, Query(max_length=200, description="`next` of the page before")] = None,
    ) -> JSONResponse:
        """Your conversations, last used first."""
        who = user(request)
        page = await run(lambda: history.conversations(who, q, limit, cursor))
        return JSONResponse(PageOut.of(page).model_dump(mode="json"), headers=PRIVATE)

    @routes.delete(
        PATH, operation_id="delete_conversations", response_model=DeletedOut, responses=problems(403), dependencies=ours
    )
    async def delete_all(request: Request) -> JSONResponse:
        """Delete all that is kept of you: conversations and feedback."""
        who = user(request)
        return JSONResponse({"deleted": await run(lambda: history.delete_all(who))}, headers=PRIVATE)

    @routes.get(ONE, operation_id="conversation", response_model=ConversationOut, responses=problems(404))
    async def conversation(request: Request, conversation_id: str) -> JSONResponse:
        """A conversation with its questions and answers, as they were given."""
        who = user(request)
        found = await run(lambda: history.conversation(who, conversation_id))
        return JSONResponse(conversation_json(found), headers=PRIVATE)

    @routes.patch(
        ONE,
        operation_id="rename_conversation",
        response_model=SummaryOut,
        responses=problems(400, 403, 404),
        dependencies=ours,
    )
    async def rename(request: Request, conversation_id: str, body: TitleIn) -> JSONResponse:
        """Give a conversation another title."""
        who = user(request)
        summary = await run(lambda: history.rename(who, conversation_id, body.title))
        return JSONResponse(SummaryOut.of(summary).model_dump(mode="json"), headers=PRIVATE)

    @routes.delete(
        ONE, operation_id="delete_conversation", status_code=204, responses=problems(403, 404), dependencies=ours
    )
    async def delete(request: Request, conversation_id: str) -> Response:
        """Delete a conversation and your feedback on it."""
        who = user(request)
        await run(lambda: history.delete(who, conversation_id))
        return Response(status_code=204)

    return routes
