"""A report with slices: scores beside the plain ones, what broke with its links, nothing stale, and a run that goes on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bri_qa import corpus
from bri_qa.errors import InputError
from bri_qa.evaluation import checkpoint
from bri_qa.evaluation.report import render
from bri_qa.evaluation.report.saved import open_run
from bri_qa.evaluation.report.sliced import slices_of
from bri_qa.evaluation.slices import compare
from bri_qa.evaluation.slices.scored import PLAIN
from bri_qa.types import Answer, Question
from tests.articles import ARTICLES
from tests.fakes import FakePipeline
from tests.saved_runs import SCRIPT
from tests.test_evaluation_report import page
from tests.test_evaluation_slices import CASES

ODD = {"id": "odd/<b>|`", "question": f"Who owns the fish market? {SCRIPT}", "answers": ["Tomas Reiner"]}


class Stopping(FakePipeline):
    """Counts its questions over all corpora, and stops at one of them."""

    count = 0
    stop = 10_000

    def ask(self, question: Question) -> Answer:
        Stopping.count += 1
        if Stopping.count == Stopping.stop:
            raise KeyboardInterrupt
        return super().ask(question)


@contextmanager
def opened(folder: Path) -> Iterator[compare.Product]:
    yield compare.Product(Stopping(corpus.load(folder, 1_000_000).documents), {"of": "fakes"})


def asked(folder: Path, only: list[str]) -> Path:
    """The report folder of the cases with those slices."""
    cases = folder / "cases.jsonl"
    cases.write_text("".join(json.dumps(case) + "\n" for case in [*CASES, ODD]), encoding="utf-8")
    made, left_out = compare.make_all(only, cases, ARTICLES, folder / "slices-made", 0)
    plain = compare.Made(PLAIN, cases, ARTICLES, ARTICLES)
    compare.compare(compare.Slicing(plain, made, opened, folder / "report"), left_out | {"html": f"no {SCRIPT}"})
    return folder / "report"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asked(tmp_path_factory.mktemp("slices"), ["typos", "lower-case", "injection"])


def test_the_page_holds_each_slice_against_the_plain_cases_and_links_what_changed(report: Path) -> None:
    shown = page(report)
    assert "Robustness slices" in shown.words and "slips of the keyboard" in shown.words
    links = [item.get("href") or "" for item in shown.named("a")]
    assert "slices/typos/report.html" in links and "slices/typos/report.html#lit" in links and "#lit" in links
    assert "lower-case: no verdict changed." in shown.words
    turned = next(item for item in json.loads((report / "slices.json").read_text())["slices"])
    assert turned["turned"][0]["id"] == "lit" and turned["turned"][0]["question"] in shown.words
    found = turned["metrics"]["abstention_recall"]
    low, high = found["interval"]
    assert f"{found['difference']:+.3f}" in shown.words and f"[{low:+.2f}, {high:+.2f}]" in shown.words
    assert open_run(report / "slices" / "typos").cases[3].id == "lit"
    assert not list(report.rglob(checkpoint.NAME))


def test_nothing_of_a_slice_becomes_markup(report: Path) -> None:
    shown = page(report)
    assert not shown.named("img")
    assert len(shown.inside["script"]) == 2
    assert f"html was left out: no {SCRIPT}" in shown.words
    summary = (report / "report.md").read_text(encoding="utf-8")
    outside = re.sub(r"`[^`\n]*`|<code>[^<]*</code>", "", summary)
    assert set(re.findall(r"<[^>]*>", outside)) == {"<details>", "</details>", "<summary>", "</summary>"}


def test_the_summary_for_pull_requests_has_a_row_a_slice(report: Path) -> None:
    rows = (report / "report.md").read_text(encoding="utf-8").partition("#### Robustness slices")[2].splitlines()
    assert [row.split("|")[1].strip() for row in rows if row.startswith("| ")][:2] == ["slice", "---"]
    assert [row.split("|")[1].strip() for row in rows if row.startswith("| ")][2:] == [
        "plain",
        "`typos`",
        "`lower-case`",
        "`injection`",
    ]


def test_slices_of_another_run_are_not_shown(report: Path, tmp_path: Path) -> None:
    for file in ("run.json", "slices.json"):
        (tmp_path / file).write_bytes((report / file).read_bytes())
    (tmp_path / "cases.jsonl").write_bytes((report / "cases.jsonl").read_bytes() + b"\n")
    assert slices_of(open_run(report)) is not None and slices_of(open_run(tmp_path)) is None
    render(tmp_path)
    assert "Robustness slices" not in page(tmp_path).words
    (tmp_path / "slices.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match=r"slices\.json: Field required; run `bri-qa eval slices --report` again"):
        render(tmp_path)


def test_a_run_that_was_stopped_asks_only_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stopping, "count", 0)
    monkeypatch.setattr(Stopping, "stop", 10)  # the plain ones with one to warm up are 6, so it is in the first slice
    with pytest.raises(KeyboardInterrupt):
        asked(tmp_path, ["typos", "lower-case"])
    monkeypatch.setattr(Stopping, "count", 0)
    monkeypatch.setattr(Stopping, "stop", 10_000)
    made = [
        compare.Made(name, tmp_path / "slices-made" / name / "cases.jsonl", ARTICLES, tmp_path / "slices-made" / name)
        for name in ("typos", "lower-case")
    ]
    plain = compare.Made(PLAIN, tmp_path / "cases.jsonl", ARTICLES, ARTICLES)
    found = compare.compare(compare.Slicing(plain, made, opened, tmp_path / "report"), {})
    assert Stopping.count == (1 + 3) + (1 + 5)  # two of the first slice were put down
    assert [item.cases for item in found.scored] == [5, 5, 5]
