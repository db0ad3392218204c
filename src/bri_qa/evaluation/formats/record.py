"""What a format's reader hands on: entries with their place in the file, and what is wrong with the others."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from bri_qa.types import Span

DRAFT = "draft"  # the tag of a case that is still to be completed


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


Words = Annotated[str, AfterValidator(_not_blank)]


class Closed(BaseModel):
    """Unknown keys are refused, so that a misspelt one is not a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class TurnLine(Closed):
    """An earlier message of the conversation."""

    role: Literal["user", "assistant"]
    text: str


class EvidenceLine(Closed):
    """A quote that proves the answer; with no quote the whole document is judged relevant, by `relevance` above 0.

    `start` tells which place is meant where the quote stands in several.
    """

    document_id: Words
    quote: Words | None = None
    start: Annotated[int, Field(ge=0)] | None = None
    relevance: Annotated[int, Field(ge=1)] = 1


class CaseLine(Closed):
    """A case of our own format. `answers` None is a missing key: the case is judged by its evidence alone."""

    id: Words
    question: Words
    history: tuple[TurnLine, ...] = ()
    answers: tuple[Words, ...] | None = None
    evidence: tuple[EvidenceLine, ...] = ()
    kind: Words = "other"
    tags: tuple[Words, ...] = ()
    split: Words | None = None
    note: str | None = None

    @property
    def is_draft(self) -> bool:
        return DRAFT in self.tags

    def as_json(self) -> dict[str, Any]:
        """The line as written to a file: keys in the order of the format, without those that say nothing."""
        line = self.model_dump(mode="json", exclude_none=True)
        usual: dict[str, Any] = {"tags": [], "history": []}
        for item in line["evidence"]:
            if item["relevance"] == 1:
                del item["relevance"]
        if not line["evidence"] and "answers" not in line:
            del line["evidence"]
        return {key: value for key, value in line.items() if usual.get(key, ...) != value}


@dataclass(frozen=True, slots=True)
class Gold:
    """Evidence of a public format: `span` of `text`, which stands somewhere in an article; None is the whole article.

    `article` is the id that the article gets when the format's articles are written to a corpus folder.
    """

    article: str
    text: str
    span: Span | None
    relevance: int = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """A case as it was read. `where` is file and line, or file and JSON path; `gold` is still to be located."""

    where: str
    case: CaseLine
    gold: tuple[Gold, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps a case, or a file, from being used: where it is, why in one line, and of what sort."""

    where: str
    reason: str
    sort: str = "invalid"

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Article:
    """An article that comes with the cases; its text is canonical (NFC, line ends `\\n`)."""

    id: str
    title: str
    text: str


Read: TypeAlias = Iterator[Entry | Problem]
Articles: TypeAlias = Iterator[Article | Problem]


@dataclass(frozen=True, slots=True)
class Content:
    """What a cases file or folder holds. `articles` are those that come with it; `told` is said to whoever imports."""

    format: str
    sha256: str
    entries: Sequence[Entry | Problem]
    articles: Iterable[Article | Problem] = ()
    told: Sequence[str] = field(default=())


def canonical(text: str) -> str:
    """As the corpus loader makes it."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


def reason(error: ValidationError, model: type[BaseModel] = CaseLine) -> str:
    """The first thing that is wrong, in one line; unknown keys are told with the known ones of `model`."""
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        parts: dict[str, type[BaseModel]] = {"evidence": EvidenceLine, "history": TurnLine}
        known = parts.get(name.partition(".")[0], model).model_fields
        return f"unknown key {name!r}; the known ones are {', '.join(known)}"
    message = _plainly(first)
    return f"{name}: {message}" if name else message


_PLAIN = {
    "missing": "is missing",
    "string_type": "must be a text in quotes",
    "tuple_type": 'must be a list, such as ["…"]',
    "list_type": "must be a list",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "model_type": "must be an object, {…}",
    "model_attributes_type": "must be an object, {…}",
}


def _plainly(error: ErrorDetails) -> str:
    """pydantic's message, in words for people who write no code."""
    if error["type"] == "json_invalid":
        return f"not JSON: {error['ctx']['error'].replace(' at line 1 column ', ' at character ')}"
    if error["type"] == "literal_error":
        return f"must be {error['ctx']['expected']}"
    return _PLAIN.get(error["type"]) or error["msg"].removeprefix("Value error, ")
