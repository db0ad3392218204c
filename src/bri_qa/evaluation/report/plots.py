"""Plots as plain geometry: positions in a drawing of `WIDTH` units, for the SVG templates. No text is escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, sqrt

import numpy as np

from bri_qa.evaluation.metrics import MACHINE
from bri_qa.evaluation.report.changes import Difference
from bri_qa.evaluation.report.saved import Bin, Part, Risk

WIDTH, HEIGHT = 380, 250
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 18, 42
COUNTS = 62  # beside a dot at 100 %: “13 of 13”
ROW = 24
NAMES = 146
_Z = 1.959964  # of a two-sided 95 % interval


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A point or bar: `label` says in words what it shows; `low`/`high` are ends of a whisker."""

    x: float
    y: float
    label: str
    size: float = 3.0
    low: float | None = None
    high: float | None = None
    tone: str = ""
    name: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Plot:
    """One drawing. `table` is its text alternative: a heading row, then the rows."""

    id: str
    title: str
    summary: str
    x_title: str
    y_title: str
    dots: tuple[Dot, ...]
    table: tuple[tuple[str, ...], ...]
    x_ticks: tuple[Tick, ...] = ()
    y_ticks: tuple[Tick, ...] = ()
    path: str = ""
    height: float = HEIGHT
    zero: float | None = None
    lines: tuple[Tick, ...] = field(default=())

    @property
    def width(self) -> int:
        return WIDTH

    @property
    def names(self) -> int:
        return NAMES - 8

    @property
    def roof(self) -> int:
        return TOP

    @property
    def floor(self) -> float:
        return self.height - BOTTOM


def _x(share: float) -> float:
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 2)


def _y(share: float) -> float:
    return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 2)


_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


def percent(share: float) -> str:
    return f"{100 * share:.0f}\u00a0%"


def risk_coverage(points: Sequence[Risk]) -> Plot | None:
    """The share of wrong answers when only the surest are given."""
    if len(points) < 2:
        return None
    ordered = sorted(points, key=lambda point: point.coverage)
    top = ceil(10 * max(0.1, *(point.risk for point in ordered))) / 10
    path = "M" + "L".join(f"{_x(point.coverage)},{_y(point.risk / top)}" for point in ordered)
    shown = [ordered[round(at)] for at in np.linspace(0, len(ordered) - 1, min(len(ordered), 11))]
    last = ordered[-1]
    return Plot(
        id="risk",
        title="Risk and coverage",
        summary=f"{percent(last.coverage)} of the questions were answered, {percent(last.risk)} of those wrongly; "
        f"of the surest half of the answers, {percent(_risk_at(ordered, last.coverage / 2))}.",
        x_title="share of questions answered, surest first",
        y_title="share of them wrong",
        dots=(),
        path=path,
        table=(
            ("answered", "wrong"),
            *dict.fromkeys((percent(point.coverage), f"{100 * point.risk:.1f}\u00a0%") for point in shown),
        ),
        x_ticks=tuple(Tick(_x(share), percent(share)) for share in _SHARES),
        y_ticks=tuple(Tick(_y(share), f"{100 * share * top:.3g}\u00a0%") for share in (0.0, 0.5, 1.0)),
    )


def _risk_at(ordered: Sequence[Risk], coverage: float) -> float:
    return min(ordered, key=lambda point: abs(point.coverage - coverage)).risk


def calibration(bins: Sequence[Bin]) -> Plot | None:
    """Confidence against the share that is right; the diagonal is a confidence that means what it says."""
    filled = [item for item in bins if item.count and item.right is not None]
    if not filled:
        return None
    most = max(item.count for item in filled)
    dots = tuple(
        Dot(
            _x(_middle(item)),
            _y(item.right or 0.0),
            f"confidence {_middle(item):.2f}: {percent(item.right or 0.0)} right, {item.count} cases",
            size=round(3 + 9 * sqrt(item.count / most), 2),
        )
        for item in filled
    )
    total = sum(item.count for item in filled)
    error = sum(item.count * abs(_middle(item) - (item.right or 0.0)) for item in filled) / total
    return Plot(
        id="calibration",
        title="Calibration",
        summary=f"Confidence and the share that is right differ by {error:.2f} on average. "
        "On the line they would be equal; a larger dot is more cases.",
        x_title="confidence",
        y_title="share right",
        dots=dots,
        path=f"M{_x(0)},{_y(0)}L{_x(1)},{_y(1)}",
        table=(
            ("confidence", "mean", "right", "cases"),
            *(
                (f"{b.low:.2f}–{b.high:.2f}", f"{_middle(b):.2f}", percent(b.right or 0.0), str(b.count))
                for b in filled
            ),
        ),
        x_ticks=tuple(Tick(_x(share), f"{share:g}") for share in _SHARES),
        y_ticks=tuple(Tick(_y(share), percent(share)) for share in _SHARES),
    )


def _middle(item: Bin) -> float:
    return (item.low + item.high) / 2 if item.confidence is None else item.confidence


