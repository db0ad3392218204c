"""`/admin/feedback`: what people said of their answers, for evaluators and above."""

from __future__ import annotations

from typing import Annotated, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from bri_qa.history import Rating, RatingFilters, Reason
from bri_qa.history.inputs import MAX_SEARCH_CHARS
from bri_qa.web.access import Person, Role
from bri_qa.web.admin.doors import PageRoute, shown
from bri_qa.web.feedback_api import readable
from bri_qa.web.guards import needs
from bri_qa.web.records import Records
from bri_qa.web.service import Pipeline, Workers

PAGE = 30
Kind = TypeVar("Kind", Rating, Reason)

Evaluator = Annotated[Person, Depends(needs(Role.EVALUATOR))]


def router(records: Records, pipeline: Pipeline, workers: Workers) -> APIRouter:
    """The page over what `/api/v1/feedback` tells; an empty field of its form does not restrict."""
    routes = APIRouter(route_class=PageRoute, include_in_schema=False)

    @routes.get("/admin/feedback")
    async def feedback(request: Request, who: Evaluator) -> Response:
        asked = request.query_params
        cursor = asked.get("cursor", "")[:200]
        wanted = RatingFilters(
            rating=_one(Rating, asked.get("rating", "")),
            reason=_one(Reason, asked.get("reason", "")),
            commented=asked.get("commented") == "true" or None,
            search=asked.get("q", "")[:MAX_SEARCH_CHARS],
        )
        page = await records.workers.run(lambda: records.ratings.listed(wanted, PAGE, cursor or None))
        counts = await records.workers.run(lambda: records.ratings.counts(wanted))
        keep = readable(who.groups, pipeline)
        rated = await workers.run(lambda: [(item, keep(item)) for item in page.rated])
        return shown(
            request,
            "feedback",
            "admin.feedback.title",
            wanted=wanted,
            reasons=list(Reason),
            counts=counts,
            rated=rated,
            query=_query(wanted),
            cursor=cursor,
            next=page.next,
        )

    return routes


def _one(kind: type[Kind], value: str) -> Kind | None:
    return kind(value) if value in set(kind) else None


def _query(wanted: RatingFilters) -> str:
    """The filters as the API takes them."""
    values = {
        "rating": wanted.rating,
        "reason": wanted.reason,
        "commented": "true" if wanted.commented else "",
        "q": wanted.search,
    }
    return urlencode({name: value for name, value in values.items() if value})
