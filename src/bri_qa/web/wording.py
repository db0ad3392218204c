"""Questions made of an article's own sentences: the figure, the date or the reason that a sentence states is asked for.

The wording is changed as little as English allows: the subject and the verb change places, and what is asked for is
left out. A sentence that this does not fit makes no question.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import regex

_LONGEST = 110  # characters of a question
_SUBJECT = (
    r"(?P<subject>(?!(?:It|This|That|These|Those|There|He|She|They|We|I|You|Its|His|Her|Their|Our|My|Your|Some|Many|Most|All"
    r"|But|And|So|Or|If|When|While|As|At|In|On|By|For|From|To|Of|With|After|Before|Since|Until|Under|Over|About|More"
    r"|Less|Only|Half|Both|Here|Then|Now|Last|Next|Another|Other|One|Two|Three|No|Not|What|Which|Who|How|Why|Where)\b)"
    r"\p{Lu}[^,;:.!?()\d\"“”—–]{1,70}?)"
)
_ROUGHLY = r"(?:(?:about|around|almost|nearly|over|roughly|some|at least|at most|up to|more than|less than|only) )?"
_NUMBER = r"(?P<wanted>(?:\p{Sc} ?)?\d[\d,.]*(?<=\d)(?:(?: |-)(?:thousand|million|billion|trillion))?)"
_NOUN = r"(?P<noun>(?!(?:hours|minutes|days|weeks|months|years|times|others)\b)(?:\p{Ll}[\p{L}-]+ ){0,2}?\p{Ll}{2,}(?:s|people))"
_AFTER = r"(?=[.,;:]|$| (?:of|in|from|for|by|a|an|and|at|with|to|over|since|until|on|per|each|last|this|next|who|that|which)\b)"
_MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December|spring|summer|autumn|winter)"
_DATE = (
    rf"(?P<wanted>(?:the (?:end|beginning|start|middle) of )?(?:(?:\d{{1,2}} )?{_MONTH}(?: \d{{1,2}})?(?:,? \d{{4}})?|(?:1[5-9]|20)\d\d)"
    r"|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)(?![\w-])"
)
_REST = r"(?P<rest>(?: (?!(?:in|on|from|since|that|which|who|because)\b)[\p{L}-]+){0,6}?)"
_PATTERNS = tuple(
    (regex.compile(rf"^{_SUBJECT} {pattern}"), asks)
    for pattern, asks in (
        (rf"costs {_ROUGHLY}{_NUMBER}", "How much does {subject} cost?"),
        (rf"(?<!\b(?:The|the|[Ii]ts|of) )cost {_ROUGHLY}{_NUMBER}", "How much did {subject} cost?"),
        (
            rf"(?P<be>is|are|was|were) {_ROUGHLY}{_NUMBER} [\p{{L}}-]+ (?P<long>long|high|wide|deep|tall|thick|old)\b",
            "How {long} {be} {subject}?",
        ),
        (rf"has {_ROUGHLY}{_NUMBER} {_NOUN}{_AFTER}", "How many {noun} does {subject} have?"),
        (rf"had {_ROUGHLY}{_NUMBER} {_NOUN}{_AFTER}", "How many {noun} did {subject} have?"),
        (
            rf"(?P<be>has|have|had|will|can|could|must) (?P<verb>(?!not\b|been\b|to\b)\p{{Ll}}{{3,}}(?: (?:up|out|in))?) "
            rf"{_ROUGHLY}{_NUMBER} {_NOUN}{_AFTER}",
            "How many {noun} {be} {subject} {verb}?",
        ),
        (
            rf"(?P<verb>(?!(?:increas|decreas|declin|dropp|reach|total|exceed|rank|last|climb|need|remain|turn|ag)\p{{L}}*ed\b)"
            rf"\p{{Ll}}{{2,}}ed) {_ROUGHLY}{_NUMBER} {_NOUN}{_AFTER}",
            "How many {noun} were {verb} by {subject}?",
        ),
        (
            rf"(?P<be>was|were) (?P<verb>\p{{Ll}}{{2,}}(?:ed|en|wn|lt|ght|de|ut|id|nt|ld|un)){_REST} (?:in|on|since) {_DATE}",
            "When {be} {subject} {verb}{rest}?",
        ),
        (
            rf"(?P<be>will) (?P<verb>\p{{Ll}}{{2,}}){_REST} (?:in|on|by|from) {_DATE}",
            "When {be} {subject} {verb}{rest}?",
        ),
        (
            r"(?P<be>is|are|was|were|has|have|had|will|can|must) (?P<verb>\p{L}[\p{L} -]{2,60}?),? because (?P<wanted>[\p{L}]+ [\p{L}]+)",
            "Why {be} {subject} {verb}?",
        ),
    )
)
_OPENS = ("The ", "A ", "An ", "Every ", "Each ")
_SEVERAL = regex.compile(r"\p{Lu}\p{Ll}{2,}s (?:in|of|at|from|with|for|on) ")
_CLAUSE = frozenset("that which who whose said says and but is are was were has have will".split())


@dataclass(frozen=True, slots=True)
class Made:
    """A question, and the words of its sentence that answer it."""

    text: str
    wanted: str


def questions(sentence: str) -> Iterator[Made]:
    """The questions that `sentence`, an English one, answers; at most one of each kind."""
    words = " ".join(sentence.split())
    for pattern, asks in _PATTERNS:
        found = pattern.match(words)
        if found is None:
            continue
        parts = found.groupdict()
        text = asks.format(**{**parts, "subject": _inside(parts["subject"])})
        if len(text) <= _LONGEST and _is_plain(parts["subject"]):
            yield Made(text, parts["wanted"])


def _inside(subject: str) -> str:
    """A subject as it is written within a sentence."""
    return subject[0].lower() + subject[1:] if subject.startswith(_OPENS) or _SEVERAL.match(subject) else subject


def _is_plain(subject: str) -> bool:
    """Whether it is a name, or opens with an article or a plural, and has no clause in it."""
    words = subject.split()
    is_name = len(words) > 1 and all(word[0].isupper() for word in words)
    opened = is_name or subject.startswith(_OPENS) or bool(_SEVERAL.match(subject))
    return opened and _CLAUSE.isdisjoint(words[1:]) and len(words) <= 9
