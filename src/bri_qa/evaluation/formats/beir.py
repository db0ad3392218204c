"""BEIR folders (Thakur et al. 2021): corpus.jsonl, queries.jsonl and qrels/*.tsv.

A judgement above 0 makes its whole document evidence, with the judgement as its relevance; each file of judgements is
a split. A query that is judged in no file, or not relevant to anything, is no case.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, Field, ValidationError

from bri_qa.evaluation.formats.naming import article_id
from bri_qa.evaluation.formats.record import (
    Article,
    Articles,
    CaseLine,
    Entry,
    Gold,
    Problem,
    Read,
    Words,
    canonical,
    reason,
)

NAME = "beir"
CORPUS, QUERIES, JUDGEMENTS = "corpus.jsonl", "queries.jsonl", "qrels"


class _Query(BaseModel):
    id: Words = Field(alias="_id")
    text: Words


class _Document(BaseModel):
    id: Words = Field(alias="_id")
    title: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class _Judgement:
    where: str
    query: str
    document: str
    relevance: int


_Line = TypeVar("_Line", bound=BaseModel)


def looks_like(folder: Path) -> bool:
    return (folder / QUERIES).is_file() and (folder / JUDGEMENTS).is_dir() and (folder / CORPUS).is_file()


def files(folder: Path) -> list[Path]:
    """The files that make the cases, without the corpus."""
    return [folder / QUERIES, *sorted((folder / JUDGEMENTS).glob("*.tsv"))]


def read(folder: Path) -> Read:
    """A case for each judged query of each split.

    Raises:
        OSError, UnicodeDecodeError: a file cannot be read.
    """
    queries: dict[str, str] = {}
    for _, query in _lines(folder / QUERIES, _Query):
        if isinstance(query, Problem):
            yield query
        else:
            queries[query.id] = query.text
    splits = files(folder)[1:]
    if not splits:
        yield Problem(str(folder / JUDGEMENTS), "no .tsv file of judgements; put qrels/test.tsv there")
        return
    judged = {file.stem: list(_judgements(file)) for file in splits}
    wanted = {item.document for items in judged.values() for item in items if isinstance(item, _Judgement)}
    documents = {item.id: item for item in _documents(folder, wanted)}
    used: set[str] = set()
    for split, items in judged.items():
        yield from (item for item in items if isinstance(item, Problem))
        relevant = [item for item in items if isinstance(item, _Judgement) and item.relevance > 0]
        yield from _cases(split, relevant, queries, documents, used)


def articles(folder: Path) -> Articles:
    """Every document of the corpus, one after the other: the title, an empty line, the text."""
    for _, item in _lines(folder / CORPUS, _Document):
        yield item if isinstance(item, Problem) else _article(item)


def _article(item: _Document) -> Article:
    title = " ".join(canonical(item.title or "").split())
    text = canonical(item.text)
    return Article(article_id(item.id), title, f"{title}\n\n{text}" if title else text)


def _documents(folder: Path, wanted: set[str]) -> Iterator[_Document]:
    for _, item in _lines(folder / CORPUS, _Document):
        if isinstance(item, _Document) and item.id in wanted:
            yield item


def _cases(
    split: str,
    relevant: list[_Judgement],
    queries: dict[str, str],
    documents: dict[str, _Document],
    used: set[str],
) -> Read:
    of_query: dict[str, list[_Judgement]] = {}
    for item in relevant:
        of_query.setdefault(item.query, []).append(item)
    for query, items in of_query.items():
        where = items[0].where
        lost = next((item for item in items if item.document not in documents), None)
        if query not in queries:
            yield Problem(where, f"no query {query!r} in {QUERIES}; add it, or drop its judgements")
        elif lost is not None:
            yield Problem(lost.where, f"no document {lost.document!r} in {CORPUS}; add it, or drop the judgement")
        else:
            identity = f"{query}-{split}" if query in used else query
            used.add(query)
            gold = tuple(_gold(documents[item.document], item.relevance) for item in items)
            yield Entry(where, CaseLine(id=identity, question=queries[query], split=split, kind="search"), gold)


def _gold(document: _Document, relevance: int) -> Gold:
    return Gold(article_id(document.id), canonical(document.text), None, relevance)


def _lines(file: Path, model: type[_Line]) -> Iterator[tuple[int, _Line | Problem]]:
    with file.open(encoding="utf-8-sig", newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    yield number, model.model_validate_json(line)
                except ValidationError as error:
                    yield number, Problem(f"{file}, line {number}", reason(error, model))


def _judgements(file: Path) -> Iterator[_Judgement | Problem]:
    """query-id, corpus-id, score by tabs; a first line whose score is no number is the heading."""
    with file.open(encoding="utf-8-sig", newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            where, cells = f"{file}, line {number}", line.rstrip("\r\n").split("\t")
            score = cells[-1].strip()
            if len(cells) != 3:
                yield Problem(where, f"{len(cells)} columns; write query-id, corpus-id and score with tabs between")
            elif score.lstrip("-").isdecimal():
                yield _Judgement(where, cells[0].strip(), cells[1].strip(), int(score))
            elif number > 1:
                yield Problem(where, f"the score {score!r} is not a whole number")
