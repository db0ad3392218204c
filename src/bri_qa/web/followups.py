"""What one could ask next: questions made of the names in the cited articles, each put to the pipeline before it is
offered, after the answer has been shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import regex
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from bri_qa.answer.speech import voices
from bri_qa.errors import BriQAError
from bri_qa.passages import sentences
from bri_qa.types import Document, Filters, Groups, Question, Span
from bri_qa.web import confidence, visitors
from bri_qa.web.access import person
from bri_qa.web.guards import same_origin
from bri_qa.web.schemas import FiltersIn
from bri_qa.web.service import Pipeline, Workers, reading
from bri_qa.web.texts import Texts

OFFERED = 3
CHECKED = 8  # candidates put to the pipeline, at most
READ_CHARS = 20_000  # of an article, around what was cited
_WORD = r"\p{Lu}[\p{L}\p{M}]+(?:[’'-][\p{L}\p{M}]+)*"
_NAME = regex.compile(
    rf"(?<=\p{{Ll}}[,]? )the {_WORD}(?: (?:(?:of|for|and|de|van|von) )?{_WORD}){{1,5}}(?![\p{{L}}’'-])"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question about `name`. `spoken`: about the words of one who speaks."""

    text: str
    name: str
    spoken: bool


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


def candidates(document: Document, near: Span, asked: str, texts: Texts) -> list[Candidate]:
    """Questions about those who speak in `document`, then about what it names, each the nearest to `near` first.

    A name that `asked` holds (case does not matter) makes no question.
    """
    start = max(0, near.start - READ_CHARS // 2)
    text = document.text[start : near.end + READ_CHARS // 2]
    said, named = _names(text)
    known = asked.casefold()
    found: list[tuple[bool, int, Candidate]] = []
    for key, names in (("next.said", said), ("next.about", named)):
        for name, at in names.items():
            if name.casefold() not in known and name.casefold().split()[-1] not in known:
                one = Candidate(texts(key, name=name), name, names is said)
                found.append((not one.spoken, abs(start + at - near.start), one))
    return [one for *_, one in sorted(found, key=lambda item: item[:2])]


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


def checked(candidate: Candidate, filters: Filters, seen: Sequence[PlaceIn], pipeline: Pipeline) -> bool:
    """Whether the pipeline answers it with the name in its first quote, and with a quote that was not seen.

    What is said about a name is offered only where the answer is not unsure.
    """
    try:
        answer = pipeline.ask(Question(candidate.text, filters=filters))
    except BriQAError:
        return False
    if answer.abstained or candidate.name.casefold() not in answer.citations[0].quote.casefold():
        return False
    if not candidate.spoken and confidence.band(answer.confidence).kind == "low":
        return False
    return any(
        not any(item.document == place.document_id and item.start <= place.span.start < item.end for item in seen)
        for place in answer.citations
    )


def suggested(wanted: NextIn, pipeline: Pipeline, texts: Texts, groups: Groups) -> list[str]:
    """At most `OFFERED` questions that the articles answer."""
    filters = replace(wanted.filters.to_filters(), groups=groups)
    tried = list({one.text: one for one in _woven(_by_document(wanted, reading(pipeline, groups), texts))}.values())[
        :CHECKED
    ]
    offered: list[str] = []
    for one in tried:
        if len(offered) < OFFERED and checked(one, filters, wanted.places, pipeline):
            offered.append(one.text)
    return offered


def _by_document(wanted: NextIn, read: Callable[[str], Document | None], texts: Texts) -> list[list[Candidate]]:
    asked = "\n".join(wanted.asked)
    found: list[list[Candidate]] = []
    for place in {item.document: item for item in reversed(wanted.places)}.values():
        document = read(place.document)
        if document is not None and place.start <= place.end <= len(document.text):
            found.append(candidates(document, Span(place.start, place.end), asked, texts))
    return found


def _woven(lists: Sequence[Sequence[Candidate]]) -> Iterator[Candidate]:
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
        groups = person(request).groups
        return JSONResponse({"questions": await workers.run(lambda: suggested(wanted, pipeline, texts, groups))})

    return routes
