"""The nouns of the house: frozen values that stages hand to one another. Standard library only."""

from bri_qa.types.answers import (
    AbstainReason,
    Answer,
    Citation,
    CitedStatement,
    Draft,
    ModelUse,
    Quote,
    Rejection,
    Statement,
    Trace,
)
from bri_qa.types.asked import Document, Filters, Hit, Passage, Question, Reading, ScoredSpan, Source, Span, Turn
from bri_qa.types.events import Answered, Event, Progress, StatementReady

__all__ = [
    "AbstainReason",
    "Answer",
    "Answered",
    "Citation",
    "CitedStatement",
    "Document",
    "Draft",
    "Event",
    "Filters",
    "Hit",
    "ModelUse",
    "Passage",
    "Progress",
    "Question",
    "Quote",
    "Reading",
    "Rejection",
    "ScoredSpan",
    "Source",
    "Span",
    "Statement",
    "StatementReady",
    "Trace",
    "Turn",
]
