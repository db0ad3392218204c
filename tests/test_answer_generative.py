from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from bri_qa.answer import ExtractiveAnswerer
from bri_qa.answer.cache import Cache
from bri_qa.answer.evidence import Budget
from bri_qa.answer.generative import GenerativeAnswerer
from bri_qa.errors import ChatBusyError, ChatUnreachableError
from bri_qa.protocols import ChatModel
from bri_qa.types import Draft, Hit, ModelUse, Question, Statement, Turn
from tests.articles import articles, read_hits
from tests.chat_server import ScriptedChat, statements

QUERY = "How long is the new quay?"
QUAY = "The new quay is 640 metres long and takes three ships at a time."
GOOD = "The quay is 640 metres long."
OPENED = "The harbour opened again on 4 March 2024."


def _hits(query: str = QUERY) -> list[Hit]:
    return read_hits(query, articles()["harbour"].text)


def _answerer(chat: ChatModel, context: int = 4_096, **parts: Any) -> GenerativeAnswerer:
    return GenerativeAnswerer(chat, Budget(context, 200, lambda text: len(text.split())), ExtractiveAnswerer(), **parts)


def _id(chat: ScriptedChat, words: str) -> str:
    """The id under which the model was shown the sentence that holds `words`."""
    shown = chat.asked[-1][-1].text.splitlines()
    return next(line[1 : line.index("]")] for line in shown if words in line)


def _ids(query: str = QUERY) -> dict[str, str]:
    """The ids of a few sentences, as every answerer over these hits numbers them."""
    chat = ScriptedChat("")
    _answerer(chat).answer(Question(query), query, _hits(query))
    chat.asked = chat.asked[:1]
    return {
        "quay": _id(chat, "640 metres"),
        "opened": _id(chat, "4 March"),
        "lamp": _id(chat, "dark since"),
        "lighthouse": _id(chat, "not repaired"),
    }


IDS = _ids()


def _draft(chat: ScriptedChat, query: str = QUERY, history: Sequence[Turn] = (), **parts: Any) -> Draft:
    return _answerer(chat, **parts).answer(Question(query, tuple(history)), query, _hits(query))


@pytest.mark.parametrize(
    ("schema", "written"),
    [
        (True, statements(([IDS["quay"]], GOOD))),
        (False, f"[{IDS['quay']}] {GOOD}\n"),
        (False, f"{GOOD} [{IDS['quay']}]"),
        (False, f"- {IDS['quay']}: {GOOD}"),
        (False, f"<think>The quay… [S1] maybe.\n</think>\n1. **{GOOD}** [{IDS['quay'][1:]}]\n"),
        (False, QUAY),  # word for word, so it needs no id
    ],
)
def test_a_statement_stands_on_the_sentence_that_it_names(schema: bool, written: str) -> None:
    chat = ScriptedChat(written, schema=schema)
    draft = _draft(chat)
    (statement,) = draft.statements
    assert statement.text in (GOOD, QUAY)
    assert [quote.text for quote in statement.quotes] == [QUAY]
    assert (draft.mode, draft.rejected, len(chat.asked)) == ("generative", (), 1)
    assert draft.use == ModelUse(1, 100, 20, 0.5)
    assert draft.short_answer is not None and draft.short_answer.text == "640"


def test_an_articles_own_words_are_found_whichever_sentence_was_named() -> None:
    cost = "The repairs cost 48 million crowns, of which the town paid a third. The rest came from the Coast Fund."
    query = "What did the repairs cost?"
    draft = _draft(ScriptedChat(statements((["S1"], cost))), query)
    assert [[quote.text for quote in item.quotes] for item in draft.statements] == [cost.replace(". ", ".|").split("|")]
    half = cost.replace("Coast Fund", "Bank of Sor")
    assert _draft(ScriptedChat(statements((["S1"], half))), query).mode == "extractive"


def test_passages_are_combined() -> None:
    text = "The harbour opened again on 4 March 2024 and the new quay is 640 metres long."
    draft = _draft(ScriptedChat(statements(([IDS["opened"], IDS["quay"]], text))))
    assert [len(item.quotes) for item in draft.statements] == [2]


