from __future__ import annotations

import pytest

from bri_qa.answer.prompts import rewriting
from bri_qa.answer.support import invented
from bri_qa.answer.wording import content
from bri_qa.conversation import ModelRewriter, standalone
from bri_qa.errors import ChatBusyError
from bri_qa.types import ModelUse, Question, Turn
from tests.chat_server import ScriptedChat

HISTORY = (Turn("user", "How long is the new quay of Lindum?"), Turn("assistant", "It is 640 metres long."))
ASKED = Question("And who built it?", HISTORY)


def _rewritten(chat: ScriptedChat, question: Question = ASKED) -> tuple[str, ModelUse | None]:
    return ModelRewriter(chat, lambda item: rewriting(item.text, item.history), invented, content).rewrite(question)


@pytest.mark.parametrize(
    "written",
    [
        "Who built the new quay of Lindum?",
        '"Who built the new quay of Lindum?"\n',
        "Rewritten question: Who built the new quay of Lindum?",
    ],
)
def test_a_follow_up_is_rewritten_by_the_model(written: str) -> None:
    chat = ScriptedChat(written)
    assert _rewritten(chat) == ("Who built the new quay of Lindum?", ModelUse(1, 100, 20, 0.5))
    assert "Question: How long is the new quay of Lindum?" in chat.asked[0][1].text


def test_without_turns_before_the_model_is_not_asked() -> None:
    chat = ScriptedChat("Never asked?")
    assert _rewritten(chat, Question("Who built it?")) == ("Who built it?", None)
    assert chat.asked == []


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "no question of one line"),
        ("It was built by the town\nand the fund.", "no question of one line"),
        ("word " * 200 + "?", "no question of one line"),
        ("I cannot say", "no question of one line"),
        ("The quay of Lindum was built by the town.", "no question of one line"),
        ("How long is the quay of Lindum?", "asks for something else"),
        ("Who built the new quay of Sor?", "the name Sor"),
        ("Who built the 900 metres of the quay?", "the number 900"),
    ],
)
def test_a_rewriting_that_adds_something_gives_way_to_the_rules(written: str, reason: str) -> None:
    text, use = _rewritten(ScriptedChat(written))
    assert text == standalone(ASKED)
    assert use is not None and use.fallback is not None and reason in use.fallback and use.calls == 1


def test_a_rewriting_that_loses_a_name_of_the_question_gives_way_to_the_rules() -> None:
    question = Question("And what did Oduya say about the quay of Lindum?", HISTORY)
    text, use = _rewritten(ScriptedChat("What was said about the quay of Lindum?"), question)
    assert text == standalone(question) and use is not None and "Oduya" in (use.fallback or "")


def test_a_model_that_fails_leaves_it_to_the_rules() -> None:
    text, use = _rewritten(ScriptedChat(ChatBusyError("it is busy")))
    assert (text, use) == (standalone(ASKED), ModelUse(fallback="the follow-up was rewritten by rules: it is busy"))
