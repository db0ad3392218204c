"""Fit the reader's calibration on one half of the calibration questions, and report on the other.

Questions are split by article. Half 0 chooses the weights (logistic regression) and the thresholds;
half 1 reports. The choice of features was made by looking at half 1 (training/README.md), so it is not wholly unseen.
"""

from __future__ import annotations

import argparse
import json
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from bri_qa.artifacts import sha256
from bri_qa.evaluation.metrics import exact_match, token_f1
from bri_qa.reader.cross_encoder import (
    Calibration,
    confidence_features,
    features,
    logistic,
    rank_features,
    sigmoid,
)
from bri_qa.reader.sentences import nearness
from bri_qa.reader.words import stems
from bri_qa.types import Hit
from training.calibrate import Asked, documents

ABSTAINED = 0.001  # share of answerable questions that may abstain, at the threshold
OFF_TOPIC_KEPT = 0.05  # share of on-topic questions that may be called off the topic


def near(question: str, hit: Hit) -> float:
    """How near a hit is to the question without the network, as the reader has it."""
    assert hit.cosine is not None
    return nearness(hit.cosine, stems(question), hit.passage.text)


def sentence_rows(item: Asked, gold: str | None) -> list[list[tuple[dict[str, float], bool, str]]]:
    """For each hit its sentences: features, whether the best span is a right answer, and that span's text."""
    rows = []
    for hit, raw in zip(item.hits, item.raws, strict=True):
        found = []
        for sentence in raw.sentences:
            text = sentence.span.of(hit.passage.text)
            right = hit.passage.document_id == gold and bool(item.answers) and token_f1(text, item.answers) >= 0.5
            values = features(raw, sentence, near(item.row.question, hit))
            found.append((values, right, text))
        rows.append(found)
    return rows


def fitted(rows: Sequence[dict[str, float]], labels: Sequence[bool], strength: float = 1.0) -> dict[str, float]:
    """Weights of a logistic function by feature name."""
    names = list(rows[0])
    values = np.array([[row[name] for name in names] for row in rows])
    scale = values.std(0) + 1e-9
    model = LogisticRegression(C=strength, max_iter=2_000).fit(values / scale, labels)
    return {"bias": float(model.intercept_[0])} | dict(zip(names, (model.coef_[0] / scale).tolist(), strict=True))


class Report:
    """Everything about a set of questions under a calibration."""

    def __init__(self, items: Sequence[Asked], gold: dict[str, str]) -> None:
        self.items = items
        self.rows = [sentence_rows(item, gold.get(item.row.context)) for item in items]
        self.gold = [gold.get(item.row.context) for item in items]

    def best(self, number: int, span: Mapping[str, float], hits: int | None = None) -> tuple[dict[str, float], bool]:
        """Of a question's first `hits`: what the confidence is a function of, and whether the best span is right."""
        item, rows = self.items[number], self.rows[number][:hits]
        scored = [(logistic(span, values), right, k) for k, hit in enumerate(rows) for values, right, _ in hit]
        score, right, k = max(scored, key=lambda one: one[0], default=(0.0, False, 0))
        hit = item.hits[k]
        return confidence_features(item.row.question, hit.passage.text, score, near(item.row.question, hit)), right

    def spans(self, span: Mapping[str, float]) -> list[list[tuple[float, bool, str]]]:
        """Per question all (score, right, text), best first."""
        return [
            sorted(((logistic(span, f), right, text) for hit in rows for f, right, text in hit), key=lambda x: -x[0])
            for rows in self.rows
        ]

    def ranked(self, calibration: Calibration) -> list[list[str]]:
        """Document ids per question in the reader's order."""
        orders = []
        for item, rows in zip(self.items, self.rows, strict=True):
            scored = []
            for hit, raw, found in zip(item.hits, item.raws, rows, strict=True):
                best = max((logistic(calibration.span, f) for f, _, _ in found), default=0.0)
                asked, relevance = item.row.question, sigmoid(raw.relevance)
                values = rank_features(asked, hit.score, hit.dense, relevance, best, near(asked, hit))
                scored.append((-logistic(calibration.rank, values), hit.passage.document_id))
            orders.append([document for _, document in sorted(scored)])
        return orders


