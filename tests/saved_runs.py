"""Runs saved in a folder for the tests of their report: ordinary ones and one whose articles and questions are hostile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bri_qa.evaluation import evaluate
from tests.fakes import FakePipeline, document, web_documents

SCRIPT = "</script><script>window.pwned=9</script><img src=x onerror=window.pwned=8>"
COMMON: list[dict[str, Any]] = [
    {
        "id": "owner",
        "question": "And the fish market?",
        "history": [{"role": "user", "text": "Who owns the harbour?"}, {"role": "assistant", "text": "The town."}],
        "evidence": [{"document_id": "harbour", "quote": "Tomas Reiner, who owns the fish market"}],
        "kind": "name",
        "tags": ["follow-up"],
    },
    {
        "id": "moved",
        "question": "Where will fishmongers trade this summer?",
        "answers": ["on the old pier"],
        "evidence": [{"document_id": "harbour", "quote": "the market would stay on the old pier"}],
        "kind": "place",
    },
    {"id": "elephant", "question": "What colour is the elephant?", "answers": [], "kind": "none"},
    {"id": "lit", "question": "When will the lighthouse be lit again?", "answers": [], "evidence": [], "kind": "none"},
]
"""Cases over the harbour of the fakes, of which test_evaluation.py works out the scores, too."""
CASES: list[dict[str, Any]] = [
    {
        "id": "quay",
        "question": "How long is the new quay?",
        "answers": ["640"],
        "evidence": [{"document_id": "harbour", "quote": "The new quay is 640 metres long"}],
        "kind": "number",
        "tags": ["plain"],
    },
    *COMMON,
]
HOSTILE: list[dict[str, Any]] = [
    {
        "id": "odd/<b>id</b> & |`@all`",
        "question": f"Which clerk wrote in the ledger of the mill? | `x` @everyone #1 {SCRIPT}",
        "answers": [SCRIPT],
        "evidence": [{"document_id": "odd/<i>ledger</i> & co", "quote": "<script>window.pwned = 1</script>"}],
        "kind": f"<i>kind</i> | {SCRIPT}",
        "tags": [SCRIPT],
    },
    {
        "id": "ledger",
        "question": "clerk wrote ledger mill",
        "evidence": [{"document_id": "odd/<i>ledger</i> & co", "quote": "A second clerk wrote {{ 7*7 }}"}],
        "kind": "{{ 7*7 }}",
    },
    {
        "id": "star",
        "question": "Who carved the star?",
        "evidence": [{"document_id": "stars", "quote": "carved the star 🌟 by hand"}],
        "kind": "name",
    },
]
STARS = (
    "Stars of the coast\nEmoji come first here: 🌊🌊🌊. In the year 1901 Ida Wend carved the star 🌟 by hand, they say."
)


def saved(folder: Path, cases: list[dict[str, Any]] | None = None, **settings: Any) -> Path:
    """`folder` with a run of `cases` over the articles of the fakes."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder.parent / f"{folder.name}.jsonl"
    file.write_text("".join(json.dumps(case) + "\n" for case in cases or CASES), encoding="utf-8")
    evaluate(FakePipeline([*web_documents(), document("stars", STARS)]), file, report=folder, **settings)
    return folder


def edited(folder: Path, changes: dict[str, dict[str, Any]]) -> Path:
    """The run in `folder` with keys of some of its cases replaced."""
    lines = [json.loads(line) for line in (folder / "cases.jsonl").read_text(encoding="utf-8").splitlines()]
    text = "".join(json.dumps({**line, **changes.get(line["id"], {})}) + "\n" for line in lines)
    (folder / "cases.jsonl").write_text(text, encoding="utf-8")
    return folder
