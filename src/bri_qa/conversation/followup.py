"""A follow-up made into a query that stands on its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bri_qa.conversation.intent import Intent, intent
from bri_qa.types import Question, Span

# A follow-up leans on what was said before: it refers back, or it is a fragment with no verb of its own.
_LONGEST = 400  # characters; a longer message says itself what it is about
_CONNECTIVE = re.compile(r"(?:(?:and|but|or|so|also|then|in addition|besides|ok|okay)\b[\s,]*)+", re.IGNORECASE)
_SWAP = re.compile(r"(?:what|how) (?:about|of)\s+(?P<new>[^?]+?)\s*\?*", re.IGNORECASE)
_MORE = re.compile(
    r"(?:(?:can|could) you |please )*(?:tell me |say |give me |show me )?(?:some )?"
    r"(?:more|more details?|go on|continue|explain|elaborate)(?: please)?[\s.?!]*",
    re.IGNORECASE,
)
_PERSON = re.compile(r"\b(?:he|she|him|his|her)\b", re.IGNORECASE)
_GROUP = re.compile(r"\b(?:they|them|their)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_](?:[\w’'.,-]*\w)?")
_SAYING = re.compile(
    r"(?:sa(?:id|ys)|stat|t(?:old|ells)|believ|th(?:inks|ought)|suggest|not(?:ed|es)|add(?:ed|s)|reveal|expla|argu|stress"
    r"|point|announc|warn|claim|analy|propos|emphasi|recommend|expect|describ|call)",
    re.IGNORECASE,
)

HELPING = frozenset("is are was were do does did has have had can could will would should may might must".split())
ASKING = frozenset("what who whom whose which when where why how".split())
_BEFORE = frozenset(
    "about after at before between by during for from in into of on over since through to under until with".split()
)
_OPENERS = HELPING.union(ASKING, "tell give show please list name and but or so also then the in on at of a an".split())
_FUNCTION = _OPENERS.union(
    _BEFORE,
    "many much long far often as it its this that these those there he she they him his her them their be been".split(),
    "being me you us we i else other more not say said says same one ones such former latter above another any".split(),
)
_PERSONS = frozenset("he she him his her they them their".split())
_POINTING = frozenset("it its this that these those there one ones".split())
_NOT_PERSON = frozenset("the a an in at to near of into".split())  # what stands before names of places and bodies
_BREAKS = frozenset(", and but or when if because while that which after before as".split())
_NO_REFERENCE = {  # words after which (or before which) the key does not refer back
    "it": "take takes took true possible necessary important likely known said reported".split(),  # … to, … that
    "this": "article text document story page piece report corpus year month week century time".split(),
    "these": "articles texts documents stories pages pieces reports days".split(),
    "those": "who that which".split(),
}
_LAST = frozenset("that else so then one ones".split())
_AFTER_THE = frozenset("former latter above same".split())
_NAME_LINKS = frozenset("of and the for de von van der al bin la le".split())


@dataclass(slots=True)
class _Context:
    """What a message can lean on: the last question, made standalone, and the person last spoken of."""

    asked: str | None = None
    person: str | None = None
    named: bool = False  # the last question itself names the person

    def take_question(self, text: str) -> None:
        self.named = False
        if intent(text) is Intent.ANSWER:
            self.asked = self.resolve(text)[:_LONGEST]
            person = next(_people(self.asked), None)
            self.person, self.named = person or self.person, person is not None

    def take_answer(self, text: str) -> None:
        if not self.named:
            self.person = _speaker(text[: 10 * _LONGEST]) or self.person

    def resolve(self, text: str) -> str:
        """`text` as a question that stands on its own."""
        text = " ".join(text.split())
        if len(text) > _LONGEST or (self.asked is None and self.person is None):
            return text
        rest = text[match.end() :] if (match := _CONNECTIVE.match(text)) else text
        if not rest.strip(" ?.!"):
            return text
        if self.asked is not None and _MORE.fullmatch(rest):
            return self.asked
        rest = self._with_names(rest)
        if self.asked is None:
            return rest
        swap = _SWAP.fullmatch(rest)
        if swap:
            return _about(self.asked, swap["new"])
        if rest != text and text.endswith("?") and _is_phrase(rest):
            return _about(self.asked, rest.rstrip(" ?"))
        if _is_fragment(rest):
            return _refitted(rest, self.asked)
        return _carry(rest, self.asked) if _refers(rest) else rest

    def _with_names(self, text: str) -> str:
        """`text` with its first pronoun for a person, or for people, replaced by whom it stands for."""
        found, name = _PERSON.search(text), self.person
        if found is None and self.asked is not None:
            found, name = _GROUP.search(text), _subject(self.asked)
        if found is None or name is None or any(_names(text)) or _within(_tokens(text[: found.start()])):
            return text
        following = _WORD.match(text, found.end() + 1)
        owns = found[0].lower() in ("his", "their") or (
            found[0].lower() == "her" and following is not None and following[0].lower() not in _FUNCTION
        )
        return text[: found.start()] + name + ("'s" if owns else "") + text[found.end() :]


def standalone(question: Question) -> str:
    """The query that retrieval gets: the question itself, or, for a follow-up, joined with what it leans on.

    A pronoun for a person becomes the name last spoken of; "what about X?" and fragments ("how many cities?", "in
    2024?") put the last question anew; any other back reference carries the content words of that question.
    """
    context = _Context()
    for turn in question.history:
        if turn.text.strip():
            take = context.take_question if turn.role == "user" else context.take_answer
            take(turn.text)
    return context.resolve(question.text)


def _tokens(text: str) -> list[str]:
    """Words in small letters, and commas."""
    return re.findall(r"[^\W_](?:[\w’'.,-]*\w)?|,", text.lower())


def _content(text: str) -> list[str]:
    return [word for word in _WORD.findall(text) if word.lower() not in _FUNCTION]


def _names(text: str) -> Iterator[Span]:
    """Runs of two or more capitalised words, links between them included, without the word that opens a question."""
    run: list[re.Match[str]] = []
    for word in [*_WORD.finditer(text), None]:
        joins = word is not None and bool(run) and text[run[-1].end() : word.start()] == " "
        if word is not None and joins and (word[0][0].isupper() or word[0] in _NAME_LINKS):
            run.append(word)
            continue
        while run and run[-1][0] in _NAME_LINKS:
            run.pop()
        if len(run) > 1:
            yield Span(run[0].start(), run[-1].end())
        starts = word is not None and word[0][0].isupper() and word[0].lower() not in _OPENERS
        run = [word] if word is not None and starts else []


def _people(text: str) -> Iterator[str]:
    """Names that may be a person's: no links, no article before them, not all in capitals."""
    for span in _names(text):
        name, before = span.of(text), _tokens(text[max(0, span.start - 20) : span.start])
        linked = {"of", "and", "the", "for"} & set(name.split())
        if not linked and not name.isupper() and len(name.split()) < 5 and not _NOT_PERSON & set(before[-1:]):
            yield name


def _subject(asked: str) -> str | None:
    """Who is to have done something: the name after "did" or "does", with its article."""
    for span in _names(asked):
        before = re.search(r"(\w+)\s+(the\s+)?\Z", asked[: span.start], re.IGNORECASE)
        if before is not None and before[1].lower() in HELPING:
            return (before[2] or "") + span.of(asked)
    return None


def _speaker(text: str) -> str | None:
    """The person whose words an answer reports, else the first one it names."""
    people = list(_people(text))
    for name in people:
        for sentence in re.split(r"(?<=[.?!])\s", text[text.index(name) + len(name) :], maxsplit=1)[:1]:
            if any(_SAYING.match(word) for word in _tokens(sentence)):
                return name
    return people[0] if people else None


def _within(words: list[str]) -> bool:
    """Whether a pronoun after `words` finds its noun in the question itself: in a clause that is over."""
    noun = next((at for at, word in enumerate(words) if word not in _FUNCTION and word != ","), len(words))
    return any(word in _BREAKS for word in words[noun + 1 :])


def _refers(text: str) -> bool:
    """Whether a word of the question stands for something said before."""
    words = _tokens(text)
    if not _content(text) or ("else" in words and len(_content(text)) < 2):
        return True
    named = any(_names(text))
    return any(
        _is_reference(word, before, words[at:]) and not (named and words[at:]) and not _within(words[: at - 1])
        for at, (before, word) in enumerate(zip(["", *words], words, strict=False), start=1)
    )


def _is_reference(word: str, before: str, rest: list[str]) -> bool:
    after = rest[0] if rest else ""
    if word in _NO_REFERENCE:
        return after not in _NO_REFERENCE[word] or (word == "it" and not {"to", "that"} & set(rest))
    if word == "that" and after:
        return before in HELPING | _BEFORE | {"", "why", "how"}
    if word == "there":
        return not after and before not in HELPING
    if word in _AFTER_THE:
        return not after and before == "the"
    if (
        word in ("one", "ones")
        and after != "of"
        and before in ("which", "that", "this", "other", "first", "last", "second", "next")
    ):
        return True
    return word in _PERSONS or word == "its" or (word in _LAST and not after)


def _is_fragment(text: str) -> bool:
    """Whether it asks with no verb: "why?", "how many cities?", "in which countries?"."""
    words = _tokens(text)
    opener = next((word for word in words[:2] if word in ASKING), None)
    if opener is None or (words[0] != opener and words[0] not in _BEFORE):
        return False
    if HELPING.union(_PERSONS, _POINTING) & set(words):
        return False
    kind = opener == "what" and len(words) > 2 and words[2] == "of"
    return len(_content(text)) <= (2 if opener in ("how", "which") or kind else 1)


def _is_phrase(text: str) -> bool:
    words = _tokens(text)
    return not set(words) & (HELPING | ASKING) and len(words) < 7


def _about(asked: str, new: str) -> str:
    """The last question put about `new`, which takes the place of what it matches: a name, a date, a kind of thing."""
    first = new.split(maxsplit=1)[0].lower()
    if first in _BEFORE:
        place = re.search(rf"\s{first}\s[^?]{{1,40}}(?=\?*$)", asked, re.IGNORECASE)
        head = asked[: place.start()] if place else asked.rstrip("? ")
        return f"{head} {new}?"
    names, whole = list(_names(asked)), next(_names(new), None)
    if names and whole is not None and len(whole) == len(new):
        return asked[: names[0].start] + new + asked[names[0].end :]
    if re.fullmatch(r"\d{4}", new) and re.search(r"\b\d{4}\b", asked):
        return re.sub(r"\b\d{4}\b", new, asked)
    kind = _kind(asked, new.rsplit(maxsplit=1)[-1])
    if kind is not None:
        bare = re.sub(r"^(?:the|an?)\s", "", new, flags=re.IGNORECASE)
        return asked[: kind.start] + bare + asked[kind.end :]
    return f"{asked.rstrip('? ')}, {new}?"


def _kind(asked: str, noun: str) -> Span | None:
    """Where `asked` has `noun`, with the word that says which kind of it."""
    before: re.Match[str] | None = None
    for word in _WORD.finditer(asked):
        if word[0].lower() == noun.lower():
            told = before is not None and before[0].lower() not in _FUNCTION
            return Span(before.start() if before is not None and told else word.start(), word.end())
        before = word
    return None


def _refitted(fragment: str, asked: str) -> str:
    """A fragment with the verb of the last question: "how many cities?" after "How many roads does it cross?"."""
    words = asked.rstrip("? ").split()
    verb = next((at for at, word in enumerate(words) if word.lower() in HELPING), None)
    head = fragment.rstrip("? ")
    if verb is None or (verb and words[0].lower() not in ASKING | _BEFORE):
        return _carry(fragment, asked)
    noun, rest = [word for word in words[:verb] if word.lower() not in _FUNCTION], words[verb + 1 :]
    words[verb] = words[verb].lower()
    acts = words[verb] in ("do", "does", "did") or not noun
    if not _content(head):
        tail = [words[verb], *(rest + noun if acts else noun + rest)]
        if head.split()[-1].lower() in ("many", "much", "which", "what"):
            tail = [*noun, words[verb], *rest]
        return " ".join([head, *tail]) + "?"
    if acts and len(_content(" ".join(rest))) > 1:
        return " ".join([head, words[verb], *rest]) + "?"
    return _carry(fragment, asked)


def _carry(text: str, asked: str) -> str:
    """`text` and the content words of the last question that it has not."""
    have = {word.lower() for word in _WORD.findall(text)}
    kept = dict.fromkeys(word for word in _content(asked) if word.lower() not in have)
    return " ".join([text.rstrip("? "), *kept]) + ("?" if text.endswith("?") else "")
