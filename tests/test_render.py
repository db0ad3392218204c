from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bri_qa import render
from bri_qa.types import (
    AbstainReason,
    Answer,
    Citation,
    CitedStatement,
    Hit,
    ModelUse,
    Passage,
    Question,
    Rejection,
    Source,
    Span,
    Trace,
)
from tests.fakes import HOSTILE_TEXT

HOSTILE = [
    *HOSTILE_TEXT.split("\n"),
    "<script>alert(1)</script>",
    "</blockquote></li><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "&lt;b&gt; &amp; &#60;",
    "[click](javascript:alert(1)) ![x](http://example/x)",
    "# A heading\n\n- a list\n\n    code",
    "1. one\n2) two",
    "- - -",
    "= = =",
    "-- a rule --",
    "+ plus",
    "> quoted | cell | ~~gone~~ | ```code```",
    "a\\*b* _c_ **d** <http://example.org> $x$",
    "two  spaces  \nand a break\\\nend",
    "2025. It ended",
    "*",
    "中文 🚄 e\u0301 \u200d\u202e",
]


def _answer(
    texts: Sequence[str], quotes: Sequence[str], short: str | None = None, source: Source | None = None
) -> Answer:
    """Every statement cites every quote."""
    source = source or Source("The harbour", "Lindum Gazette", "2024-03-05", "https://gazette.example/harbour")
    return Answer(
        question=Question("How much?"),
        statements=tuple(CitedStatement(text, tuple(range(1, len(quotes) + 1))) for text in texts),
        citations=tuple(
            Citation(number, "harbour", Span(number, number + len(quote)), quote, source, "ab" * 32)
            for number, quote in enumerate(quotes, start=1)
        ),
        short_answer=short,
        reason=None,
        message=None,
        confidence=0.123456,
        mode="extractive",
        hits=(Hit(Passage("harbour#4-9", "harbour", Span(4, 9), "", "It is"), 0.123456789),),
        trace=Trace("how much", {"read": 0.0123456789}, {"reader": "fake"}),
        rejected=(Rejection("A claim.", "forged", "its words are not in the passage"),),
    )


def _abstention(reason: AbstainReason, message: str | None = None, hits: int = 5) -> Answer:
    passages = [Passage(f"a#{n}-{n + 4}", "a", Span(n, n + 4), "", "a\nb ") for n in range(hits)]
    found = tuple(Hit(passage, 0.5) for passage in passages)
    trace = Trace("q", {}, {})
    return Answer(Question("q"), (), (), None, reason, message, 0.0, "extractive", found, trace)


def test_what_a_language_model_did_is_told_and_that_its_work_was_not_used() -> None:
    quoted = _answer(["It costs."], ["costs"])
    assert "language_model" not in render.as_json(quoted)["trace"] and "own words" not in render.as_text(quoted)
    use = ModelUse(2, 100, 20, 0.25, fallback="the language model is busy")
    tried = replace(quoted, trace=replace(quoted.trace, use=use))
    assert render.as_json(tried)["trace"]["language_model"] == {
        "calls": 2,
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "cost": 0.25,
        "cached": False,
        "fallback": "the language model is busy",
    }
    assert render.as_text(tried).endswith("(In the articles' own words: the language model is busy.)")
    assert "*In the articles' own words: the language model is busy.*" in render.as_markdown(tried)
    written = replace(tried, mode="generative")
    assert render.fell_back(written) is None and "own words" not in render.as_text(written)


def test_what_an_answer_leaves_open_is_named_beside_it_and_escaped() -> None:
    quoted = _answer(["It costs."], ["costs"])
    assert "unanswered" not in render.as_json(quoted)["trace"] and "bri-remark" not in render.as_html(quoted)
    partly = replace(quoted, trace=replace(quoted.trace, unanswered=("Who *paid* <it>?",)))
    assert render.as_json(partly)["trace"]["unanswered"] == ["Who *paid* <it>?"]
    assert render.as_text(partly).endswith("(Not stated in these articles: Who *paid* <it>?)")
    assert "*Not stated in these articles: Who \\*paid\\* \\<it\\>?*" in render.as_markdown(partly)
    assert '<p class="bri-remark">Not stated in these articles: Who *paid* &lt;it&gt;?</p>' in render.as_html(partly)


