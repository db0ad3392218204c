"""What one could ask next: questions made of the sentences and the names of the cited articles, each put to the pipeline
before it is offered, after the answer has been shown. Those who ask go first: where somebody waits, no more is tried."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

import regex
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from bri_qa.answer.speech import voices
from bri_qa.errors import BriQAError
from bri_qa.passages import sentences
from bri_qa.types import Document, Filters, Groups, Question, Span
from bri_qa.web import confidence, visitors, wording
from bri_qa.web.access import person
from bri_qa.web.guards import same_origin
from bri_qa.web.schemas import FiltersIn
from bri_qa.web.service import Pipeline, Workers, reading
from bri_qa.web.texts import Texts

OFFERED = 3
CHECKED = 8  # candidates put to the pipeline, at most
READ_CHARS = 20_000  # of an article, around what was cited
SECONDS = 6.0  # for all of them; what was found until then is offered
_WORD = r"\p{Lu}[\p{L}\p{M}]+(?:[’'-][\p{L}\p{M}]+)*"
_DAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?\b|(?:January|February|March|April|May|June|July|August|September|October|November|December)\b"
_NAME = regex.compile(
    rf"(?<=\p{{Ll}}[,]? )(?<!\bThe |\p{{Lu}}[\p{{L}}’'-]* (?:and )?)(?!{_DAY})"
    rf"(?:the {_WORD}(?: (?:(?:of|for|and|de|van|von) )?{_WORD}){{1,5}}|{_WORD}(?: (?:(?:of|de|van|von) )?{_WORD}){{1,5}})"
    r"(?![\p{L}’'-])"
)
_PART = regex.compile(r" (?:of|for|and|de|van|von) ")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question, and the words that its first quote must hold. `spoken`: about the words of one who speaks."""

    text: str
    words: str
    spoken: bool = False


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
    """Questions about what `document` states, about those who speak in it and about what it names, by turns.

    Of each kind the nearest to `near` comes first. A name that `asked` holds (case does not matter) makes no question,
    nor does a sentence of which it holds the figure.
    """
    if document.source.language and not document.source.language.lower().startswith("en"):
        return []  # the questions are English
    start = max(0, near.start - READ_CHARS // 2)
    text = document.text[start : near.end + READ_CHARS // 2]
    known = asked.casefold()
    said, named, stated = _found(text, document.source.title)
    lists: list[list[tuple[int, Candidate]]] = [
        [(at, Candidate(one.text, one.wanted)) for one, at in stated if one.wanted.casefold() not in known]
    ]
    for key, names in (("next.said", said), ("next.about", named)):
        lists.append(
            [
                (at, Candidate(texts(key, name=name), name, names is said))
                for name, at in names.items()
                if name.casefold() not in known and name.casefold().split()[-1] not in known
            ]
        )
    ordered = [sorted(items, key=lambda item: abs(start + item[0] - near.start)) for items in lists]
    return [item[1] for turn in zip_longest(*ordered) for item in turn if item is not None]


def _found(text: str, title: str) -> tuple[dict[str, int], dict[str, int], list[tuple[wording.Made, int]]]:
    """Persons who speak, by full name, other names, and questions; each with the first place where it stands."""
    said: dict[str, int] = {}
    named: dict[str, int] = {}
    stated: list[tuple[wording.Made, int]] = []
    for sentence in sentences(text):
        words = sentence.of(text)
        if words.strip() == title.strip():
            continue
        for voice in voices(words):
            if not voice.organisation and len(voice.bare) > 1:
                said.setdefault(voice.name, sentence.start)
        for match in _NAME.finditer(words):
            named.setdefault(match.group(), sentence.start + match.start())
        stated += [(one, sentence.start) for one in wording.questions(words)]
    spoken = " ".join(said).casefold()
    fit = {name: at for name, at in named.items() if not any(part.casefold() in spoken for part in _PART.split(name))}
    return said, fit, stated


def checked(candidate: Candidate, filters: Filters, seen: Sequence[PlaceIn], pipeline: Pipeline) -> bool:
    """Whether the pipeline answers it with the words in its first quote, and with a quote that was not seen.

    What nobody said is offered only where the answer is not unsure.
    """
    try:
        answer = pipeline.ask(Question(candidate.text, filters=filters))
    except BriQAError:
        return False
    if answer.abstained or candidate.words.casefold() not in answer.citations[0].quote.casefold():
        return False
    if not candidate.spoken and confidence.band(answer.confidence).kind == "low":
        return False
    return any(
        not any(item.document == place.document_id and item.start <= place.span.start < item.end for item in seen)
        for place in answer.citations
    )


def suggested(
    wanted: NextIn, pipeline: Pipeline, texts: Texts, groups: Groups, busy: Callable[[], bool] = lambda: False
) -> list[str]:
    """At most `OFFERED` questions that the articles answer; fewer where `busy` tells that others wait."""
    filters, end = replace(wanted.filters.to_filters(), groups=groups), time.monotonic() + SECONDS
    put = {text.casefold() for text in wanted.asked}
    made = _woven(_by_document(wanted, reading(pipeline, groups), texts))
    tried = [one for one in {one.text: one for one in made}.values() if one.text.casefold() not in put]
    offered: list[str] = []
    for one in tried[:CHECKED]:
        if len(offered) == OFFERED or busy() or time.monotonic() > end:
            break
        if checked(one, filters, wanted.places, pipeline):
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
        found = await workers.run(lambda: suggested(wanted, pipeline, texts, groups, lambda: workers.inside > 1))
        return JSONResponse({"questions": found})

    return routes
