"""The parts of articles that a report shows, each embedded once however many cases need it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bri_qa.evaluation.report.saved import Place, SavedCase, SavedDocument

AROUND = 700  # characters kept on each side of a quote in a paragraph that is longer
PLACES = 3  # of one gold quote that stands in an article more often

_Range = tuple[int, int]


class Excerpts:
    """Text by document and range. A document whose text was not saved is known by what its passages and quotes hold."""

    def __init__(self, documents: Mapping[str, SavedDocument], cases: Sequence[SavedCase]) -> None:
        self._documents = documents
        self._titles: dict[str, tuple[str, str | None, str | None]] = {}
        self._known: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self._wanted: dict[str, list[_Range]] = defaultdict(list)
        self._numbers: dict[str, int] = {}
        for case in cases:
            self._learn(case)
        self._joined = {name: _joined(pieces) for name, pieces in self._known.items()}

    def _learn(self, case: SavedCase) -> None:
        for item in case.answer.citations:
            self._titles.setdefault(item.document_id, (item.title, item.publisher, item.published))
        parts = [(item.document_id, item.start, item.text) for item in case.answer.passages]
        parts += [(item.document_id, item.start, item.quote) for item in case.answer.citations]
        parts += [
            (gold.document_id, place.start, gold.quote) for gold in case.evidence for place in gold.places if gold.quote
        ]
        for document_id, start, text in parts:
            if document_id not in self._documents:
                self._known[document_id].append((start, text))

    def number(self, document_id: str) -> int:
        """The document's place in `as_json`."""
        return self._numbers.setdefault(document_id, len(self._numbers))

    def want(self, document_id: str, start: int, end: int) -> list[int]:
        """Have `[start, end)` embedded. Returns `[document, start, end]` for the report's data."""
        self._wanted[document_id].append((start, end))
        return [self.number(document_id), start, end]

    def around(self, case: SavedCase) -> list[list[int]]:
        """The paragraphs around the quotes and gold evidence of `case`, overlapping ones joined, as `want` gives."""
        places: dict[str, list[Place]] = defaultdict(list)
        for quote in case.answer.citations:
            places[quote.document_id].append(quote)
        for gold in case.evidence:
            places[gold.document_id] += () if gold.whole else gold.places[:PLACES]
        return [
            self.want(document_id, *window)
            for document_id, found in places.items()
            for window in _merged(self._paragraph(document_id, place) for place in found)
        ]

    def _paragraph(self, document_id: str, place: Place) -> _Range:
        for start, text in self._pieces(document_id):
            if start <= place.start and place.end <= start + len(text):
                low, high = paragraph(text, place.start - start, place.end - start)
                return low + start, high + start
        return place.start, place.end

    def _pieces(self, document_id: str) -> list[tuple[int, str]]:
        document = self._documents.get(document_id)
        return self._joined.get(document_id, []) if document is None else [(0, document.text)]

    def as_json(self) -> list[dict[str, Any]]:
        """`{id, title, about, pieces: [[start, text], …]}` of each document that was wanted."""
        return [self._document(document_id) for document_id in self._numbers]

    def _document(self, document_id: str) -> dict[str, Any]:
        saved = self._documents.get(document_id)
        title, *about = (
            self._titles.get(document_id, (document_id, None, None))
            if saved is None
            else (saved.title, saved.publisher, saved.published)
        )
        pieces = []
        for low, high in _merged(self._wanted[document_id]):
            for start, text in self._pieces(document_id):
                first, last = max(low, start), min(high, start + len(text))
                if first < last:
                    pieces.append([first, text[first - start : last - start]])
        about_text = " · ".join(part for part in about if part)
        return {"id": document_id, "title": title or document_id, "about": about_text, "pieces": pieces}


def paragraph(text: str, start: int, end: int) -> _Range:
    """The lines of `text` that `[start, end)` touches, cut at a space where they run on for more than `AROUND`."""
    low = text.rfind("\n", 0, start) + 1
    found = text.find("\n", end)
    high = len(text) if found < 0 else found
    if start - low > AROUND:
        space = text.find(" ", start - AROUND, start)
        low = start - AROUND if space < 0 else space + 1
    if high - end > AROUND:
        space = text.rfind(" ", end, end + AROUND)
        high = end + AROUND if space < 0 else space
    return low, high


def _merged(ranges: Iterable[_Range]) -> list[_Range]:
    """The union, in order; ranges that touch are one."""
    merged: list[_Range] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return merged


def _joined(pieces: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Pieces of one text put together where they touch or overlap."""
    joined: list[tuple[int, str]] = []
    for start, text in sorted(set(pieces)):
        if joined and start <= joined[-1][0] + len(joined[-1][1]):
            first, before = joined[-1]
            joined[-1] = first, before + text[max(0, first + len(before) - start) :]
        else:
            joined.append((start, text))
    return joined
