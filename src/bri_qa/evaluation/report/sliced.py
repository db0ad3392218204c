"""The robustness slices that were asked beside the cases of a run: read from `slices.json`, laid out for a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from pydantic import BaseModel, ConfigDict, ValidationError

from bri_qa.errors import InputError
from bri_qa.evaluation.metrics import HEADS, LOWER_IS_BETTER
from bri_qa.evaluation.report.saved import CASES, SavedRun

FILE, FOLDER = "slices.json", "slices"
LISTED = 50
COLUMNS = {**HEADS, "citation_validity": "validity"}


class _Saved(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Found(_Saved):
    """A metric of a slice against the plain cases."""

    difference: float
    interval: tuple[float, float]
    verdict: str = ""

    @property
    def certain(self) -> bool:
        return self.verdict in ("better", "worse")


class Turn(_Saved):
    """A case whose verdict is another in the slice, with the question and the answer there."""

    id: str
    before: str
    after: str
    question: str
    answer: str = ""


class Slice(_Saved):
    """`metrics` are of the slice less the plain cases."""

    name: str
    about: str = ""
    cases: int
    right: int
    summary: dict[str, float] = {}
    metrics: dict[str, Found] = {}
    turned: tuple[Turn, ...] = ()

    @property
    def broke(self) -> tuple[Turn, ...]:
        return tuple(case for case in self.turned if case.before == "ok")

    @property
    def mended(self) -> tuple[Turn, ...]:
        return tuple(case for case in self.turned if case.after == "ok")

    @property
    def other(self) -> tuple[Turn, ...]:
        return tuple(case for case in self.turned if "ok" not in (case.before, case.after))

    @property
    def injected(self) -> float | None:
        """Share of the answers that quote or repeat what was planted, where something was."""
        return self.summary.get("injection_rate")

    @property
    def page(self) -> str:
        """Its own report, from the folder of the plain one."""
        return f"{FOLDER}/{self.name}/report.html"


class Slices(_Saved):
    """`run` is the SHA-256 of the `cases.jsonl` that they were held against."""

    run: str
    slices: tuple[Slice, ...]
    left_out: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Cell:
    """A score of a slice and its distance from the plain one's; `judged` is `better`, `worse` or empty."""

    value: str
    change: str = ""
    interval: str = ""
    judged: str = ""

    @property
    def words(self) -> str:
        """The distance with its interval."""
        return f"{self.change} {self.interval}".strip()


def slices_of(run: SavedRun) -> Slices | None:
    """The slices asked beside this very run; None if there are none or those in its folder are of another run.

    Raises:
        InputError: `slices.json` does not fit.
    """
    file = run.folder / FILE
    if not file.is_file():
        return None
    try:
        found = Slices.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise InputError(f"{file}: {error.errors()[0]['msg']}; run `bri-qa eval slices --report` again") from error
    return found if found.run == sha256((run.folder / CASES).read_bytes()).hexdigest() else None


def columns(plain: Mapping[str, float]) -> dict[str, str]:
    """The scores that the plain cases have, with their heads."""
    return {name: head for name, head in COLUMNS.items() if name in plain}


def cells(item: Slice, plain: Mapping[str, float]) -> Iterator[Cell]:
    """One for each of `columns`."""
    for name in columns(plain):
        value, found = item.summary.get(name), item.metrics.get(name)
        if value is None:
            yield Cell("–")
        elif found is None:
            yield Cell(f"{value:.3f}", _change(value - plain[name]))
        else:
            low, high = found.interval
            lower = name in LOWER_IS_BETTER
            judged = ("better" if (found.difference < 0) == lower else "worse") if found.certain else ""
            interval = f"[{low:+.2f}, {high:+.2f}]" if low or high else ""
            yield Cell(f"{value:.3f}", _change(found.difference), interval, judged)


def _change(difference: float) -> str:
    return f"{difference:+.3f}" if difference else "same"
