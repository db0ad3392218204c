"""What is at no address of the API: Gradio, mounted at `/`, would answer these in its own way."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

_METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]


def nowhere() -> APIRouter:
    """The last router of the API: 405 for an address that takes another method, else 404."""
    routes = APIRouter()

    @routes.api_route("/api/{rest:path}", methods=_METHODS, include_in_schema=False)
    async def nothing(request: Request) -> None:
        taken = sorted(_taken(request))
        if taken:
            methods = ", ".join(taken)
            raise HTTPException(405, f"this address takes {methods}", {"Allow": methods})
        raise HTTPException(404, "there is nothing at this address")

    return routes


def _taken(request: Request) -> set[str]:
    """The methods that other routes take at this address."""
    found: set[str] = set()
    for route in request.app.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is Match.PARTIAL:
            found |= route.methods or set()
    return found - {"HEAD"} if "GET" not in found else found