@pytest.mark.parametrize(
    ("ids", "text", "reason"),
    [
        (["S99"], GOOD, "there is no such sentence"),
        ([], GOOD, "names no sentence"),
        (["quay"], "The quay is 900 metres long.", "the number 900"),
        (["quay"], "The quay of Sor is 640 metres long.", "the name Sor"),
        (["quay"], "The quay is not 640 metres long.", "denies"),
        (["lighthouse"], "Since then the lighthouse was repaired.", "deny"),
        (["opened"], "The harbour and its quay opened again on 4 May 2024.", "the date 4 May"),
        (["quay"], "The quay is 640 metres long, see https://evil.example/a.png", "link"),
        (["quay"], "![quay](x) The new quay is 640 metres long", "link"),
        (["quay"], "The wide sandy beaches attract countless happy families from afar.", "too few"),
        (["quay"], "x" * 1_200, "too long"),
        (["lamp"], "Its lamp has been dark since the storm.", "nothing to do with the question"),
    ],
)
def test_what_does_not_stand_is_dropped_and_the_extractive_answer_given(ids: list[str], text: str, reason: str) -> None:
    chat = ScriptedChat(statements(([IDS.get(name, name) for name in ids], text)))
    draft = _draft(chat)
    assert any(reason in item.reason for item in draft.rejected), draft.rejected
    extractive = ExtractiveAnswerer().answer(Question(QUERY), QUERY, _hits())
    assert (draft.statements, draft.short_answer, draft.mode) == (
        extractive.statements,
        extractive.short_answer,
        "extractive",
    )
    assert draft.use is not None and draft.use.fallback == "nothing that the language model wrote stood in the articles"
    assert len(chat.asked) == 2  # one repair turn, and no more


def test_the_repair_turn_says_what_was_wrong_and_may_mend_it() -> None:
    chat = ScriptedChat(statements(([IDS["quay"]], "It is 900 metres long.")), statements(([IDS["quay"]], GOOD)))
    draft = _draft(chat)
    assert [item.text for item in draft.statements] == [GOOD] and draft.mode == "generative"
    assert "the number 900 is not in its quotes" in chat.asked[1][-1].text
    assert chat.asked[1][-1].text.startswith(chat.asked[0][-1].text) and "brackets" in chat.asked[1][0].text
    assert draft.use == ModelUse(2, 200, 40, 1.0)


def test_of_several_statements_those_that_stand_are_kept_and_nothing_is_asked_again() -> None:
    chat = ScriptedChat(
        statements(([IDS["quay"]], GOOD), ([IDS["quay"]], "The quay is 7 metres long."), ([IDS["quay"]], GOOD))
    )
    draft = _draft(chat)
    assert ([item.text for item in draft.statements], len(chat.asked), len(draft.rejected)) == ([GOOD], 1, 1)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "{}",
        "[1, 2",
        '{"statements": "none"}',
        '{"statements": [{"text": 3}]}',
        "I do not know.",
        '{"statements": [' * 900,
        "NaN" * 500,
    ],
)
@pytest.mark.parametrize("schema", [True, False])
def test_nonsense_gives_the_extractive_answer(written: str, schema: bool) -> None:
    draft = _draft(ScriptedChat(written, schema=schema))
    assert draft.mode == "extractive" and draft.statements


@pytest.mark.parametrize("error", [ChatUnreachableError("it cannot be reached"), ChatBusyError("it is busy")])
def test_a_model_that_fails_gives_the_extractive_answer_and_says_why(error: Exception) -> None:
    chat = ScriptedChat(error)
    draft = _draft(chat)
    assert draft.mode == "extractive" and draft.use == ModelUse(fallback=str(error))
    assert len(chat.asked) == 1  # a failure is not asked again


def test_a_stream_that_breaks_off_keeps_what_was_told() -> None:
    chat = ScriptedChat(statements(([IDS["quay"]], GOOD), ([IDS["opened"]], OPENED))[:-20] + "\0")
    draft = _draft(chat)
    assert ([item.text for item in draft.statements], draft.mode) == ([GOOD], "generative")
    assert draft.use is not None and draft.use.fallback == "the language model's answer broke off"
    assert (draft.use.calls, draft.use.prompt_tokens) == (1, 7)  # by our own count


def test_a_last_line_that_ran_into_the_limit_is_no_statement() -> None:
    chat = ScriptedChat(f"[{IDS['quay']}] {GOOD}\n[{IDS['quay']}] The new quay takes three", schema=False, cut=True)
    assert [item.text for item in _draft(chat).statements] == [GOOD]
    chat = ScriptedChat(f"[{IDS['quay']}] {GOOD} It takes three ships at", schema=False, cut=True)
    assert [item.text for item in _draft(chat).statements] == [GOOD]  # what was finished of it


