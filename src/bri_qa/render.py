"""Answer to the contract's JSON, text, Markdown and escaped HTML with numbered marks. Pure; escapes last."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bri_qa.types import AbstainReason, Answer, Citation, CitedStatement

MESSAGES = {
    AbstainReason.OFF_TOPIC: "These articles do not deal with that.",
    AbstainReason.NOT_STATED: "That is not stated in these articles.",
    AbstainReason.NO_DOCUMENTS: "There is no article to search here: add articles and run `bri-qa index`, "
    "or widen the filters.",
    AbstainReason.UNVERIFIED: "No answer could be proven with a quote from these articles.",
    AbstainReason.SMALL_TALK: "Ask me about the articles: every answer comes with quotes that you can open.",
}

BESIDE = ("Not stated in these articles", "In the articles' own words")
"""How the lines begin that are said beside an answer."""

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~$&])")
_MARKDOWN_START = re.compile(r"(\d*)([-=.)])")  # at the start of a line: a list, a rule, an underline


def message(answer: Answer) -> str:
    """The plain words of an abstention; empty for an answer."""
    return "" if answer.reason is None else answer.message or MESSAGES[answer.reason]


def marks(numbers: Sequence[int]) -> str:
    """`[1] [2]`"""
    return " ".join(f"[{number}]" for number in numbers)


def as_sentence(answer: Answer) -> str:
    """The whole answer in one line of text with its marks, or the abstention in plain words."""
    if answer.abstained:
        return _line(message(answer))
    return " ".join(_marked(statement) for statement in answer.statements)


def _marked(statement: CitedStatement) -> str:
    return f"{_line(statement.text)} {marks(statement.citations)}"


def _line(text: str) -> str:
    return " ".join(text.split())


def as_json(answer: Answer) -> dict[str, Any]:
    """The answer object of the public contract: the same on the command line, in the API and in the chat."""
    return {
        "question": answer.question.text,
        "answer": as_sentence(answer),
        "short_answer": answer.short_answer,
        "abstained": answer.abstained,
        "reason": answer.reason.value if answer.reason else None,
        "confidence": round(answer.confidence, 4),
        "mode": answer.mode,
        "statements": [{"text": item.text, "citations": list(item.citations)} for item in answer.statements],
        "citations": [citation_json(item) for item in answer.citations],
        "passages": [
            {
                "document_id": hit.passage.document_id,
                "start": hit.passage.span.start,
                "end": hit.passage.span.end,
                "score": round(hit.score, 6),
                "text": hit.passage.text,
            }
            for hit in answer.hits
        ],
        "trace": {
            "query": answer.trace.query,
            "seconds": {stage: round(seconds, 6) for stage, seconds in answer.trace.seconds.items()},
            "models": dict(answer.trace.models),
            "rejected": [
                {"statement": item.statement, "quote": item.quote, "reason": item.reason} for item in answer.rejected
            ],
            **({"language_model": asdict(answer.trace.use)} if answer.trace.use is not None else {}),
            **({"unanswered": list(answer.trace.unanswered)} if answer.trace.unanswered else {}),
        },
    }


def citation_json(citation: Citation) -> dict[str, Any]:
    """A citation as it stands in the answer object."""
    source = citation.source
    return {
        "number": citation.number,
        "document_id": citation.document_id,
        "title": source.title,
        "publisher": source.publisher,
        "published": source.published,
        "url": source.url,
        "start": citation.span.start,
        "end": citation.span.end,
        "quote": citation.quote,
        "document_sha256": citation.document_sha256,
    }


def _origin(citation: Citation) -> str:
    parts = (citation.source.title, citation.source.publisher, citation.source.published)
    return ", ".join(part for part in parts if part)


def fell_back(answer: Answer) -> str | None:
    """Why an answer that a language model was to write is in the articles' own words; None where nothing failed."""
    use = answer.trace.use
    return use.fallback if use is not None and answer.mode == "extractive" and not answer.abstained else None


def remarks(answer: Answer) -> list[str]:
    """Lines beside an answer: what of the question it leaves open, and why a language model's words are not shown."""
    left, own = BESIDE
    lines = [f"{left}: {part}" for part in answer.trace.unanswered]
    reason = fell_back(answer)
    return [*lines, f"{own}: {reason}."] if reason else lines


def as_text(answer: Answer) -> str:
    """For a terminal: statements with marks, then the numbered quotes with where they stand."""
    if answer.abstained:
        lines = [message(answer)]
        if answer.reason is not AbstainReason.SMALL_TALK and answer.hits:
            lines += ["", "Nearest passages:"]
            lines += [
                f"  - {hit.passage.document_id}, characters {hit.passage.span.start}-{hit.passage.span.end}: "
                f"{_shortened(hit.passage.text)}"
                for hit in answer.hits[:3]
            ]
        return "\n".join(lines)
    lines = [_line(answer.short_answer), ""] if answer.short_answer else []
    lines += [_marked(statement) for statement in answer.statements]
    lines.append("")
    for citation in answer.citations:
        lines.append(f"[{citation.number}] {_origin(citation)}")
        lines.append(f"    {citation.document_id}, characters {citation.span.start}-{citation.span.end}")
        lines.append(f"    “{_line(citation.quote)}”")
    for told in remarks(answer):
        lines += ["", f"({told})"]
    return "\n".join(lines)


def _shortened(text: str, width: int = 140) -> str:
    line = _line(text)
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"


def as_markdown(answer: Answer) -> str:
    """For notes and reports. Article text is escaped, so that none of it becomes markup."""
    if answer.abstained:
        return f"*{markdown_text(message(answer))}*\n"
    lines = [f"**{markdown_text(answer.short_answer)}**", ""] if answer.short_answer else []
    for statement in answer.statements:
        lines += [markdown_text(_marked(statement)), ""]
    for citation in answer.citations:
        lines += [f"{citation.number}. {markdown_text(_origin(citation))}", ""]
        lines += [f"{' ' * len(f'{citation.number}. ')}> {markdown_text(citation.quote)}", ""]
    for told in remarks(answer):
        lines += [f"*{markdown_text(told)}*", ""]
    return "\n".join(lines)


def markdown_text(text: str) -> str:
    """One line that Markdown shows as it is."""
    line = _MARKDOWN.sub(r"\\\1", _line(text))
    start = _MARKDOWN_START.match(line)
    return f"{start[1]}\\{line[start.start(2) :]}" if start else line


def as_html(answer: Answer) -> str:
    """A fragment: statements with marks as links to `#citation-n`, then the numbered quotes. All text is escaped."""
    if answer.abstained:
        return f'<p class="bri-abstained">{html.escape(message(answer))}</p>'
    short = f'<p class="bri-short">{html.escape(answer.short_answer)}</p>' if answer.short_answer else ""
    statements = "".join(
        f'<p class="bri-statement">{html.escape(item.text)} '
        + " ".join(f'<a class="bri-mark" href="#citation-{n}" data-citation="{n}">[{n}]</a>' for n in item.citations)
        + "</p>"
        for item in answer.statements
    )
    cards = "".join(
        f'<li id="citation-{item.number}" value="{item.number}" data-citation="{item.number}">'
        f"<cite>{html.escape(_origin(item))}</cite><blockquote>{html.escape(item.quote)}</blockquote></li>"
        for item in answer.citations
    )
    told = "".join(f'<p class="bri-remark">{html.escape(line)}</p>' for line in remarks(answer))
    return f'{short}{statements}{told}<ol class="bri-citations">{cards}</ol>'
