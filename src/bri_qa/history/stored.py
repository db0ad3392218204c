"""An answer to what is kept of it, and back. Pure.

Kept are the contract's object, exactly as it was given, and the few facts that the contract leaves out: the sources
with their licence and language, the unrounded confidence, the abstention's own words and the filters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from bri_qa import render
from bri_qa.types import (
    AbstainReason,
    Answer,
    Citation,
    CitedStatement,
    Document,
    Filters,
    Hit,
    ModelUse,
    Passage,
    Question,
    Rejection,
    Source,
    Span,
    Trace,
)

FORMAT = 1
Json = Mapping[str, Any]


def kept(answer: Answer, document: Callable[[str], Document | None]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The contract's object, and the details. `document` resolves the articles of the nearest passages.

    An article that has changed since the passage was read is left out: a link into it would show other words.
    """
    sources = {item.document_id: _source(item.source, item.document_sha256) for item in answer.citations}
    for hit in answer.hits:
        passage = hit.passage
        found = None if passage.document_id in sources else document(passage.document_id)
        if found is not None and passage.span.of(found.text) == passage.text:
            sources[found.id] = _source(found.source, found.sha256)
    details = {
        "format": FORMAT,
        "sources": sources,
        "confidence": answer.confidence,
        "message": answer.message,
        "filters": {key: value for key, value in asdict(answer.question.filters).items() if key != "groups"},
    }
    return render.as_json(answer), details


def _source(source: Source, sha256: str) -> dict[str, Any]:
    return {**asdict(source), "sha256": sha256}


def documents(details: Json) -> dict[str, Document]:
    """The articles as they were, by id, without their text."""
    return {key: Document(key, "", _source_of(item), item["sha256"]) for key, item in details["sources"].items()}


def _source_of(item: Json) -> Source:
    values = {name: value for name, value in item.items() if name != "sha256"}
    return Source(**{**values, "groups": tuple(values.get("groups", ()))})


def restored(contract: Json, details: Json) -> Answer:
    """The answer as it was. The turns before it, the readings and the ids of passages are not kept."""
    sources = documents(details)
    filters = details["filters"]
    question = Question(
        contract["question"],
        filters=Filters(
            tuple(filters["document_ids"]),
            tuple(filters["publishers"]),
            filters["published_from"],
            filters["published_to"],
        ),
    )
    trace = contract["trace"]
    use = trace.get("language_model")
    return Answer(
        question=question,
        statements=tuple(CitedStatement(item["text"], tuple(item["citations"])) for item in contract["statements"]),
        citations=tuple(_citation(item, sources) for item in contract["citations"]),
        short_answer=contract["short_answer"],
        reason=AbstainReason(contract["reason"]) if contract["reason"] else None,
        message=details["message"],
        confidence=details["confidence"],
        mode=contract["mode"],
        hits=tuple(_hit(item) for item in contract["passages"]),
        trace=Trace(
            trace["query"],
            trace["seconds"],
            trace["models"],
            ModelUse(**use) if use else None,
            tuple(trace.get("unanswered", ())),
        ),
        rejected=tuple(Rejection(item["statement"], item["quote"], item["reason"]) for item in trace["rejected"]),
    )


def _citation(item: Json, sources: Mapping[str, Document]) -> Citation:
    span = Span(item["start"], item["end"])
    source = sources[item["document_id"]].source
    return Citation(item["number"], item["document_id"], span, item["quote"], source, item["document_sha256"])


def _hit(item: Json) -> Hit:
    span = Span(item["start"], item["end"])
    name = f"{item['document_id']}#{span.start}-{span.end}"
    return Hit(Passage(name, item["document_id"], span, "", item["text"]), item["score"])
