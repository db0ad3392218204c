"""What is told while a question is answered."""

from __future__ import annotations

from dataclasses import dataclass

from bri_qa.types.answers import Answer, Citation, CitedStatement


@dataclass(frozen=True, slots=True)
class Progress:
    """A stage of the work begins, or goes on: `done` of `total` things; 0 where their number is not known."""

    stage: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class StatementReady:
    """A verified statement that will stand in the answer as it is, with the citations its marks name.

    Statements come in the order of the answer, and the numbers of the citations are the answer's.
    """

    statement: CitedStatement
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer, which is always the last event."""

    answer: Answer


Event = Progress | StatementReady | Answered