def test_an_answer_is_the_json_of_the_contract() -> None:
    answer = _answer(["It costs 48 million."], ["costs 48 million", "48 million crowns"], short="48 million")
    citation = {
        "number": 1,
        "document_id": "harbour",
        "title": "The harbour",
        "publisher": "Lindum Gazette",
        "published": "2024-03-05",
        "url": "https://gazette.example/harbour",
        "start": 1,
        "end": 17,
        "quote": "costs 48 million",
        "document_sha256": "ab" * 32,
    }
    assert render.as_json(answer) == {
        "question": "How much?",
        "answer": "It costs 48 million. [1] [2]",
        "short_answer": "48 million",
        "abstained": False,
        "reason": None,
        "confidence": 0.1235,
        "mode": "extractive",
        "statements": [{"text": "It costs 48 million.", "citations": [1, 2]}],
        "citations": [citation, {**citation, "number": 2, "start": 2, "end": 19, "quote": "48 million crowns"}],
        "passages": [{"document_id": "harbour", "start": 4, "end": 9, "score": 0.123457, "text": "It is"}],
        "trace": {
            "query": "how much",
            "seconds": {"read": 0.012346},
            "models": {"reader": "fake"},
            "rejected": [{"statement": "A claim.", "quote": "forged", "reason": "its words are not in the passage"}],
        },
    }


def test_the_fields_come_in_the_order_of_the_contract() -> None:
    shown = render.as_json(_answer(["x"], ["y"]))
    assert list(shown) == (
        "question answer short_answer abstained reason confidence mode statements citations passages trace".split()
    )
    assert list(shown["citations"][0]) == (
        "number document_id title publisher published url start end quote document_sha256".split()
    )


@pytest.mark.parametrize("reason", list(AbstainReason))
def test_an_abstention_says_so_with_its_code_and_the_nearest_passages(reason: AbstainReason) -> None:
    shown = render.as_json(_abstention(reason))
    assert shown["abstained"] is True
    assert shown["reason"] == reason.value
    assert shown["answer"] == render.MESSAGES[reason]
    assert (shown["statements"], shown["citations"], shown["short_answer"]) == ([], [], None)
    assert len(shown["passages"]) == 5
    assert render.as_json(_abstention(reason, "In other\nwords."))["answer"] == "In other words."


def test_json_can_be_written_with_any_text() -> None:
    for text in HOSTILE:
        answer = _answer([text], [text], short=text)
        shown = render.as_json(answer)
        written = json.dumps(shown, ensure_ascii=False, allow_nan=False)
        assert json.loads(written) == shown
        assert (shown["statements"][0]["text"], shown["citations"][0]["quote"]) == (text, text)
    assert "中文" in written


def test_for_a_terminal_the_answer_comes_first_then_the_quotes() -> None:
    answer = _answer(["It costs\n48 million."], ["costs\n48 million"], short="48 million")
    assert render.as_text(answer).split("\n") == [
        "48 million",
        "",
        "It costs 48 million. [1]",
        "",
        "[1] The harbour, Lindum Gazette, 2024-03-05",
        "    harbour, characters 1-17",
        "    “costs 48 million”",
    ]


def test_for_a_terminal_an_abstention_shows_three_passages_and_small_talk_none() -> None:
    assert render.as_text(_abstention(AbstainReason.NOT_STATED)).split("\n") == [
        "That is not stated in these articles.",
        "",
        "Nearest passages:",
        "  - a, characters 0-4: a b",
        "  - a, characters 1-5: a b",
        "  - a, characters 2-6: a b",
    ]
    assert render.as_text(_abstention(AbstainReason.SMALL_TALK, "Hello.")) == "Hello."
    assert (
        render.as_text(_abstention(AbstainReason.NO_DOCUMENTS, hits=0)) == render.MESSAGES[AbstainReason.NO_DOCUMENTS]
    )


def test_what_is_not_known_of_a_source_is_left_out() -> None:
    assert "[1] A title\n" in render.as_text(_answer(["x"], ["y"], source=Source("A title")))


_TEXT = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.sampled_from("ab1. \n\t\\`*_{}[]<>()#+!|~$&;-=:/\"'é中🚄\u2028\u00a0"), min_size=1, max_size=30),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20),
).filter(lambda text: bool(text.strip()))


