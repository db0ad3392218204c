"""What the chat shows: each message as one line of escaped HTML, its citations as data beside the words. Pure.

Gradio's chat runs a message through Markdown and a sanitiser that keeps `class` and drops `data-*`, `id` and
`aria-*`. So a message is one line of HTML (Markdown leaves that alone), the number of a mark is in its class, and
the citations travel as JSON in a hidden element, which the page reads as text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from bri_qa import render
from bri_qa.types import AbstainReason, Answer, Citation, CitedStatement, Document, Hit, Span
from bri_qa.web import article

NEAREST = 3
WAITING = "Waiting for its turn…"
SNIPPET_CHARS = 220
KEPT_CHARS = 24

_STAGES = {
    "searching": "Searching the articles…",
    "reading": "Reading {count} {passages}…",
    "checking": "Checking {count} {quotes}…",
}
_WHY = {
    AbstainReason.OFF_TOPIC: "Nothing in them comes near this question.",
    AbstainReason.NOT_STATED: "They come near the question, but no sentence in them answers it.",
    AbstainReason.UNVERIFIED: "An answer was drafted, but its quotes were not found in the articles, so it is not shown.",
}
_CONFIDENCE = ((0.8, "high", "High confidence"), (0.5, "medium", "Medium confidence"))
_MARKUP = {ord(char): f"&#{ord(char)};" for char in "\\`*_{}[]()$|~!+\r\n"}
_LOW = ("low", "Low confidence: read the quotes")


def text_html(text: str) -> str:
    """Text that neither HTML nor Markdown nor a formula renderer can take for markup, on one line."""
    safe = escape(text)
    return safe.translate(_MARKUP)


def user(text: str) -> str:
    """The question as it was typed."""
    return f'<div class="bri-user">{text_html(text)}</div>'


def stage(name: str, count: int) -> str:
    """What the pipeline has begun, in words."""
    passages = "passage" if count == 1 else "passages"
    quotes = "quote" if count == 1 else "quotes"
    return _STAGES.get(name, "Working…").format(count=count, passages=passages, quotes=quotes)


def working(line: str) -> str:
    return f'<div class="bri-answer bri-working"><span class="bri-spinner"></span><span class="bri-stage">{text_html(line)}</span></div>'


def trouble(line: str) -> str:
    """An error, in words for people."""
    return _box("bri-error", "That did not work", f"<p>{text_html(line)}</p>")


def stopped() -> str:
    return _box("bri-stopped", "Stopped", "<p>Your question is back in the box below.</p>")


def plain(answer: Answer) -> str:
    """Small talk: nothing to prove."""
    return f'<div class="bri-answer bri-done"><p class="bri-plain">{text_html(render.message(answer))}</p></div>'


def answered(answer: Answer, statements: Sequence[CitedStatement] | None = None) -> str:
    """The answer; with `statements`, as much of it as has been said so far."""
    done = statements is None
    said = answer.statements if statements is None else statements
    short = f'<p class="bri-short">{text_html(answer.short_answer)}</p>' if answer.short_answer else ""
    lines = "".join(_statement(item) for item in said)
    foot = _foot(answer) + _data(answer, [_cited(item) for item in answer.citations]) if done else ""
    state = "bri-done" if done else "bri-telling"
    return f'<div class="bri-answer {state}">{short}<div class="bri-statements">{lines}</div>{foot}</div>'


def abstained(answer: Answer, document: Callable[[str], Document | None]) -> str:
    """An abstention: not an answer, and it looks different; its reason, and what comes nearest."""
    why = _WHY.get(answer.reason) if answer.reason else None
    nearest = [(hit, found) for hit in answer.hits[:NEAREST] if (found := document(hit.passage.document_id))]
    items = "".join(_near(number, hit, found) for number, (hit, found) in enumerate(nearest, start=1))
    shown = f'<p class="bri-near-title">Nearest passages</p><ul class="bri-near">{items}</ul>' if items else ""
    content = f"<p>{text_html(render.message(answer))}{' ' + text_html(why) if why else ''}</p>{shown}"
    data = [_passage(number, hit, found) for number, (hit, found) in enumerate(nearest, start=1)]
    return _box("bri-abstained", "Not in the articles", content + _data(answer, data))


def _box(kind: str, title: str, content: str) -> str:
    return (
        f'<div class="bri-answer bri-box bri-done {kind}"><p class="bri-kind"><span class="bri-icon"></span>{title}</p>'
        f"{content}</div>"
    )


def _statement(item: CitedStatement) -> str:
    """The words and their marks; the first mark keeps to the last word."""
    words, space, last = item.text.rpartition(" ")
    if len(last) > KEPT_CHARS:
        words, space, last = item.text[:-1], "", item.text[-1]
    first, *more = (_mark(number) for number in item.citations)
    kept = f'<span class="bri-keep">{text_html(last)}&nbsp;{first}</span>'
    return f'<p class="bri-statement">{text_html(words)}{space}{kept}{"".join(more)}</p>'


def _mark(number: int) -> str:
    return f'<button class="bri-mark bri-n-{number}"><span class="bri-vh">Source </span>{number}</button>'


def _near(number: int, hit: Hit, document: Document) -> str:
    words = " ".join(hit.passage.text.split())
    snippet = words if len(words) <= SNIPPET_CHARS else words[: SNIPPET_CHARS - 1].rstrip() + "…"
    return (
        f'<li><button class="bri-near-open bri-n-{number}"><strong>{text_html(document.source.title)}</strong>'
        f"<span>{text_html(snippet)}</span></button></li>"
    )


def _foot(answer: Answer) -> str:
    count = len(answer.citations)
    sources = "1 quote" if count == 1 else f"{count} quotes"
    kind, words = next(((kind, words) for least, kind, words in _CONFIDENCE if answer.confidence >= least), _LOW)
    confidence = f'<span class="bri-confidence bri-{kind}">{words}</span>' if answer.confidence > 0 else ""
    return (
        f'<div class="bri-foot">{confidence}<button class="bri-sources">{sources}</button>'
        '<button class="bri-copy">Copy</button></div>'
    )


def _data(answer: Answer, citations: list[dict[str, Any]]) -> str:
    """What the page needs to open, list and copy the citations. Read with `textContent` and parsed as JSON."""
    data = {
        "question": answer.question.text,
        "abstained": answer.abstained,
        "reason": answer.reason,
        "short": answer.short_answer,
        "statements": [{"text": item.text, "citations": list(item.citations)} for item in answer.statements],
        "citations": citations,
    }
    return f'<code class="bri-data">{text_html(json.dumps(data, ensure_ascii=False))}</code>'


def _cited(citation: Citation) -> dict[str, Any]:
    found = Document(citation.document_id, "", citation.source, citation.document_sha256)
    return _place(citation.number, found, citation.span, citation.quote)


def _passage(number: int, hit: Hit, document: Document) -> dict[str, Any]:
    return _place(number, document, hit.passage.span, hit.passage.text)


def _place(number: int, document: Document, span: Span, words: str) -> dict[str, Any]:
    return {
        "number": number,
        "document": document.id,
        "start": span.start,
        "end": span.end,
        "version": document.sha256[: article.HASH_CHARS],
        "title": document.source.title,
        "publisher": document.source.publisher,
        "published": document.source.published,
        "address": article.address(document, span),
        "quote": words,
    }
