"""A run as a table for the terminal."""

from __future__ import annotations

from bri_qa.evaluation.metrics import HEADS, LATENCY, METRICS
from bri_qa.evaluation.run import Run, counts, summarised

COLUMNS = {**HEADS, "latency_p50": "p50 s"}


def table(run: Run) -> str:
    """The counts, every metric that applies, the verdicts, and one line a kind. Shares are out of 1."""
    count = counts(run.records)
    summary = run.summary
    lines = [
        f"{_counted(count['cases'], 'case')}: {count['answerable']} answerable, {count['unanswerable']} not; "
        f"{_counted(count['abstained'], 'abstention')}",
        "",
    ]
    width = max(len(name) for name in METRICS)
    lines += [f"{name:<{width}}  {_shown(name, value)}" for name, value in summary.items()]
    lines += ["", "verdicts: " + ", ".join(f"{name} {number}" for name, number in count["verdicts"].items())]
    return "\n".join([*lines, "", *_kinds(run)])


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _kinds(run: Run) -> list[str]:
    width = max(len("kind"), *(len(kind) for kind in run.by_kind))
    lines = [f"{'kind':<{width}}  {'cases':>5}" + "".join(f"  {title:>{_wide(title)}}" for title in COLUMNS.values())]
    for kind, records in run.by_kind.items():
        summary = summarised(records)
        cells = "".join(
            f"  {_shown(name, summary[name]) if name in summary else '-':>{_wide(title)}}"
            for name, title in COLUMNS.items()
        )
        lines.append(f"{kind:<{width}}  {len(records):>5}" + cells)
    return lines


def _wide(title: str) -> int:
    return max(len(title), len("1.000"))


def _shown(name: str, value: float) -> str:
    return f"{value:.4f}" if name in LATENCY else f"{value:.3f}"