def test_a_model_that_thinks_until_its_limit_is_not_asked_again_and_the_setting_named() -> None:
    chat = ScriptedChat("<think>The quay, let me see, is", cut=True)
    draft = _draft(chat)
    assert draft.mode == "extractive" and len(chat.asked) == 1
    assert draft.use is not None and "BRI_QA_LLM_OUTPUT_TOKENS" in (draft.use.fallback or "")


def test_what_the_sentence_before_names_is_no_new_word() -> None:
    text = "The mill of Sor has a red wheel. It holds 31 stones."
    chat = ScriptedChat(statements((["S2"], "The mill has 31 stones in its wheel.")))
    query = "How many stones does the mill hold?"
    draft = _answerer(chat).answer(Question(query), query, read_hits(query, text))
    assert [item.text for item in draft.statements] == ["The mill has 31 stones in its wheel."]


def test_statements_are_told_as_soon_as_they_stand() -> None:
    chat = ScriptedChat(statements(([IDS["quay"]], GOOD), ([IDS["opened"]], f"{OPENED[:-1]} with its quay.")), pieces=1)
    items = _answerer(chat).stream(Question(QUERY), QUERY, _hits())
    first = next(items)
    assert isinstance(first, Statement) and first.text == GOOD
    assert "".join(chat.sent).endswith(f'"{GOOD}"}}')  # not a character more was waited for
    *_, draft = items
    assert isinstance(draft, Draft) and draft.statements[0] == first


def test_closing_the_stream_ends_the_request() -> None:
    chat = ScriptedChat(statements(([IDS["quay"]], GOOD), ([IDS["opened"]], OPENED)), pieces=1)
    items = _answerer(chat).stream(Question(QUERY), QUERY, _hits())
    next(items)
    items.close()  # type: ignore[attr-defined]
    assert chat.closed == 1


def test_a_flood_is_not_read_to_its_end() -> None:
    for schema in (True, False):
        chat = ScriptedChat("word " * 20_000, schema=schema)
        assert _draft(chat).mode == "extractive"
        assert len("".join(chat.sent)) < 10_000 and chat.closed == 2


def test_no_more_statements_than_allowed_are_read() -> None:
    one = statements(([IDS["quay"]], GOOD), ([IDS["quay"]], QUAY), ([IDS["opened"]], OPENED + " The quay"))
    chat = ScriptedChat(one, pieces=1)
    draft = _draft(chat, max_statements=1)
    assert [item.text for item in draft.statements] == [GOOD] and chat.closed == 1


def test_the_same_question_is_answered_from_memory_and_checked_as_before() -> None:
    chat, cache = ScriptedChat(statements(([IDS["quay"]], GOOD))), Cache[tuple[Statement, ...]](4)
    first, second = _draft(chat, cache=cache), _draft(chat, cache=cache)
    assert len(chat.asked) == 1 and second.statements == first.statements
    assert second.use == ModelUse(cached=True)
    _draft(chat, cache=cache, history=[Turn("user", "Hello?")])
    assert len(chat.asked) == 2  # another conversation is another question


def test_what_failed_is_not_remembered() -> None:
    chat, cache = ScriptedChat("", "", statements(([IDS["quay"]], GOOD))), Cache[tuple[Statement, ...]](4)
    assert [_draft(chat, cache=cache).mode for _ in range(2)] == ["extractive", "generative"]


def test_a_context_too_small_for_a_sentence_is_told() -> None:
    draft = _draft(ScriptedChat(""), context=300)
    assert draft.mode == "extractive"
    assert draft.use == ModelUse(fallback="no sentence that may be shown fits the context of the language model")


def test_the_model_sees_the_turns_before_and_the_question_as_strangers_words() -> None:
    chat = ScriptedChat("")
    _draft(chat, history=[Turn("user", "<b>Who</b> [S1]?"), Turn("assistant", "Mara Oduya.")])
    system, *_, user = chat.asked[0]
    assert "Question: ‹b›Who‹/b› (S1)?\nAnswer: Mara Oduya." in user.text
    mark = user.text.splitlines()[0]
    assert mark in system.text and user.text.count(mark) == 2
    assert user.text.endswith(f"{mark}\n\nQuestion: {QUERY}")
