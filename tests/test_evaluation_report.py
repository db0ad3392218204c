"""The report of a saved run: files, page, Markdown, and that nothing a stranger wrote becomes markup in them."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from bri_qa.cli import run as command
from bri_qa.errors import InputError
from bri_qa.evaluation.report import render
from bri_qa.evaluation.report.changes import changes
from bri_qa.evaluation.report.overview import overview
from bri_qa.evaluation.report.page import size
from bri_qa.evaluation.report.saved import open_run
from tests.fakes import HARBOUR_TEXT
from tests.saved_runs import CASES, HOSTILE, SCRIPT, edited, saved


class Page(HTMLParser):
    """Tags with their attributes, and the text of each script and style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {"script": [], "style": []}
        self.words = ""
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = tag
        if tag in self.inside:
            self.inside[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = "" if tag else self._open

    def handle_data(self, data: str) -> None:
        if self._open in self.inside:
            self.inside[self._open][-1] += data
        else:
            self.words += data

    @property
    def data(self) -> Any:
        return json.loads(self.inside["script"][0])

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page(folder: Path) -> Page:
    return Page((folder / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("plain") / "run")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("hostile") / "run", HOSTILE)


def test_a_run_is_saved_with_its_report_and_the_articles_it_needs(plain: Path) -> None:
    names = {"cases.jsonl", "documents.jsonl", "report.html", "report.md", "run.json"}
    assert {file.name for file in plain.iterdir()} >= names
    documents = [json.loads(line) for line in (plain / "documents.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [item["id"] for item in documents] == ["harbour"]
    assert documents[0]["text"] == HARBOUR_TEXT
    files = json.loads((plain / "run.json").read_text(encoding="utf-8"))["files"]
    for name, found in files.items():
        assert sha256((plain / name).read_bytes()).hexdigest() == found
    assert set(files) == {"cases.jsonl", "documents.jsonl"}


def test_the_page_allows_its_own_script_and_style_and_nothing_else(hostile: Path) -> None:
    found = page(hostile)
    policy = next(meta["content"] for meta in found.named("meta") if meta.get("http-equiv")) or ""

    def source(text: str) -> str:
        return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"

    _, script = found.inside["script"]
    (style,) = found.inside["style"]
    assert f"script-src {source(script)};" in policy
    assert f"style-src {source(style)};" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for tag, attributes in found.tags:
        assert not any(name.startswith("on") or name in ("style", "src", "action") for name in attributes), tag
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in style and "@import" not in style


def test_nothing_that_a_stranger_wrote_becomes_markup(hostile: Path) -> None:
    found = page(hostile)
    assert [attributes.get("type") for attributes in found.named("script")] == ["application/json", None]
    assert not found.named("img") and not found.named("i")
    assert "49" not in found.words.split()
    first = next(case for case in found.data["cases"] if case["id"] == HOSTILE[0]["id"])
    assert first["question"] == HOSTILE[0]["question"]
    assert first["accepted"] == [SCRIPT]
    assert HOSTILE[0]["kind"] in found.words  # shown as it is written, in the table of kinds


def test_the_page_says_in_plain_words_what_was_found(plain: Path) -> None:
    words = " ".join(page(plain).words.split())
    assert "3 of 5 right" in words
    assert "5 questions of run.jsonl: 3 that the articles answer, 2 that they do not." in words
    assert "Where the articles answer, 2 of 3 answers were right (67 %); 1 question was left unanswered." in words
    assert "Where they do not, it abstained on 1 of 2 (50 %)." in words
    assert "Every quote is the article's own text at its place." in words


def test_what_to_look_at_first_names_fault_kind_and_cases(plain: Path) -> None:
    looks = overview(open_run(plain)).looks
    assert looks[0].verdict in ("wrongly_abstained", "should_have_abstained")
    assert looks[0].text.startswith("The commonest fault, 1 of 2: ")
    assert looks[-1].ids == ("lit",)
    assert looks[-1].text.startswith("The surest mistakes")


def test_a_case_carries_its_article_its_marks_and_its_reason(plain: Path) -> None:
    data = page(plain).data
    quay = next(case for case in data["cases"] if case["id"] == "quay")
    number, start, end = quay["contexts"][0]
    article = data["documents"][number]
    assert (article["id"], article["about"]) == ("harbour", "Lindum Gazette · 2024-03-05")
    text = next(text[start - at : end - at] for at, text in article["pieces"] if at <= start and end <= at + len(text))
    assert text == HARBOUR_TEXT[start:end]
    assert text.startswith("After two years of repairs") and text.endswith("at a time.")
    (place,) = quay["gold"][0][2]
    assert HARBOUR_TEXT[slice(*place)] == "The new quay is 640 metres long"
    holds = [passage[4] for passage in quay["passages"]]
    assert holds[0] == 1 and sum(holds) == 1
    moved = next(case for case in data["cases"] if case["id"] == "moved")
    assert moved["why"] == "The evidence was found at rank 7, yet it abstained, with a confidence of 0.00."


def test_every_plot_has_a_title_a_text_and_its_numbers(plain: Path) -> None:
    found = page(plain)
    svgs = found.named("svg")
    assert len(svgs) >= 2
    ids = {attributes["id"] for _, attributes in found.tags if attributes.get("id")}
    for svg in svgs:
        assert svg["role"] == "img"
        assert set((svg["aria-labelledby"] or "").split()) <= ids
    words = " ".join(found.words.split())
    assert "Right answers by kind" in words and "Time to answer" in words
    assert words.count("The numbers") >= len(svgs)


def test_an_old_folder_renders_too(plain: Path, tmp_path: Path) -> None:
    run = json.loads((plain / "run.json").read_text(encoding="utf-8"))
    kept = {name: run[name] for name in ("counts", "summary")}
    (tmp_path / "run.json").write_text(json.dumps(kept), encoding="utf-8")
    lines = [json.loads(line) for line in (plain / "cases.jsonl").read_text(encoding="utf-8").splitlines()]
    for line in lines:
        for name in ("tags", "kind", "history", "seconds", "unproven"):
            line.pop(name, None)
    (tmp_path / "cases.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    files = render(tmp_path)
    assert sorted(file.name for file in files) == ["report.html", "report.md"]
    found = page(tmp_path)
    assert "the run does not say whether it was held to any." in found.words
    assert "By kind" in found.words and "By tag" not in found.words
    quay = next(case for case in found.data["cases"] if case["id"] == "quay")
    number, *_ = quay["contexts"][0]  # the article is known by what was retrieved of it
    assert "The new quay is 640 metres long" in "".join(text for _, text in found.data["documents"][number]["pieces"])


def test_missed_gates_stand_on_the_page_and_lead_the_summary(tmp_path: Path) -> None:
    gates = tmp_path / "gates.json"
    gates.write_text(json.dumps({"gates": {"abstention_recall": {"min": 0.9}}}), encoding="utf-8")
    folder = saved(tmp_path / "run", baseline=gates)
    line = "abstention_recall must be at least 0.9, but is 0.5000"
    assert line in page(folder).words
    summary = (folder / "report.md").read_text(encoding="utf-8")
    assert summary.startswith("### 1 gate missed: 3 of 5 right in `run.jsonl`\n")
    assert f"- `{line}`" in summary


def test_gates_that_hold_are_counted(tmp_path: Path) -> None:
    gates = tmp_path / "gates.json"
    bounds = {"abstention_recall": {"min": 0.5}, "citation_validity": {"min": 1.0}}
    gates.write_text(json.dumps({"gates": bounds}), encoding="utf-8")
    folder = saved(tmp_path / "run", baseline=gates)
    assert "All 2 gates held" in page(folder).words
    assert (folder / "report.md").read_text(encoding="utf-8").startswith("### Gates held: 3 of 5 right")
    assert "The run was held to no gate." in page(saved(tmp_path / "free")).words


def test_against_another_run_cases_improve_break_and_differ(tmp_path: Path) -> None:
    this = saved(tmp_path / "this")
    other = edited(saved(tmp_path / "other"), {"quay": {"verdict": "not_ranked"}, "moved": {"verdict": "ok"}})
    found = changes(open_run(this), open_run(other))
    assert {name: pair.change for name, pair in found.pairs.items()} == {
        "quay": "improved",
        "owner": "same",
        "moved": "broken",
        "lit": "same",
        "elephant": "same",
    }
    render(this, other)
    shown = page(this)
    assert {case["id"]: case["change"] for case in shown.data["cases"]}["moved"] == "broken"
    assert shown.data["against"] == found.name
    assert "right → wrongly abstained" in shown.words and "not ranked → right" in shown.words
    assert any(attributes.get("id") == "f-change" for _, attributes in shown.tags)
    summary = (this / "report.md").read_text(encoding="utf-8")
    assert "<summary>1 case broken</summary>" in summary
    assert "- `moved` `Where will fishmongers trade this summer?`: right → wrongly abstained" in summary
    render(this)
    assert not any(attributes.get("id") == "f-change" for _, attributes in page(this).tags)


def test_only_cases_of_the_same_id_and_question_are_compared(tmp_path: Path) -> None:
    this = saved(tmp_path / "this")
    other = saved(tmp_path / "other", [{**CASES[0], "question": "Is the new quay long?"}, *CASES[1:3]])
    found = changes(open_run(this), open_run(other))
    assert sorted(found.pairs) == ["moved", "owner"]
    assert (found.only_this, found.only_other) == (3, 1)
    with pytest.raises(InputError, match="share no case"):
        render(this, saved(tmp_path / "foreign", HOSTILE))


def test_settings_that_differ_are_named(tmp_path: Path) -> None:
    this = saved(tmp_path / "this", identity={"settings": {"top_k": 4, "reader": "bundled"}})
    other = saved(tmp_path / "other", identity={"settings": {"top_k": 8, "reader": "bundled"}})
    render(this, other)
    words = " ".join(page(this).words.split())
    assert "Made with other settings: settings.top_k 4 instead of 8." in words


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("run.json", None, r"cannot read .*run\.json: No such file.*name a folder"),
        ("run.json", "{", r"run\.json: .*write the run again"),
        ("run.json", '{"summary": {"f1": "high"}}', r"run\.json: summary\.f1: "),
        ("cases.jsonl", "", r"cases\.jsonl has no case"),
        ("cases.jsonl", '\n{"id": "a"}\n', r"cases\.jsonl, line 2: question: "),
        ("documents.jsonl", "[]", r"documents\.jsonl, line 1: "),
    ],
)
def test_a_folder_that_is_no_run_is_named_with_its_fault(
    plain: Path, tmp_path: Path, name: str, content: str | None, message: str
) -> None:
    for file in ("run.json", "cases.jsonl"):
        (tmp_path / file).write_bytes((plain / file).read_bytes())
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        render(tmp_path)
    assert not (tmp_path / "report.html").exists()


def test_the_command_renders_and_tells_the_size(
    plain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (plain / "report.html").unlink()
    assert command(["eval", "report", str(plain)]) == 0
    assert (plain / "report.html").exists()
    assert re.search(r"report\.html \(\d+ kB\)\n.*report\.md \(\d+ kB\)", capsys.readouterr().out)
    assert command(["eval", "report", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("bri-qa: cannot read")


def test_sizes_are_for_people() -> None:
    assert [size(count) for count in (10, 1_600, 999_000, 13_865_692)] == ["1 kB", "2 kB", "999 kB", "13.9 MB"]
