"""Whether the server can answer: what index it has, and how old that is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bri_qa.pipeline import QAPipeline
from bri_qa.types import Groups
from bri_qa.web.service import Pipeline

_GENERATION = re.compile(r"generation-(\d+)")


@dataclass(frozen=True, slots=True)
class Standing:
    """The index that answers now; None is what the pipeline does not tell."""

    documents: int
    passages: int | None = None
    built: datetime | None = None
    generation: int | None = None

    def as_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {"documents": self.documents}
        if self.passages is not None:
            told["passages"] = self.passages
        if self.built is not None:
            told |= {"index_generation": self.generation, "index_built": self.built.isoformat()}
            told["index_age_seconds"] = round((datetime.now(UTC) - self.built).total_seconds())
        return told


@dataclass(frozen=True, slots=True)
class State:
    """Looks at the pipeline that answers."""

    pipeline: Pipeline

    def index(self, groups: Groups = None) -> Standing:
        """Who may not read all is told of the documents that they may read, and no more.

        Raises:
            BriQAError: the index cannot be read.
        """
        documents = len(self.pipeline.documents(groups))
        if groups is not None or not isinstance(self.pipeline, QAPipeline):
            return Standing(documents)
        generation: Any = self.pipeline.index.snapshot()
        manifest = generation.manifest
        found = _GENERATION.match(generation.folder.name)
        built = datetime.fromisoformat(manifest.built)
        built = built if built.tzinfo else built.replace(tzinfo=UTC)
        return Standing(documents, manifest.passages, built, int(found[1]) if found else None)
