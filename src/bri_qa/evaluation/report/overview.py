"""A run in plain words: what was asked of what, what was found, whether the gates held, what to look at first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bri_qa.evaluation.metrics import MACHINE
from bri_qa.evaluation.report.changes import Changes
from bri_qa.evaluation.report.explain import OUTCOMES, outcome
from bri_qa.evaluation.report.plots import percent
from bri_qa.evaluation.report.saved import SavedCase, SavedRun

FIRST = 5
_FEW = 3  # cases a kind needs before its share says anything


@dataclass(frozen=True, slots=True)
class Look:
    """Something to look at: a sentence, the filter that shows it, and the ids of cases that stand for it."""

    text: str
    verdict: str = ""
    kind: str = ""
    change: str = ""
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Overview:
    """`passed` is None where the run was held to no gate, as far as its files say."""

    asked: str
    found: tuple[str, ...]
    passed: bool | None
    gates: str
    missed: tuple[str, ...]
    looks: tuple[Look, ...]
    verdicts: tuple[tuple[str, str, int], ...]
    right: int
    cases: int


def overview(run: SavedRun, changed: Changes | None = None) -> Overview:
    """The overview of `run`; `changed` adds what differs from another run."""
    passed, gates = _gates(run)
    right = sum(case.right for case in run.cases)
    return Overview(
        asked=_asked(run),
        found=(*_found(run), *_speed(run), *([_compared(changed)] if changed else [])),
        passed=passed,
        gates=gates,
        missed=run.file.missed or (),
        looks=tuple(_looks(run.cases, changed)),
        verdicts=_verdicts(run.cases),
        right=right,
        cases=len(run.cases),
    )


def counted(number: int, what: str, plural: str = "") -> str:
    """`1 case`, `2 cases`."""
    return f"{number:,} {what if number == 1 else plural or what + 's'}"


def _percent(part: int, whole: int) -> str:
    return percent(part / whole)


def _asked(run: SavedRun) -> str:
    known = sum(case.answerable for case in run.cases)
    sentence = f"{counted(len(run.cases), 'question')} of {run.cases_name}: {known:,} that the articles answer, "
    sentence += f"{len(run.cases) - known:,} that they do not."
    models = ", ".join(f"{part} {name}" for part, name in _models(run).items())
    return f"{sentence} Asked of {models}." if models else sentence


def _models(run: SavedRun) -> dict[str, str]:
    models = run.cases[0].answer.trace.get("models")
    return {str(part): str(name) for part, name in models.items()} if isinstance(models, dict) else {}


def _found(run: SavedRun) -> list[str]:
    cases = run.cases
    known = [case for case in cases if case.answerable]
    unknown = [case for case in cases if not case.answerable]
    right = sum(case.right for case in cases)
    lines = [f"{right:,} of {counted(len(cases), 'case')} came out right ({_percent(right, len(cases))})."]
    if known:
        good, quiet = sum(case.right for case in known), sum(case.answer.abstained for case in known)
        lines.append(
            f"Where the articles answer, {good:,} of {len(known):,} answers were right ({_percent(good, len(known))}); "
            f"{counted(quiet, 'question was', 'questions were')} left unanswered."
        )
    if unknown:
        quiet = sum(case.answer.abstained for case in unknown)
        lines.append(
            f"Where they do not, it abstained on {quiet:,} of {len(unknown):,} ({_percent(quiet, len(unknown))})."
        )
    validity = run.file.summary.get("citation_validity")
    if validity is not None:
        lines.append(
            "Every quote is the article's own text at its place."
            if validity == 1
            else f"Not every quote is the article's text at its place: citation_validity is {validity:.4f}."
        )
    return lines


def _speed(run: SavedRun) -> list[str]:
    half, late = (run.file.summary.get(name) for name in ("latency_p50", "latency_p95"))
    if half is None or late is None:
        return []
    return [f"Half of the answers took at most {half:.2f} s, 95\u00a0% at most {late:.2f} s."]


def _compared(changed: Changes) -> str:
    improved, broken = len(changed.of("improved")), len(changed.of("broken"))
    sure = [item for item in changed.differences if item.certain and item.metric not in MACHINE]
    better = [item.metric for item in sure if item.better]
    worse = [item.metric for item in sure if not item.better]
    sentence = f"Against {changed.name}, {counted(improved, 'case')} improved and {broken:,} broke."
    if better:
        sentence += f" Beyond chance better: {', '.join(better)}."
    if worse:
        sentence += f" Beyond chance worse: {', '.join(worse)}."
    return sentence


def _gates(run: SavedRun) -> tuple[bool | None, str]:
    if run.file.missed:
        return False, f"{counted(len(run.file.missed), 'gate')} missed"
    if run.file.gates is None:
        return None, "No gate is recorded as missed; the run does not say whether it was held to any."
    if not run.file.gates:
        return None, "The run was held to no gate."
    return True, "The gate held" if run.file.gates == 1 else f"All {run.file.gates} gates held"


def _verdicts(cases: Sequence[SavedCase]) -> tuple[tuple[str, str, int], ...]:
    """Code, name and number of cases of each verdict that occurs, in the order of `OUTCOMES`."""
    numbers = Counter(case.verdict for case in cases)
    order = [*OUTCOMES, *sorted(code for code in numbers if code not in OUTCOMES)]
    return tuple((code, outcome(code).label, numbers[code]) for code in order if numbers[code])


def _looks(cases: Sequence[SavedCase], changed: Changes | None) -> list[Look]:
    wrong = [case for case in cases if not case.right]
    looks = []
    broken = [pair.this.id for pair in changed.of("broken")] if changed else []
    if broken:
        looks.append(
            Look(
                f"{counted(len(broken), 'case')} that {'was' if len(broken) == 1 else 'were'} right before.",
                change="broken",
                ids=tuple(broken[:FIRST]),
            )
        )
    if not wrong:
        return [*looks, Look("Every case came out right: add harder ones.")]
    code, number = Counter(case.verdict for case in wrong).most_common(1)[0]
    of_it = [case for case in wrong if case.verdict == code]
    looks.append(
        Look(
            f"The commonest fault, {number:,} of {len(wrong):,}: {outcome(code).label.lower()} "
            f"({outcome(code).meaning or code}).",
            verdict=code,
            ids=tuple(case.id for case in of_it[:FIRST]),
        )
    )
    return looks + _weakest_kind(cases) + _surest_faults(wrong)


def _weakest_kind(cases: Sequence[SavedCase]) -> list[Look]:
    numbers = Counter(case.kind for case in cases)
    faults = Counter(case.kind for case in cases if not case.right)
    enough = [kind for kind in faults if numbers[kind] >= _FEW]
    if not enough or len(numbers) == 1:
        return []
    kind = max(enough, key=lambda name: (faults[name] / numbers[name], faults[name], name))
    ids = tuple(case.id for case in cases if case.kind == kind and not case.right)[:FIRST]
    return [Look(f"The weakest kind: {kind}, with {faults[kind]:,} of {numbers[kind]:,} wrong.", kind=kind, ids=ids)]


def _surest_faults(wrong: Sequence[SavedCase]) -> list[Look]:
    """Wrong answers that were given with the most confidence: where a reader is misled."""
    given = [case for case in wrong if not case.answer.abstained and case.answer.confidence is not None]
    surest = sorted(given, key=lambda case: (-(case.answer.confidence or 0.0), case.id))[:FIRST]
    if not surest:
        return []
    top = surest[0].answer.confidence
    return [Look(f"The surest mistakes, with a confidence of up to {top:.2f}.", ids=tuple(case.id for case in surest))]


def settings_of(run: SavedRun) -> list[tuple[str, str]]:
    """The run's identity as rows: a dotted name and its value."""
    return list(_flat("", run.file.identity))


def _flat(name: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [row for key, item in value.items() for row in _flat(f"{name}.{key}" if name else str(key), item)]
    return [(name, "–" if value is None else str(value))]
