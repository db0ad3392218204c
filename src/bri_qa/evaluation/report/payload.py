"""The cases as data for the report's page: compact, and safe inside a script element."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from bri_qa.evaluation.metrics import METRICS
from bri_qa.evaluation.report.changes import Changes, Pair
from bri_qa.evaluation.report.excerpts import Excerpts
from bri_qa.evaluation.report.explain import holds, outcome, why
from bri_qa.evaluation.report.saved import Gold, SavedCase, SavedRun

_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def payload(run: SavedRun, changed: Changes | None = None) -> str:
    """All that the page's script needs, as JSON that ends no element and starts no comment."""
    excerpts = Excerpts(run.documents, run.cases)
    scores = metric_names(run.cases)
    verdicts = dict.fromkeys(case.verdict for case in run.cases)
    cases = [_case(case, excerpts, scores, changed.pairs.get(case.id) if changed else None) for case in run.cases]
    data = {
        "scores": scores,
        "verdicts": {code: _verdict(code) for code in verdicts},
        "against": changed.name if changed else None,
        "cases": cases,
        "documents": excerpts.as_json(),
    }
    return embedded(data)


def embedded(data: Any) -> str:
    """JSON for a script element: what could end it is written as an escape."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for char, escape in _UNSAFE.items():
        text = text.replace(char, escape)
    return text


def metric_names(cases: Sequence[SavedCase]) -> list[str]:
    """The scores that a case has, in the order of `METRICS`; unknown ones last."""
    seen = {name for case in cases for name in case.scores}
    return [*(name for name in METRICS if name in seen), *sorted(seen - METRICS.keys())]


def _verdict(code: str) -> dict[str, str]:
    found = outcome(code)
    return {"label": found.label, "meaning": found.meaning, "hint": found.hint}


def _case(case: SavedCase, excerpts: Excerpts, scores: list[str], pair: Pair | None) -> dict[str, Any]:
    answer = case.answer
    data: dict[str, Any] = {
        "id": case.id,
        "kind": case.kind,
        "tags": case.tags,
        "split": case.split,
        "verdict": case.verdict,
        "why": why(case),
        "question": case.question,
        "history": [[turn.role, turn.text] for turn in case.history],
        "answerable": case.answerable,
        "accepted": case.answers,
        "gold": [_gold(gold, excerpts) for gold in case.evidence],
        "answer": answer.answer,
        "statements": [[item.text, item.citations] for item in answer.statements],
        "short": answer.short_answer,
        "abstained": answer.abstained,
        "reason": answer.reason,
        "confidence": answer.confidence,
        "quotes": [[item.number, excerpts.number(item.document_id), item.start, item.end] for item in answer.citations],
        "contexts": excerpts.around(case),
        "passages": [
            [*excerpts.want(item.document_id, item.start, item.end), item.score, int(holds(item, case))]
            for item in answer.passages
        ],
        "rejected": _rejected(case),
        "unproven": case.unproven,
        "values": [case.scores.get(name) for name in scores],
        "seconds": case.seconds,
        "documents": [excerpts.number(document_id) for document_id in case.document_ids],
    }
    if pair is not None:
        data["change"] = pair.change
        data["before"] = [pair.other.verdict, pair.other.answer.answer, pair.other.answer.short_answer]
    return data


def _gold(gold: Gold, excerpts: Excerpts) -> list[Any]:
    return [
        excerpts.number(gold.document_id),
        gold.quote,
        [] if gold.whole else [[place.start, place.end] for place in gold.places],
    ]


def _rejected(case: SavedCase) -> list[list[str]]:
    rejected = case.answer.trace.get("rejected")
    if not isinstance(rejected, list):
        return []
    return [[str(item.get("quote", "")), str(item.get("reason", ""))] for item in rejected if isinstance(item, dict)]
