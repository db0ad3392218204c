"""The kind of answer that a message wants, told from its wording alone."""
# ruff: noqa: E501 - patterns read best on one line

from __future__ import annotations

import re
from enum import StrEnum


class Intent(StrEnum):
    """What kind of answer a message wants."""

    ANSWER = "answer"
    DIGEST = "digest"
    SPEAKERS = "speakers"
    GREETING = "greeting"
    THANKS = "thanks"
    FAREWELL = "farewell"
    HELP = "help"


# How a message that asks nothing of the articles is met.
SMALL_TALK = {
    Intent.GREETING: "Hello. Ask me a question about the articles: every answer comes with quotes that you can open.",
    Intent.THANKS: "You are welcome. Ask on whenever you like.",
    Intent.FAREWELL: "Goodbye.",
    Intent.HELP: "I answer questions from the articles in this collection, and prove each answer with quotes cut from "
    "them. Try a question in plain words, a keyword, “Summarise the article” or “Who is quoted?”. When the articles do "
    "not say, I tell you so.",
}


# A message is routed only if all of it fits: "the main points" is a digest, "the main points of her speech" a question.
_LONGEST = 200  # characters; a longer message is a question
_EDGE = re.compile(r"^[\W_]+|[\W_]+$")
_PAUSE = re.compile(r"[,.!?;:…–—]+(?=\s)")

_TEXT = (
    r"(?:(?:the|this|these|that|those|all|both|your|an?|of)\s)*(?:(?:whole|entire|full|first|news|given|following)\s)*"
    r"(?:articles?|texts?|documents?|corpus|collection|story|stories|pieces?|pages?|reports?|contents?|it|this|that|everything)"
)
_IN_TEXT = rf"(?:\s(?:in|at|by|of|from|for|on|about|here in|within)\s{_TEXT}|\shere)?"
_ASK = (
    r"(?:(?:please|kindly|just|briefly|quickly|shortly|in short|in brief|now|then|can|could|would|will|may|you|i|we|me|us|to"
    r"|want|need|like|i'd|have|get|give|show|tell|let|help|provide|with|write|make|do|create|prepare|produce|list|name|see|know)\s)*"
)
_TAIL = (
    r"(?:\s(?:please|for me|for us|to me|briefly|shortly|quickly|now|again|in short|in brief|exactly|mainly|all about"
    r"|in (?:an? |the )?(?:(?:few|simple|plain|own|\w+) )?(?:sentences?|words?|lines?|points?|bullets?|bullet points|paragraphs?|english|terms|nutshell)))*"
)
_SUMMARY = (
    r"(?:summar(?:y|ies|i[sz]e|i[sz]ed|i[sz]ing|i[sz]ation)|sum(?: (?:it|this|that|everything))? up|recap|overview|digest"
    r"|synopsis|abstract|tl;?dr|gist|outline)"
)
_MAIN = r"(?:main|key|central|most important|principal|essential|chief|core|primary|biggest|major)"
_POINTS = (
    rf"(?:(?:\w+\s)?{_MAIN}\s(?:points?|ideas?|messages?|takeaways?|findings?|arguments?|themes?|topics?|subjects?|facts?"
    r"|conclusions?|statements?|claims?|things?|content|highlights?)|takeaways|highlights)"
)
_PEOPLE = (
    r"(?:(?:the|all|every|of|any|different|other)\s)*(?:people|persons?|officials?|experts?|speakers?|guests?|individuals"
    r"|names|sources|everyone|everybody|anyone|those)"
)
_QUOTED = (
    r"(?:(?:being|all)\s)?(?:quoted|cited|interviewed|mentioned|named)(?: (?:or|and) (?:quoted|cited|mentioned|named))?"
)
_ARE = r"(?:is|are|was|were|gets?|got|all is|all are|has been|have been)"
_NICE = r"(?:very |really |that's |that is )?(?:ok(?:ay)?|great|good|perfect|nice|wonderful|excellent|awesome|cool|fine|helpful|interesting)(?: (?:answer|job|work|one))?"
_THANK = r"(?:(?:many )?thanks|thank you|thank u|thx|cheers|much appreciated|i appreciate it|谢谢|谢谢你|多谢)"
_THANKED = r"(?: (?:you|a lot|lots|a million|so much|very much|indeed|again|all|everyone|for (?:(?!how|what|who|when|where|why|which)[\w']+ ?){1,6}))*"
_HELLO = r"(?:hi|hello|hey|hiya|howdy|greetings|good (?:morning|afternoon|evening|day)|你好|您好)"

