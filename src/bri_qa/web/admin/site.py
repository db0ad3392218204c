"""`/admin`: the pages of administration. Each works without a script; a script only makes waiting and dropping easier."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from bri_qa.corpus import editing
from bri_qa.web import article, catalogue
from bri_qa.web.access import Person, Role
from bri_qa.web.admin import words
from bri_qa.web.admin.desk import FILES, Desk
from bri_qa.web.admin.doors import PageRoute, shown
from bri_qa.web.admin.looking import Held
from bri_qa.web.admin.received import received
from bri_qa.web.guards import needs, same_origin
from bri_qa.web.service import Workers

PAGE = 50

Admin = Annotated[Person, Depends(needs(Role.ADMINISTRATOR))]
_OURS = [Depends(same_origin)]


def router(desk: Desk, workers: Workers) -> APIRouter:
    """The pages about the corpus and its index."""
    routes = APIRouter(prefix="/admin", route_class=PageRoute, include_in_schema=False)
    _looking(routes, desk, workers)
    _adding(routes, desk, workers)
    _taking(routes, desk, workers)
    return routes


def _looking(routes: APIRouter, desk: Desk, workers: Workers) -> None:
    @routes.get("")
    async def overview(request: Request, who: Admin) -> Response:
        found = await workers.run(lambda: desk.overview(who.groups))
        age = words.ago(found.built, words.texts_of(request))
        return shown(request, "overview", "admin.overview.title", overview=found, age=age)

    @routes.get("/articles")
    async def articles(
        request: Request,
        who: Admin,
        q: Annotated[str, Query(max_length=200)] = "",
        page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    ) -> Response:
        found = await workers.run(lambda: fitting(desk.overview(who.groups).articles, q))
        last = max(1, -(-len(found) // PAGE))
        at = min(page, last)
        return shown(
            request,
            "articles",
            "admin.articles.title",
            words=q,
            total=len(found),
            shown=found[(at - 1) * PAGE : at * PAGE],
            page=at,
            pages=last,
            address=article.address,
        )

    @routes.get("/rebuild")
    async def rebuild(request: Request, _: Admin) -> Response:
        return shown(request, "rebuild", "admin.rebuild.title", now=desk.rebuilding.now)

    @routes.post("/rebuild", dependencies=_OURS)
    async def begin(who: Admin) -> Response:
        desk.rebuild(who)
        return _to("/admin/rebuild")


def _adding(routes: APIRouter, desk: Desk, workers: Workers) -> None:
    @routes.get("/add")
    async def add(request: Request, _: Admin) -> Response:
        most, together = desk.settings.max_file_bytes, desk.most_bytes
        allowed = desk.settings.allow_upload
        return shown(request, "add", "admin.add.title", allowed=allowed, most=most, together=together, files=FILES)

    @routes.post("/add", dependencies=_OURS)
    async def upload(request: Request, _: Admin) -> Response:
        async with received(request, desk.settings.allow_upload) as files:
            name = await workers.run(lambda: desk.stage(files))
        return _to(f"/admin/uploads/{name}")

    @routes.get("/uploads/{upload}")
    async def preview(request: Request, upload: str, who: Admin) -> Response:
        found = await workers.run(lambda: desk.preview(upload, who.groups))
        return shown(request, "preview", "admin.preview.title", preview=found)

    @routes.post("/uploads/{upload}", dependencies=_OURS)
    async def decide(
        upload: str, who: Admin, act: Annotated[str, Form()], digest: Annotated[str, Form()] = ""
    ) -> Response:
        if act != "apply":
            await workers.run(lambda: desk.discard(upload))
            return _to("/admin/add")
        await workers.run(lambda: desk.apply(upload, digest, who))
        return _to("/admin/rebuild")


def _taking(routes: APIRouter, desk: Desk, workers: Workers) -> None:
    @routes.get("/remove")
    async def asked(request: Request, who: Admin, path: str) -> Response:
        title = await workers.run(lambda: desk.title(path, who.groups))
        return shown(request, "remove", "admin.remove.title", path=path, name=title)

    @routes.post("/remove", dependencies=_OURS)
    async def remove(who: Admin, path: Annotated[str, Form()]) -> Response:
        await workers.run(lambda: desk.remove(path, who))
        return _to("/admin/rebuild")

    @routes.get("/trash")
    async def trash(request: Request, _: Admin) -> Response:
        found = await workers.run(desk.trash)
        folder = f"{desk.settings.corpus_dir}/{editing.TRASH}"
        return shown(request, "trash", "admin.trash.title", trash=found, folder=folder)

    @routes.post("/trash", dependencies=_OURS)
    async def restore(who: Admin, id: Annotated[str, Form()]) -> Response:  # noqa: A002 - the field's name
        await workers.run(lambda: desk.restore(id, who))
        return _to("/admin/rebuild")


def fitting(articles: tuple[Held, ...], search: str) -> list[Held]:
    """Those that hold all words of `search`, by title; the same search as that of the list of the articles."""
    by_id = {item.document.id: item for item in articles}
    documents = [item.document for item in articles]
    return [by_id[item.id] for item in catalogue.fitting(documents, catalogue.Wanted(words=search, order="title"))]


def _to(path: str) -> Response:
    return RedirectResponse(path, 303)
