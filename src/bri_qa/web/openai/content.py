"""An answer as the content of a chat message: Markdown in which no word of an article can become markup. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bri_qa import render
from bri_qa.types import Answer, Citation, CitedStatement

Link = Callable[[Citation], str]

SOURCES = "Sources:"
_BETWEEN = "\n\n"
_TAIL = f"{_BETWEEN}{SOURCES}{_BETWEEN}1. ["
_BESIDE = re.compile(rf"{_BETWEEN}(?=(?:{'|'.join(render.BESIDE)}): )")  # where remarks begin
# Entities where front ends take even an escaped bracket or backslash for a formula; backslashes elsewhere.
_ENTITIES = {ord(char): f"&#{ord(char)};" for char in "[]\\<>`"}
_ENTITY = re.compile(r"&(?=#?\w+;)")
_ESCAPED = re.compile(r"([*_~$])")
_START = re.compile(r"(\d*)([.)]|(?<!\d)[-+=#|:])")  # at the start of a line: a list, a heading, a rule, a table
# What front ends turn into a link although nothing marks it as one.
_LINKISH = re.compile(
    r"[a-z][a-z0-9+.-]*://|www\.|mailto:|xmpp:|data:|javascript:|\w@\w|\w\.(?:[a-z]{2}|com|org|net|edu|gov|info|biz|name)(?![a-z.])",
    re.IGNORECASE,
)
_EDGES = re.compile(r"([(“‘\"']*)(.*?)([)”’\"'.,;:!?…]*)", re.DOTALL)
_CODE = re.compile(r"(`+) ?(.+?) ?\1")
_UNESCAPED = re.compile(r"\\([*_~$+=#.)|:-])")


def safe(text: str) -> str:
    """`text` on one line as Markdown that shows it as it is: no markup, no formula, no link of its own accord."""
    words = [_code(word) if _LINKISH.search(word) else _plain(word) for word in text.split()]
    line = " ".join(words)
    start = _START.match(line)
    return f"{start[1]}\\{line[start.start(2) :]}" if start else line


def _plain(word: str) -> str:
    return _ESCAPED.sub(r"\\\1", _ENTITY.sub("&amp;", word).translate(_ENTITIES))


def _code(word: str) -> str:
    """A web address as code, which nothing makes a link of."""
    found = _EDGES.fullmatch(word)
    before, middle, after = found.groups() if found else ("", word, "")
    fence = "`" * (max(map(len, re.findall("`+", middle)), default=0) + 1)
    room = " " if "`" in middle else ""
    return f"{_plain(before)}{fence}{room}{middle}{room}{fence}{_plain(after)}"


def plain(content: str) -> str:
    """What an earlier message of ours said, in one line: without its list of sources, and unescaped."""
    text = _BESIDE.split(content.partition(_TAIL)[0])[0]
    parts, at = [], 0
    for code in _CODE.finditer(text):
        parts += [_unescaped(text[at : code.start()]), code[2]]
        at = code.end()
    return " ".join("".join([*parts, _unescaped(text[at:])]).split())


def _unescaped(text: str) -> str:
    return html.unescape(_UNESCAPED.sub(r"\1", text))


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the content, and the annotations of the marks in it; their places count from the content's start."""

    text: str
    annotations: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Writer:
    """Writes the content piece by piece, so that what is streamed and what is sent whole are the same."""

    link: Link
    length: int = 0  # code points written so far

    def statement(self, statement: CitedStatement, citations: tuple[Citation, ...]) -> Piece:
        """A verified statement with its marks."""
        by_number = {item.number: item for item in citations}
        text = (_BETWEEN if self.length else "") + safe(statement.text)
        annotations = []
        for number in statement.citations:
            mark = f"[{number}]"
            start = self.length + len(text) + 1
            text += f" {mark}"
            annotations.append(self._annotation(by_number[number], start, start + len(mark)))
        return self._written(text, annotations)

    def end(self, answer: Answer, sources: bool) -> Piece:
        """What follows the statements: the list of sources, or the words of an abstention."""
        if answer.abstained:
            return self._written(safe(render.message(answer)), [])
        listed = "".join(self._listed(item) for item in answer.citations)
        told = "".join(f"{_BETWEEN}{safe(line)}" for line in render.remarks(answer))
        return self._written(told + (f"{_BETWEEN}{SOURCES}{listed}" if sources else ""), [])

    def whole(self, answer: Answer, sources: bool, done: int = 0) -> Iterator[Piece]:
        """All of an answer but its first `done` statements, which are written already."""
        for statement in answer.statements[done:]:
            yield self.statement(statement, answer.citations)
        yield self.end(answer, sources)

    def _written(self, text: str, annotations: list[dict[str, Any]]) -> Piece:
        self.length += len(text)
        return Piece(text, annotations)

    def _listed(self, citation: Citation) -> str:
        source, lead = citation.source, f"{citation.number}. "
        origin = ", ".join(safe(part) for part in (source.title, source.publisher, source.published) if part)
        quote = f"{' ' * len(lead)}> {safe(citation.quote)}"
        return f"{_BETWEEN}{lead}[{origin}]({self.link(citation)}){_BETWEEN}{quote}"

    def _annotation(self, citation: Citation, start: int, end: int) -> dict[str, Any]:
        place = {
            "start_index": start,
            "end_index": end,
            "title": citation.source.title,
            "url": self.link(citation),
        }
        return {"type": "url_citation", "url_citation": place}
