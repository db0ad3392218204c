"""A follow-up made into a question that stands alone by a language model; the rules are what it falls back on."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bri_qa.conversation.followup import standalone
from bri_qa.errors import ChatModelError
from bri_qa.protocols import ChatModel, Message
from bri_qa.types import ModelUse, Question

_LONGEST = 400  # characters
_KEPT = 0.6  # share of the question's content words that a rewriting must keep; set by hand
_LABEL = re.compile(r"^(?:rewritten|standalone|question|last question)[\w ]*:\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ModelRewriter:
    """Asks `chat` with what `messages` makes of the question.

    `invented(text, sources)` names what of `text` (a name, a number) stands in none of `sources`: a rewriting may
    neither add such a thing nor lose one of the question's own. Of its words, by `content`, it must keep most.
    """

    chat: ChatModel
    messages: Callable[[Question], Sequence[Message]]
    invented: Callable[[str, Sequence[str]], str | None]
    content: Callable[[str], frozenset[str]]

    def rewrite(self, question: Question) -> tuple[str, ModelUse | None]:
        """The query and what it took. Where the model fails or adds something, the rules' rewriting."""
        offline = standalone(question)
        if not question.history:
            return offline, None
        try:
            written = self.chat.complete(self.messages(question))
        except ChatModelError as error:
            return offline, ModelUse(fallback=f"the follow-up was rewritten by rules: {error}")
        text = _LABEL.sub("", written.text.strip().strip("\"“”' "))
        reason = self._fault(text, question, offline)
        if reason is not None:
            return offline, replace(written.use, fallback=f"the follow-up was rewritten by rules: {reason}")
        return text, written.use

    def _fault(self, text: str, question: Question, offline: str) -> str | None:
        if not text or "\n" in text or len(text) > _LONGEST or not text.endswith(("?", "？")):
            return "the language model's is no question of one line"
        asked = self.content(question.text)
        if asked and len(asked & self.content(text)) < _KEPT * len(asked):
            return "the language model's asks for something else"
        said = [question.text, offline, *(turn.text for turn in question.history)]
        return self.invented(text, said) or self.invented(question.text, [text])
