"""`report.md`: the run for a pull request. All that is not ours stands in code, where it cannot become markup."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bri_qa.evaluation.report.changes import Changes, Pair
from bri_qa.evaluation.report.explain import outcome
from bri_qa.evaluation.report.overview import Overview, counted, overview
from bri_qa.evaluation.report.page import Score, scores
from bri_qa.evaluation.report.saved import SavedCase, SavedRun
from bri_qa.evaluation.report.sliced import Slices, Turn, cells, columns

LISTED = 20
LENGTH = 160
_MAIN = (
    "evidence_coverage",
    "exact_match",
    "f1",
    "recall@5",
    "mrr",
    "citation_precision",
    "citation_recall",
    "citation_validity",
    "abstention_recall",
    "false_abstention_rate",
    "abstention_auroc",
    "latency_p50",
)


def as_markdown(run: SavedRun, changed: Changes | None = None, slices: Slices | None = None) -> str:
    """Verdict, main scores, and the first cases that improved, broke or are wrong, folded; then the slices."""
    view = overview(run, changed)
    lines = [f"### {_verdict(view)}: {view.right} of {view.cases} right in {code(run.cases_name)}", ""]
    lines += [f"- {code(line)}" for line in view.missed] + ([""] if view.missed else [])
    lines += [f"- {_sentence(line, changed)}" for line in view.found]
    lines += ["", *_table(scores(run, changed), changed), ""]
    if changed is not None:
        lines += _folded("broken", [_pair(pair) for pair in changed.of("broken")])
        lines += _folded("improved", [_pair(pair) for pair in changed.of("improved")])
    lines += _folded("wrong", [_case(case) for case in run.cases if not case.right])
    if slices is not None:
        lines += _slices(slices, run)
    return "\n".join(lines).rstrip() + "\n"


def _verdict(view: Overview) -> str:
    if view.passed is None:
        return "Eval"
    return "Gates held" if view.passed else view.gates


def _sentence(line: str, changed: Changes | None) -> str:
    """A sentence of ours; the other run's name in it is a stranger's."""
    return line if changed is None else line.replace(changed.name, code(changed.name))


def _table(rows: Sequence[Score], changed: Changes | None) -> list[str]:
    head = ["score", "value", "95 % interval"] + (["difference"] if changed else [])
    lines = [_row(head), _row(["---", *["---:"] * (len(head) - 1)])]
    for score in rows:
        if score.name in _MAIN:
            certain = score.difference is not None and score.difference.certain
            change = f"**{score.change}**" if certain else score.change or "–"
            lines.append(_row([code(score.name), score.value, score.interval or "–"] + ([change] if changed else [])))
    return lines


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _slices(slices: Slices, run: SavedRun) -> list[str]:
    """A row a slice with its differences from the plain cases, and what broke in each, folded."""
    plain = run.file.summary
    shown = {name: place for place, name in enumerate(columns(plain)) if name in _MAIN}
    head = ["slice", "right", "broke", "mended", *(code(name) for name in shown), "injected"]
    right = sum(case.right for case in run.cases)
    lines = ["#### Robustness slices", "", _row(head), _row(["---", *["---:"] * (len(head) - 1)])]
    lines.append(_row(["plain", f"{right} of {len(run.cases)}", "", "", *(f"{plain[name]:.3f}" for name in shown), ""]))
    for item in slices.slices:
        found = list(cells(item, plain))
        scores_of = [f"{cell.value} {f'**{cell.words}**' if cell.judged else cell.words}".strip() for cell in found]
        counts = [f"{item.right} of {item.cases}", str(len(item.broke)), str(len(item.mended))]
        injected = "" if item.injected is None else f"{item.injected:.3f}"
        lines.append(_row([code(item.name), *counts, *(scores_of[place] for place in shown.values()), injected]))
    lines.append("")
    for item in slices.slices:
        lines += _folded(f"broken by {item.name}", [_turn(case) for case in item.broke])
    return lines + [f"- {code(name)} left out: {code(reason)}" for name, reason in slices.left_out.items()]


def _turn(case: Turn) -> str:
    after = outcome(case.after).label.lower()
    return f"- {code(case.id)} {code(case.question)}: {outcome(case.before).label.lower()} → {after}"


def _folded(what: str, lines: Sequence[str]) -> list[str]:
    if not lines:
        return []
    more = [f"- and {len(lines) - LISTED:,} more"] if len(lines) > LISTED else []
    title = f"{counted(len(lines), 'case')} {what}"
    return ["<details>", f"<summary>{title}</summary>", "", *lines[:LISTED], *more, "", "</details>", ""]


def _pair(pair: Pair) -> str:
    before, after = outcome(pair.other.verdict).label.lower(), outcome(pair.this.verdict).label.lower()
    return f"- {code(pair.this.id)} {code(pair.this.question)}: {before} → {after}"


def _case(case: SavedCase) -> str:
    return f"- {code(case.id)} {code(case.question)}: {outcome(case.verdict).label.lower()}"


def code(text: str) -> str:
    """`text` in one line of code, shortened: no markup, mention, link or table cell can come of it."""
    line = " ".join(text.split()) or "(empty)"
    line = line if len(line) <= LENGTH else line[: LENGTH - 1] + "…"
    if not re.search(r"[`|\\]", line):
        return f"`{line}`"
    entities = "".join(char if char.isalnum() or char == " " else f"&#{ord(char)};" for char in line)
    return f"<code>{entities}</code>"
