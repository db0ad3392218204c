"""What a message asks for, and a follow-up made into a query that stands on its own. Plain words, no model."""

from __future__ import annotations

import re
from enum import StrEnum

from bri_qa.types import Question, Turn


class Intent(StrEnum):
    """What kind of answer a message wants."""

    ANSWER = "answer"
    DIGEST = "digest"
    SPEAKERS = "speakers"
    GREETING = "greeting"
    THANKS = "thanks"
    FAREWELL = "farewell"
    HELP = "help"


_DEMONSTRATIVE = r"(?:the|this|these|that|those|all|all the|your|an?|both)?\s*"
_TEXTS = rf"{_DEMONSTRATIVE}(?:whole |entire |main |full |first |news )?(?:articles?|texts?|documents?|corpus|stor(?:y|ies)|pieces?|pages?|it|everything)"
_POINTS = r"(?:main|key|central|most important|principal|essential|chief)\s+(?:points?|ideas?|messages?|takeaways?|findings?|arguments?|themes?|topics?|facts?)"
_POLITE = r"(?:(?:please|kindly|can you|could you|would you|will you|i want you to|i'd like you to|help me|let me have|give me|show me|tell me|provide|write|make|list)\s+)*"

_PATTERNS: tuple[tuple[Intent, re.Pattern[str]], ...] = tuple(
    (intent, re.compile(pattern, re.IGNORECASE))
    for intent, pattern in (
        (
            Intent.GREETING,
            r"^(?:hi|hello|hey|hiya|howdy|greetings|good (?:morning|afternoon|evening|day)|你好|您好)(?: (?:there|all|everyone|again|bri[_ -]?qa))?$",
        ),
        (Intent.GREETING, r"^how are you(?: (?:doing|today))*$"),
        (
            Intent.THANKS,
            r"^(?:ok(?:ay)?|great|good|perfect|nice|wonderful|excellent)?\s*(?:thanks?|thank you|thx|cheers|much appreciated|谢谢)(?: (?:you|a lot|so much|very much|for .*|again|that .*))*$",
        ),
        (
            Intent.THANKS,
            r"^(?:ok(?:ay)?|great|good|perfect|nice|wonderful|excellent|got it|i see|understood|cool)$",
        ),
        (Intent.FAREWELL, r"^(?:bye|goodbye|good bye|see you(?: later)?|good night|that'?s all|再见)$"),
        (
            Intent.HELP,
            r"^(?:help|what can (?:you|i) (?:do|ask|answer)(?: (?:here|you|for me))*|who are you|what are you|how (?:do|does|can) (?:you|i|it|this) (?:work|use (?:this|it|you)|start)|what is this(?: (?:tool|site|page|system))?|test|testing)$",
        ),
        (
            Intent.DIGEST,
            rf"^{_POLITE}(?:(?:an?|the|short|brief|quick|one[- ]paragraph)\s+)*(?:summar(?:y|ise|ize|ies|ization|isation)|sum up|recap|overview|digest|synopsis|abstract|tl;?dr|gist|outline)(?:\s+(?:of|for|about|on)?\s*{_TEXTS})?(?:\s+(?:for me|briefly|shortly|please|in .{{1,30}}))*$",
        ),
        (
            Intent.DIGEST,
            rf"^{_POLITE}(?:what (?:are|is|were|was) )?(?:the )?(?:\w+ )?{_POINTS}(?:\s+(?:of|in|from|made (?:in|by))\s+{_TEXTS})?(?: please)?$",
        ),
        (
            Intent.DIGEST,
            rf"^what(?:'s| is| are|s| does| do)? {_TEXTS}\s+(?:about|say|saying|cover|discuss|tell us|deal with|talk about|mainly about)(?: (?:in short|briefly|exactly|mainly))*$",
        ),
        (Intent.DIGEST, rf"^(?:what is|what's) (?:in|the (?:content|subject|topic|gist) of) {_TEXTS}$"),
        (
            Intent.SPEAKERS,
            rf"^{_POLITE}(?:who (?:is|are|was|were|gets?|all (?:is|are))|which (?:people|persons?|officials?|experts?|speakers?) (?:is|are|was|were)|whose words (?:is|are)|name the people|(?:who (?:is|are|were) )?(?:the )?(?:people|persons?|speakers?|experts?|officials?)) (?:being )?(?:quoted|cited|speaking|interviewed|the speakers|mentioned as speaking|who (?:spoke|speak|is quoted|are quoted))(?: (?:in|by) {_TEXTS})?$",
        ),
        (
            Intent.SPEAKERS,
            rf"^who (?:speaks|spoke|said (?:something|anything|what))(?: (?:in|at) {_TEXTS})?$",
        ),
    )
)


def intent(text: str) -> Intent:
    """The kind of answer that `text` wants, told from its wording alone."""
    plain = re.sub(r"[\s!?.。！？,，]+$", "", re.sub(r"\s+", " ", text.strip())).strip()
    plain = re.sub(r"^(?:please|so|well|ok(?:ay)?|and|hi|hello|hey)[, ]+(?=\w+ \w+)", "", plain, flags=re.IGNORECASE)
    for kind, pattern in _PATTERNS:
        if pattern.match(plain):
            return kind
    return Intent.ANSWER