@given(st.lists(_TEXT, min_size=1, max_size=3), st.lists(_TEXT, min_size=1, max_size=3), _TEXT)
def test_one_line_is_one_line_whatever_the_articles_hold(texts: list[str], quotes: list[str], short: str) -> None:
    answer = _answer(texts, quotes, short)
    sentence = render.as_sentence(answer)
    assert len(sentence.splitlines()) == 1
    assert sentence == render.as_json(answer)["answer"]
    lines = render.as_text(answer).splitlines()
    assert len(lines) == 3 + len(texts) + 3 * len(quotes)
    for text, line in zip(texts, lines[2:], strict=False):
        assert line == f"{' '.join(text.split())} {render.marks(range(1, len(quotes) + 1))}"


class _Shown(HTMLParser):
    """The tags with their attributes, and the text inside each tag."""

    def __init__(self, fragment: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(fragment)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))
        self.open.append(tag)
        self.texts.append((tag, ""))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        tag, text = self.texts[-1]
        self.texts[-1] = (tag, text + data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def _of(shown: _Shown, tag: str) -> list[str]:
    return [text for name, text in shown.texts if name == tag]


@given(st.lists(_TEXT, min_size=1, max_size=2), st.lists(_TEXT, min_size=1, max_size=2), _TEXT, _TEXT)
def test_html_holds_its_own_tags_only_and_shows_every_text_as_it_is(
    texts: list[str], quotes: list[str], short: str, title: str
) -> None:
    shown = _Shown(render.as_html(_answer(texts, quotes, short, Source(title))))
    numbers = [str(number) for number in range(1, len(quotes) + 1)]
    mark = [("a", (("class", "bri-mark"), ("href", f"#citation-{n}"), ("data-citation", n))) for n in numbers]
    card = [
        tag
        for n in numbers
        for tag in (
            ("li", (("id", f"citation-{n}"), ("value", n), ("data-citation", n))),
            ("cite", ()),
            ("blockquote", ()),
        )
    ]
    statement = [("p", (("class", "bri-statement"),)), *mark]
    assert shown.tags == [
        ("p", (("class", "bri-short"),)),
        *statement * len(texts),
        ("ol", (("class", "bri-citations"),)),
        *card,
    ]
    assert shown.open == []
    assert _of(shown, "p") == [short, *(f"{text} " for text in texts)]
    assert _of(shown, "blockquote") == quotes
    assert _of(shown, "cite") == [title] * len(quotes)


@given(_TEXT)
def test_an_abstention_in_html_is_one_escaped_paragraph(text: str) -> None:
    shown = _Shown(render.as_html(_abstention(AbstainReason.NOT_STATED, text)))
    assert shown.tags == [("p", (("class", "bri-abstained"),))]
    assert _of(shown, "p") == [text]


def _parsed(markdown: str) -> tuple[list[str], list[list[Token]]]:
    """The kinds of the blocks, without the closing ones, and the children of each line of text."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)
    kinds = [token.type for token in tokens if not token.type.endswith("_close")]
    return kinds, [token.children or [] for token in tokens if token.type == "inline"]


def _words(children: Sequence[Token]) -> str:
    assert {token.type for token in children} <= {"text", "strong_open", "strong_close", "em_open", "em_close"}
    return "".join(token.content for token in children)


@given(st.lists(_TEXT, min_size=1, max_size=2), st.lists(_TEXT, min_size=1, max_size=12), _TEXT, _TEXT)
def test_no_article_text_becomes_markdown(texts: list[str], quotes: list[str], short: str, title: str) -> None:
    kinds, inlines = _parsed(render.as_markdown(_answer(texts, quotes, short, Source(title))))
    item = ["list_item_open", "paragraph_open", "inline", "blockquote_open", "paragraph_open", "inline"]
    paragraphs = ["paragraph_open", "inline"] * (1 + len(texts))
    assert kinds == [*paragraphs, "ordered_list_open", *item * len(quotes)]
    marks = render.marks(range(1, len(quotes) + 1))
    expected = [short, *(f"{text} {marks}" for text in texts)]
    for quote in quotes:
        expected += [title, quote]
    assert [_words(children) for children in inlines] == [" ".join(text.split()) for text in expected]


@given(_TEXT)
def test_an_abstention_in_markdown_is_one_line_in_italics(text: str) -> None:
    kinds, inlines = _parsed(render.as_markdown(_abstention(AbstainReason.NOT_STATED, text)))
    assert kinds == ["paragraph_open", "inline"]
    assert _words(inlines[0]).strip("*") == " ".join(text.split()).strip("*")
