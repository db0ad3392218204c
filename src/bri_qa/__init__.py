"""bri_qa: answers that stand on quotes cut from a body of articles.

Importing this package loads no model runtime, index engine or web framework; `open_pipeline` does, on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bri_qa.errors import BriQAError
from bri_qa.types import (
    Answer,
    Citation,
    CitedStatement,
    Document,
    Filters,
    Passage,
    Question,
    Source,
    Span,
    Turn,
)

if TYPE_CHECKING:
    from bri_qa.pipeline import QAPipeline

__version__ = "0.1.0"
__all__ = [
    "Answer",
    "BriQAError",
    "Citation",
    "CitedStatement",
    "Document",
    "Filters",
    "Passage",
    "Question",
    "Source",
    "Span",
    "Turn",
    "open_pipeline",
]


def open_pipeline(**overrides: Any) -> QAPipeline:
    """The product's pipeline over a built index; keyword arguments override settings (`index_dir=…`, `top_k=…`)."""
    from bri_qa.compose import pipeline
    from bri_qa.settings import Settings

    return pipeline(Settings.load(**overrides))
