"""Whether case files are fit to judge by: valid, no question twice, none in two splits, answers proven by evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bri_qa.errors import CaseError
from bri_qa.evaluation import formats, similar
from bri_qa.evaluation.cases import Case, Documents, Everything, located, unfinished
from bri_qa.evaluation.formats.record import CaseLine, Entry, Problem
from bri_qa.evaluation.locate import shortened
from bri_qa.evaluation.metrics import states

FINDINGS = {
    "invalid": "the file or a case does not fit its format",
    "unknown-document": "evidence names a document that is not indexed",
    "quote-not-found": "evidence does not stand in its document",
    "repeated-id": "two cases have one id",
    "draft": "a draft is not completed",
    "duplicate": "a question stands twice in a file and split",
    "leak": "a question stands in two files or splits",
    "near-duplicate": "two questions of a file and split are nearly the same",
    "near-leak": "two questions of different files or splits are nearly the same",
    "answer-not-in-evidence": "no accepted answer stands in any evidence of its case",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend: its sort (a key of `FINDINGS`), where it is, the case's id if it has one, and the reason."""

    sort: str
    where: str
    id: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked at and what was found; `splits` and `tags` count cases."""

    files: tuple[str, ...]
    cases: int
    splits: dict[str, int]
    kinds: dict[str, int]
    tags: dict[str, int]
    findings: tuple[Finding, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def text(self) -> str:
        """The counts and a line for each finding."""
        lines = [f"{len(self.files)} file{'s' * (len(self.files) != 1)}, {self.cases} case{'s' * (self.cases != 1)}"]
        for name, counts in (("split", self.splits), ("kind", self.kinds), ("tag", self.tags)):
            if counts:
                lines.append(f"by {name}: " + ", ".join(f"{key} {number}" for key, number in counts.items()))
        lines += [f"{item.sort}: {item.where}: {item.reason}" for item in self.findings]
        lines.append(f"{len(self.findings)} found" if self.findings else "nothing found")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A case with its place and the split it belongs to: its own, else the file's name."""

    where: str
    file: Path
    split: str
    line: CaseLine


def check(files: Sequence[Path], documents: Documents, everything: Everything = tuple, *, near: bool = True) -> Checked:
    """Look through `files`, of any format, alone and against one another. A file that cannot be read is a finding.

    Without `near`, questions that are nearly the same are let pass.
    """
    asked: list[_Asked] = []
    findings: list[Finding] = []
    for file in files:
        try:
            content = formats.read(file)
        except CaseError as error:
            findings.append(Finding("invalid", str(file), None, str(error)))
            continue
        asked += [_asked(item, file) for item in content.entries if isinstance(item, Entry)]
        for item in located(content, documents, everything):
            findings += _of_case(item)
    findings += [*_repeated_ids(asked), *_same(asked), *(_near(asked) if near else ())]
    lines = [item.line for item in asked]
    return Checked(
        tuple(map(str, files)),
        len(asked),
        _counted([item.split for item in asked]),
        _counted([line.kind for line in lines]),
        _counted([tag for line in lines for tag in line.tags]),
        tuple(findings),
    )


def _asked(item: Entry, file: Path) -> _Asked:
    return _Asked(item.where, file, item.case.split or file.stem, item.case)


def _counted(names: list[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _of_case(item: tuple[str, CaseLine, Case] | Problem) -> Iterator[Finding]:
    if isinstance(item, Problem):
        yield Finding(item.sort, item.where, None, item.reason)
        return
    where, line, case = item
    if line.is_draft:
        yield Finding("draft", where, case.id, unfinished(line))
    elif case.answers and case.quoted and not any(states(gold.quote, case.answers) for gold in case.quoted):
        reason = f"none of the accepted answers ({shortened(', '.join(case.answers))}) stands in the evidence"
        yield Finding("answer-not-in-evidence", where, case.id, f"{reason}; cut the first answer from a quote")


def _repeated_ids(asked: Sequence[_Asked]) -> Iterator[Finding]:
    """Ids that two files share; within a file it is a problem of its own."""
    first: dict[str, _Asked] = {}
    for item in asked:
        other = first.setdefault(item.line.id, item)
        if other.file != item.file:
            reason = f"the id {item.line.id!r} is that of {other.where}; give each case its own"
            yield Finding("repeated-id", item.where, item.line.id, reason)


def _same(asked: Sequence[_Asked]) -> Iterator[Finding]:
    first: dict[tuple[str, ...], _Asked] = {}
    for item in asked:
        key = similar.key(item.line.question, [turn.text for turn in item.line.history])
        other = first.setdefault(key, item)
        if other is not item:
            yield _twice(item, other, "leak" if _apart(item, other) else "duplicate", "the same question")


def _near(asked: Sequence[_Asked]) -> Iterator[Finding]:
    groups: dict[tuple[str, ...], list[_Asked]] = {}
    for item in asked:
        groups.setdefault(_before(item), []).append(item)
    for group in groups.values():
        for one, other, close in similar.near_pairs([item.line.question for item in group]):
            sort = "near-leak" if _apart(group[one], group[other]) else "near-duplicate"
            yield _twice(group[other], group[one], sort, f"nearly the same question ({close:.2f})")


def _before(item: _Asked) -> tuple[str, ...]:
    """The turns before, which a follow-up needs to mean something."""
    return tuple(similar.same(turn.text) for turn in item.line.history)


def _apart(one: _Asked, other: _Asked) -> bool:
    return one.file != other.file or one.split != other.split


def _twice(item: _Asked, other: _Asked, sort: str, what: str) -> Finding:
    question = shortened(item.line.question)
    reason = f"{question!r} is {what} as {other.line.id!r} ({other.where}, split {other.split}): "
    return Finding(sort, item.where, item.line.id, f"{reason}{shortened(other.line.question)!r}; drop or reword one")
