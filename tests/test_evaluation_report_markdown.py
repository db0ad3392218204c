"""The Markdown summary of a run: what a stranger wrote is code in it, whatever it holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from bri_qa.evaluation.report import render
from bri_qa.evaluation.report.markdown import as_markdown, code
from bri_qa.evaluation.report.saved import open_run
from tests.saved_runs import HOSTILE, edited, saved


def test_the_markdown_of_hostile_cases_is_code_and_the_tags_that_fold(tmp_path: Path) -> None:
    folder = edited(saved(tmp_path / "run", HOSTILE), {HOSTILE[0]["id"]: {"verdict": "not_ranked"}})
    render(folder)
    text = (folder / "report.md").read_text(encoding="utf-8")
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    inline = [child for token in tokens for child in token.children or []]
    tags = {token.content.strip() for token in [*tokens, *inline] if token.type in ("html_block", "html_inline")}
    for tag in tags:
        assert re.fullmatch(r"</?(details|summary|code)>|<details>\n<summary>[\w ,]+</summary>", tag), tag
    assert not [child for child in inline if child.type in ("link_open", "image")]
    shown = MarkdownIt("commonmark", {"html": True}).render(text)
    assert "&lt;script&gt;" in shown


@pytest.mark.parametrize("text", ["a|b", "`tick`", "\\|", "<b>|</b>", "@all", "[x](y)", "  ", "多|言語"])
def test_any_text_is_one_cell_of_code(text: str) -> None:
    table = f"| a | b |\n| --- | --- |\n| {code(text)} | x |\n"
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(table)
    assert [token.type for token in tokens].count("td_open") == 2
    cell = next(token for token in tokens if token.type == "inline" and token.content not in ("a", "b"))
    words = "".join(child.content for child in cell.children or [] if child.type != "html_inline")
    assert words == (" ".join(text.split()) or "(empty)")


def test_long_lists_of_the_markdown_are_cut_at_twenty(tmp_path: Path) -> None:
    cases = [
        {"id": f"lit-{at}", "question": f"When will the lighthouse be lit {at}?", "answers": []} for at in range(25)
    ]
    text = as_markdown(open_run(saved(tmp_path / "run", cases)))
    assert text.count("\n- `lit-") == 20
    assert "- and 5 more" in text
