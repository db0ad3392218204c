"""What chat front ends ask of a model for themselves: a title, tags, what to ask next. Answered without a search."""

from __future__ import annotations

import json
import re

_TITLE_WORDS, _TITLE_CHARS = 8, 60
_TASK = "### Task:"
_CHAT = "<chat_history>"
_KEY = re.compile(r'\{\s*"(title|tags|follow_ups|queries|prompt|text)"\s*:')
_TITLE_LINE = re.compile(r"generate a concise[^\n]* title\b", re.IGNORECASE)
_BARE_TITLE = re.compile(r"(?:please )?(?:provide|generate) a concise, 5-word-or-less title for the conversation", re.I)
_ASKED = re.compile(r"^(?:USER|User|Human): *(\S[^\n]*)", re.MULTILINE)
_KINDS: dict[str, object] = {"tags": [], "follow_ups": [], "queries": [], "prompt": "", "text": ""}


def reply(text: str, asked: str) -> str | None:
    """The answer to a front end's own prompt, None where `text` is a question. `asked` is a question before it.

    The title of a chat is its first question, shortened. Of tags, questions and queries there are none: whatever
    could be made up for them would be unproven.
    """
    lead, _, chat = text.lstrip().partition(_CHAT)
    if _BARE_TITLE.match(lead):
        return _title(lead, asked)
    if not lead.startswith(_TASK):
        return None
    first = lead.removeprefix(_TASK).strip().partition("\n")[0]
    kind = _KEY.search(lead)
    if _TITLE_LINE.match(first):
        title = _title(chat, asked)
        return json.dumps({"title": title}, ensure_ascii=False) if kind else title
    return json.dumps({kind[1]: _KINDS.get(kind[1], "")}) if kind else None


def _title(chat: str, asked: str) -> str:
    found = _ASKED.search(chat)
    words = (found[1] if found else asked).split()
    title = " ".join(words[:_TITLE_WORDS])
    if len(words) <= _TITLE_WORDS and len(title) <= _TITLE_CHARS:
        return title or "Question"
    return title[: _TITLE_CHARS - 1].rstrip(" ,.;:") + "…"
