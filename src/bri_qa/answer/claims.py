"""What a language model wrote, read as it comes: claims, each a text with the ids of the sentences it names.

Two forms are read: JSON by the schema of `prompts.schema_of`, and lines of plain text with ids in brackets. A model
that is asked for lines and writes JSON is understood. Anything else in the stream is passed over; what cannot be read
gives no claim.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

LONGEST = 1_000  # characters of one statement; a model that writes on is rambling

_DECODER = json.JSONDecoder()
_ARRAY = re.compile(r'"statements"\s*:\s*\[')
_BETWEEN = re.compile(r"[\s,]*")
_ID = re.compile(r"\[\s*((?:S?\d{1,4}\b\s*[,;&]?\s*)+)\]|\(\s*((?:S\d{1,4}\b\s*[,;&]?\s*)+)\)", re.IGNORECASE)
_LEAD = re.compile(r"^\s*(?:[-*•]\s*|\d{1,2}[.)]\s+)*")
_LEAD_ID = re.compile(r"^(S\d{1,4})\s*[:.)-]\s*", re.IGNORECASE)
_LABEL = re.compile(r"^(?:answer|statement|statements|response)\s*\d*\s*:\s*", re.IGNORECASE)
_THINKING = re.compile(r"\s*<(think|thinking|thought|reasoning)>", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?]+[”\"’)]*(?=\s)|[。！？]")
_OPENS_JSON = re.compile(r"\s*(?:```(?:json)?\s*)?\{")
_FENCE = re.compile(r"^\s*```")


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement that a model makes, and the ids of the sentences (S1, S2, …) that it names; there may be none."""

    text: str
    ids: tuple[str, ...]


class _Item(BaseModel):
    sentences: list[str]
    text: str


@dataclass(slots=True)
class ClaimReader:
    """Reads a stream piece by piece. `endless` says that a statement has run past all bounds: stop reading."""

    as_json: bool
    written: str = ""
    endless: bool = False
    _at: int = field(default=0, init=False)
    _inside: bool = field(default=False, init=False)
    _closed: bool = field(default=False, init=False)
    _thought: int = field(default=0, init=False)

    def feed(self, piece: str) -> Iterator[Claim]:
        """The claims that `piece` completes."""
        self.written += piece
        if self._thinks():
            return
        self.as_json = self.as_json or bool(_OPENS_JSON.match(self.said))
        yield from self._json() if self.as_json else self._lines(last=False)
        self.endless = len(self.written) - self._at > 4 * LONGEST

    def end(self, cut: bool = False) -> Iterator[Claim]:
        """The claim that the end of the stream completes, if any: a last line without its line end.

        Of one that was `cut` by the output limit, the sentences that were finished.
        """
        if not self.as_json and not self._thinks():
            if cut:
                ends = [found.end() for found in _SENTENCE_END.finditer(self.written, self._at)]
                self.written = self.written[: ends[-1] if ends else self._at]
            yield from self._lines(last=True)

    @property
    def said(self) -> str:
        """What was written, without the thoughts before it."""
        return "" if self._thinks() else self.written[self._thought :]

    def _thinks(self) -> bool:
        """Whether the model still thinks aloud before it answers. Reading goes on behind its thoughts."""
        opened = None if self._thought else _THINKING.match(self.written)
        if opened is None:
            return False
        end = self.written.lower().find(f"</{opened[1].lower()}>", opened.end())
        if end < 0:
            return True
        self._thought = self._at = self.written.index(">", end) + 1
        return False

    def _json(self) -> Iterator[Claim]:
        if not self._inside:
            start = _ARRAY.search(self.written, self._at)
            if start is None:
                return
            self._inside, self._at = True, start.end()
        while not self._closed:
            at = self._at + len(_BETWEEN.match(self.written, self._at)[0])  # type: ignore[index]
            if self.written[at : at + 1] == "]":
                self._closed = True
            if self.written[at : at + 1] != "{":
                return
            try:
                item, self._at = _DECODER.raw_decode(self.written, at)
            except (ValueError, RecursionError):
                return
            yield from _claim(item)

    def _lines(self, last: bool) -> Iterator[Claim]:
        text = self.written
        end = len(text) if last else text.rfind("\n") + 1
        if end <= self._at:
            return
        block, self._at = text[self._at : end], end
        for line in block.splitlines():
            claim = _of_line(line)
            if claim is not None:
                yield claim


def _claim(item: Any) -> Iterator[Claim]:
    try:
        read = _Item.model_validate(item)
    except ValidationError:
        return
    text = _without_ids(read.text)
    if text:
        yield Claim(text, _ids(" ".join(read.sentences)))


def _of_line(line: str) -> Claim | None:
    """`[S2] [S3] The bridge opened in 1932.` in the ways in which models write it."""
    if _FENCE.match(line):
        return None
    rest = _LABEL.sub("", _LEAD.sub("", line.replace("**", ""), count=1))
    ids: list[str] = []
    lead = _LEAD_ID.match(rest)
    if lead:
        ids, rest = [lead[1]], rest[lead.end() :]
    ids += [found[1] or found[2] for found in _ID.finditer(rest)]
    text = _without_ids(rest).strip(' -:\t"“”')
    return Claim(text, _ids(" ".join(ids))) if any(map(str.isalnum, text)) else None


def _without_ids(text: str) -> str:
    """Models repeat the ids inside the text; they are no part of what is said."""
    return re.sub(r"\s+([.,;:!?])", r"\1", " ".join(_ID.sub(" ", text).split()))


def _ids(text: str) -> tuple[str, ...]:
    """Each id once, as S and its number."""
    return tuple(dict.fromkeys(f"S{int(number)}" for number in re.findall(r"\d{1,4}", text)))
