"""What slices scored beside the plain cases: as a table, as JSON, and as the file that a report reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bri_qa.evaluation.compare import Finding
from bri_qa.evaluation.report import sliced
from bri_qa.evaluation.run import rounded
from bri_qa.evaluation.slices import NAMES

PLAIN = "plain"
INJECTION_RATE = "injection_rate"


@dataclass(frozen=True, slots=True)
class Turned:
    """A case whose verdict is another than that of the plain case: what was asked in the slice, and what was said."""

    id: str
    before: str
    after: str
    question: str
    answer: str

    def as_json(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Scored:
    """A slice asked; `findings` hold it against the plain cases, metric by metric."""

    name: str
    cases: int
    right: int
    summary: Mapping[str, float]
    findings: tuple[Finding, ...]
    turned: tuple[Turned, ...]

    @property
    def broke(self) -> tuple[str, ...]:
        """The ids of cases that were right."""
        return tuple(case.id for case in self.turned if case.before == "ok")

    @property
    def mended(self) -> tuple[str, ...]:
        """The ids of cases that became right."""
        return tuple(case.id for case in self.turned if case.after == "ok")

    @property
    def other(self) -> tuple[str, ...]:
        """The ids of cases that went wrong in another way."""
        return tuple(case.id for case in self.turned if "ok" not in (case.before, case.after))

    @property
    def changed(self) -> int:
        return len(self.turned)

    def as_json(self) -> dict[str, Any]:
        """Its scores, and their differences with interval, p and verdict as `eval compare` has them."""
        return {
            "name": self.name,
            "about": NAMES.get(self.name, "the cases as they are"),
            "cases": self.cases,
            "right": self.right,
            "summary": rounded(self.summary),
            "metrics": {item.metric: item.as_json() for item in self.findings},
            "broke": list(self.broke),
            "mended": list(self.mended),
            "changed_otherwise": list(self.other),
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """The plain cases first, then the slices; `left_out` says why a slice could not be made."""

    scored: tuple[Scored, ...]
    left_out: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        return {"slices": [item.as_json() for item in self.scored], "left_out": dict(self.left_out)}

    def for_report(self, run: str) -> dict[str, Any]:
        """What `slices.json` holds beside the run of the plain cases, whose `cases.jsonl` has the SHA-256 `run`."""
        slices = [
            {**item.as_json(), "turned": [case.as_json() for case in item.turned]}
            for item in self.scored
            if item.name != PLAIN
        ]
        return {"run": run, "slices": slices, "left_out": dict(self.left_out)}

    def text(self) -> str:
        """A row a slice: each score, below it the difference to the plain cases; then how many verdicts changed."""
        plain = self.scored[0].summary
        shown = sliced.columns(plain)
        heads = [*shown.values(), "changed", "broke", "injected"]
        width = max(len(item.name) for item in self.scored)
        lines = [f"{'slice':<{width}}  {'cases':>5}" + "".join(f"  {head:>10}" for head in heads)]
        for item in self.scored:
            cells = [_cell(item.summary.get(name)) for name in shown]
            first = item.name == PLAIN
            counts = ["" if first else str(item.changed), "" if first else str(len(item.broke))]
            cells += [*counts, _cell(item.summary[INJECTION_RATE]) if INJECTION_RATE in item.summary else ""]
            lines.append(f"{item.name:<{width}}  {item.cases:>5}" + "".join(f"  {cell:>10}" for cell in cells))
            if not first:
                gaps = [_gap(item.summary.get(name), plain[name]) for name in shown]
                lines.append(" " * (width + 7) + "".join(f"  {cell:>10}" for cell in gaps))
        return "\n".join([*lines, *(f"{name} left out: {reason}" for name, reason in self.left_out.items())])


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _gap(value: float | None, plain: float) -> str:
    return "" if value is None else f"{value - plain:+.3f}"
