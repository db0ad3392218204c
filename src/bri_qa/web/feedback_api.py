"""`/api/v1/feedback`: users rate their answers; evaluators read and export what was said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from bri_qa.history import Rated, RatedPage, Rating, RatingFilters, Reason
from bri_qa.history.inputs import MAX_PAGE, MAX_SEARCH_CHARS
from bri_qa.types import Groups
from bri_qa.web.access import Role, person
from bri_qa.web.guards import needs, problems, same_origin, user_of
from bri_qa.web.history_api import PRIVATE
from bri_qa.web.history_schemas import FeedbackIn, FeedbackOut, RatedPageOut, rated_json
from bri_qa.web.records import Records
from bri_qa.web.service import Pipeline, reading

PATH = "/api/v1/feedback"
EXPORT: dict[int | str, dict[str, Any]] = {
    200: {"description": "One `RatedOut` a line, oldest first", "content": {"application/jsonl": {}}}
}


class FiltersIn(BaseModel):
    """Which feedback is wanted; an absent field does not restrict. `since` is inclusive, `until` is not."""

    model_config = ConfigDict(frozen=True)
    rating: Rating | None = None
    reason: Reason | None = None
    commented: bool | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    q: str = Field(default="", max_length=MAX_SEARCH_CHARS, description="words that must all be found")

    def to_filters(self) -> RatingFilters:
        return RatingFilters(self.rating, self.reason, self.commented, self.since, self.until, self.q)


class ListIn(FiltersIn):
    """The same, and which page of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    limit: int = Field(default=50, ge=1, le=MAX_PAGE)
    cursor: str | None = Field(default=None, max_length=200, description="`next` of the page before")


class ExportIn(FiltersIn):
    """The same, all of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def readable(groups: Groups, pipeline: Pipeline) -> Callable[[Rated], bool]:
    """Whether someone in `groups` may read all that a rated answer quotes; an article that is gone may be read by nobody
    whose groups are limited."""
    document = reading(pipeline, groups)
    return lambda item: (
        groups is None
        or all(document(cited["document_id"]) is not None for cited in item.contract.get("citations", ()))
    )


def router(records: Records, pipeline: Pipeline) -> APIRouter:
    """The routes of the feedback; an evaluator sees what is about articles that the evaluator may read."""
    routes, ratings, run, user = (
        APIRouter(tags=["feedback"]),
        records.ratings,
        records.workers.run,
        user_of,
    )
    ours, evaluators = [Depends(same_origin)], [Depends(needs(Role.EVALUATOR))]

    @routes.put(
        PATH, operation_id="rate", response_model=FeedbackOut, responses=problems(400, 403, 404), dependencies=ours
    )
    async def rate(request: Request, body: FeedbackIn) -> JSONResponse:
        """Rate an answer of yours, or one of its citations; what you said of the same before is replaced."""
        who = user(request)
        given = await run(
            lambda: ratings.rate(who, body.entry, body.rating, body.citation, reason=body.reason, comment=body.comment)
        )
        return JSONResponse(FeedbackOut.of(given).model_dump(mode="json"), headers=PRIVATE)

    @routes.delete(
        PATH, operation_id="withdraw_rating", status_code=204, responses=problems(403, 404), dependencies=ours
    )
    async def withdraw(
        request: Request,
        entry: Annotated[str, Query(max_length=100)],
        citation: Annotated[int | None, Query(ge=1, le=1_000)] = None,
    ) -> Response:
        """Take back what you said of an answer or a citation."""
        who = user(request)
        await run(lambda: ratings.withdraw(who, entry, citation))
        return Response(status_code=204)

    @routes.get(
        PATH, operation_id="ratings", response_model=RatedPageOut, responses=problems(400, 403), dependencies=evaluators
    )
    async def listed(wanted: Annotated[ListIn, Query()], request: Request) -> JSONResponse:
        """For evaluators: everyone's feedback, newest first, with counts; not who gave it."""
        filters = wanted.to_filters()
        keep = readable(person(request).groups, pipeline)
        page = await run(lambda: ratings.listed(filters, wanted.limit, wanted.cursor))
        page = RatedPage(tuple(filter(keep, page.rated)), page.next)
        return JSONResponse(rated_json(page, await run(lambda: ratings.counts(filters))), headers=PRIVATE)

    @routes.get(
        PATH + "/export", operation_id="export_ratings", responses={**problems(403), **EXPORT}, dependencies=evaluators
    )
    async def export(wanted: Annotated[ExportIn, Query()], request: Request) -> StreamingResponse:
        """For evaluators: everyone's feedback as JSON lines, which `bri-qa eval` imports as draft cases."""
        keep = readable(person(request).groups, pipeline)
        lines = await run(lambda: _started(ratings.lines(wanted.to_filters(), keep)))
        name = 'attachment; filename="feedback.jsonl"'
        headers = {**PRIVATE, "Content-Disposition": name}
        return StreamingResponse(lines, media_type="application/jsonl", headers=headers)

    return routes


def _started(lines: Iterator[str]) -> Iterator[str]:
    """The lines, the first one read already: what is wrong is told before the answer has begun."""
    first = next(lines, None)

    def ended() -> Iterator[str]:
        if first is not None:
            yield first + "\n"
        for line in lines:
            yield line + "\n"

    return ended()
