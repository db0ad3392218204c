"""How the evaluation stands: the newest run that was saved with `bri-qa eval --report`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, Security
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, FiniteFloat, ValidationError

from bri_qa.errors import NotFoundError
from bri_qa.web.access import Role
from bri_qa.web.api.described import BEARER
from bri_qa.web.api.problems import refusals
from bri_qa.web.api.shapes import EvaluationOut, KindOut
from bri_qa.web.guards import needs
from bri_qa.web.service import Workers

FILE = "run.json"


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    counts: dict[str, Any]
    summary: dict[str, FiniteFloat]

    def to_kind(self) -> KindOut:
        right = self.counts.get("verdicts", {}).get("ok", 0)
        return KindOut(cases=self.counts.get("cases", 0), right=right, scores=dict(self.summary))


class _Run(_Part):
    cases_file: dict[str, str] = {}
    gates: int | None = None
    missed: list[str] | None = None
    by_kind: dict[str, _Part] = {}


def router(runs_dir: Path, workers: Workers) -> APIRouter:
    """`runs_dir`: a run is a folder in it, or in a folder in it."""
    routes = APIRouter(prefix="/api/v1", tags=["evaluation"], dependencies=[Security(BEARER)])

    @routes.get(
        "/evaluation",
        operation_id="evaluation",
        response_model=EvaluationOut,
        responses=refusals(404),
        dependencies=[Depends(needs(Role.EVALUATOR))],
    )
    async def evaluation() -> JSONResponse:
        """For evaluators: the newest run of the evaluation, its scores, and the gates that it missed."""
        found = await workers.run(lambda: newest(runs_dir))
        if found is None:
            raise NotFoundError("no run is kept here yet; run `bri-qa eval --report` with a folder in BRI_QA_RUNS_DIR")
        return JSONResponse(found.model_dump(mode="json"))

    return routes


def newest(runs_dir: Path) -> EvaluationOut | None:
    """The run that was written last and can be read; None where there is none."""
    written = sorted(_files(runs_dir), reverse=True)
    runs = (_read(file, moment) for moment, file in written)
    return next((run for run in runs if run is not None), None)


def _files(runs_dir: Path) -> Iterator[tuple[float, Path]]:
    for pattern in (f"*/{FILE}", f"*/*/{FILE}"):
        for file in runs_dir.glob(pattern):
            try:
                yield file.stat().st_mtime, file
            except OSError:  # removed meanwhile
                continue


def _read(file: Path, moment: float) -> EvaluationOut | None:
    try:
        run = _Run.model_validate_json(file.read_bytes())
        whole = run.to_kind()
        kinds = {name: part.to_kind() for name, part in sorted(run.by_kind.items())}
    except (OSError, ValidationError, AttributeError):
        return None
    return EvaluationOut(
        run=file.parent.name,
        when=datetime.fromtimestamp(moment, UTC).replace(microsecond=0),
        cases_file=run.cases_file.get("name", ""),
        cases=whole.cases,
        right=whole.right,
        scores=whole.scores,
        gates=run.gates,
        passed=None if run.missed is None else not run.missed,
        missed=run.missed,
        kinds=kinds,
    )