def reading(items: Sequence[Asked]) -> dict[str, float]:
    """Given paragraph: exact match and F1 of the best span, and how well it tells the unanswerable."""
    texts, margins = [], []
    for item in items:
        assert item.given is not None
        best = max(item.given.sentences, key=lambda one: one.margin)
        texts.append(best.span.of(item.row.context))
        margins.append((best.margin, -item.given.no_answer, item.given.relevance))
    answered = [(t, i.answers) for t, i in zip(texts, items, strict=True) if i.answers]
    scores: dict[str, float] = {"n": len(items)}
    scores |= {"em": float(np.mean([exact_match(t, a) for t, a in answered]))}
    scores |= {"f1": float(np.mean([token_f1(t, a) for t, a in answered]))}
    labels = [bool(item.answers) for item in items]
    if not all(labels):
        for name, column in zip(("margin", "no_answer", "relevance"), zip(*margins, strict=True), strict=True):
            scores[f"auroc_{name}"] = float(roc_auc_score(labels, column))
        both = np.array([m[0] + 2 * m[1] for m in margins])
        scores["auroc_margin_and_no_answer"] = float(roc_auc_score(labels, both))
    return scores


def calibration_error(confidence: Sequence[float], right: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error over bins of equal size (Guo et al. 2017, arXiv:1706.04599)."""
    order = np.argsort(confidence)
    parts = np.array_split(order, bins)
    values, labels = np.asarray(confidence), np.asarray(right, float)
    return float(sum(len(p) * abs(values[p].mean() - labels[p].mean()) for p in parts if len(p)) / len(values))


def threshold(confidence: Sequence[float], answerable: Sequence[bool], abstained: float = ABSTAINED) -> float:
    """The confidence below which `abstained` of the answerable questions lie."""
    return float(np.quantile(np.asarray(confidence)[np.asarray(answerable)], abstained))


def recall(orders: Sequence[Sequence[str]], gold: Sequence[str | None], k: int) -> float:
    return float(np.mean([g in order[:k] for order, g in zip(orders, gold, strict=True)]))


def calibrate(halves: dict[str, Report]) -> Calibration:
    """Weights and thresholds, chosen on these questions."""
    rows = [(f, right) for report in halves.values() for hits in report.rows for hit in hits for f, right, _ in hit]
    span = fitted([f for f, _ in rows], [right for _, right in rows])
    pairs, labels = [], []
    for report in (halves["squad2"], halves["qed"]):
        for item, found, gold in zip(report.items, report.rows, report.gold, strict=True):
            if item.answers:
                for hit, raw, sentences in zip(item.hits, item.raws, found, strict=True):
                    best = max((logistic(span, f) for f, _, _ in sentences), default=0.0)
                    asked, relevance = item.row.question, sigmoid(raw.relevance)
                    pairs.append(rank_features(asked, hit.score, hit.dense, relevance, best, near(asked, hit)))
                    labels.append(hit.passage.document_id == gold)
    rank = fitted(pairs, labels)
    values, right = outcomes(halves, span)
    confidence = fitted(values, right)
    sure = [logistic(confidence, one) for one in values]
    on_topic = sorted(max(sigmoid(raw.relevance) for raw in item.raws) for item in halves["squad2"].items)
    topic = on_topic[int(len(on_topic) * OFF_TOPIC_KEPT)]
    answerable = [bool(item.answers) for report in halves.values() for item in report.items]
    chosen = Calibration(span, rank, confidence, threshold(sure, answerable), topic, 1.0)
    return replace(chosen, settled=settled(halves, chosen))


def settled(reports: dict[str, Report], calibration: Calibration, first: int = 2, lost: float = 0.005) -> float:
    """The confidence after the first hits from which reading the rest mends at most `lost` of all answers."""
    pairs = []
    for report in reports.values():
        for number in range(len(report.items)):
            early, late = (report.best(number, calibration.span, count) for count in (first, None))
            pairs.append((logistic(calibration.confidence, early[0]), late[1] and not early[1]))
    pairs.sort(reverse=True)
    allowed, level = lost * len(pairs), 1.0
    for value, mended in pairs:
        allowed -= mended
        if allowed < 0:
            break
        level = value
    return level


def outcomes(reports: dict[str, Report], span: Mapping[str, float]) -> tuple[list[dict[str, float]], list[bool]]:
    """Per question what its confidence is a function of, and whether the best span is right."""
    found = [report.best(number, span) for report in reports.values() for number in range(len(report.items))]
    return [values for values, _ in found], [right for _, right in found]


def reported(halves: dict[str, Report], calibration: Calibration) -> dict[str, Any]:
    """The figures on questions that chose no weight and no threshold."""
    out: dict[str, Any] = {}
    for name in ("squad2", "qed"):
        report = halves[name]
        out[f"{name} reading"] = reading(report.items)
        keep = [k for k, item in enumerate(report.items) if item.answers]
        gold = [report.gold[k] for k in keep]
        orders = {kind: [report.items[k].ranks[kind] for k in keep] for kind in ("dense", "lexical", "fused")}
        ranked = report.ranked(calibration)
        orders["reader"] = [ranked[k] for k in keep]
        out[f"{name} recall"] = {f"{kind}@{k}": recall(o, gold, k) for kind, o in orders.items() for k in (1, 5)}
        spans = report.spans(calibration.span)
        out[f"{name} end to end f1"] = float(
            np.mean([token_f1(spans[k][0][2], report.items[k].answers) if spans[k] else 0.0 for k in keep])
        )
    values, right = outcomes(halves, calibration.span)
    confidence = [logistic(calibration.confidence, one) for one in values]
    out["calibration error"] = calibration_error(confidence, right)
    answerable = [bool(item.answers) for report in halves.values() for item in report.items]
    parts = np.repeat(list(halves), [len(report.items) for report in halves.values()])
    for negative in ("squad2", "off_topic"):
        chosen = [k for k in range(len(parts)) if answerable[k] or parts[k] == negative]
        labels = [answerable[k] for k in chosen]
        out[f"auroc against {negative}"] = float(roc_auc_score(labels, [confidence[k] for k in chosen]))
    shown = np.asarray(confidence) >= calibration.threshold
    can, part = np.asarray(answerable), np.asarray(parts)
    out["at the threshold"] = {
        "shown": float(shown.mean()),
        "wrong of shown": 1 - float(np.asarray(right)[shown].mean()),
        "answerable shown": float(shown[can].mean()),
        "adversarial abstained": 1 - float(shown[~can & (part == "squad2")].mean()),
        "off topic abstained": 1 - float(shown[part == "off_topic"].mean()),
    }
    order = np.argsort(-np.asarray(confidence))
    out["risk at coverage"] = {
        f"{share:.1f}": 1 - float(np.mean(np.asarray(right)[order[: max(1, round(share * len(order)))]]))
        for share in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    }
    return out


def first(item: Asked, count: int) -> Asked:
    """The question with its first `count` hits alone."""
    return replace(item, hits=item.hits[:count], raws=item.raws[:count])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--asked", type=Path, required=True, help="folder that training.calibrate wrote")
    parser.add_argument("--model", type=Path, required=True, help="the safetensors file that was asked")
    parser.add_argument("--name", required=True, help="name of the reader")
    parser.add_argument("--read", type=int, default=8, help="hits of a question that count, of those that were read")
    parser.add_argument("--to", type=Path, help="folder of the package's reader, to write reader.json to")
    parser.add_argument("--report", type=Path, help="file for the figures")
    parser.add_argument("--card", type=Path, help="a reader.json whose calibration is reported on all that was asked")
    options = parser.parse_args()
    halves: list[dict[str, Report]] = [{}, {}]
    for name in ("squad2", "qed", "off_topic"):
        with (options.asked / f"{name}.pickle").open("rb") as stream:
            items: list[Asked] = pickle.load(stream)
        path = options.data / f"{'qed' if name == 'off_topic' else name}_calibration.jsonl.gz"
        gold = {} if name == "off_topic" else {text: found.id for text, found in documents(path).items()}
        for half in (0, 1):
            chosen = [first(item, options.read) for item in items if options.card or item.half == half]
            halves[half][name] = Report(chosen, gold)
    if options.card:
        calibration = Calibration.of(json.loads(options.card.read_bytes())["calibration"])
    else:
        calibration = calibrate(halves[0])
    figures = reported(halves[1], calibration)
    print(json.dumps({"calibration": vars_of(calibration), "figures": figures}, indent=1))
    if options.to:
        card = {"name": options.name, "sha256": sha256(options.model), "calibration": vars_of(calibration)}
        (options.to / "reader.json").write_text(json.dumps(card, indent=1) + "\n")
    if options.report:
        options.report.write_text(json.dumps(figures, indent=1) + "\n")


def vars_of(calibration: Calibration) -> dict[str, Any]:
    """The calibration as `reader.json` holds it."""
    rounded = {
        name: {k: round(v, 5) for k, v in getattr(calibration, name).items()} for name in ("span", "rank", "confidence")
    }
    limits = {name: round(getattr(calibration, name), 4) for name in ("threshold", "topic_threshold", "settled")}
    return {**rounded, **limits}


if __name__ == "__main__":
    main()
