"""Any format to a file of our own lines, and the articles that come with it to a corpus folder."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from bri_qa.errors import CaseError
from bri_qa.evaluation import formats
from bri_qa.evaluation.cases import own
from bri_qa.evaluation.corpus_files import CorpusFolder
from bri_qa.evaluation.formats.record import Article, CaseLine, Content, Entry, Problem
from bri_qa.evaluation.locate import NotLocated, Shelf
from bri_qa.evaluation.report import replace_file
from bri_qa.types import Document, Source


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: cases written, of which drafts, known ones left out; articles written and left out."""

    format: str
    cases: int
    drafts: int
    known: int
    articles: int
    merged: int
    empty: int


@dataclass(frozen=True, slots=True)
class Choice:
    """`append` adds to a file that is there, without the ids it has; `sample` takes so many cases, drawn by `seed`."""

    append: bool = False
    sample: int | None = None
    seed: int = 0


def needs_documents(file: Path) -> bool:
    """Whether the cases bring texts that must be found in indexed documents."""
    return any(isinstance(item, Entry) and item.gold for item in formats.read(file).entries)


def import_cases(
    file: Path, to: Path, corpus_to: Path | None, shelf: Shelf | None, choice: Choice = Choice()
) -> Imported:
    """Write the cases of `file` to `to` as our own lines.

    With `corpus_to` the articles that come with them are written there, and the evidence is located in those; else
    in the documents of `shelf`, which may be None where the format names documents of ours.

    Raises:
        CaseError: the file cannot be read or has a problem, or a text stands in no document.
        InputError: a place to write to cannot be used.
    """
    content = formats.read(file)
    before = _before(to, choice.append)
    entries = _drawn([_fine(item) for item in content.entries], choice)
    folder = None
    if corpus_to is not None:
        shelf, folder = _written(content, entries, corpus_to)
    lines = [_line(item, shelf or Shelf(lambda _: None)) for item in entries]
    if not lines:
        raise CaseError(f"{file} has no case")
    known = {item.id for item in before}
    new = [line for line in lines if line.id not in known]
    replace_file(to, written([*before, *new]))
    drafts = sum(line.is_draft for line in new)
    counts = (folder.written, len(folder.merged), len(folder.empty)) if folder else (0, 0, 0)
    return Imported(content.format, len(new), drafts, len(lines) - len(new), *counts)


def written(lines: Iterable[CaseLine]) -> str:
    """Cases as the text of a file, one JSON object a line."""
    return "".join(json.dumps(line.as_json(), ensure_ascii=False) + "\n" for line in lines)


def _before(to: Path, append: bool) -> list[CaseLine]:
    if not to.exists():
        return []
    if not append:
        raise CaseError(f"{to} is there already; name another file, or add to it with --append")
    return [_fine(item).case for item in formats.read(to).entries]


def _fine(item: Entry | Problem) -> Entry:
    if isinstance(item, Problem):
        raise CaseError(str(item))
    return item


def _drawn(entries: list[Entry], choice: Choice) -> list[Entry]:
    if choice.sample is None or choice.sample >= len(entries):
        return entries
    places = random.Random(choice.seed).sample(range(len(entries)), choice.sample)  # noqa: S311 - a draw, no secret
    return [entries[at] for at in sorted(places)]


def _line(entry: Entry, shelf: Shelf) -> CaseLine:
    try:
        return own(entry, shelf)
    except NotLocated as error:
        raise CaseError(f"{entry.where}: {error}") from error


def _written(content: Content, entries: Sequence[Entry], to: Path) -> tuple[Shelf, CorpusFolder]:
    """The articles in a new corpus folder, and a shelf of those that the cases need."""
    wanted = {gold.article for entry in entries for gold in entry.gold}
    folder = CorpusFolder(to)
    documents: dict[str, Document] = {}
    kept: dict[str, Document] = {}
    for item in content.articles:
        if isinstance(item, Problem):
            raise CaseError(str(item))
        document = document_of(item)
        identity = folder.add(document)
        if identity is None or (item.id not in wanted and identity == item.id):
            continue
        documents[item.id] = kept.setdefault(identity, replace(document, id=identity))
    return Shelf(documents.get, lambda: list(kept.values())), folder


def document_of(article: Article) -> Document:
    """As the corpus loader reads it back."""
    title = article.title or next((" ".join(line.split()) for line in article.text.split("\n") if line.strip()), "")
    return Document(article.id, article.text, Source(title), sha256(article.text.encode()).hexdigest())
