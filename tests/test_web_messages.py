from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bri_qa.types import AbstainReason, Answer, CitedStatement, ModelUse, Progress, Question
from bri_qa.web import confidence, messages, texts
from tests.fakes import FakePipeline, document

ENGLISH = texts.of(texts.ENGLISH)
HOSTILE = FakePipeline().by_id["odd/<i>ledger</i> & co"]
MARKDOWN = set("\\`*_{}[]()$|~!+\r\n")


class _Read(HTMLParser):
    """A message as a browser takes it: elements, attributes, text, and the text of each class."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.names: set[str] = set()
        self.text = ""
        self.of: dict[str, list[str]] = {}
        self._open: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names.update(name for name, _ in attrs)
        name = (dict(attrs).get("class") or "").split(" ")[0]
        self._open.append((tag, name))
        self.of.setdefault(name, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        for name in {name for _, name in self._open}:
            self.of[name][-1] += data

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.of["bri-data"][0])
        return found


def _ask(text: str) -> Answer:
    return FakePipeline().ask(Question(text))


@given(st.text())
def test_text_comes_out_as_it_went_in_and_nothing_is_markup(text: str) -> None:
    safe = messages.text_html(text)
    shown = _Read(f"<p>{safe}</p>")
    assert shown.tags == ["p"]
    assert shown.text == text
    bare = re.sub(r"&#?\w+;", "", safe)
    assert not MARKDOWN & set(bare)
    assert "<" not in bare


def test_an_answer_shows_marks_and_carries_its_citations() -> None:
    answer = _ask("How long is the new quay?")
    shown = _Read(messages.answered(answer, ENGLISH))
    words = "The new quay is 640 metres long and takes three ships at a time."
    assert shown.of["bri-short"] == ["640"]
    assert shown.of["bri-statement"] == [f"{words}\xa0Source 1"]
    assert shown.of["bri-keep"] == ["time.\xa0Source 1"]
    assert shown.of["bri-sure"][0].startswith("Sure")
    assert shown.of["bri-sources"] == ["1 quote"]
    harbour = FakePipeline().by_id["harbour"]
    start = harbour.text.index(words)
    assert shown.data["citations"] == [
        {
            "number": 1,
            "document": "harbour",
            "start": start,
            "end": start + len(words),
            "version": harbour.sha256[:16],
            "title": "The harbour of Lindum opens again",
            "publisher": "Lindum Gazette",
            "language": "en",
            "published": "2024-03-05",
            "licence": None,
            "original": "https://gazette.example/harbour",
            "address": f"/source/harbour?start={start}&end={start + len(words)}&v={harbour.sha256[:16]}#quote-1",
            "quote": words,
        }
    ]


@pytest.mark.parametrize(
    ("mode", "fallback", "told"),
    [
        ("extractive", "the language model is busy; <b>try</b> again", True),
        ("extractive", None, False),
        ("generative", "a statement had no quote", False),
    ],
)
def test_an_answer_says_quietly_why_it_is_quotes_where_a_language_model_was_to_write(
    mode: str, fallback: str | None, told: bool
) -> None:
    answer = _ask("How long is the new quay?")
    used = replace(answer, mode=mode, trace=replace(answer.trace, use=ModelUse(1, fallback=fallback)))
    shown = _Read(messages.answered(used, ENGLISH))
    words = [f"In the articles’ own words: {fallback}"] if told else []
    assert shown.of.get("bri-plainly", []) == words and "b" not in shown.tags
    assert "以文章原文作答" in messages.answered(used, texts.of(texts.CHINESE)) or not told


def test_an_answer_names_the_parts_of_the_question_that_it_leaves_open() -> None:
    answer = _ask("How long is the new quay?")
    assert "bri-note-line" not in messages.answered(answer, ENGLISH)
    partly = replace(answer, trace=replace(answer.trace, unanswered=("Who <b>paid</b>?",)))
    shown = _Read(messages.answered(partly, ENGLISH))
    assert [text.strip() for text in shown.of["bri-note-line"]] == ["Not stated in these articles: “Who <b>paid</b>?”"]
    assert "b" not in shown.tags
    assert "这些文章没有说明" in messages.answered(partly, texts.of(texts.CHINESE))


def test_a_message_is_one_line_of_elements_that_the_chat_leaves_alone() -> None:
    for text in ("clerk wrote in the ledger of the mill", "clerk of the moon and of many other faraway places"):
        answer = _ask(text)
        page = (
            messages.abstained(answer, ENGLISH, FakePipeline().document)
            if answer.abstained
            else messages.answered(answer, ENGLISH)
        )
        shown = _Read(page)
        assert "\n" not in page
        assert set(shown.tags) <= {"div", "p", "span", "button", "code", "ul", "li", "strong", "details", "summary"}
        assert shown.names == {"class"}


def test_hostile_words_stay_words_in_an_answer() -> None:
    answer = _ask("clerk wrote in the ledger of the mill")
    shown = _Read(messages.answered(answer, ENGLISH))
    assert shown.of["bri-statement"][0].startswith("The clerk wrote <script>window.pwned = 1</script> in")
    assert shown.data["citations"][0]["title"] == 'Odd <b>title</b> & "quotes"'
    assert shown.data["citations"][0]["document"] == "odd/<i>ledger</i> & co"
    assert [item["quote"] for item in shown.data["citations"]] == [item.quote for item in answer.citations]


def test_an_answer_is_told_statement_by_statement() -> None:
    answer = _ask("clerk wrote in the ledger of the mill")
    partial = messages.telling(answer.statements[:1])
    assert _Read(partial).of["bri-statement"][0].startswith("The clerk wrote <script>")
    assert len(_Read(partial).of["bri-statement"]) == 1
    assert ("bri-telling" in partial, "bri-done" in partial, "bri-data" in partial) == (True, False, False)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Ends here.", "here."),
        ("One", "One"),
        ("中欧班列连接了许多城市和国家以及地区并且还在继续增加之中。", "。"),
        ("see " + "x" * 40, "x"),
    ],
)
def test_a_mark_keeps_to_the_last_word(text: str, kept: str) -> None:
    answer = replace(_ask("How long is the new quay?"), statements=(CitedStatement(text, (1,)),))
    shown = _Read(messages.answered(answer, ENGLISH))
    assert shown.of["bri-keep"] == [f"{kept}\xa0Source 1"]
    assert shown.of["bri-statement"] == [f"{text}\xa0Source 1"]


@pytest.mark.parametrize(
    ("sure", "words"),
    [
        (0.5, "Sure"),
        (0.49, "Fairly sure"),
        (0.2, "Fairly sure"),
        (0.19, "Not sure: read the quotes"),
        (0.01, "Not sure"),
    ],
)
def test_confidence_is_in_words_with_what_was_measured_of_them(sure: float, words: str) -> None:
    answer = replace(_ask("How long is the new quay?"), confidence=sure)
    told = _Read(messages.answered(answer, ENGLISH)).of["bri-sure"][0]
    assert told.startswith(words)
    assert ENGLISH("confidence.unmeasured") in told  # by another reader than the one that was measured
    measured = replace(answer, trace=replace(answer.trace, models={"reader": confidence.MEASURED_READER}))
    band = confidence.band(sure)
    assert f"{band.right} of {band.asked} were right" in _Read(messages.answered(measured, ENGLISH)).of["bri-sure"][0]


def test_the_bands_promise_no_less_than_their_bounds() -> None:
    shares = [band.right / band.asked for band in confidence.BANDS]
    assert shares == sorted(shares, reverse=True)
    assert all(share >= band.least for share, band in zip(shares, confidence.BANDS, strict=True))


def test_an_abstention_looks_different_and_lists_what_comes_nearest() -> None:
    answer = _ask("When is the lamp of the moon due?")
    page = messages.abstained(answer, ENGLISH, FakePipeline().document)
    shown = _Read(page)
    assert 'class="bri-answer bri-box bri-done bri-abstained"' in page
    assert shown.of["bri-kind"] == ["Not stated in these articles"]
    assert "They come near the question, but no sentence in them answers it." in shown.text
    assert len(shown.of["bri-near-open"]) == messages.NEAREST
    assert shown.of["bri-near-open"][0].startswith(
        "The harbour of Lindum opens againLindum Gazette · 2024-03-05Its lamp has been dark"
    )
    assert (shown.data["abstained"], shown.data["reason"]) == (True, "not_stated")
    assert [item["quote"] for item in shown.data["citations"]] == [hit.passage.text for hit in answer.hits[:3]]


def test_who_published_an_article_is_shown_with_its_passage() -> None:
    answer = _ask("When is the lamp of the moon due?")
    asked = replace(answer, question=Question("Who published this article?"), message="In English alone")
    page = messages.abstained(asked, texts.of(texts.CHINESE), FakePipeline().document)
    assert texts.of(texts.CHINESE)("abstain.record") in page
    assert "In English alone" not in page
    assert 'href="https://gazette.example/harbour"' in page
    assert "Lindum Gazette · 2024" in page
    bare = document("bare", "Bare\nThe moon has craters and no air.", url="javascript:window.pwned=5")
    page = messages.abstained(FakePipeline([bare]).ask(answer.question), ENGLISH, {"bare": bare}.get)
    assert ENGLISH("record.none") in page
    assert "javascript" not in page.partition("bri-data")[0]


def test_every_reason_has_words_of_its_own() -> None:
    answer = _ask("When is the lamp of the moon due?")
    said = {
        reason: _Read(messages.abstained(replace(answer, reason=reason, hits=()), ENGLISH, lambda _: None)).text
        for reason in AbstainReason
        if reason is not AbstainReason.SMALL_TALK
    }
    assert len(set(said.values())) == len(AbstainReason) - 1
    assert all("Nearest passages" not in text for text in said.values())


def test_a_long_passage_is_shortened_and_one_whose_article_is_gone_is_left_out() -> None:
    tall = document("tall", "Tall\n" + "very tall towers " * 40)
    answer = FakePipeline([tall]).ask(Question("towers of glass and of steel and of iron"))
    snippet = _Read(messages.abstained(answer, ENGLISH, {"tall": tall}.get)).of["bri-near-words"][0]
    assert len(snippet) <= messages.SNIPPET_CHARS
    assert snippet.endswith("…")
    assert "bri-near-open" not in messages.abstained(answer, ENGLISH, lambda _: None)


def test_stages_are_told_in_words() -> None:
    told = [("reading", 1), ("reading", 8), ("reading", 0), ("checking", 1), ("rewriting", 0), ("new", 2)]
    assert [messages.stage(Progress(name, 0, total), ENGLISH) for name, total in told] == [
        "Reading 1 passage…",
        "Reading 8 passages…",
        "Reading…",
        "Checking 1 quote…",
        "Reading your question in the light of the conversation…",
        "Working…",
    ]