# A follow-up leans on what was said before: it opens with a connective, refers back, or is a fragment.
_CONNECTIVE = re.compile(
    r"^(?:and|but|or|so|also|then|what about|how about|what of|and what about|in addition|besides)\b[\s,]*",
    re.IGNORECASE,
)
_SWAP = re.compile(
    r"^(?:and |but |so |then )?(?:what|how) (?:about|of)\s+(?:the |for |in |with )?(?P<new>.+?)\s*\??$",
    re.IGNORECASE,
)
_PERSON = re.compile(r"\b(?:he|she|him|they|them)\b", re.IGNORECASE)
_PERSON_OWN = re.compile(r"\b(?:his|her|their)\b", re.IGNORECASE)
_BACK = re.compile(
    r"\b(?:it|its|this|that|these|those|there|then|former|latter|same|one|ones|else|such|above|previous|mentioned)\b",
    re.IGNORECASE,
)
_BARE = re.compile(
    r"^(?:why|how|when|where|who|which|what|how so|by whom|since when|how come)(?: not)?\s*\??$",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"^(?:(?:can you |could you |please )?(?:tell me |say |give me )?(?:more|more details?|go on|continue|explain|elaborate)(?: please)?)\s*[.?!]*$",
    re.IGNORECASE,
)
_NAME = re.compile(r"\b(?:[A-Z][\w’'-]+)(?:\s+(?:of|and|the|for|de|von|al|[A-Z][\w’'-]*))*\s+[A-Z][\w’'-]+\b")
_OPENERS = frozenset(
    (
        "what who whom whose which when where why how is are was were do does did can could will would should "
        "has have had tell give show please list name and but or so also then the in on at of a an"
    ).split()
)
_FUNCTION = _OPENERS | frozenset(
    (
        "many much long far often to by for from with about as it its this that these those there he she they "
        "them his her their be been being me you us we i else other say said says not"
    ).split()
)
_WORD = re.compile(r"\w[\w’'.,-]*\w|\w")


def standalone(question: Question) -> str:
    """The query that retrieval gets: the question itself, or, for a follow-up, joined with what it leans on.

    A pronoun for a person becomes the name last spoken of; "what about X?" repeats the last question about X; any
    other fragment or back reference carries the content words of the question before.
    """
    text = " ".join(question.text.split())
    before = [turn for turn in question.history if turn.text.strip()]
    asked = _last_question(before)
    if asked is None or not _leans(text):
        return text
    swap = _SWAP.match(text)
    if swap:
        return _about(asked, swap["new"].strip())
    if _MORE.match(text):
        return asked
    stripped = _CONNECTIVE.sub("", text).strip() or text
    named = _resolve_person(stripped, asked, before)
    if named != stripped:
        return named
    return _carry(stripped, asked)


def _last_question(history: list[Turn]) -> str | None:
    """The user's last question, itself made standalone by the turns before it."""
    for position in range(len(history) - 1, -1, -1):
        if history[position].role == "user" and intent(history[position].text) is Intent.ANSWER:
            return standalone(Question(history[position].text, tuple(history[:position])))
    return None


def _leans(text: str) -> bool:
    if _CONNECTIVE.match(text) or _BARE.match(text) or _MORE.match(text):
        return True
    if _PERSON.search(text) or _PERSON_OWN.search(text) or _BACK.search(text):
        return not _names(text)
    return len(_content(text)) <= 2 and _is_question(text) and not _names(text)


def _is_question(text: str) -> bool:
    first = _WORD.match(text)
    return text.endswith("?") or (first is not None and first.group().lower() in _OPENERS)


def _content(text: str) -> list[str]:
    return [word for word in _WORD.findall(text) if word.lower() not in _FUNCTION]


def _names(text: str) -> list[str]:
    """Names of two or more capitalised words, without the word that opens the question."""
    found = []
    for match in _NAME.finditer(text):
        words = match.group().split()
        while words and words[0].lower() in _OPENERS:
            words = words[1:]
        if len(words) >= 2:
            found.append(" ".join(words))
    return found


def _resolve_person(text: str, asked: str, history: list[Turn]) -> str:
    if not (_PERSON.search(text) or _PERSON_OWN.search(text)):
        return text
    spoken = next((turn.text for turn in reversed(history) if turn.role == "assistant"), "")
    names = _names(asked) or _names(spoken)
    if not names:
        return text
    with_name = _PERSON_OWN.sub(lambda _: f"{names[0]}'s", text, count=1)
    return _PERSON.sub(lambda _: names[0], with_name, count=1)


def _about(asked: str, new: str) -> str:
    """The question before, put about `new`: a name takes the place of the name, anything else joins the words."""
    names = _names(asked)
    if names and _NAME.search(new):
        return asked.replace(names[-1], new, 1)
    return _carry(new, asked)


def _carry(text: str, asked: str) -> str:
    have = {word.lower() for word in _WORD.findall(text)}
    kept = [word for word in _content(asked) if word.lower() not in have]
    ending = "?" if text.endswith("?") else ""
    return " ".join([text.rstrip("?").strip(), *kept]) + ending
