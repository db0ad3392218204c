"""What a long benchmark keeps on disk until it is done, so that one that was killed goes on with its sums right."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from typing import Any

from bri_qa.evaluation.run import Pipeline
from bri_qa.types import Answer, Document, Question

FOLDER = Path("runs") / "bench"  # ignored by git


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A folder with the figures of the parts that are done; it is there only until all of them are."""

    folder: Path

    @classmethod
    def open(cls, name: str, fresh: bool) -> Unfinished:
        folder = FOLDER / name
        if fresh and folder.exists():
            rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder)

    def part(self, name: str, measure: Callable[[], Any]) -> Any:
        """The figures of a part: those kept, or else measured now and kept."""
        file = self.folder / f"part-{name}.json"
        if not file.exists():
            draft = file.with_suffix(".draft")
            draft.write_text(json.dumps(measure()), encoding="utf-8")
            draft.replace(file)
        return json.loads(file.read_text(encoding="utf-8"))

    def finish(self) -> None:
        rmtree(self.folder)


@dataclass(slots=True)
class Spent:
    """Seconds of one process on a part: in all, of the processor, and within the product."""

    wall: float = 0.0
    cpu: float = 0.0
    asking: float = 0.0

    @property
    def beside(self) -> float:
        """Seconds outside the product."""
        return self.wall - self.asking


@dataclass(slots=True)
class Clock:
    """Times the questions of `pipeline` and a part around them; what was spent is kept on disk after each question.

    A process that is killed loses the time since its last question, and nothing that is counted twice: the question
    that it was at is asked again by the next one.
    """

    pipeline: Pipeline
    folder: Path
    _start: float = field(default_factory=time.perf_counter)
    _worked: float = field(default_factory=time.process_time)
    _asking: float = 0.0

    def document(self, document_id: str) -> Document | None:
        return self.pipeline.document(document_id)

    def documents(self) -> list[Document]:
        return list(self.pipeline.documents())

    def ask(self, question: Question) -> Answer:
        start = time.perf_counter()
        try:
            return self.pipeline.ask(question)
        finally:
            self._asking += time.perf_counter() - start

    def tick(self) -> None:
        """Keep what this process has spent so far."""
        self.folder.mkdir(parents=True, exist_ok=True)
        spent = [time.perf_counter() - self._start, time.process_time() - self._worked, self._asking]
        draft = self.folder / f".{os.getpid()}"
        draft.write_text(json.dumps(spent), encoding="utf-8")
        draft.replace(self.folder / f"spent-{os.getpid()}-{self._start:.0f}.json")

    def every(self) -> list[Spent]:
        """What each process has spent, this one too."""
        files = sorted(self.folder.glob("spent-*.json"))
        return [Spent(*json.loads(file.read_text(encoding="utf-8"))) for file in files]
