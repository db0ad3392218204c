"""No word of an article becomes markup in a chat front end, and what front ends ask for themselves is answered."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bri_qa import render
from bri_qa.types import Question
from bri_qa.web.openai import content, tasks
from tests.fakes import FakePipeline, document

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HOSTILE = [
    "![x](http://evil.example/a.png) and [click](http://evil.example)",
    "[1]: http://evil.example",
    "<img src=x onerror=alert(1)> & &lt;b&gt; &amp;",
    "see http://evil.example/a_b_c, (www.evil.example) or mail a.b@evil.example!",
    "evil.com is for sale; evil.example.org too.",
    "javascript:alert(1) data:text/html,x xmpp:a@b",
    "`code` ``more`` http://evil.example/`x`",
    "# heading", "- item", "+ item", "1. item", "2) item", "> quote", "=====", "---", "***", "~~~", "```", "| a | b |",
    "5 * 3 ** 4 _a_ __b__ ~~c~~ \\(x\\) \\[y\\] $z$ $$w$$ \\",
    "a backslash \\ and \\* and \\\\",
]  # fmt: skip


def _shown(markdown: str) -> str:
    """What a reader sees of one paragraph that is nothing but text."""
    paragraph = MARKDOWN.parse(markdown)
    assert [token.type for token in paragraph] == ["paragraph_open", "inline", "paragraph_close"], markdown
    inside: list[Token] = paragraph[1].children or []
    assert {token.type for token in inside} <= {"text", "text_special", "code_inline"}, markdown
    return "".join(token.content for token in inside)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_it_is(text: str) -> None:
    line = " ".join(text.split())
    assert _shown(content.safe(text)) == line
    assert content.plain(content.safe(text)) == line


@pytest.mark.parametrize("text", HOSTILE[:6])
def test_no_bare_address_stands_outside_of_code(text: str) -> None:
    inside = MARKDOWN.parse(content.safe(text))[1].children or []
    bare = "".join(token.content for token in inside if token.type != "code_inline")
    assert not any(sign in bare for sign in ("://", "www.", "@", "evil.com", "javascript:", "data:"))


@given(st.lists(st.sampled_from([*"ab1 `*_~$[]()<>\\&;#!|.:-+=@/\n", "http://", "www.", "&lt;", "``"]), min_size=1))
def test_any_text_is_shown_as_it_is(parts: list[str]) -> None:
    line = " ".join("".join(parts).split())
    if line:
        assert _shown(content.safe("".join(parts))) == line


def test_ordinary_prose_is_left_alone() -> None:
    text = "On 4 March 2024 the harbour (640 metres) cost 48 million; “We built it,” said O’Neill – at 7.30 p.m."
    assert content.safe(text) == text


def test_planted_links_stay_text_in_statements_titles_and_quotes() -> None:
    planted = "The ledger ![x](http://evil.example/p.png) [here](http://evil.example) <b>x</b> says so."
    pipeline = FakePipeline([document("odd", f"A [title](http://evil.example)\n{planted}", publisher="<i>Mill</i>")])
    answer = pipeline.ask(Question("ledger says so"))
    assert not answer.abstained
    pieces = content.Writer(lambda item: f"https://bri.example/source/{item.document_id}").whole(answer, True)
    whole = "".join(piece.text for piece in pieces)
    tokens = [inside for token in MARKDOWN.parse(whole) for inside in token.children or []]
    assert not [token for token in tokens if token.type in ("image", "html_inline")]
    links = [token.attrGet("href") for token in tokens if token.type == "link_open"]
    assert links == ["https://bri.example/source/odd"]
    assert content.plain(whole) == render.as_sentence(answer)


def test_what_an_answer_leaves_open_stands_before_its_sources_as_text() -> None:
    answer = FakePipeline().ask(Question("How long is the new quay?"))
    partly = replace(answer, trace=replace(answer.trace, unanswered=("Who [paid](http://evil.example)?",)))
    whole = "".join(piece.text for piece in content.Writer(lambda _: "https://bri.example/").whole(partly, True))
    before, _, after = whole.partition(content.SOURCES)
    assert "Not stated in these articles: Who" in before and after
    tokens = [inside for token in MARKDOWN.parse(before) for inside in token.children or []]
    assert not [token for token in tokens if token.type == "link_open"]
    assert content.plain(whole) == render.as_sentence(answer)


TITLE = """### Task:
Generate a concise, 3-5 word title with an emoji summarizing the chat history.
### Output:
JSON format: { "title": "your concise title here" }
### Examples:
- { "title": "📉 Stock Market Trends" },
### Chat History:
<chat_history>
USER: How long is the new quay of Lindum and how many ships does it take?
ASSISTANT: The new quay is 640 metres long. [1]
</chat_history>"""
LONG = "How long is the new quay of Lindum…"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TITLE, {"title": LONG}),
        ('### Task:\nGenerate 1-3 broad tags.\n### Output:\nJSON format: { "tags": ["tag1"] }', {"tags": []}),
        ('### Task:\nSuggest 3-5 questions.\nJSON format: { "follow_ups": ["Question 1?"] }', {"follow_ups": []}),
        ('### Task:\nAnalyze the chat history.\n- respond as: { "queries": ["query1"] }', {"queries": []}),
        ('### Task:\nGenerate a prompt for an image.\n{\n    "prompt": "Your description"\n}', {"prompt": ""}),
        ('### Task:\nYou are an autocompletion system.\n{ "text": "<your_completion>" }', {"text": ""}),
    ],
)
def test_a_front_ends_own_prompt_gets_the_json_it_reads(text: str, expected: dict[str, object]) -> None:
    assert json.loads(tasks.reply(text, "") or "") == expected


@pytest.mark.parametrize(
    "text",
    [
        TITLE.replace('JSON format: { "title": "your concise title here" }', "ONLY the title").replace('{ "title": "📉', "").replace('" }', ""),
        "Provide a concise, 5-word-or-less title for the conversation, using title case conventions. Only return the "
        "title itself.\n\nConversation:\nUser: How long is the new quay of Lindum and how many ships does it take?\nAI: 640",
        "Please generate a concise, 5-word-or-less title for the conversation",
    ],
)  # fmt: skip
def test_a_title_in_plain_words_is_the_first_question(text: str) -> None:
    assert tasks.reply(text, "How long is the new quay of Lindum and how many ships?") == LONG


@pytest.mark.parametrize(
    "text",
    [
        "How long is the new quay?",
        "What does the task force say in the title?",
        "### Task:\nRespond to the user query using the provided context.",
        'What does { "title": "x" } mean?',
    ],
)
def test_a_question_is_not_taken_for_a_front_ends_own(text: str) -> None:
    assert tasks.reply(text, "x") is None
