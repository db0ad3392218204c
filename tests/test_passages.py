from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bri_qa.corpus import load
from bri_qa.embed import HashingEmbedder, MiniLMEmbedder
from bri_qa.errors import InputError
from bri_qa.passages import Limit, cut, sentences
from bri_qa.passages.sentences import pieces
from bri_qa.tokens import Tokenizer
from bri_qa.types import Document, Passage, Span
from tests.fakes import ESSAY_TEXT, HARBOUR_TEXT, document

REPOSITORY = Path(__file__).parents[1]
TOKENS = Tokenizer.load().count
HASHED = HashingEmbedder().count_tokens
WORDS = [Limit(lambda text: len(text.split()), 8)]

LONG_LINES = {
    "words": "word and other words " * 4_800,
    "one word": "x" * 100_000,
    "sentences": "A short one. And a longer one, with 112,000 trains! " * 1_900,
    "Chinese": "今年中欧班列开行，通达二十六国。" * 6_250,
    "no full stop": "今年中欧班列开行" * 12_500,
    "emoji": "👩‍👩‍👧🏳️‍🌈🇨🇳" * 7_000,
    "marks": "e" + "\u0323\u0301" * 50_000,
    "joiners": "\u200d" * 50_000,
    "dots": "A. B." * 20_000,
    "signs": '?!"”)' * 20_000,
    "white space": "a" + " \u00a0\u2003\t" * 25_000 + "b",
    "short lines": "a\r\n" * 33_000,
    "headings": "# a\n" * 25_000,
}


def _holds(item: Document, passages: Sequence[Passage], limits: Sequence[Limit]) -> None:
    """What is true of the passages of any text."""
    text, covered = item.text, 0
    for passage in passages:
        assert passage.span.of(text) == passage.text
        assert passage.text and passage.text == passage.text.strip()
        assert (passage.document_id, passage.id) == (item.id, f"{item.id}#{passage.span.start}-{passage.span.end}")
        for limit in limits:
            assert limit.count(passage.text) <= limit.maximum
        assert not text[covered : passage.span.start].strip(), "words outside every passage"
        assert passage.span.end > covered
        covered = passage.span.end
    assert not text[covered:].strip(), "words after the last passage"
    starts = [passage.span.start for passage in passages]
    assert starts == sorted(set(starts))


_PIECE = st.sampled_from(
    [
        *"a. B! ? 1 , 中 。 里 👩‍👩‍👧 🏳️‍🌈 e\u0301 \u0323 \u200d \ufeff \u2028 \x85 \u00a0 . ” “ ) ( - #".split(" "),
        *(" ", "  ", "\n", "\n\n", "\r\n", "\r", "\t", "\f", " \n \n ", "\u3000"),
        *(
            "# A heading\n",
            "## Next ##\n",
            "Title\n=====\n",
            "Part\n---\n",
            "```\n# code\n```\n",
            "~~~\n",
            "- item\n",
            "1. item\n",
        ),
        *("A whole sentence stands here. ", "Mr. Reiner paid 48.5 million, e.g. in May. ", "“Why?” she asked. "),
        *(
            "今年中欧班列开行。",
            "supercalifragilistic" * 4,
            "word " * 30,
            "x" * 90,
            "A wrapped line of prose that has some forty signs\n",
        ),
    ]
)
_TEXT = st.one_of(st.lists(_PIECE, max_size=25).map("".join), st.text(max_size=60))


@given(_TEXT, st.integers(12, 60), st.integers(0, 11), st.integers(4, 20))
@example("", 12, 0, 4)
@example("\u0301", 12, 0, 4)
def test_every_word_of_any_text_is_in_a_passage_within_all_limits(
    text: str, budget: int, overlap: int, words: int
) -> None:
    item, limits = document("a", text), [Limit(TOKENS, budget), Limit(HASHED, words)]
    passages = cut(item, limits, overlap)
    _holds(item, passages, limits)
    assert cut(item, limits, overlap) == passages


@given(_TEXT, st.integers(1, 9), st.integers(0, 8))
def test_limits_hold_for_small_passages_and_any_way_to_count(text: str, maximum: int, overlap: int) -> None:
    limits = [Limit(lambda one: len(one.split()), maximum), Limit(len, 40)]
    overlap = min(overlap, maximum - 1)
    passages = cut(document("a", text), limits, overlap)
    _holds(document("a", text), passages, limits)
    for before, after in pairwise(passages):
        shared = text[after.span.start : max(after.span.start, before.span.end)]
        assert len(shared.split()) <= overlap