_PATTERNS: tuple[tuple[Intent, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (Intent.GREETING, rf"{_HELLO}(?: (?:there|all|everyone|again|you|friend|bot|assistant|bri[_ -]?qa))*"),
        (Intent.GREETING, rf"(?:{_HELLO} )?(?:there )?(?:how are you|how do you do|what's up)(?: (?:doing|today|all))*"),
        (Intent.THANKS, rf"(?:{_NICE}|got it|i see|understood|that helps|that helped)"),
        (Intent.THANKS, rf"(?:(?:{_NICE}|got it|i see) )?{_THANK}{_THANKED}(?: (?:{_NICE}|that (?:helps|helped)|that was {_NICE}))?"),
        (Intent.FAREWELL, r"(?:bye(?: bye)?|goodbye|good bye|see you(?: (?:later|soon))?|good night|that's all|that is all|再见)"),
        (Intent.HELP, r"(?:please )?help(?: me)?(?: please)?|tests?|testing|who are you|what are you|what do you (?:do|know)|are you (?:an? )?(?:human|bot|robot|machine|ai|there)"),
        (Intent.HELP, r"(?:what|how|which questions|what questions|what kind of questions) can (?:you|i|we) (?:do|ask|answer|help|help me|use this|use it)(?: (?:you|here|for me|with|about))*"),
        (Intent.HELP, r"how (?:do|does|can|should) (?:you|i|it|this|we) (?:work|use (?:this|it|you)|start|begin)(?: here)?|what(?: is|'s) this(?: (?:tool|site|page|system|for))?"),
        (Intent.DIGEST, rf"{_ASK}(?:what's |what is |what would be )?(?:(?:an?|the|short|brief|quick|concise|simple|general|full|good|nice|one[- ]\w+)\s)*{_SUMMARY}(?:(?:\s(?:of|for|about|on|from|in))?\s{_TEXT}(?: up)?|\shere)?{_TAIL}"),
        (Intent.DIGEST, rf"{_ASK}sum {_TEXT} up{_TAIL}"),
        (Intent.DIGEST, rf"{_ASK}(?:what's |what (?:are|is|were|was|would be) |which are )?(?:the |its |some |{_TEXT}(?:'s|s') )?{_POINTS}(?:\s(?:made|raised|covered|discussed))?{_IN_TEXT}{_TAIL}"),
        (Intent.DIGEST, rf"(?:which|what) (?:(?:{_MAIN} )?(?:points?|topics?|themes?|subjects?|issues?|things?)) (?:(?:does|do|did) {_TEXT} (?:make|cover|raise|discuss|address|treat|deal with)|(?:is|are|was|were) (?:covered|discussed|addressed|raised|made|treated){_IN_TEXT}){_TAIL}"),
        (Intent.DIGEST, rf"(?:so )?what(?:'s| is| are|s| does| do| did)? {_TEXT} (?:(?:all|mainly|really|mostly|actually|basically) )?(?:about|say|saying|cover|discuss|tell us|tell me|deal with|talk about|talking about|contain|mean){_TAIL}"),
        (Intent.DIGEST, rf"{_ASK}what {_TEXT} (?:is|are) (?:all |mainly |really )?about{_TAIL}"),
        (Intent.DIGEST, rf"(?:what is|what's|what are) (?:written |discussed |covered |said |contained )?(?:in|the (?:content|contents|subject|topic|theme|gist|message) of) {_TEXT}|what (?:is|are|'s) {_TEXT}(?:'s|s') (?:content|subject|topic|theme|message)"),
        (Intent.DIGEST, rf"{_ASK}(?:tell (?:me |us )?(?:something |more )?about|describe|explain|present|introduce) (?!it|this|that|everything){_TEXT}{_TAIL}"),
        (Intent.SPEAKERS, rf"{_ASK}(?:(?:who|whom)(?: else)?(?: all)?|(?:which|what) {_PEOPLE}) {_ARE} {_QUOTED}{_IN_TEXT}{_TAIL}"),
        (Intent.SPEAKERS, rf"{_ASK}(?:who (?:is|are|were|was) )?{_PEOPLE} (?:(?:that|who|which) )?(?:{_ARE} )?{_QUOTED}{_IN_TEXT}{_TAIL}"),
        (Intent.SPEAKERS, rf"(?:who|which {_PEOPLE}) (?:speaks?|spoke|is speaking|are speaking|talks|appears?|says? what|said what|said something){_IN_TEXT}"),
        (Intent.SPEAKERS, rf"(?:who|whom|which {_PEOPLE}) (?:does|do|did) {_TEXT} (?:quote|cite|interview|mention|name)"),
        (Intent.SPEAKERS, rf"{_ASK}(?:who (?:is|are|were|was) )?(?:the )?(?:(?:people|persons)(?=\s)|speakers|quotes|quotations){_IN_TEXT}{_TAIL}|whose (?:words|statements|opinions|views) {_ARE} (?:quoted|cited|given|reported){_IN_TEXT}"),
    )
)  # fmt: skip
_OPENING = re.compile(
    rf"(?:(?:{_HELLO}|ok(?:ay)?|so|well|and|also|but|now|then|please|{_NICE}|{_THANK}|in short|in brief)\s)+(?=\S+\s\S|summar|tl|recap)"
)


def intent(text: str) -> Intent:
    """The kind of answer that `text` wants, told from its wording alone."""
    plain = " ".join(text.casefold().replace("’", "'").split())
    if len(plain) > _LONGEST:
        return Intent.ANSWER
    plain = _EDGE.sub("", _PAUSE.sub("", plain))
    for words in (plain, _OPENING.sub("", plain, count=1) if _OPENING.match(plain) else plain):
        for kind, pattern in _PATTERNS:
            if pattern.fullmatch(words):
                return kind
    return Intent.ANSWER
