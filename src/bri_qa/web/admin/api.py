"""`/api/v1/admin`: what the pages of administration do, for scripts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response

from bri_qa.web.access import Person, Role
from bri_qa.web.admin.desk import Desk
from bri_qa.web.admin.doors import ProblemRoute
from bri_qa.web.admin.received import FIELD, received
from bri_qa.web.admin.shapes import (
    AppliedOut,
    ApplyIn,
    ArticlesOut,
    HeldOut,
    OverviewOut,
    PreviewOut,
    RebuildOut,
    RemoveIn,
    TrashedOut,
    TrashOut,
)
from bri_qa.web.admin.site import fitting
from bri_qa.web.guards import needs, same_origin
from bri_qa.web.schemas import ProblemOut
from bri_qa.web.service import Workers

PATH = "/api/v1/admin"
UPLOADS = f"{PATH}/uploads"
MAX_PAGE = 200

Admin = Annotated[Person, Depends(needs(Role.ADMINISTRATOR))]
_PRIVATE = {"Cache-Control": "no-store"}
_OURS = [Depends(same_origin)]
_SAID = {
    400: "The upload holds no file, or too many",
    401: "Sign in, or send a key",
    403: "It is for administrators, or uploads are not allowed",
    404: "It is not there (any more)",
    409: "The corpus is not as it was, or does not take it",
    413: "The upload is too large",
    422: "The request is not as the schema says",
    503: "The corpus folder cannot be read or changed",
}
_MULTIPART: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FIELD],
                    "properties": {FIELD: {"type": "array", "items": {"type": "string", "format": "binary"}}},
                }
            }
        },
    }
}


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    content: dict[str, Any] = {"application/problem+json": {}}
    return {
        status: {"description": _SAID[status], "model": ProblemOut, "content": content}
        for status in sorted({401, 403, 422, 503, *statuses})
    }


def router(desk: Desk, workers: Workers) -> APIRouter:
    """The routes of the API; their problems have the codes of `doors.STATUS`."""
    routes = APIRouter(
        prefix=PATH,
        route_class=ProblemRoute,
        tags=["administration"],
        generate_unique_id_function=lambda route: f"admin_{route.name}",
    )
    _looking(routes, desk, workers)
    _adding(routes, desk, workers)
    _taking(routes, desk, workers)
    _building(routes, desk)
    return routes


def _looking(routes: APIRouter, desk: Desk, workers: Workers) -> None:
    @routes.get("/overview", response_model=OverviewOut, responses=_problems())
    async def overview(who: Admin) -> JSONResponse:
        """The index, what the next build would change, and the files that cannot be used."""
        return _json(OverviewOut.of(await workers.run(lambda: desk.overview(who.groups))))

    @routes.get("/articles", response_model=ArticlesOut, responses=_problems())
    async def articles(
        who: Admin,
        q: Annotated[str, Query(max_length=200, description="words that must all stand in an article")] = "",
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
        offset: Annotated[int, Query(ge=0, le=100_000_000)] = 0,
    ) -> JSONResponse:
        """The articles of the corpus folder by title, with the files that they are in."""
        found = await workers.run(lambda: fitting(desk.overview(who.groups).articles, q))
        shown = [HeldOut.of(item) for item in found[offset : offset + limit]]
        return _json(ArticlesOut(articles=shown, total=len(found)))


def _adding(routes: APIRouter, desk: Desk, workers: Workers) -> None:
    @routes.post(
        "/uploads",
        status_code=201,
        response_model=PreviewOut,
        responses=_problems(400, 413),
        openapi_extra=_MULTIPART,
        dependencies=_OURS,
    )
    async def upload(request: Request, who: Admin) -> JSONResponse:
        """Send files, and see what they would change. Nothing is changed; after a day the files are forgotten."""
        async with received(request, desk.settings.allow_upload) as files:
            name = await workers.run(lambda: desk.stage(files))
        shown = PreviewOut.of(await workers.run(lambda: desk.preview(name, who.groups)))
        return _json(shown, 201, Location=f"{UPLOADS}/{name}")

    @routes.get("/uploads/{upload_id}", response_model=PreviewOut, responses=_problems(404))
    async def preview(upload_id: str, who: Admin) -> JSONResponse:
        """What an upload would change, seen from the corpus as it is now."""
        return _json(PreviewOut.of(await workers.run(lambda: desk.preview(upload_id, who.groups))))

    @routes.post(
        "/uploads/{upload_id}/apply", response_model=AppliedOut, responses=_problems(404, 409), dependencies=_OURS
    )
    async def apply(upload_id: str, body: ApplyIn, who: Admin) -> JSONResponse:
        """Add what was previewed, and begin to build. `digest` is the preview's: what was not seen is not done."""
        return _json(AppliedOut.of(await workers.run(lambda: desk.apply(upload_id, body.digest, who))))

    @routes.delete("/uploads/{upload_id}", status_code=204, responses=_problems(404), dependencies=_OURS)
    async def discard(upload_id: str, _: Admin) -> Response:
        """Forget an upload."""
        await workers.run(lambda: desk.discard(upload_id))
        return Response(status_code=204)


def _taking(routes: APIRouter, desk: Desk, workers: Workers) -> None:
    @routes.post("/remove", response_model=TrashedOut, responses=_problems(404), dependencies=_OURS)
    async def remove(body: RemoveIn, who: Admin) -> JSONResponse:
        """Put the file of an article, or one that was rejected, into the trash, and begin to build."""
        return _json(TrashedOut.of(await workers.run(lambda: desk.remove(body.path, who))))

    @routes.get("/trash", response_model=TrashOut, responses=_problems())
    async def trash(_: Admin) -> JSONResponse:
        """What was removed or replaced, last first."""
        found = await workers.run(desk.trash)
        return _json(TrashOut(files=[TrashedOut.of(item) for item in found]))

    @routes.post(
        "/trash/{trash_id}/restore", response_model=TrashedOut, responses=_problems(404, 409), dependencies=_OURS
    )
    async def restore(trash_id: str, who: Admin) -> JSONResponse:
        """Put a file back to where it lay, and begin to build."""
        return _json(TrashedOut.of(await workers.run(lambda: desk.restore(trash_id, who))))


def _building(routes: APIRouter, desk: Desk) -> None:
    @routes.get("/rebuild", response_model=RebuildOut, responses=_problems())
    async def rebuild(_: Admin) -> JSONResponse:
        """The build that runs, or the last one since the server was started."""
        return _json(RebuildOut.of(desk.rebuilding.now))

    @routes.post("/rebuild", status_code=202, response_model=RebuildOut, responses=_problems(), dependencies=_OURS)
    async def begin(who: Admin) -> JSONResponse:
        """Begin to build; where a build runs already, that one is told."""
        desk.rebuild(who)
        return _json(RebuildOut.of(desk.rebuilding.now), 202)


def _json(shown: Any, status: int = 200, **headers: str) -> JSONResponse:
    return JSONResponse(shown.model_dump(mode="json"), status, {**_PRIVATE, **headers})
