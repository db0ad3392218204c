"""Eval cases: read from any format, checked, and their evidence located to spans of indexed documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bri_qa.errors import CaseError
from bri_qa.evaluation import formats
from bri_qa.evaluation.formats.record import CaseLine, Content, Entry, EvidenceLine, Problem, TurnLine
from bri_qa.evaluation.locate import Documents, Everything, NotLocated, Shelf, places
from bri_qa.types import Question, Span, Turn

__all__ = ["Case", "CaseFile", "Documents", "Everything", "Evidence", "line_of", "load", "located"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words of a document that prove the answer. `spans` are all places where they stand, at least one.

    `whole` says that the document as such is judged relevant, by `relevance` (1 and up); `quote` is then empty and
    the one span is the whole text.
    """

    document_id: str
    quote: str
    spans: tuple[Span, ...]
    relevance: int = 1
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """A question with what is known about its answer: accepted short answers, evidence, both, or that there is none."""

    id: str
    question: Question
    answers: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    kind: str
    tags: tuple[str, ...]
    split: str | None = None
    note: str | None = None

    @property
    def answerable(self) -> bool:
        return bool(self.answers or self.evidence)

    @property
    def quoted(self) -> tuple[Evidence, ...]:
        """The evidence that is a quote, all of which is needed; judged documents are alternatives to one another."""
        return tuple(item for item in self.evidence if not item.whole)


@dataclass(frozen=True, slots=True)
class CaseFile:
    """The cases of a file in its order, at least one; `sha256` is of the file's bytes."""

    name: str
    sha256: str
    cases: tuple[Case, ...]
    drafts: int = 0


def load(file: Path, documents: Documents, everything: Everything = tuple, *, skip_drafts: bool = False) -> CaseFile:
    """The cases of `file`, which may be of any of the formats.

    `documents` gives a document by id; `everything` all of them, for formats that bring texts and no ids of ours.

    Raises:
        CaseError: the file cannot be read, a case does not fit the format, an id comes twice, a quote does not
            stand in its document, or a case is a draft (unless `skip_drafts`). It names file, place and reason.
    """
    content = formats.read(file)
    if content.format == formats.feedback.NAME:
        raise CaseError(f"{file} is feedback; make cases of it first: bri-qa eval import {file} --to CASES")
    cases: list[Case] = []
    wrong: list[str] = []
    drafts = 0
    for item in located(content, documents, everything):
        if isinstance(item, Problem):
            wrong.append(str(item))
        elif not item[1].is_draft:
            cases.append(item[2])
        elif skip_drafts:
            drafts += 1
        else:
            wrong.append(f"{item[0]}: {unfinished(item[1])}")
    if wrong:
        raise CaseError(_first_of(wrong, file))
    if not cases:
        left = " but drafts" if drafts else ""
        raise CaseError(f"{file} has no case{left}; write one JSON object a line (eval/README.md shows how)")
    return CaseFile(file.name, content.sha256, tuple(cases), drafts)


def _first_of(wrong: Sequence[str], file: Path) -> str:
    if len(wrong) == 1:
        return wrong[0]
    more = "1 more place is" if len(wrong) == 2 else f"{len(wrong) - 1} more places are"
    return f"{wrong[0]}; {more} wrong, `bri-qa eval check {file}` names them all"


def located(
    content: Content, documents: Documents, everything: Everything = tuple
) -> Iterator[tuple[str, CaseLine, Case] | Problem]:
    """Each case with its place, as a line of our own format and located; or what is wrong, an id used twice too."""
    shelf = Shelf(documents, everything)
    used: dict[str, str] = {}
    for item in content.entries:
        if isinstance(item, Problem):
            yield item
            continue
        first = used.setdefault(item.case.id, item.where)
        try:
            line = own(item, shelf)
            case = _case(line, documents)
        except NotLocated as error:
            yield Problem(item.where, str(error), error.sort)
            continue
        if first == item.where:
            yield item.where, line, case
        else:
            reason = f"the id {case.id!r} was used on {first.rpartition(', ')[2]}; give each case its own"
            yield Problem(item.where, reason, "repeated-id")


def own(entry: Entry, shelf: Shelf) -> CaseLine:
    """The entry as a line of our own format.

    Raises:
        NotLocated: a text that it brings stands in no document.
    """
    if not entry.gold:
        return entry.case
    return entry.case.model_copy(update={"evidence": tuple(shelf.line(item) for item in entry.gold)})


def unfinished(line: CaseLine) -> str:
    """What is still to be done with a draft, in one line."""
    if line.evidence or line.answers is not None:
        return f"the draft {line.id!r} is not confirmed; look at its answers and evidence, then drop the tag `draft`"
    return (
        f"the draft {line.id!r} is not completed; fill in `evidence` (document_id and quote), `answers`, or both "
        "(`answers: []` if the articles do not say), then drop the tag `draft`"
    )


def _case(line: CaseLine, documents: Documents) -> Case:
    return Case(
        id=line.id,
        question=Question(line.question, tuple(Turn(turn.role, turn.text) for turn in line.history)),
        answers=line.answers or (),
        evidence=tuple(_evidence(item, documents) for item in line.evidence),
        kind=line.kind,
        tags=line.tags,
        split=line.split,
        note=line.note,
    )


def _evidence(line: EvidenceLine, documents: Documents) -> Evidence:
    spans = places(line, documents)
    return Evidence(line.document_id, line.quote or "", spans, line.relevance, line.quote is None)


def line_of(case: Case) -> CaseLine:
    """The case as a line of our own format. A quote whose place was given keeps it."""
    return CaseLine(
        id=case.id,
        question=case.question.text,
        history=tuple(TurnLine(role=turn.role, text=turn.text) for turn in case.question.history),
        answers=case.answers if case.answers or not case.evidence else None,
        evidence=tuple(_evidence_line(item) for item in case.evidence),
        kind=case.kind,
        tags=case.tags,
        split=case.split,
        note=case.note,
    )


def _evidence_line(item: Evidence) -> EvidenceLine:
    if item.whole:
        return EvidenceLine(document_id=item.document_id, relevance=item.relevance)
    start = item.spans[0].start if len(item.spans) == 1 else None
    return EvidenceLine(document_id=item.document_id, quote=item.quote, start=start, relevance=item.relevance)
