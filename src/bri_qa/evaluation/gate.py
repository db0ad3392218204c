"""Baselines: the gates that a run must pass, and the scores that it is held against.

{"gates": {"evidence_coverage": {"min": 0.9}, "false_abstention_rate": {"max": 0.1}}, "scores": {…}}

A gate on latency, throughput or memory is allowed, but it holds on one machine only: `baseline_of` writes none.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from bri_qa.errors import CaseError
from bri_qa.evaluation.metrics import LOWER_IS_BETTER, MACHINE, METRICS
from bri_qa.evaluation.report import replace_file

TOLERANCE = 1e-9
SLACK = 0.02
PROMISES = frozenset({"citation_validity"})  # what the product guarantees has no slack


def _known(name: str) -> str:
    if name not in METRICS:
        raise ValueError(f"unknown metric {name!r}; the known ones are {', '.join(METRICS)}")
    return name


_Metric = Annotated[str, AfterValidator(_known)]
_Number = Annotated[float, Field(allow_inf_nan=False)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Gate(_Closed):
    """The least or the most that a metric may be."""

    min: _Number | None = None
    max: _Number | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.min is None) == (self.max is None):
            raise ValueError('a gate is {"min": x} or {"max": y}')
        return self

    @property
    def bound(self) -> str:
        return f"at least {self.min:g}" if self.min is not None else f"at most {self.max:g}"

    def missed_by(self, name: str, score: float | None) -> str | None:
        """One line on how `score` misses the gate, or None if it passes. An absent score passes none."""
        bound = self.bound
        if score is None:
            return f"{name} must be {bound}, but applies to no case"
        low = self.min is not None and score < self.min - TOLERANCE
        high = self.max is not None and score > self.max + TOLERANCE
        return f"{name} must be {bound}, but is {score:.4f}" if low or high else None


class Baseline(_Closed):
    """The gates by metric, and the scores of the run they were drawn from (for readers; nothing is held to them)."""

    gates: dict[_Metric, Gate]
    scores: dict[_Metric, _Number] = {}


def load(file: Path) -> Baseline:
    """The baseline in `file`.

    Raises:
        CaseError: the file cannot be read, or does not fit the format, or names an unknown metric.
    """
    try:
        return Baseline.model_validate_json(file.read_bytes())
    except OSError as error:
        raise CaseError(f"cannot read the baseline {file}: {error.strerror}; name a file with --baseline") from error
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"] if part != "[key]")
        reason = first["msg"].removeprefix("Value error, ")
        raise CaseError(f"{file}: {name + ': ' if name else ''}{reason}; mend the baseline file") from error


@dataclass(frozen=True, slots=True)
class Check:
    """One gate held to a score: what it asks for, and one line on how it is missed, or None."""

    words: str
    missed: str | None


def checks(summary: Mapping[str, float], baseline: Baseline) -> list[Check]:
    """Each gate held to `summary`, in the order of `METRICS`."""
    gates = {name: baseline.gates[name] for name in METRICS if name in baseline.gates}
    return [Check(f"{name} {gate.bound}", gate.missed_by(name, summary.get(name))) for name, gate in gates.items()]


def missed(summary: Mapping[str, float], baseline: Baseline) -> list[str]:
    """One line for each gate that `summary` misses, in the order of `METRICS`; empty if it passes all."""
    return [check.missed for check in checks(summary, baseline) if check.missed is not None]


def baseline_of(summary: Mapping[str, float], file: Path | None = None, slack: float = SLACK) -> dict[str, Any]:
    """The baseline that holds later runs to `summary`, give or take `slack`; written to `file` if one is named.

    There is no slack for what is guaranteed (`citation_validity`), and no gate or score for what depends on the
    machine. Bounds are rounded outwards to four places and stay in [0, 1], so that `summary` itself always passes.

    Raises:
        CaseError: `summary` has an unknown metric.
        InputError: the file cannot be written.
    """
    unknown = sorted(name for name in summary if name not in METRICS)
    if unknown:
        raise CaseError(f"unknown metric {unknown[0]!r}; the known ones are {', '.join(METRICS)}")
    names = [name for name in METRICS if name in summary and name not in MACHINE]
    baseline = {
        "gates": {name: _bound(name, summary[name], 0.0 if name in PROMISES else slack) for name in names},
        "scores": {name: round(summary[name], 4) for name in names},
    }
    if file is not None:
        replace_file(file, json.dumps(baseline, indent=2) + "\n")
    return baseline


def _bound(name: str, score: float, slack: float) -> dict[str, float]:
    if name in LOWER_IS_BETTER:
        return {"max": min(1.0, math.ceil((score + slack - TOLERANCE) * 10_000) / 10_000)}
    return {"min": max(0.0, math.floor((score - slack + TOLERANCE) * 10_000) / 10_000)}
