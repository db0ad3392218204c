"""A run summed up: what `run.json` holds on scores, intervals, parts and curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bri_qa.evaluation import bootstrap
from bri_qa.evaluation.run import Record, Run, counts, rounded, sample_of, summarised


def as_json(run: Run) -> dict[str, Any]:
    """Counts, summary and intervals of all cases and by kind, tag, document and split; the curves of confidence.

    Documents have no intervals: there may be thousands, with few cases each. `by_split` is there if cases name splits.
    """
    sample = sample_of(run.records)
    whole = _part(run.records) | {"summary": rounded(run.summary)}
    splits = _parts(run.by_split)
    return {
        **whole,
        "risk_coverage": [
            {"coverage": round(coverage, 6), "risk": round(risk, 6)} for coverage, risk in sample.risk_coverage()
        ],
        "calibration": sample.calibration(),
        "by_kind": _parts(run.by_kind),
        "by_tag": _parts(run.by_tag),
        "by_document": {
            name: {"counts": counts(records), "summary": rounded(summarised(records))}
            for name, records in run.by_document.items()
        },
        **({"by_split": splits} if splits else {}),
    }


def _parts(groups: Mapping[str, Sequence[Record]]) -> dict[str, Any]:
    return {name: _part(records) for name, records in groups.items()}


def _part(records: Sequence[Record]) -> dict[str, Any]:
    sample = sample_of(records)
    bounds = bootstrap.intervals(sample)
    return {
        "counts": counts(records),
        "summary": rounded(sample.summary),
        "intervals": {name: [round(low, 6), round(high, 6)] for name, (low, high) in bounds.items()},
    }
