"""SQuAD 1.1 and 2.0 JSON (Rajpurkar et al. 2016, 2018): answers with their offsets in a paragraph of an article.

The accepted answers are those of all annotators. The evidence is the one that most of them gave (of several the
shortest), at its offset: annotators differ in how much they mark, and not all of it is needed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from bri_qa.evaluation.formats.naming import article_id
from bri_qa.evaluation.formats.record import Article, CaseLine, Entry, Gold, Problem, Read, Words, canonical, reason
from bri_qa.types import Span

NAME = "squad"
GAP = "\n"  # between the paragraphs of an article


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)
    text: Words
    answer_start: int


class _Question(BaseModel):
    id: Words
    question: Words
    answers: tuple[_Answer, ...] = ()
    is_impossible: bool = False


class _Paragraph(BaseModel):
    context: Words
    qas: list[Any]


class _Article(BaseModel):
    title: str = ""
    paragraphs: list[Any]


_Model = TypeVar("_Model", bound=BaseModel)


def looks_like(value: Any) -> bool:
    """Whether a JSON value is meant as SQuAD."""
    return isinstance(value, dict) and "data" in value


def read(file: Path, content: dict[str, Any]) -> Read:
    """A case for each question; what is wrong is told by its JSON path."""
    for _, item in _walk(file, content):
        if isinstance(item, Problem | Entry):
            yield item


def articles(file: Path, content: dict[str, Any]) -> Iterator[Article]:
    """One article of each title: the title, then its paragraphs."""
    parts: dict[str, list[str]] = {}
    titles: dict[str, str] = {}
    for (identity, title), item in _walk(file, content):
        titles.setdefault(identity, title)
        if isinstance(item, str):
            parts.setdefault(identity, []).append(item)
    for identity, paragraphs in parts.items():
        yield Article(identity, titles[identity], GAP.join([titles[identity], *paragraphs]))


def _walk(file: Path, content: dict[str, Any]) -> Iterator[tuple[tuple[str, str], Entry | Problem | str]]:
    """Paragraphs, cases and problems in their order, each with the id and the title of its article."""
    none = ("", "")
    version = str(content.get("version", ""))
    if not isinstance(content["data"], list):
        yield none, Problem(f"{file}, data", "not a list of articles; SQuAD has articles there")
        return
    for at, raw in enumerate(content["data"]):
        where = f"{file}, data[{at}]"
        article = _checked(_Article, raw, where)
        if isinstance(article, Problem):
            yield none, article
            continue
        name = canonical(article.title.strip() or f"Article_{at + 1}")
        key = (article_id(name), " ".join(name.replace("_", " ").split()))
        for number, paragraph in enumerate(article.paragraphs):
            for item in _paragraph(paragraph, key[0], f"{where}.paragraphs[{number}]", version):
                yield key, item


def _paragraph(raw: Any, article: str, where: str, version: str) -> Iterator[Entry | Problem | str]:
    paragraph = _checked(_Paragraph, raw, where)
    if isinstance(paragraph, Problem):
        yield paragraph
        return
    yield canonical(paragraph.context)
    for number, qa in enumerate(paragraph.qas):
        yield _case(qa, paragraph.context, article, (f"{where}.qas[{number}]", version))


def _case(raw: Any, context: str, article: str, place: tuple[str, str]) -> Entry | Problem:
    where, version = place
    asked = _checked(_Question, raw, where)
    if isinstance(asked, Problem):
        return asked
    unanswerable = asked.is_impossible or (not asked.answers and version.lower().startswith("v2"))
    if unanswerable:
        return Entry(where, CaseLine(id=asked.id, question=asked.question, answers=(), kind="unanswerable"))
    if not asked.answers:
        return Problem(where, "no answers; give one, or set is_impossible to true")
    for at, item in enumerate(asked.answers):
        found = context[item.answer_start : item.answer_start + len(item.text)] if item.answer_start >= 0 else ""
        if found != item.text:
            return Problem(
                f"{where}.answers[{at}]",
                f"the context has {found!r} at {item.answer_start}, not {item.text!r}; mend answer_start",
            )
    best = _most_given(asked.answers)
    texts = tuple(dict.fromkeys([best.text, *(item.text for item in asked.answers)]))
    case = CaseLine(id=asked.id, question=asked.question, answers=texts, kind="fact")
    return Entry(where, case, (Gold(article, canonical(context), _span(context, best)),))


def _most_given(answers: tuple[_Answer, ...]) -> _Answer:
    given = Counter(answers)
    return min(given, key=lambda item: (-given[item], len(item.text), item.answer_start))


def _span(context: str, answer: _Answer) -> Span:
    """Where the answer stands in the canonical context."""
    start = len(canonical(context[: answer.answer_start]))
    return Span(start, start + len(canonical(answer.text)))


def _checked(model: type[_Model], raw: Any, where: str) -> _Model | Problem:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        return Problem(where, reason(error))
