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
from bri_qa.conversation import record
from bri_qa.history import Entry
from bri_qa.types import (
    AbstainReason,
    Answer,
    Citation,
    CitedStatement,
    Document,
    Hit,
    Progress,
    Span,
)
from bri_qa.web import article, confidence, scope
from bri_qa.web.texts import Texts

NEAREST = 3
SNIPPET_CHARS = 220
KEPT_CHARS = 24
ENGLISH_SHARE = 0.5  # of the letters of a question, for it to be taken for one in Latin script

_MARKUP = {ord(char): f"&#{ord(char)};" for char in "\\`*_{}[]()$|~!+\r\n"}
_COUNTED = ("reading", "checking")
_STAGES = ("rewriting", "searching", "writing")


def text_html(text: str) -> str:
    """Text that neither HTML nor Markdown nor a formula renderer can take for markup, on one line."""
    safe = escape(text)
    return safe.translate(_MARKUP)


def user(text: str) -> str:
    """The question as it was typed."""
    return f'<div class="bri-user">{text_html(text)}</div>'


def stage(progress: Progress, texts: Texts) -> str:
    """What the pipeline has begun, in words."""
    name = progress.stage
    if name in _COUNTED:
        return texts.count(f"stage.{name}", progress.total) if progress.total else texts(f"stage.{name}.none")
    return texts(f"stage.{name}" if name in _STAGES else "stage.other")


def working(line: str) -> str:
    return f'<div class="bri-answer bri-working"><span class="bri-spinner"></span><span class="bri-stage">{text_html(line)}</span></div>'


def trouble(line: str, texts: Texts, detail: str = "") -> str:
    """An error, in words for people; `detail` is what was reported."""
    reported = f'<p class="bri-detail">{text_html(detail)}</p>' if detail else ""
    return _box("bri-error", texts("trouble.title"), f"<p>{text_html(line)}</p>{reported}{_again(texts)}")


def stopped(texts: Texts) -> str:
    return _box("bri-stopped", texts("stopped.title"), f"<p>{texts('stopped')}</p>{_again(texts)}")


def note(line: str, detail: str = "") -> str:
    """Said beside an answer, not in its place."""
    return f'<div class="bri-note-line">{text_html(line)} {text_html(detail)}</div>'


def telling(statements: Sequence[CitedStatement]) -> str:
    """As much of an answer as stands so far."""
    lines = "".join(_statement(item, "") for item in statements)
    return f'<div class="bri-answer bri-telling"><div class="bri-statements">{lines}</div></div>'


def shown(answer: Answer, texts: Texts, document: Callable[[str], Document | None], entry: Entry | None = None) -> str:
    """Whatever was answered; with `entry`, it is kept in the history under that name."""
    if answer.reason is AbstainReason.SMALL_TALK:
        return plain(answer, entry)
    return abstained(answer, texts, document, entry) if answer.abstained else answered(answer, texts, entry)


def plain(answer: Answer, entry: Entry | None = None) -> str:
    """Small talk: nothing to prove."""
    words = text_html(render.message(answer))
    return f'<div class="bri-answer bri-done"><p class="bri-plain">{words}</p>{_data(answer, [], entry)}</div>'


def answered(answer: Answer, texts: Texts, entry: Entry | None = None) -> str:
    """The short answer first, then the statements with their marks, then how sure it is."""
    short = f'<p class="bri-short">{text_html(answer.short_answer)}</p>' if answer.short_answer else ""
    lines = "".join(_statement(item, texts("mark")) for item in answer.statements)
    foot = _foot(_sources(answer, texts), texts, entry)
    data = _data(answer, [_cited(item) for item in answer.citations], entry)
    sure = _sure(answer, texts) if answer.confidence > 0 else ""
    return (
        f'<div class="bri-answer bri-done">{short}<div class="bri-statements">{lines}</div>{_filtered(answer, texts)}'
        f"{_partly(answer, texts)}{_plainly(answer, texts)}{sure}{foot}{data}</div>"
    )


def abstained(
    answer: Answer, texts: Texts, document: Callable[[str], Document | None], entry: Entry | None = None
) -> str:
    """An abstention: not an answer, and it looks different; its reason, and what comes nearest."""
    nearest = [(hit, found) for hit in answer.hits[:NEAREST] if (found := document(hit.passage.document_id))]
    items = "".join(_near(number, hit, found, texts) for number, (hit, found) in enumerate(nearest, start=1))
    passages = f'<p class="bri-near-title">{texts("nearest")}</p><ul class="bri-near">{items}</ul>' if items else ""
    data = [_passage(number, hit, found) for number, (hit, found) in enumerate(nearest, start=1)]
    foreign = "" if is_latin(answer.question.text) else f"<p>{texts('language.question')}</p>"
    content = f"<p>{text_html(_why(answer, texts))}</p>{foreign}{_filtered(answer, texts)}{passages}"
    title = f"abstain.title.{answer.reason}"
    foot = _foot("", texts, entry)
    return _box(
        "bri-abstained",
        texts(title if texts.has(title) else "abstain.title"),
        content + foot + _data(answer, data, entry),
    )


def is_latin(text: str) -> bool:
    """Whether a text is mostly in Latin letters, as far as it has letters at all."""
    letters = [char for char in text if char.isalpha()]
    return not letters or sum(char < "\u0250" for char in letters) / len(letters) >= ENGLISH_SHARE


