"""The conversation in which a case is written: question, the product's answer, gold span, answers, kind, tags."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bri_qa.errors import BriQAError, CaseError
from bri_qa.evaluation.authoring import CaseBook, Place, Written, doubts, named, quoted, search, shown_sentences
from bri_qa.evaluation.run import Pipeline
from bri_qa.render import as_text, message
from bri_qa.types import Answer, Document, Question, Turn

KINDS = (
    "number name role place date list said cause paraphrase typo keyword followup "
    "unanswerable-near unanswerable-premise unanswerable-topic"
).split()

HELP = """Pick the gold evidence, the shortest clause that answers; all that you pick is needed:
  3            sentence 3 of the list        /new quay    list the sentences with these words
  words …      a quote pasted from an article  @ID words …  the same, in the article ID
  -            take the last one back        none         the articles do not say
  (empty)      done"""

PROMPT = "Question (+ words: a follow-up to the last one; empty: end): "


class Ended(Exception):  # noqa: N818 - the input is used up, which is the usual way to end
    """There is no more input."""


@dataclass(slots=True)
class Dialogue:
    """Writes cases one after the other. `say` shows text; `read` gives a line for a prompt, or None at the end."""

    pipeline: Pipeline
    book: CaseBook
    say: Callable[[str], None]
    read: Callable[[str], str | None]
    split: str | None = None
    _listed: list[Place] = field(default_factory=list)
    _turns: tuple[Turn, ...] = ()

    def run(self) -> None:
        """Until an empty question or the end of the input. A case that was saved stays saved."""
        documents = self.pipeline.documents()
        if not documents:
            raise CaseError("no article is indexed; put articles into the corpus folder and run `bri-qa index`")
        try:
            while question := self._ask(PROMPT):
                self._case(question, documents)
        except Ended:
            pass

    def _ask(self, prompt: str) -> str:
        line = self.read(prompt)
        if line is None:
            raise Ended
        return line.strip()

    def _case(self, words: str, documents: Sequence[Document]) -> None:
        history = self._turns if words.startswith("+") else ()
        question = words.removeprefix("+").strip()
        asked = self.book.asked(question, history)
        if asked is not None:
            self.say(f"{asked.id!r} in {self.book.file} asks the same; reword the question")
            return
        try:
            answer = self.pipeline.ask(Question(question, history))
        except BriQAError as error:
            self.say(str(error))
            return
        self._turns = (*history, Turn("user", question), Turn("assistant", _said(answer)))
        self.say(as_text(answer))
        self._listed.clear()
        self._list(shown_sentences(answer, documents))
        evidence = self._evidence(documents)
        answers = () if evidence is None else self._answers(bool(evidence))
        kind = self._kind(evidence is None)
        tags = tuple(part.strip() for part in self._ask("Tags, with commas between: ").split(",") if part.strip())
        self._save(Written(question, answers, tuple(evidence or ()), kind, tags, self.split, history=history))

    def _list(self, found: Sequence[Place]) -> None:
        """Show places, numbered; the numbers go on, so that an older one stays good."""
        for place in found:
            self._listed.append(place)
            self.say(f"  {len(self._listed):>2}  {place.document.id}: {' '.join(place.text.split())}")

    def _evidence(self, documents: Sequence[Document]) -> list[Place] | None:
        """What was picked; None if the articles do not say."""
        self.say(HELP)
        picked: list[Place] = []
        while line := self._ask("Evidence: "):
            if line.lower() == "none":
                return None
            try:
                self._pick(line, picked, documents)
            except CaseError as error:
                self.say(str(error))
        return picked

    def _pick(self, line: str, picked: list[Place], documents: Sequence[Document]) -> None:
        if line == "-":
            self.say(f"taken back: {picked.pop().text!r}" if picked else "nothing is picked")
        elif line.startswith("/"):
            found = search(line[1:], documents)
            self._list(found)
            if not found:
                self.say("no sentence holds all these words")
        elif all(part.isdecimal() for part in line.replace(",", " ").split()):
            for part in line.replace(",", " ").split():
                self._add(self._numbered(int(part)), picked)
        elif line.startswith("@"):
            identity, _, words = line[1:].partition(" ")
            self._add(quoted(words, [named(identity, documents)]), picked)
        else:
            self._add(quoted(line, documents), picked)

    def _numbered(self, number: int) -> Place:
        if not 1 <= number <= len(self._listed):
            raise CaseError(
                f"there is no sentence {number}, the list ends at {len(self._listed)}; if it is a quote: @ID {number}"
            )
        return self._listed[number - 1]

    def _add(self, place: Place, picked: list[Place]) -> None:
        if place in picked:
            self.say("picked already")
            return
        picked.append(place)
        self.say(f"picked from {place.document.id}, characters {place.span.start}-{place.span.end}: {place.text!r}")

    def _answers(self, proven: bool) -> tuple[str, ...] | None:
        """Accepted short answers; None if there are none, which is fine where there is evidence."""
        self.say("Accepted short answers, the best first, one a line; an empty line ends them.")
        found: list[str] = []
        while True:
            line = self._ask("Answer: ")
            if line:
                found.append(line)
            elif found or proven:
                return tuple(dict.fromkeys(found)) or None
            else:
                self.say("without evidence a case needs an answer")

    def _kind(self, unanswerable: bool) -> str:
        kinds = sorted({*KINDS, *(line.kind for line in self.book.lines)})
        likely = [kind for kind in kinds if kind.startswith("unanswerable") == unanswerable]
        return self._ask(f"Kind ({', '.join(likely)}): ") or ("unanswerable-near" if unanswerable else "other")

    def _save(self, case: Written) -> None:
        try:
            line = self.book.line(case)
        except CaseError as error:
            self.say(f"not saved: {error}")
            return
        self.say(json.dumps(line.as_json(), ensure_ascii=False))
        for doubt in doubts(line):
            self.say(f"look again: {doubt}")
        if self._ask("Save (Y/n)? ").lower() in ("", "y", "yes"):
            self.book.append(line)
            self.say(f"saved as {line.id} in {self.book.file}")
        else:
            self.say("not saved")


def _said(answer: Answer) -> str:
    """The answer in one line, without its marks."""
    return " ".join(" ".join(item.text for item in answer.statements).split()) or message(answer)