@pytest.mark.parametrize("name", LONG_LINES)
def test_a_line_of_100_kb_is_cut_within_all_limits(name: str) -> None:
    item, limits = document("long", LONG_LINES[name]), [Limit(TOKENS, 160), Limit(HASHED, 100)]
    _holds(item, cut(item, limits, 40), limits)


@pytest.fixture(scope="module")
def minilm() -> MiniLMEmbedder:
    return MiniLMEmbedder.load(precision="f32", threads=1)


@pytest.mark.parametrize("name", ["words", "Chinese", "signs"])
def test_no_passage_is_longer_than_minilm_reads(minilm: MiniLMEmbedder, name: str) -> None:
    assert minilm.max_tokens == 256
    item = document("long", LONG_LINES[name][:12_000])
    limits = [Limit(TOKENS, 400), Limit(minilm.count_tokens, minilm.max_tokens)]
    passages = cut(item, limits, 40)
    _holds(item, passages, limits)
    full = max(minilm.count_tokens(passage.text) for passage in passages)
    assert full > 128, "the limit is kept, and not by passages far below it"


@hypothesis_settings(max_examples=8)
@given(st.lists(_PIECE, min_size=10, max_size=60).map("".join))
def test_minilm_reads_every_passage_of_any_text_whole(minilm: MiniLMEmbedder, text: str) -> None:
    item, limits = document("a", text), [Limit(TOKENS, 160), Limit(minilm.count_tokens, 64)]
    _holds(item, cut(item, limits, 40), limits)


def test_the_first_article_is_cut_at_sentences(minilm: MiniLMEmbedder) -> None:
    (article,) = (
        one for one in load(REPOSITORY / "corpus", 5_000_000).documents if one.id.startswith("securities-times")
    )
    limits = [Limit(TOKENS, 160), Limit(minilm.count_tokens, minilm.max_tokens)]
    passages = cut(article, limits, 40)
    _holds(article, passages, limits)
    bounds = {span.start for span in sentences(article.text)}, {span.end for span in sentences(article.text)}
    assert [one.id for one in passages if one.span.start not in bounds[0] or one.span.end not in bounds[1]] == []
    whole = [line for line in article.text.split("\n") if line and TOKENS(line) <= 120]
    assert [line for line in whole if not any(line in passage.text for passage in passages)] == []


def test_a_passage_holds_whole_paragraphs_where_it_can() -> None:
    text = "One two three.\nFour five six.\nSeven eight nine ten.\nEleven."
    assert [one.text for one in cut(document("a", text), WORDS, 0)] == [
        "One two three.\nFour five six.",
        "Seven eight nine ten.\nEleven.",
    ]


def test_the_overlap_is_whole_sentences_within_its_tokens() -> None:
    text = "One two three. Four five. Six seven eight. Nine ten. Eleven twelve."
    assert [one.text for one in cut(document("a", text), WORDS, 0)] == [
        "One two three. Four five. Six seven eight.",
        "Nine ten. Eleven twelve.",
    ]
    assert [one.text for one in cut(document("a", text), WORDS, 3)] == [
        "One two three. Four five. Six seven eight.",
        "Six seven eight. Nine ten. Eleven twelve.",
    ]
    assert [one.text for one in cut(document("a", text), WORDS, 2)][1] == "Nine ten. Eleven twelve."


def test_a_heading_starts_a_passage_and_is_its_section() -> None:
    text = "Before.\n\n# First *part* #\nOne two.\n\nSecond part\n-----------\nThree.\nFour.\n```\n# no heading\n```\n"
    assert [(one.section, one.text.split("\n")[0]) for one in cut(document("a", text), [Limit(len, 60)], 0)] == [
        ("", "Before."),
        ("First *part*", "# First *part* #"),
        ("Second part", "Second part"),
    ]


