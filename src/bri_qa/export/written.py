"""A paper as Markdown, as text to paste, and as JSON. Pure; text is escaped here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bri_qa import render
from bri_qa.export.paper import PROMISE, Paper, Place, asked, heading, message
from bri_qa.history import Entry, stamp
from bri_qa.types import CitedStatement

_INDENT = "    "


def as_markdown(paper: Paper) -> str:
    """CommonMark. No text of an article, a question or a title becomes markup; links are http(s) and nothing else."""
    blocks = [f"# {render.markdown_text(paper.title)}", render.markdown_text(PROMISE)]
    for entry in paper.entries:
        blocks += _markdown_entry(paper, entry)
    return "\n\n".join(blocks) + "\n"


def _markdown_entry(paper: Paper, entry: Entry) -> Iterator[str]:
    places, answer = paper.places(entry), entry.answer
    if not paper.single:
        yield f"## {render.markdown_text(answer.question.text)}"
    yield f"*Asked {asked(entry.asked)}*"
    if answer.abstained:
        yield f"*{render.markdown_text(message(entry))}*"
    if answer.short_answer:
        yield f"**{render.markdown_text(answer.short_answer)}**"
    for statement in answer.statements:
        yield _markdown_statement(statement, places)
    for told in render.remarks(answer):
        yield f"*{render.markdown_text(told)}*"
    if places:
        yield f"{'##' if paper.single else '###'} {heading(entry)}"
    for place in places:
        yield from _markdown_place(place)


def _markdown_statement(statement: CitedStatement, places: Sequence[Place]) -> str:
    marks = [_markdown_link(f"\\[{number}\\]", places[number - 1].permalink) for number in statement.citations]
    return " ".join([render.markdown_text(statement.text), *marks])


def _markdown_place(place: Place) -> Iterator[str]:
    links = [("Open at the quote", place.permalink), ("Original", place.original)]
    facts = [render.markdown_text(place.origin), *(_markdown_link(words, url) for words, url in links if url)]
    number = f"{place.number}. "
    yield number + " · ".join(facts)
    lines = [line for line in place.quote.splitlines() if line.strip()]
    yield "\n".join(f"{' ' * len(number)}> {render.markdown_text(line)}" for line in lines)


def _markdown_link(words: str, url: str | None) -> str:
    return f"[{words}](<{url}>)" if url else words


def as_text(paper: Paper) -> str:
    """Plain text, to be pasted anywhere: statements with their marks, then the numbered quotes."""
    parts = [] if paper.single else [_line(paper.title)]
    parts += ["\n\n".join(_text_entry(paper, entry)) for entry in paper.entries]
    return "\n\n\n".join(parts) + "\n"


def _text_entry(paper: Paper, entry: Entry) -> Iterator[str]:
    answer = entry.answer
    yield _line(answer.question.text)
    if answer.abstained:
        yield _line(message(entry))
    if answer.short_answer:
        yield _line(answer.short_answer)
    for statement in answer.statements:
        yield f"{_line(statement.text)} {render.marks(statement.citations)}"
    for told in render.remarks(answer):
        yield f"({_line(told)})"
    for place in paper.places(entry):
        lines = [f"[{place.number}] {_line(place.origin)}", f"“{_line(place.quote)}”", place.permalink]
        yield f"\n{_INDENT}".join(line for line in lines if line)


def _line(text: str) -> str:
    return " ".join(text.split())


def as_json(paper: Paper) -> dict[str, Any]:
    """Of one answer the object of the public contract, of a conversation a list of them under `entries`.

    An object also says when it was `asked`, and its citations have their `licence` and `permalink`.
    """
    entries = [_json_entry(paper, entry) for entry in paper.entries]
    if paper.single:
        return entries[0]
    return {"title": paper.title, "created": stamp(paper.created), "entries": entries}


def _json_entry(paper: Paper, entry: Entry) -> dict[str, Any]:
    places = {} if entry.answer.abstained else {place.number: place for place in paper.places(entry)}
    citations = [
        {**item, "licence": places[item["number"]].licence, "permalink": places[item["number"]].permalink}
        for item in entry.contract["citations"]
    ]
    return {**entry.contract, "citations": citations, "asked": stamp(entry.asked)}
