"""What one could ask next: questions made of the names in the cited articles, each put to the pipeline before it is
offered, after the answer has been shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import regex
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from bri_qa.answer.speech import voices
from bri_qa.errors import BriQAError
from bri_qa.passages import sentences
from bri_qa.types import Document, Question, Span
from bri_qa.web import confidence, visitors
from bri_qa.web.guards import same_origin
from bri_qa.web.schemas import FiltersIn
from bri_qa.web.service import Pipeline, Workers
from bri_qa.web.texts import Texts

OFFERED = 3
CHECKED = 8  # candidates put to the pipeline, at most
READ_CHARS = 20_000  # of an article, around what was cited
_WORD = r"\p{Lu}[\p{L}\p{M}]+(?:[’'-][\p{L}\p{M}]+)*"
_NAME = regex.compile(
    rf"(?<=\p{{Ll}}[,]? )(?:the )?{_WORD}(?: (?:(?:of|for|and|de|van|von) )?{_WORD}){{1,4}}(?![\p{{L}}’'-])"
)


class PlaceIn(BaseModel):
    """A cited or nearest place that the reader has seen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document: str = Field(max_length=1_000)
    start: int = Field(ge=0)
    end: int = Field(ge=0)


class NextIn(BaseModel):
    """What was asked and shown, and which documents are searched."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    asked: list[str] = Field(max_length=100)
    places: list[PlaceIn] = Field(max_length=50)
    filters: FiltersIn = FiltersIn()


def candidates(document: Document, near: Span, asked: str, texts: Texts) -> list[str]:
    """Questions about those who speak and what is named in `document`, the nearest to `near` first.

    A name that `asked` holds (case does not matter) makes no question.
    """
    start = max(0, near.start - READ_CHARS // 2)
    text = document.text[start : near.end + READ_CHARS // 2]
    said, named = _names(text)
    known = asked.casefold()
    found: list[tuple[int, str]] = []
    for key, names in (("next.said", said), ("next.about", named)):
        for name, at in names.items():
            parts = name.casefold().removeprefix("the ").split()
            if name.casefold() not in known and parts[-1] not in known:
                found.append((abs(start + at - near.start), texts(key, name=name)))
    return [question for _, question in sorted(found)]


def _names(text: str) -> tuple[dict[str, int], dict[str, int]]:
    """Persons who speak, by full name, and other names; each with the first place where it stands."""
    said: dict[str, int] = {}
    named: dict[str, int] = {}
    for sentence in sentences(text):
        words = sentence.of(text)
        for voice in voices(words):
            if not voice.organisation and len(voice.bare) > 1:
                said.setdefault(voice.name, sentence.start)
        for match in _NAME.finditer(words):
            named.setdefault(match.group(), sentence.start + match.start())
    spoken = " ".join(said).casefold()
    return said, {name: at for name, at in named.items() if name.casefold() not in spoken}


def checked(question: Question, seen: Sequence[PlaceIn], pipeline: Pipeline) -> bool:
    """Whether the pipeline answers it, not unsure, with a quote that the reader has not seen."""
    try:
        answer = pipeline.ask(question)
    except BriQAError:
        return False
    if answer.abstained or confidence.band(answer.confidence).kind == "low":
        return False
    return any(
        not any(item.document == place.document_id and item.start <= place.span.start < item.end for item in seen)
        for place in answer.citations
    )


def suggested(wanted: NextIn, pipeline: Pipeline, texts: Texts) -> list[str]:
    """At most `OFFERED` questions that the articles answer."""
    filters = wanted.filters.to_filters()
    tried = list(dict.fromkeys(_woven(_by_document(wanted, pipeline, texts))))[:CHECKED]
    offered: list[str] = []
    for text in tried:
        if len(offered) < OFFERED and checked(Question(text, filters=filters), wanted.places, pipeline):
            offered.append(text)
    return offered


def _by_document(wanted: NextIn, pipeline: Pipeline, texts: Texts) -> list[list[str]]:
    asked, found = "\n".join(wanted.asked), []
    for place in {item.document: item for item in reversed(wanted.places)}.values():
        document = pipeline.document(place.document)
        if document is not None and place.start <= place.end <= len(document.text):
            found.append(candidates(document, Span(place.start, place.end), asked, texts))
    return found


def _woven(lists: Sequence[Sequence[str]]) -> Iterator[str]:
    """The first of each, then the second of each."""
    for rank in range(max(map(len, lists), default=0)):
        yield from (items[rank] for items in lists if rank < len(items))


def router(pipeline: Pipeline, workers: Workers) -> APIRouter:
    routes = APIRouter()

    @routes.post("/next", include_in_schema=False, dependencies=[Depends(same_origin)])
    async def following(wanted: NextIn, request: Request) -> JSONResponse:
        texts = visitors.texts_of(request)
        if workers.full:  # those who ask go first
            return JSONResponse({"questions": []})
        return JSONResponse({"questions": await workers.run(lambda: suggested(wanted, pipeline, texts))})

    return routes
