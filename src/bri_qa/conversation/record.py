"""Questions about an article's record: who published it, when, where it is to be found. Told from their wording alone.

The text of an article seldom says so, and only its text proves an answer. Such a question is not answered; but the
abstention says what the record states.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bri_qa.protocols import Index
from bri_qa.types import AbstainReason, Document, Draft, Hit, Question

NAMED = 3
"""Articles whose records an abstention tells, at most."""

_LONGEST = 200  # characters; a longer message asks for more than a record
_ARTICLE = r"(?:article|text|story|stories|piece|page|report|document|source|news)s?"
_HERE = r"(?:this|that|these|those|it|they)"
_MADE = r"(?:publish(?:ed|es)?|wr(?:ote|itten|ites)|author(?:ed|s)?|print(?:ed|s)?|posted|issued?|released?|dated)"
_PRESS = r"(?:newspaper|paper|magazine|journal|outlet|website|web ?site|site|publisher|publication|media|press|agency)"
_FACT = (
    r"(?:publishers?|authors?|writers?|journalists?|reporters?|bylines?|dates?|(?:publication|publishing) dates?"
    r"|date of publication|links?|urls?|web ?address(?:es)?|licen[cs]es?|originals?|sources?)"
)
_THE = rf"(?:(?:the|this|that|these|those|each|an?|your)\s(?:\w+\s)?{_ARTICLE})"
_THING = rf"(?:{_THE}|{_HERE}(?!\s\w))"
_ASKED = re.compile(
    "|".join(
        (
            rf"\bwho\s(?:has\s|had\s)?{_MADE}\s{_THING}",
            rf"\b(?:when|where|by\s(?:whom|who)|who|what|which|how)\b.*\b(?:was|were|is|are|has|did|does|do)\s"
            rf"(?:{_THE}(?:\s\w+){{0,8}}?|{_HERE}(?:\s(?:first|originally))?)\s(?:been\s)?(?:{_MADE}|appear|come\sfrom|from)\b",
            rf"\b(?:which|what)\s(?:\w+\s)?{_PRESS}\s(?:has\s|had\s)?{_MADE}\s{_THING}",
            rf"\b{_FACT}\s(?:of|to|for|from|behind|is|was)\s{_THING}",
            rf"{_THE}(?:'s|’s)\s{_FACT}",
            rf"\b(?:its|their)\s{_FACT}\s*$",
            rf"\bhow\s(?:old|recent|new)\s(?:is|are)\s{_THING}",
            rf"\bwhere\s(?:can|could|do|may)\s(?:i|we|one)\s(?:find|read|get|see)\s(?:the\soriginals?\b|{_THING})",
            r"^(?:who|what|when)\s(?:is|was|are|were)\sthe\s(?:publisher|author|(?:publication|publishing)\sdate|date\sof\spublication)$",
        )
    )
)
_AUTHOR = re.compile(r"\b(?:wrote|writes|written|author\w*|writers?|journalists?|reporters?|bylines?)\b")
_BACK = re.compile(rf"\b(?:this|that|the)\s{_ARTICLE}\b(?!\s(?:about|on|of|with|in|by))|\b{_HERE}\b|\bits\b")
_MARK = re.compile(r"\[\d+\]")


def asked(text: str) -> bool:
    """Whether a message asks who published or wrote an article, when, or where it is to be found."""
    words = " ".join(text.lower().split()).strip(" ?.!")
    return len(words) <= _LONGEST and bool(_ASKED.search(words))


def told(draft: Draft, question: Question, hits: Sequence[Hit], index: Index) -> tuple[Draft, Sequence[Hit]]:
    """An abstention from a question about a record, with what the records of the nearest articles state.

    "This article" after an answer is the one that the answer was cut from. Any other draft comes back as it is.
    """
    if draft.reason not in (AbstainReason.NOT_STATED, AbstainReason.OFF_TOPIC) or not asked(question.text):
        return draft, hits
    hits = _answered(question, index) or hits
    found = [index.document(name) for name in dict.fromkeys(hit.passage.document_id for hit in hits)]
    records = [_record(item) for item in found[:NAMED] if item is not None]
    if not records:
        return draft, hits
    unknown = "; no author is recorded" if _AUTHOR.search(question.text.lower()) else ""
    whose = "The article’s record says" if len(records) == 1 else "The records of the nearest articles say"
    message = f"That is not stated in the text of these articles{unknown}. {whose}: {'; '.join(records)}."
    return replace(draft, reason=AbstainReason.NOT_STATED, message=message), hits


def _answered(question: Question, index: Index) -> list[Hit]:
    """The passages of the article that the last answer was cut from, where the question points back at it."""
    last = question.history[-1].text if question.history else ""
    if not _MARK.search(last) or not _BACK.search(question.text.lower()):
        return []
    found = index.search_lexical(_MARK.sub("", last), NAMED, question.filters)
    return [hit for hit in found if hit.passage.document_id == found[0].passage.document_id]


def _record(document: Document) -> str:
    source = document.source
    facts = [source.publisher, source.published, source.url]
    stated = ", ".join(fact for fact in facts if fact) or "nothing but the title"
    return f"“{source.title}”: {stated}"
