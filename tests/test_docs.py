"""The guides say what is so: pages made from the program are fresh, names and examples are real.

Their commands are run by journeys/test_docs_commands.py.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bri_qa.history import Reason
from bri_qa.settings import PREFIX, Settings
from bri_qa.types import AbstainReason
from bri_qa.web.schemas import AnswerOut, ProblemOut
from tests.guides import GUIDES, ROOT, blocks
from tests.regenerate import PAGES

NAMES = [guide.name for guide in GUIDES]
API = ROOT / "docs" / "api.md"


@pytest.mark.parametrize("name", list(PAGES))
def test_pages_made_from_the_program_are_fresh(name: str) -> None:
    fresh = (ROOT / "docs" / name).read_text(encoding="utf-8") == PAGES[name]()
    assert fresh, f"docs/{name} is stale: run `python -m tests.regenerate` and commit it"


@pytest.mark.parametrize("guide", GUIDES, ids=NAMES)
def test_every_command_stands_in_a_block_that_is_run(guide: Path) -> None:
    for block in blocks(guide):
        if block.kind not in ("sh", "sh setup") and guide.name not in PAGES:
            assert not re.search(r"^\s*\$? ?(bri-qa|make|curl|python|pip) ", block.text, re.MULTILINE), block.text


@pytest.mark.parametrize("guide", GUIDES, ids=NAMES)
def test_files_settings_and_targets_that_a_guide_names_are_there(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    made = {"answer.json", "run.json", "cases.jsonl"}
    for name in re.findall(r"`((?:docs|corpus|eval|tests)/[\w./*-]+\.\w+)`", text):
        assert list(ROOT.glob(name)) or Path(name).name in made, name
    known = {PREFIX + field.upper() for field in Settings.model_fields}
    assert set(re.findall(rf"{PREFIX}[A-Z_]+\w", text)) <= known
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)\b(?=[`\n])", text)) <= targets


def test_the_answer_that_the_api_guide_shows_is_a_real_one() -> None:
    example = json.loads(next(block.text for block in blocks(API) if block.kind == "json"))
    assert list(example) == list(AnswerOut.model_fields) == list(AnswerOut.model_validate(example).model_dump())
    (citation,) = example["citations"]
    article = (ROOT / "corpus" / f"{citation['document_id']}.txt").read_text(encoding="utf-8")
    assert citation["quote"] == article[citation["start"] : citation["end"]]
    assert example["short_answer"] in citation["quote"] and example["answer"] == f"{citation['quote']} [1]"


def test_the_problem_that_the_api_guide_shows_is_one() -> None:
    example = json.loads([block.text for block in blocks(API) if block.kind == "json"][-1])
    assert list(ProblemOut.model_validate(example).model_dump()) == list(example)


def _first_column(heading: str) -> list[str]:
    _, _, table = API.read_text(encoding="utf-8").partition(heading)
    return re.findall(r"^\|.*?`(\w+)`.*\|$", table.split("\n## ")[0].partition("|---")[2], re.MULTILINE)


def test_the_api_guide_lists_every_reason_to_abstain() -> None:
    assert sorted(_first_column("## When there is no answer")) == sorted(reason.value for reason in AbstainReason)


def test_the_guides_name_every_problem_code() -> None:
    """Those that all routes share in the API's table, the widget's and the administrator's in their own guides."""
    raised = r'(?:problem\(\s*\d+,\s*|ForbiddenError\(\s*|return \d+, )"(\w+)"|\b[45]\d\d: "([a-z_]+)"'
    shared = {"refused", "busy", "too_slow", "reader_only", "evaluator_only", "administrator_only"}
    own = {"widget": "portal.md", "admin": "administrator.md"}
    told = {folder: (ROOT / "docs" / guide).read_text(encoding="utf-8") for folder, guide in own.items()}
    missing = set()
    web = ROOT / "src" / "bri_qa" / "web"
    for file in web.rglob("*.py"):
        folder = file.relative_to(web).parts[0]
        codes = {one or other for one, other in re.findall(raised, file.read_text(encoding="utf-8"))}
        if folder in own:
            missing |= {code for code in codes if f"`{code}`" not in told[folder]}
        elif folder != "openai":  # its errors are of OpenAI's shape
            shared |= codes
    assert missing == set()
    assert sorted(_first_column("## Problems")) == sorted(shared)


def test_the_api_guide_names_every_reason_of_a_rating() -> None:
    listed = API.read_text(encoding="utf-8").partition("The reasons are ")[2].partition(".\n")[0]
    assert re.findall(r"`(\w+)`", listed) == [reason.value for reason in Reason]
