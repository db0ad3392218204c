"""Several configurations over the same cases, side by side, each held against the first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bri_qa.compose import refresh
from bri_qa.errors import SettingsError
from bri_qa.evaluation.compare import Comparison, Judgement
from bri_qa.evaluation.metrics import MACHINE, METRICS
from bri_qa.evaluation.outcome import Outcome
from bri_qa.settings import Settings

OF_THE_INDEX = frozenset({"corpus_dir", "max_file_bytes", "passage_tokens", "overlap_tokens", "embedding_model"})
_MARKS = {Judgement.BETTER: "+", Judgement.WORSE: "-", Judgement.NO_DIFFERENCE: " "}


@dataclass(frozen=True, slots=True)
class Configuration:
    """`name` says what is varied: `retrieval=dense, top_k=4`."""

    name: str
    settings: Settings

    @property
    def folder(self) -> str:
        return re.sub(r"[^\w.=-]+", "_", self.name)


def configurations(settings: Settings, varied: Sequence[str]) -> list[Configuration]:
    """`settings` with each combination of the values in `varied`, items of `NAME=VALUE,VALUE`; the first value first.

    Raises:
        SettingsError: an item is not of that form, names no setting or one twice, or a value is out of bounds.
    """
    choices: dict[str, list[str]] = {}
    for item in varied:
        name, mark, values = item.partition("=")
        name = name.strip().lower().removeprefix("bri_qa_")
        if not mark or not all(value.strip() for value in values.split(",")):
            raise SettingsError(f"--vary {item}: write a setting and its values, as in --vary retrieval=dense,lexical")
        if name not in Settings.model_fields:
            raise SettingsError(f"--vary {item}: there is no setting {name!r}; docs/settings.md lists the known ones")
        if name in choices:
            raise SettingsError(f"--vary {item}: {name} is varied twice; give all its values at once")
        choices[name] = list(dict.fromkeys(value.strip() for value in values.split(",")))
    found = []
    for combination in product(*choices.values()):
        chosen = dict(zip(choices, combination, strict=True))
        given = {**settings.model_dump(), **chosen}
        name = ", ".join(f"{key}={value}" for key, value in chosen.items())
        found.append(Configuration(name, Settings.load({}, **given)))
    return found


class Indexes:
    """Indexes built of the corpus for as long as this is open, one for all settings that ask for the same."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._built: dict[tuple[Any, ...], Path] = {}

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Indexes]:
        with TemporaryDirectory(prefix="bri-qa-") as folder:
            yield cls(Path(folder))

    def usable(self, settings: Settings) -> Settings:
        """`settings` with an index of its corpus.

        Raises:
            CorpusError, IndexStoreError, ArtifactError, ModelError: it cannot be built; each says why.
        """
        key = tuple(getattr(settings, name) for name in sorted(OF_THE_INDEX))
        if key not in self._built:
            folder = self._folder / str(len(self._built))
            refresh(settings.model_copy(update={"index_dir": folder})).run()
            self._built[key] = folder
        return settings.model_copy(update={"index_dir": self._built[key]})


def check_index(found: Sequence[Configuration], settings: Settings) -> None:
    """That one index serves all, as it is not built anew.

    Raises:
        SettingsError: a setting that the index depends on is varied.
    """
    for name in sorted(OF_THE_INDEX):
        if any(getattr(item.settings, name) != getattr(settings, name) for item in found):
            raise SettingsError(
                f"{name} bears on the index; name the articles with --corpus to build one for each value"
            )


@dataclass(frozen=True, slots=True)
class Varied:
    """The outcome of each configuration by its name, in order, and how each but the first compares with the first."""

    outcomes: Mapping[str, Outcome]
    comparisons: Mapping[str, Comparison]

    @property
    def failed(self) -> bool:
        """Whether any of them misses a gate. That one is worse than the first is what was to be found out."""
        return any(outcome.missed for outcome in self.outcomes.values())

    def as_json(self) -> dict[str, Any]:
        return {
            "runs": {name: outcome.as_json() for name, outcome in self.outcomes.items()},
            "comparisons": {name: comparison.as_json() for name, comparison in self.comparisons.items()},
        }

    def text(self) -> str:
        """Each metric, one column a configuration, then the cases that changed and the verdicts."""
        names = list(self.outcomes)
        lines = [f"({number}) {name}" for number, name in enumerate(names, start=1)]
        lines += ["", *self._table(), ""]
        if self.comparisons:
            lines.append("+ better than (1), - worse; with neither, no difference is shown")
        for number, (name, found) in enumerate(self.comparisons.items(), start=2):
            improved, broken = len(found.changed("improved")), len(found.changed("broken"))
            lines.append(f"({number}) {name}: {found.verdict}; {improved} cases improved, {broken} broken")
        for name, outcome in self.outcomes.items():
            lines += [f"missed by {name}: {line}" for line in outcome.missed]
        return "\n".join(lines)

    def _table(self) -> Iterator[str]:
        width = max(len(name) for name in METRICS)
        summaries = [outcome.summary for outcome in self.outcomes.values()]
        yield f"{'':<{width}}" + "".join(f"  {f'({number})':>9}" for number in range(1, len(summaries) + 1))
        for metric in METRICS:
            if any(metric in summary for summary in summaries):
                cells = [
                    _shown(metric, summary.get(metric)) + self._mark(metric, name)
                    for name, summary in zip(self.outcomes, summaries, strict=True)
                ]
                yield f"{metric:<{width}}" + "".join(f"  {cell:>9}" for cell in cells)

    def _mark(self, metric: str, name: str) -> str:
        findings = self.comparisons[name].findings if name in self.comparisons else ()
        return next((_MARKS[item.judgement] for item in findings if item.metric == metric), " ")


def without_memory(outcome: Outcome) -> Outcome:
    """The process has run other configurations, too: its peak memory is not of this one."""
    return replace(outcome, run=replace(outcome.run, peak_memory_mb=None))


def _shown(metric: str, value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}" if metric in MACHINE else f"{value:.3f}"
