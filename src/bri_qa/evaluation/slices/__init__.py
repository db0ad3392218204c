"""Robustness slices: named changes to cases or to the articles they are asked of, seeded and reproducible.

A slice never touches gold evidence: every quote stands in its article after it. Cases keep their ids, so that a slice
is compared with the plain cases one by one, and get the slice's name as a tag.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import count
from pathlib import Path

from bri_qa import corpus
from bri_qa.errors import CaseError, InputError
from bri_qa.evaluation import formats
from bri_qa.evaluation.cases import Case, located, unfinished
from bri_qa.evaluation.corpus_files import CorpusFolder
from bri_qa.evaluation.documents import shelf_of
from bri_qa.evaluation.formats.record import CaseLine, Problem
from bri_qa.evaluation.importing import written
from bri_qa.evaluation.report import replace_file
from bri_qa.evaluation.slices import articles, questions
from bri_qa.evaluation.slices.editing import Edited, Insertion, edited
from bri_qa.types import Document, Source, Span

_QUESTIONS: dict[str, Callable[[str, random.Random], str]] = {
    "typos": questions.typos,
    "lower-case": questions.lower_case,
    "paraphrase": questions.paraphrase,
}
_ARTICLES: dict[str, Callable[[str, Sequence[Span], random.Random], list[Insertion]]] = {
    "injection": articles.planted,
    "html": articles.html,
}
_DISTRACTORS = "distractors"

NAMES = {
    "typos": "slips of the keyboard in the question",
    "lower-case": "the question in lower case",
    "paraphrase": "the question's first words replaced, or the question put in a frame",
    _DISTRACTORS: "articles on the same matter about others, with other names and numbers, are added",
    "injection": "instructions and fake citations are planted in the articles",
    "html": "the articles are full of HTML tags",
}
CASES, CORPUS, PLANTED = "cases.jsonl", "corpus", "planted.jsonl"
_PER_ARTICLE, _MOST_DISTRACTORS = 2, 200
_MAX_BYTES = 500_000_000


@dataclass(frozen=True, slots=True)
class _Plain:
    """What a slice is made of: the cases, as lines and located, and the documents."""

    lines: tuple[CaseLine, ...]
    cases: tuple[Case, ...]
    documents: tuple[Document, ...]

    def gold(self, document: Document) -> list[Span]:
        """Every place of evidence in the document, of whole documents none."""
        found = {
            span
            for case in self.cases
            for item in case.quoted
            if item.document_id == document.id
            for span in item.spans
        }
        return sorted(found)


def make(name: str, cases: Path, corpus_dir: Path, to_dir: Path, seed: int = 0) -> tuple[Path, Path]:
    """Write the slice `name` to the folder `to_dir`; returns its file of cases and its corpus folder.

    Slices that change questions alone give back `corpus_dir` itself. `cases` may be of any format. An injection slice
    has a file `planted.jsonl` too: the places of what was planted.

    Raises:
        InputError: there is no such slice, or `to_dir` is not empty or cannot be written.
        CaseError: the cases do not fit their format or the articles, or the slice cannot be made of these articles.
        CorpusError: the corpus folder cannot be read.
    """
    if name not in NAMES:
        raise InputError(f"there is no slice {name!r}; the known ones are {', '.join(NAMES)}")
    plain = _plain(cases, corpus_dir)
    folder = CorpusFolder(to_dir / CORPUS) if name not in _QUESTIONS else None
    if folder is None:
        _open(to_dir)
        lines = [_asked_otherwise(name, line, seed) for line in plain.lines]
    elif name == _DISTRACTORS:
        folder.add_all([*plain.documents, *_distractors(plain, seed)])
        lines = list(plain.lines)
    else:
        lines = _edited(name, plain, folder, to_dir, seed)
    tagged = [line.model_copy(update={"tags": (*line.tags, name)}) for line in lines]
    replace_file(to_dir / CASES, written(tagged))
    return to_dir / CASES, corpus_dir if folder is None else to_dir / CORPUS


def _open(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot use the folder {folder}: {error.strerror}; name another") from error


def _rng(seed: int, name: str, key: str) -> random.Random:
    """Draws that depend on nothing but these: a case's change does not hang on the cases before it."""
    return random.Random(f"{seed}/{name}/{key}")  # noqa: S311 - a draw, no secret


def _plain(cases: Path, corpus_dir: Path) -> _Plain:
    documents = corpus.load(corpus_dir, _MAX_BYTES).documents
    shelf = shelf_of(documents)
    lines: list[CaseLine] = []
    found: list[Case] = []
    for item in located(formats.read(cases), shelf.documents, shelf.everything):
        if isinstance(item, Problem):
            raise CaseError(str(item))
        where, line, case = item
        if line.is_draft:
            raise CaseError(f"{where}: {unfinished(line)}")
        lines.append(line)
        found.append(case)
    if not lines:
        raise CaseError(f"{cases} has no case; a slice is made of cases")
    return _Plain(tuple(lines), tuple(found), documents)


def _asked_otherwise(name: str, line: CaseLine, seed: int) -> CaseLine:
    return line.model_copy(update={"question": _QUESTIONS[name](line.question, _rng(seed, name, line.id))})


def _edited(name: str, plain: _Plain, folder: CorpusFolder, to_dir: Path, seed: int) -> list[CaseLine]:
    changed: dict[str, Edited] = {}
    for document in plain.documents:
        gold = plain.gold(document)
        insertions = _ARTICLES[name](document.text, gold, _rng(seed, name, document.id))
        changed[document.id] = edited(document.text, insertions, gold)
        folder.add(replace(document, text=changed[document.id].text))
    planted = [
        {"document_id": identity, "start": span.start, "end": span.end, "code": code, "text": span.of(item.text)}
        for identity, item in changed.items()
        for span, code in item.planted
    ]
    if planted:
        rows = (json.dumps(row, ensure_ascii=False) + "\n" for row in planted)
        replace_file(to_dir / PLANTED, "".join(rows))
    return [_moved(line, changed) for line in plain.lines]


def _moved(line: CaseLine, changed: dict[str, Edited]) -> CaseLine:
    """The case with the starts of its evidence where they are now."""
    evidence = []
    for item in line.evidence:
        start = item.start
        if start is not None:
            start = changed[item.document_id].moved(Span(start, start + len(item.quote or ""))).start
        evidence.append(item.model_copy(update={"start": start}))
    return line.model_copy(update={"evidence": tuple(evidence)})


def _distractors(plain: _Plain, seed: int) -> list[Document]:
    """Two for each document that holds gold evidence (for each document, if no case names one), up to a bound."""
    named = {item.document_id for case in plain.cases for item in case.evidence}
    sources = [item for item in plain.documents if item.id in named or not named]
    taken = {item.id for item in plain.documents}
    free = (identity for number in count(1) if (identity := f"distractor-{number:03d}") not in taken)
    found: list[Document] = []
    for document in sources[: _MOST_DISTRACTORS // _PER_ARTICLE]:
        for number in range(_PER_ARTICLE):
            text = articles.distractor(document.text, _rng(seed, _DISTRACTORS, f"{document.id}/{number}"))
            if text is not None:
                source = Source(" ".join(text.split("\n", 1)[0].split())[:200])
                found.append(Document(next(free), text, source, sha256(text.encode()).hexdigest()))
    if not found:
        raise CaseError(f"no {_DISTRACTORS} can be made: the articles name nobody in capital letters")
    return found
