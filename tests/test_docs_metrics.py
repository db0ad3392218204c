"""docs/metrics.md defines every metric, verdict and key that a run writes."""

from __future__ import annotations

import json
import re
from pathlib import Path

from bri_qa.evaluation import Plan, carry_out
from bri_qa.evaluation.bootstrap import RESAMPLES
from bri_qa.evaluation.compare import FEWEST
from bri_qa.evaluation.metrics import LOWER_IS_BETTER, METRICS
from bri_qa.evaluation.scores import Verdict
from bri_qa.evaluation.vary import OF_THE_INDEX
from tests.guides import ROOT
from tests.test_evaluation import CASES, pipeline

TEXT = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")


def rows(heading: str) -> dict[str, str]:
    """Each name in the first column of the tables under a heading, with the rest of its row."""
    section = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = {}
    for line in section.splitlines():
        if line.startswith("| `"):
            first, _, rest = line[2:].partition(" | ")
            found.update(dict.fromkeys(re.findall(r"`([^`]+)`", first), rest))
    return found


def test_every_metric_is_defined_once_and_says_when_lower_is_better() -> None:
    found: dict[str, str] = {}
    for heading in ("Short answers", "Retrieval", "Proof", "Abstention and confidence", "Time and memory"):
        assert not found.keys() & rows(heading).keys()
        found |= rows(heading)
    assert found.keys() == METRICS.keys()
    assert {name for name, text in found.items() if "lower is better" in text} == LOWER_IS_BETTER


def test_every_verdict_is_defined() -> None:
    assert list(rows("Verdicts")) == [verdict.value for verdict in Verdict]


def test_numbers_that_the_page_gives_are_those_of_the_code() -> None:
    assert f"{RESAMPLES:,} times" in TEXT
    assert FEWEST == 6 and "six cases or more" in TEXT
    assert {name for name in OF_THE_INDEX if f"`{name}`" in TEXT} == OF_THE_INDEX - {"corpus_dir"}


def test_every_key_of_a_run_and_of_a_comparison_is_described(tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    split = [case | {"split": "dev"} for case in CASES]
    file.write_text("".join(json.dumps(case) + "\n" for case in split), encoding="utf-8")
    carry_out(Plan(file, report=tmp_path / "a"), pipeline())
    carry_out(Plan(file, report=tmp_path / "b", against=tmp_path / "a"), pipeline())
    run = json.loads((tmp_path / "b" / "run.json").read_text(encoding="utf-8"))
    described = rows("run.json")
    assert {*run, "resumed", *run["comparison"]} == described.keys()
    line = json.loads((tmp_path / "b" / "cases.jsonl").read_text(encoding="utf-8").splitlines()[0])
    last = TEXT[TEXT.index("A line of `cases.jsonl` has") :]
    assert set(line) <= set(re.findall(r"`(\w+)`", last))
    [finding] = [found for name, found in run["comparison"]["metrics"].items() if name == "f1"]
    assert set(finding) <= set(re.findall(r"\w+", described["metrics"]))
    assert set(run["comparison"]["cases"]) <= set(re.findall(r"\w+", described["cases"]))
