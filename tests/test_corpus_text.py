"""Bytes to canonical text, and the title that a text gives itself."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bri_qa.corpus import markdown, plain
from bri_qa.corpus.canonical import canonical
from bri_qa.corpus.records import Unusable


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"one\ntwo", "one\ntwo"),
        (b"one\r\ntwo\rthree\r\n", "one\ntwo\nthree\n"),
        (b"\xef\xbb\xbfmarked", "marked"),
        ("cafe\u0301 ﬁ ½".encode(), "café ﬁ ½"),  # composed, but no ligature or fraction is taken apart
        ("가".encode(), "가"),
        ("tab\tfeed\fline\u2028end\x85".encode(), "tab\tfeed\fline\u2028end\x85"),
        (b"  outer space \n\n", "  outer space \n\n"),
        (b"", ""),
    ],
)
def test_only_the_form_of_characters_and_line_ends_is_made_the_same(data: bytes, text: str) -> None:
    assert canonical(data) == text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\xfea\0", "not UTF-8 but UTF-16"),
        (b"\xfe\xff\0a", "not UTF-8 but UTF-16"),
        (b"ab\0", "binary: NUL at byte 2"),
        (b"ab\xe9", "not UTF-8 at byte 2"),
        (b"\xef\xbb\xbfab\xe9", "not UTF-8 at byte 5"),
        (b"\xed\xa0\x80", "not UTF-8 at byte 0"),  # a lone surrogate
        (b"a\r\nb\r\nc\x07", "binary: control character U+0007 on line 3"),
        ("a\x9b".encode(), "binary: control character U+009B on line 1"),
    ],
)
def test_what_is_no_text_is_refused_with_the_place(data: bytes, reason: str) -> None:
    with pytest.raises(Unusable, match=re.escape(reason)):
        canonical(data)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_text_becomes_canonical_once(text: str) -> None:
    once = canonical(text.encode())
    assert once == unicodedata.normalize("NFC", text.removeprefix("\ufeff"))
    assert unicodedata.is_normalized("NFC", once)
    if not once.startswith("\ufeff"):
        assert canonical(once.encode()) == once


@given(st.binary(max_size=60))
def test_any_bytes_give_text_that_can_be_kept_or_a_reason(data: bytes) -> None:
    try:
        text = canonical(data)
    except Unusable as error:
        assert str(error).split(":")[0].startswith(("not UTF-8", "binary"))
        assert "\n" not in str(error)
    else:
        assert "\r" not in text
        assert "\0" not in text
        assert text.encode().decode() == text


@pytest.mark.parametrize(
    ("data", "text_title", "markdown_title"),
    [
        (b"A title\nText", "A title", "A title"),
        (b"\n \n  A\t title  \nText", "A title", "A title"),
        (b"# A title\nText", "# A title", "A title"),
        (b"### A title #1\n", "### A title #1", "A title #1"),
        (b"####\nText", "####", "####"),
        (b"", "", ""),
    ],
)
def test_the_first_line_is_the_title(data: bytes, text_title: str, markdown_title: str) -> None:
    assert plain.read(data).title == text_title
    assert markdown.read(data).title == markdown_title
    assert plain.read(data).text == markdown.read(data).text == data.decode()


def test_a_long_first_line_is_a_title_cut_between_words() -> None:
    title = plain.read(b"word " * 100).title
    assert title == " ".join(["word"] * 40) + "…"
    assert plain.read(b"x" * 1_000).title == "x" * 200 + "…"
    assert plain.read(b"x" * 200).title == "x" * 200
