"""The sentences of a text, and the pieces of what is too long."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import nupunkt
import regex

from bri_qa.passages.paragraphs import Paragraph, paragraphs, trim
from bri_qa.types import Span

_FULL_STOP = regex.compile(r"""[。！？]+["'”’」』）》】〉〕]*""")
# Where nupunkt, made for the abbreviations of law, takes an ordinary word for one: "… of the 19th century. Darwin …".
_SHORTENED = "messrs assoc lieut comdr admin const distr assist approx trans tues weds thurs"
_TITLES = "mrs gen gov sen rep col maj capt prof rev hon sgt amb min sec pres supt fig vol"
_OPENERS = (
    "the this these those that it they in on at by for from with but and or so before after when while although though "
    "however as if there their its his her some most since under during according meanwhile moreover furthermore "
    "therefore then both each such over because until despite also instead nevertheless among between to"
)
_END = r"""[.!?]["'”’»)\]]*\s+(?=["'“‘«(\[]?"""
_STOPS = (
    _FULL_STOP,
    regex.compile(rf"(?<!\.)\b(?!(?i:{'|'.join(_SHORTENED.split())})\.)\p{{L}}\p{{Ll}}{{4,}}{_END}\p{{Lu}})"),
    regex.compile(
        rf"(?<!\.)\b(?!(?i:{'|'.join((_SHORTENED + ' ' + _TITLES).split())})\.)(?:\p{{L}}+\p{{Ll}}{{2}}|\d+\d){_END}"
        rf"(?:{'|'.join(_OPENERS.title().split())})\b)"
    ),
)
_GRAPHEME = regex.compile(r"\X")
_WINDOW = 4_096  # nupunkt slows with the square of some hostile lines: it sees so many characters at a time


def sentences(text: str) -> list[Span]:
    """The sentences in reading order, without outer white space; every other character is in exactly one."""
    return [span for paragraph in paragraphs(text) for span in sentences_of(text, paragraph)]


def sentences_of(text: str, paragraph: Paragraph) -> list[Span]:
    """The sentences of one paragraph; a heading is one sentence."""
    if paragraph.heading is not None:
        return [paragraph.span]
    found, at, end = [], paragraph.span.start, paragraph.span.end
    while at < end:
        stop = _bound(text, at, at + _WINDOW) if end - at > _WINDOW else end
        bounds = [at, *_starts(text, at, stop), stop]
        if stop < end and len(bounds) > 2:
            bounds.pop()  # the window may break its last sentence: the next one starts with it
        found += [trim(text, one, other) for one, other in pairwise(bounds)]
        at = bounds[-1]
    return [span for span in found if span]


def pieces(text: str, span: Span, width: int) -> list[Span]:
    """`span` in pieces of at most `width` characters, without outer white space.

    Cut between words; within a word longer than that between graphemes, and within such a grapheme anywhere.
    """
    found, at = [], span.start
    while span.end - at > width:
        stop = _bound(text, at, at + width)
        found.append(trim(text, at, stop))
        at = stop
    return [piece for piece in [*found, trim(text, at, span.end)] if piece]


def _starts(text: str, at: int, stop: int) -> list[int]:
    """Where sentences start after the first one in text[at:stop], never before a combining mark."""
    window = text[at:stop]
    starts = {start for start, _ in nupunkt.sent_spans(window)}
    starts |= {match.end() for stop in _STOPS for match in stop.finditer(window)}
    return sorted(at + s for s in starts if 0 < s < len(window) and not _combines(window, s))


def _combines(text: str, at: int) -> bool:
    return "\u200d" in text[at - 1 : at + 1] or unicodedata.category(text[at]).startswith("M")


def _bound(text: str, at: int, stop: int) -> int:
    """The last place in (at, stop] between words, else between graphemes, else `stop`."""
    bounds: list[int] = [match.start() for match in _GRAPHEME.finditer(text, at, stop + 1)][1:]
    for bound in reversed(bounds):
        if text[bound - 1].isspace() or text[bound : bound + 1].isspace():
            return bound
    return bounds[-1] if bounds else stop
