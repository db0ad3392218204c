"""What is at no address of the API: Gradio, mounted at `/`, would answer these in its own way."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.routing import Match, Mount

_METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]


def nowhere() -> APIRouter:
    """The last router of the API: 405 for an address that takes another method, else 404."""
    routes = APIRouter()

    @routes.api_route("/api/{rest:path}", methods=_METHODS, include_in_schema=False)
    async def nothing(request: Request) -> None:
        taken = ", ".join(_taken(request, routes))
        if taken:
            raise HTTPException(405, f"this address takes {taken}", {"Allow": taken})
        raise HTTPException(404, "there is nothing at this address")

    return routes


def _taken(request: Request, ours: APIRouter) -> Iterator[str]:
    """The methods that other routes take at this address."""
    others = [
        route
        for route in request.app.routes
        if not isinstance(route, Mount) and getattr(route, "original_router", None) is not ours
    ]
    for method in _METHODS:
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in others):
            yield method
