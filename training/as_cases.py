"""A half of a calibration set as articles and eval cases, so that the product's own suite can be run on it.

    python -m training.as_cases --data DATA --set squad2 --half 1 --to FOLDER
    bri-qa index --corpus FOLDER/articles --index FOLDER/index
    bri-qa eval --cases FOLDER/cases.jsonl --corpus FOLDER/articles --index FOLDER/index --report FOLDER/run \\
        --vary retrieval=fused,dense,lexical --vary reader=bundled,sentences

All articles of the set are there to be found, with the questions of the half alone. The sentence that holds an accepted
answer is the gold evidence. FOLDER is outside the repository: it holds rows of the sets.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bri_qa.passages import sentences
from training.calibrate import Asked, sample


def case(number: int, item: Asked, document: str) -> dict[str, Any]:
    """The eval case of a question."""
    found: dict[str, Any] = {"id": f"q{number:05d}", "question": item.row.question, "answers": [], "evidence": []}
    if item.row.answer is None:
        return found | {"kind": "unanswerable"}
    text, (start, end) = item.row.context, item.row.answer
    held = [span for span in sentences(text) if span.start < end and start < span.end]
    quote = text[held[0].start : held[-1].end]
    answers = list(dict.fromkeys(answer for answer in (item.answers or [text[start:end]]) if answer.strip()))
    return found | {
        "kind": "answerable",
        "answers": answers,
        "evidence": [{"document_id": document, "quote": quote}],
    }


def articles(items: Sequence[Asked]) -> dict[str, list[str]]:
    """The paragraphs of each article, by its name, in the set's order."""
    found: dict[str, list[str]] = {}
    for item in items:
        texts = found.setdefault(item.row.group, [])
        if item.row.context not in texts:
            texts.append(item.row.context)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--set", choices=("squad2", "qed"), required=True)
    parser.add_argument("--half", type=int, choices=(0, 1), default=1, help="1 is the half that chose nothing")
    parser.add_argument("--most", type=int, default=1_000_000, help="questions, drawn by --seed")
    parser.add_argument("--seed", type=int, default=5, help="as training.calibrate's")
    parser.add_argument("--to", type=Path, required=True, help="folder to write, outside the repository")
    options = parser.parse_args()
    items = sample(options.data / f"{options.set}_calibration.jsonl.gz", 1_000_000, options.seed)
    names = {
        group: f"{at:04d}-{re.sub(r'[^a-z0-9]+', '-', group.lower())[:60].strip('-')}"
        for at, group in enumerate(articles(items))
    }
    folder = options.to / "articles"
    folder.mkdir(parents=True, exist_ok=True)
    for group, texts in articles(items).items():
        (folder / f"{names[group]}.txt").write_text("\n\n".join(texts) + "\n", encoding="utf-8")
    asked = [(at, item) for at, item in enumerate(items) if item.half == options.half][: options.most]
    lines = [json.dumps(case(at, item, names[item.row.group]), ensure_ascii=False) for at, item in asked]
    (options.to / "cases.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