def test_a_sentence_over_the_limit_is_split_between_words_and_a_word_between_graphemes() -> None:
    limits = [Limit(len, 12)]
    assert [one.text for one in cut(document("a", "one two three four five"), limits, 0)] == [
        "one two",
        "three four",
        "five",
    ]
    family = "👩‍👩‍👧"
    assert [one.text for one in cut(document("a", family * 5), limits, 0)] == [family * 2, family * 2, family]


def test_nothing_gives_no_passages() -> None:
    for text in ("", " \n\t\u00a0\r\n"):
        assert cut(document("a", text), WORDS, 0) == []
        assert sentences(text) == []


def test_limits_that_cannot_be_kept_are_refused() -> None:
    for limits, overlap in ((WORDS, 8), (WORDS, -1), ([], 0)):
        with pytest.raises(InputError, match="does not fit the passage limits; make it smaller"):
            cut(document("a", "One."), limits, overlap)
    with pytest.raises(InputError, match="too small to hold a single character; raise it"):
        cut(document("a", "👩"), [Limit(TOKENS, 1)], 0)
    with pytest.raises(InputError, match="too small to hold a single character"):
        cut(document("a", "One two."), [Limit(len, 100), Limit(HASHED, 1)], 0)


def _sentences(text: str) -> list[str]:
    return [span.of(text) for span in sentences(text)]


@pytest.mark.parametrize(
    "parts",
    [
        ["It opened in 2021.", "It cost 48.5 million crowns!", "Why?"],
        ["Mr. Reiner, of Acme Inc., paid e.g. 3.5 p.c. of it.", "Then he left."],
        ["今年中欧班列开行。", "通达二十六国！", "为什么？”", "好。"],
        ["It was dug in the 19th century.", "Darwin saw it.", "It fed the new parade.", "Stalls came."],
        [
            "He led the Coast Bank.",
            "Before that, in 2021.",
            "The ferry went south.",
            "New ones came to the series.",
            "Why?",
        ],
        ["He met Prof. In, Messrs. Hill, Gov. So and Assoc. Prof. An.", "He wrote to Gen. To."],
        ["The U.S. team came.", "“We built it,” she said.", "It stands."],
    ],
)
def test_sentences_end_where_a_reader_ends_them(parts: list[str]) -> None:
    joint = "" if "。" in parts[0] else " "
    assert _sentences(joint.join(parts)) == parts


def test_paragraphs_are_lines_and_wrapped_lines_are_one() -> None:
    assert _sentences("A title\nA title\nText with no end\n\nMore") == [
        "A title",
        "A title",
        "Text with no end",
        "More",
    ]
    wrapped = "The harbour of the town was opened again in\nspring and takes three ships at a time, as many\nas before the storm."
    assert _sentences(wrapped) == [wrapped]
    items = "- the harbour of the town was opened again and\n- the market stays on the old pier until autumn\n- x"
    assert len(_sentences(items)) == 3


def test_the_essays_paragraphs_are_all_found() -> None:
    found = _sentences(ESSAY_TEXT)
    assert len(found) == 1 + 2 * 399 + 1
    assert [one for one in _sentences(HARBOUR_TEXT) if one.startswith("“")] == [
        "“We built it for the fishing boats first,” said Mara Oduya, the harbour master."
    ]


@given(_TEXT)
def test_every_word_is_in_exactly_one_sentence(text: str) -> None:
    end = 0
    for span in sentences(text):
        assert span.start >= end
        assert not text[end : span.start].strip()
        assert span.of(text) == span.of(text).strip() != ""
        end = span.end
    assert not text[end:].strip()


@given(_TEXT, st.integers(1, 30))
def test_pieces_are_no_wider_than_asked_and_keep_every_word(text: str, width: int) -> None:
    found = pieces(text, Span(0, len(text)), width)
    assert "".join("".join(span.of(text).split()) for span in found) == "".join(text.split())
    assert all(0 < len(span) <= width for span in found)


@given(st.lists(st.sampled_from(["a", "word", "longer", "中文字"]), min_size=1), st.integers(6, 30))
def test_pieces_break_no_word_that_fits(words: list[str], width: int) -> None:
    text = " ".join(words)
    found = pieces(text, Span(0, len(text)), width)
    assert [word for span in found for word in span.of(text).split()] == words
    full = [one.end + 1 + len(text[other.start :].split()[0]) >= one.start + width for one, other in pairwise(found)]
    assert all(full)
