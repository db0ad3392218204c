"""Administration: the corpus changed over the web, the index rebuilt, feedback read. Nobody may until a role allows it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from fastapi import APIRouter

from bri_qa import compose
from bri_qa.settings import Settings
from bri_qa.web.admin import api, feedback, site
from bri_qa.web.admin.desk import Desk, upload_bytes
from bri_qa.web.admin.rebuilding import Rebuilding
from bri_qa.web.audit import Audit
from bri_qa.web.records import Records
from bri_qa.web.service import Pipeline

__all__ = ["larger", "router"]


def larger(settings: Settings) -> Mapping[str, int]:
    """The paths whose requests may be larger than others, and how large."""
    paths = ("/admin/add", api.UPLOADS) if settings.allow_upload else ()
    return dict.fromkeys(paths, upload_bytes(settings))


def router(settings: Settings, pipeline: Pipeline, records: Records, audit: Audit) -> APIRouter:
    """The pages and the API. `audit` records each change."""
    workers = records.workers  # not those that answer
    desk = Desk(settings, Rebuilding(partial(compose.refresh, settings)), audit)
    routes = APIRouter()
    routes.include_router(site.router(desk, workers))
    routes.include_router(feedback.router(records, pipeline, workers))
    routes.include_router(api.router(desk, workers))
    return routes