def _why(answer: Answer, texts: Texts) -> str:
    if record.asked(answer.question.text) and answer.reason is AbstainReason.NOT_STATED:
        return texts("abstain.record")
    if answer.message:
        return answer.message
    if answer.reason is AbstainReason.NO_DOCUMENTS and answer.question.filters.narrows:
        return texts("abstain.no_documents.filtered")
    return texts(f"abstain.{answer.reason}")


def _filtered(answer: Answer, texts: Texts) -> str:
    if not answer.question.filters.narrows or answer.reason is AbstainReason.NO_DOCUMENTS:
        return ""
    return f'<p class="bri-filtered">{texts("abstain.filtered")}</p>'


def _partly(answer: Answer, texts: Texts) -> str:
    """What of the question the articles leave open."""
    return "".join(note(texts("answer.partly", part=part)) for part in answer.trace.unanswered)


def _plainly(answer: Answer, texts: Texts) -> str:
    """Why a language model's words are not shown, where they were to be."""
    reason = render.fell_back(answer)
    return f'<p class="bri-plainly">{text_html(texts("answer.plainly", reason=reason))}</p>' if reason else ""


def _box(kind: str, title: str, content: str) -> str:
    return (
        f'<div class="bri-answer bri-box bri-done {kind}"><p class="bri-kind"><span class="bri-icon"></span>{title}</p>'
        f"{content}</div>"
    )


def _again(texts: Texts) -> str:
    return f'<button class="bri-again">{texts("trouble.again")}</button>'


def _statement(item: CitedStatement, source: str) -> str:
    """The words and their marks; the first mark keeps to the last word."""
    words, space, last = item.text.rpartition(" ")
    if len(last) > KEPT_CHARS:
        words, space, last = item.text[:-1], "", item.text[-1]
    first, *more = (_mark(number, source) for number in item.citations)
    kept = f'<span class="bri-keep">{text_html(last)}&nbsp;{first}</span>'
    return f'<p class="bri-statement">{text_html(words)}{space}{kept}{"".join(more)}</p>'


def _mark(number: int, source: str) -> str:
    return f'<button class="bri-mark bri-n-{number}"><span class="bri-vh">{source}</span>{number}</button>'


def _near(number: int, hit: Hit, document: Document, texts: Texts) -> str:
    """A passage with the record of its article."""
    words = " ".join(hit.passage.text.split())
    snippet = words if len(words) <= SNIPPET_CHARS else words[: SNIPPET_CHARS - 1].rstrip() + "…"
    source, url = document.source, article.safe_url(document.source.url)
    facts = " · ".join(fact for fact in (source.publisher, source.published) if fact)
    told = f'<span class="bri-near-facts">{text_html(facts or texts("record.none"))}</span>'
    original = (
        f'<a class="bri-near-original" href="{text_html(url)}" target="_blank" rel="noopener noreferrer">'
        f'{texts("source.original")}<span class="bri-vh">: {text_html(source.title)}</span></a>'
        if url
        else ""
    )
    return (
        f'<li><button class="bri-near-open bri-n-{number}"><strong>{text_html(source.title)}</strong>{told}'
        f'<span class="bri-near-words">{text_html(snippet)}</span></button>{original}</li>'
    )


def _sure(answer: Answer, texts: Texts) -> str:
    """How sure, in a word; on demand what was measured about it."""
    found = confidence.band(answer.confidence)
    meaning = (
        texts("confidence.measured", right=found.right, all=found.asked)
        if confidence.is_measured(answer)
        else texts("confidence.unmeasured")
    )
    return (
        f'<details class="bri-sure bri-{found.kind}"><summary>{texts(f"confidence.{found.kind}")}</summary>'
        f"<p>{text_html(meaning)}</p></details>"
    )


def _sources(answer: Answer, texts: Texts) -> str:
    """Its quotes, and all of them with the answer for a mail or a note."""
    quotes = texts.count("foot.quotes", len(answer.citations))
    return f'<button class="bri-sources">{quotes}</button><button class="bri-copy">{texts("foot.copy")}</button>'


def _foot(buttons: str, texts: Texts, entry: Entry | None) -> str:
    """What can be done with an answer; saving and rating want one that is kept."""
    kept = (
        f'<button class="bri-save">{texts("foot.save")}</button><span class="bri-thumbs"><button class="bri-up">'
        f'<span class="bri-vh">{texts("foot.up")}</span></button><button class="bri-down"><span class="bri-vh">'
        f"{texts('foot.down')}</span></button></span>"
        if entry
        else ""
    )
    return f'<div class="bri-foot">{buttons}{kept}</div>' if buttons or kept else ""


def _data(answer: Answer, citations: list[dict[str, Any]], entry: Entry | None) -> str:
    """What the page needs to open, list and copy the citations. Read with `textContent` and parsed as JSON."""
    data = {
        "question": answer.question.text,
        "abstained": answer.abstained,
        "reason": answer.reason,
        "short": answer.short_answer,
        "statements": [{"text": item.text, "citations": list(item.citations)} for item in answer.statements],
        "citations": citations,
        "scope": scope.pairs(answer.question.filters),
        "entry": entry.id if entry else None,
        "conversation": entry.conversation_id if entry else None,
        "feedback": [{"citation": item.citation, "rating": item.rating} for item in entry.feedback] if entry else [],
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
        "language": document.source.language,
        "published": document.source.published,
        "licence": document.source.licence,
        "original": article.safe_url(document.source.url),
        "address": article.address(document, span),
        "quote": words,
    }
