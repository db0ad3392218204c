"""Whether the server lives, and whether it can answer."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from bri_qa.web.service import Pipeline, Workers


def router(pipeline: Pipeline, workers: Workers) -> APIRouter:
    """Open to all: a load balancer has no key. What is counted is open to all as well."""
    routes = APIRouter()

    @routes.get("/healthz", include_in_schema=False)
    async def healthz() -> JSONResponse:
        return JSONResponse({"status": "up"})

    @routes.get("/readyz", include_in_schema=False)
    async def readyz() -> JSONResponse:
        documents = await workers.run(lambda: pipeline.documents(frozenset()))
        return JSONResponse({"status": "ready", "documents": len(documents)})

    return routes