def latency(seconds: Sequence[float]) -> Plot | None:
    """How many questions took how long, in at most 20 equal steps; the median and 95th percentile are lines."""
    if not seconds:
        return None
    top = max(*seconds, 0.001) if len(seconds) > 1 else max(seconds[0], 0.001)
    counts, edges = np.histogram(seconds, bins=min(20, max(5, round(sqrt(len(seconds))))), range=(0, top))
    most = int(counts.max())
    width = _x(1 / len(counts)) - LEFT
    dots = tuple(
        Dot(_x(edge / top), _y(count / most), f"{_span(edge, upper)}: {count}", size=round(width - 1, 2))
        for count, edge, upper in zip(counts.tolist(), edges.tolist(), edges.tolist()[1:], strict=False)
        if count
    )
    middle, late = (float(np.percentile(seconds, share)) for share in (50, 95))
    return Plot(
        id="latency",
        title="Time to answer",
        summary=f"Half of the questions were answered within {_time(middle)}, 95\u00a0% within {_time(late)}; "
        f"the slowest took {_time(max(seconds))}.",
        x_title="seconds",
        y_title="questions",
        dots=dots,
        lines=(Tick(_x(middle / top), "median"), Tick(_x(late / top), "95\u00a0%")),
        table=(
            ("seconds", "questions"),
            *(
                (_span(edge, upper), str(count))
                for count, edge, upper in zip(counts.tolist(), edges.tolist(), edges.tolist()[1:], strict=False)
            ),
        ),
        x_ticks=tuple(Tick(_x(share), f"{share * top:.2g}") for share in _SHARES),
        y_ticks=(Tick(_y(0), "0"), Tick(_y(1), str(most))),
    )


def _span(low: float, high: float) -> str:
    return f"{low:.3g}–{high:.3g}"


def _time(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _across(share: float) -> float:
    return round(NAMES + share * (WIDTH - NAMES - COUNTS), 2)


def by_kind(parts: dict[str, Part]) -> Plot | None:
    """The share of each kind's cases that came out right, with Wilson's 95 % interval."""
    shown = [(name, part) for name, part in parts.items() if part.cases]
    if not shown:
        return None
    dots, rows = [], []
    for at, (name, part) in enumerate(shown):
        share = part.right / part.cases
        low, high = wilson(part.right, part.cases)
        value = f"{part.right} of {part.cases}"
        label = f"{name}: {value} right, 95 % interval {percent(low)} to {percent(high)}"
        y = TOP + ROW * at + ROW / 2
        dots.append(Dot(_across(share), y, label, low=_across(low), high=_across(high), name=name, value=value))
        rows.append((name, str(part.right), str(part.cases), percent(share), f"{percent(low)}–{percent(high)}"))
    return Plot(
        id="kinds",
        title="Right answers by kind",
        summary="The share of cases that came out right; the whiskers are 95 % intervals.",
        x_title="share right",
        y_title="",
        dots=tuple(dots),
        table=(("kind", "right", "cases", "share", "95 % interval"), *rows),
        x_ticks=tuple(Tick(_across(share), percent(share)) for share in (0.0, 0.5, 1.0)),
        height=TOP + ROW * len(shown) + BOTTOM,
    )


def wilson(right: int, cases: int) -> tuple[float, float]:
    """Wilson's 95 % score interval of a share (Wilson 1927); `cases` is at least 1."""
    share, weight = right / cases, _Z * _Z / cases
    middle = (share + weight / 2) / (1 + weight)
    half = _Z * sqrt(share * (1 - share) / cases + weight / (4 * cases)) / (1 + weight)
    return max(0.0, middle - half), min(1.0, middle + half)


def comparison(differences: Sequence[Difference]) -> Plot | None:
    """The differences between two runs with their intervals; what tells of the machine is left to the table."""
    shown = [item for item in differences if item.metric not in MACHINE]
    if not shown:
        return None
    ends = [abs(end) for item in shown for end in (item.change, *item.interval)]
    reach = max(0.02, *ends)
    middle, half = (NAMES + WIDTH - RIGHT) / 2, (WIDTH - RIGHT - NAMES) / 2

    def place(change: float) -> float:
        return float(round(middle + change / reach * half, 2))

    dots, rows = [], []
    for at, item in enumerate(shown):
        low, high = item.interval
        between = f"{low:+.3f} to {high:+.3f}"
        tone = "" if not item.certain else ("better" if item.better else "worse")
        dots.append(
            Dot(
                place(item.change),
                TOP + ROW * at + ROW / 2,
                f"{item.metric}: {item.change:+.3f}, 95 % interval {between}",
                low=place(low),
                high=place(high),
                tone=tone,
                name=item.metric,
            )
        )
        rows.append((item.metric, f"{item.other:.3f}", f"{item.this:.3f}", f"{item.change:+.3f}", between))
    return Plot(
        id="differences",
        title="Difference to the other run",
        summary="A dot to the right of the line is a higher score in this run. Coloured dots are beyond chance.",
        x_title="this run less the other",
        y_title="",
        dots=tuple(dots),
        table=(("score", "other", "this", "difference", "95 % interval"), *rows),
        x_ticks=tuple(Tick(place(change), f"{change:+.2g}" if change else "0") for change in (-reach, 0.0, reach)),
        height=TOP + ROW * len(shown) + BOTTOM,
        zero=middle,
    )
