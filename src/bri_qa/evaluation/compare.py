"""One run held against another: paired by case, metric by metric and case by case, with a verdict.

A metric is better or worse if the 95 % interval of its difference, by the paired bootstrap, lies beyond the margin,
and if at least six cases count differently: five that all change one way may do so by chance (sign test, p = 0.06),
which the bootstrap does not see. If not, no difference is shown, which is not to say that there is none. Each metric
is judged by itself: of twenty that do not differ, one may seem to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bri_qa.errors import CaseError
from bri_qa.evaluation.bootstrap import Difference, paired
from bri_qa.evaluation.metrics import LOWER_IS_BETTER, MACHINE, METRICS
from bri_qa.evaluation.report.changes import Pair
from bri_qa.evaluation.report.saved import SavedCase, SavedRun
from bri_qa.evaluation.sample import Row, Sample, bearing

LISTED = 20  # cases of a sort that the text shows
FEWEST = 6  # cases that must count differently for a difference to be shown


class Judgement(StrEnum):
    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no difference shown"


@dataclass(frozen=True, slots=True)
class Policy:
    """Which metrics may fail a comparison, and by how much they may be worse.

    With none named, all but those of the machine (latency, throughput, memory).
    """

    gates: tuple[str, ...] = ()
    margin: float = 0.0

    def __post_init__(self) -> None:
        unknown = [name for name in self.gates if name not in METRICS]
        if unknown:
            raise CaseError(f"unknown metric {unknown[0]!r}; the known ones are {', '.join(METRICS)}")
        if not 0 <= self.margin < 1:
            raise CaseError(f"the margin is {self.margin:g}; give the loss to put up with, at least 0 and below 1")

    def holds(self, metric: str) -> bool:
        return metric in self.gates if self.gates else metric not in MACHINE

    def judge(self, metric: str, difference: Difference, moved: int) -> Judgement:
        """`moved` is how many cases count differently."""
        if moved < FEWEST:
            return Judgement.NO_DIFFERENCE
        low, high = difference.low, difference.high
        if metric in LOWER_IS_BETTER:
            low, high = -high, -low
        if high < -self.margin:
            return Judgement.WORSE
        return Judgement.BETTER if low > self.margin else Judgement.NO_DIFFERENCE


@dataclass(frozen=True, slots=True)
class Finding:
    """One metric. `moved` cases count differently; `gates` says whether the comparison fails if it is worse."""

    metric: str
    difference: Difference
    moved: int
    judgement: Judgement
    gates: bool

    def as_json(self) -> dict[str, Any]:
        item = self.difference
        numbers = {"before": item.before, "after": item.after, "difference": item.change, "p": item.p}
        return {
            **{name: round(value, 6) for name, value in numbers.items()},
            "interval": [round(item.low, 6), round(item.high, 6)],
            "moved": self.moved,
            "verdict": self.judgement.value,
            "gates": self.gates,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """`after` against `before`, over the cases that are the same in both.

    `only_before` and `only_after` name the cases of one run alone, `altered` those with one id and another question,
    history or gold; none of them is compared. `lost` are metrics that apply to no case any more, with whether they are
    gates by name: where nothing abstains any more, losing the precision of abstentions is no loss. `gained` are those
    that did not apply before; `settings` what the runs were made with, where it differs.
    """

    before: str
    after: str
    findings: tuple[Finding, ...]
    pairs: tuple[Pair, ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]
    altered: tuple[str, ...]
    lost: Mapping[str, bool]
    gained: tuple[str, ...]
    settings: Mapping[str, tuple[Any, Any]]

    def judged(self, judgement: Judgement) -> list[str]:
        """The metrics so judged, of those that may fail the comparison."""
        return [item.metric for item in self.findings if item.judgement is judgement and item.gates]

    @property
    def failed(self) -> bool:
        """Whether a metric that gates is worse, or one that was named applies no more."""
        return bool(self.judged(Judgement.WORSE)) or any(self.lost.values())

    @property
    def verdict(self) -> str:
        """One line on the metrics that gate."""
        lost = [name for name, gates in self.lost.items() if gates]
        named = {
            "worse in": self.judged(Judgement.WORSE),
            "no case left for": lost,
            "better in": self.judged(Judgement.BETTER),
        }
        parts = [f"{words} {', '.join(names)}" for words, names in named.items() if names]
        return "; ".join(parts) or Judgement.NO_DIFFERENCE.value

    def changed(self, change: str) -> list[Pair]:
        """The cases that are `improved`, `broken`, `different` or the `same`."""
        return [pair for pair in self.pairs if pair.change == change]

    def as_json(self) -> dict[str, Any]:
        """`eval compare --json`, and the key `comparison` of `run.json`."""
        return {
            "before": self.before,
            "after": self.after,
            "verdict": self.verdict,
            "failed": self.failed,
            "metrics": {item.metric: item.as_json() for item in self.findings},
            "lost": list(self.lost),
            "gained": list(self.gained),
            "cases": {
                "compared": len(self.pairs),
                **{change: [_as_json(pair) for pair in self.changed(change)] for change in _CHANGES},
                "only_before": list(self.only_before),
                "only_after": list(self.only_after),
                "altered": list(self.altered),
            },
            "settings": {name: {"before": old, "after": new} for name, (old, new) in self.settings.items()},
        }

    def text(self) -> str:
        """For a terminal: the settings that differ, the metrics, the cases that changed, and the verdict."""
        return "\n".join([*self._heading(), "", *_table(self.findings), "", *self._cases(), f"verdict: {self.verdict}"])

    def _heading(self) -> Iterator[str]:
        yield f"{self.after} against {self.before}, over {len(self.pairs)} cases that are the same in both"
        yield from (f"  {name}: {old} -> {new}" for name, (old, new) in self.settings.items())

    def _cases(self) -> Iterator[str]:
        for change in _CHANGES:
            pairs = self.changed(change)
            yield f"{change}: {len(pairs)}"
            yield from _listed([f"{pair.this.id}  {_turn(pair)}  {_shortened(pair.this.question)}" for pair in pairs])
        for words, names in (
            ("only in the run before", self.only_before),
            ("only in the run after", self.only_after),
            ("not the same case in both", self.altered),
        ):
            if names:
                yield f"{words}, not compared: {len(names)}"
                yield from _listed(names)
        for words, metrics in (("apply to no case any more", list(self.lost)), ("did not apply before", self.gained)):
            if metrics:
                yield f"{words}: {', '.join(metrics)}"


_CHANGES = ("improved", "broken", "different")


def compare(before: SavedRun, after: SavedRun, policy: Policy | None = None) -> Comparison:
    """`after` against `before`.

    Raises:
        CaseError: no case is the same in both.
    """
    policy = policy or Policy()
    then = {case.id: case for case in before.cases}
    now = {case.id: case for case in after.cases}
    shared = [case for case in after.cases if case.id in then]
    pairs = tuple(Pair(case, then[case.id]) for case in shared if _asked(case) == _asked(then[case.id]))
    if not pairs:
        raise CaseError(f"{before.name} and {after.name} share no case; compare runs of one case file")
    rows = [(_row(pair.other), _row(pair.this)) for pair in pairs]
    applied, applies = (Sample(side).summary for side in zip(*rows, strict=True))
    same = {pair.this.id for pair in pairs}
    return Comparison(
        before=before.name,
        after=after.name,
        findings=findings(rows, policy),
        pairs=pairs,
        only_before=tuple(name for name in then if name not in now),
        only_after=tuple(name for name in now if name not in then),
        altered=tuple(case.id for case in shared if case.id not in same),
        lost={name: name in policy.gates for name in applied if name not in applies},
        gained=tuple(name for name in applies if name not in applied),
        settings=dict(_differing(before.file.identity, after.file.identity)),
    )


def findings(rows: Sequence[tuple[Row, Row]], policy: Policy) -> tuple[Finding, ...]:
    """Each metric that applies to both sides of `rows`: a case before, and the same case after."""
    old, new = Sample([row for row, _ in rows]), Sample([row for _, row in rows])
    return tuple(_finding(name, item, rows, policy) for name, item in paired(old, new).items())


def _finding(metric: str, difference: Difference, rows: Sequence[tuple[Row, Row]], policy: Policy) -> Finding:
    moved = sum(bearing(metric, old) != bearing(metric, new) for old, new in rows)
    return Finding(metric, difference, moved, policy.judge(metric, difference, moved), policy.holds(metric))


def _asked(case: SavedCase) -> tuple[Any, ...]:
    """What makes it the same case."""
    gold = tuple((item.document_id, item.quote) for item in case.evidence)
    return case.question, case.history, case.answers, gold


def _row(case: SavedCase) -> Row:
    return Row(
        scores=case.scores,
        answerable=case.answerable,
        abstained=case.answer.abstained,
        right=case.right,
        confidence=case.answer.confidence or 0.0,
        citations=len(case.answer.citations),
        seconds=case.seconds,
    )


def _differing(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, tuple[Any, Any]]]:
    """The values that differ, by the keys that lead to them."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            yield from _differing(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
    elif before != after:
        yield path, (before, after)


