"""`/api/v1`. Each route parses, calls one function, and shows the result."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter

from bri_qa.web.api import ask, documents, evaluation, search
from bri_qa.web.api.described import ABOUT, describe
from bri_qa.web.api.nowhere import nowhere
from bri_qa.web.api.problems import add_problems
from bri_qa.web.service import Pipeline, Workers

__all__ = ["ABOUT", "add_problems", "describe", "nowhere", "router"]


def router(pipeline: Pipeline, workers: Workers, runs_dir: Path = Path("runs")) -> APIRouter:
    """The routes of the API; `runs_dir` is where runs of the evaluation are kept."""
    routes = APIRouter()
    routes.include_router(ask.router(pipeline, workers))
    routes.include_router(search.router(pipeline, workers))
    routes.include_router(documents.router(pipeline, workers))
    routes.include_router(evaluation.router(runs_dir, workers))
    return routes
