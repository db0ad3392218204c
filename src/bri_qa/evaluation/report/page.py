"""`report.html`: one file that holds its style, its script and its data, and asks nothing of a network."""

from __future__ import annotations

from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from bri_qa.evaluation.metrics import LATENCY, METRICS
from bri_qa.evaluation.report import plots, sliced
from bri_qa.evaluation.report.changes import Changes, Difference
from bri_qa.evaluation.report.explain import outcome
from bri_qa.evaluation.report.overview import counted, overview, settings_of
from bri_qa.evaluation.report.payload import payload
from bri_qa.evaluation.report.saved import Part, SavedCase, SavedRun
from bri_qa.evaluation.report.sliced import Slices
from bri_qa.evaluation.report.terminal import COLUMNS

SCRIPTS = ("passage.js", "case.js", "list.js")
STYLES = ("report.css", "cases.css")
TILES = ("evidence_coverage", "exact_match", "citation_validity", "abstention_recall", "false_abstention_rate")
LISTED = 50


@dataclass(frozen=True, slots=True)
class Score:
    """A row of the table of scores."""

    name: str
    meaning: str
    value: str
    interval: str
    difference: Difference | None

    @property
    def change(self) -> str:
        if self.difference is None:
            return ""
        low, high = self.difference.interval
        return f"{self.difference.change:+.3f} [{low:+.3f}, {high:+.3f}]"


@dataclass(frozen=True, slots=True)
class Group:
    """A table of parts: what they are parts by, the filter they set, the rows, and how many are not listed."""

    title: str
    filter: str
    rows: tuple[tuple[str, Part, tuple[str, ...]], ...]
    left_out: int


def as_html(run: SavedRun, changed: Changes | None = None, slices: Slices | None = None) -> str:
    """The whole page. All text of cases and articles is escaped, or stands in data that only a script reads."""
    script, style = _joined(SCRIPTS), _joined(STYLES)
    policy = (
        f"default-src 'none'; script-src {_source(script)}; style-src {_source(style)}; "
        "base-uri 'none'; form-action 'none'"
    )
    data = payload(run, changed)
    view = overview(run, changed)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            run=run,
            view=view,
            changed=changed,
            scores=scores(run, changed),
            tiles=[score for score in scores(run, changed) if score.name in TILES],
            groups=_groups(run),
            columns=COLUMNS,
            drawings=_drawings(run, changed),
            settings=settings_of(run),
            counted=counted,
            policy=policy,
            script=script,
            style=style,
            data=data,
            data_size=size(len(data.encode())),
            **_sliced(run, slices),
        )
    )


def _sliced(run: SavedRun, slices: Slices | None) -> dict[str, Any]:
    plain = run.file.summary
    rows = [] if slices is None else [(item, tuple(sliced.cells(item, plain))) for item in slices.slices]
    return {
        "slices": slices,
        "slice_columns": sliced.columns(plain),
        "slice_rows": rows,
        "slice_listed": sliced.LISTED,
        "label": lambda verdict: outcome(verdict).label.lower(),
    }


def size(count: int) -> str:
    """Bytes for people."""
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(1, round(count / 1e3))} kB"


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("bri_qa.evaluation.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _joined(names: tuple[str, ...]) -> str:
    loader = _environment().loader
    assert loader is not None  # noqa: S101 - it is set just above
    return "\n".join(loader.get_source(_environment(), name)[0] for name in names)


def _source(text: str) -> str:
    """The CSP source that allows exactly this inline text."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def scores(run: SavedRun, changed: Changes | None) -> list[Score]:
    """Every score of the run in the order of its file, with its interval and its difference from the other run."""
    differences = {item.metric: item for item in changed.differences} if changed else {}
    return [
        Score(name, METRICS.get(name, ""), shown(name, value), _between(run.file, name), differences.get(name))
        for name, value in run.file.summary.items()
    ]


def shown(name: str, value: float | None) -> str:
    """A score for a table; `–` where it does not apply."""
    if value is None:
        return "–"
    return f"{value:.2f} s" if name in LATENCY else f"{value:.3f}" if abs(value) < 100 else f"{value:,.0f}"


def _between(part: Part, name: str) -> str:
    found = part.intervals.get(name)
    return "" if found is None else f"{shown(name, found[0])} – {shown(name, found[1])}"


def _groups(run: SavedRun) -> list[Group]:
    by: list[tuple[str, str, dict[str, Part], Callable[[SavedCase], Sequence[str]]]] = [
        ("By kind", "kind", run.file.by_kind, lambda case: (case.kind,)),
        ("By tag", "tag", run.file.by_tag, lambda case: case.tags),
        ("By split", "split", run.file.by_split, lambda case: () if case.split is None else (case.split,)),
        ("By document", "document", run.file.by_document, lambda case: case.document_ids),
    ]
    groups = [_group(title, name, saved or _counted(run.cases, keys)) for title, name, saved, keys in by]
    return [group for group in groups if group.rows]


def _counted(cases: Sequence[SavedCase], keys: Callable[[SavedCase], Sequence[str]]) -> dict[str, Part]:
    """Parts that a run did not save, with their counts alone."""
    members: dict[str, list[SavedCase]] = defaultdict(list)
    for case in cases:
        for key in keys(case):
            members[key].append(case)
    return {
        key: Part(counts={"cases": len(found), "verdicts": {"ok": sum(case.right for case in found)}})
        for key, found in sorted(members.items())
    }


def _group(title: str, name: str, parts: dict[str, Part]) -> Group:
    """All parts in their order; of very many, those with the most wrong cases."""
    chosen = list(parts.items())
    if len(chosen) > LISTED:
        chosen = sorted(chosen, key=lambda item: (item[1].right - item[1].cases, item[0]))[:LISTED]
    rows = tuple(
        (key, part, tuple(shown(metric, part.summary.get(metric)) for metric in COLUMNS)) for key, part in chosen
    )
    return Group(title, name, rows, len(parts) - len(rows))


def _drawings(run: SavedRun, changed: Changes | None) -> list[plots.Plot]:
    kinds = run.file.by_kind or _counted(run.cases, lambda case: (case.kind,))
    drawn: list[plots.Plot | None] = [
        plots.by_kind(dict(list(kinds.items())[:LISTED])),
        plots.comparison(changed.differences) if changed else None,
        plots.risk_coverage(run.file.risk_coverage),
        plots.calibration(run.file.calibration),
        plots.latency([case.seconds for case in run.cases if case.seconds is not None]),
    ]
    return [plot for plot in drawn if plot is not None]