def _as_json(pair: Pair) -> dict[str, Any]:
    sides = {"before": pair.other, "after": pair.this}
    return {
        "id": pair.this.id,
        "question": pair.this.question,
        **{
            name: {"verdict": case.verdict, "answer": case.answer.answer, "short_answer": case.answer.short_answer}
            for name, case in sides.items()
        },
    }


def _table(findings: Sequence[Finding]) -> Iterator[str]:
    width = max(len(name) for name in METRICS)
    numbers = f"{'before':>8}  {'after':>8}  {'change':>8}"
    yield f"{'metric':<{width}}  {numbers}  {'95 % interval':>18}  {'p':>6}  {'cases':>5}  verdict"
    for item in findings:
        found = item.difference
        interval = f"{found.low:+.3f} to {found.high:+.3f}"
        verdict = item.judgement.value + (
            "" if item.gates or item.judgement is Judgement.NO_DIFFERENCE else " (no gate)"
        )
        numbers = f"{found.before:>8.3f}  {found.after:>8.3f}  {found.change:>+8.3f}"
        yield f"{item.metric:<{width}}  {numbers}  {interval:>18}  {found.p:>6.3f}  {item.moved:>5}  {verdict}"


def _turn(pair: Pair) -> str:
    before, after = pair.other.verdict, pair.this.verdict
    return f"{before} -> {after}" if before != after else f"{after}, another answer"


def _listed(lines: Sequence[str]) -> Iterator[str]:
    yield from (f"  {line}" for line in lines[:LISTED])
    if len(lines) > LISTED:
        yield f"  … and {len(lines) - LISTED} more (--json names them all)"


def _shortened(text: str, width: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"
