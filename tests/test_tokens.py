from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bri_qa.errors import ArtifactHashError, ArtifactMissingError
from bri_qa.tokens import Tokenizer

HOSTILE = "Two words, 112,000 中欧班列 café e\u0301 👩‍👩‍👧 🏳️‍🌈 \r\n\t  <|endoftext|> \u200d\ufeff\x00"
_TEXT = st.text(st.one_of(st.sampled_from(HOSTILE), st.characters(exclude_categories=["Cs"])), max_size=60)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.load()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("hello world", 2),
        (" hello", 1),
        ("112,000", 3),
        ("tiktoken is great!", 6),
        ("2 + 2 = 4", 7),
        ("お誕生日おめでとう", 9),
        ("antidisestablishmentarianism", 6),
    ],
)
def test_counts_are_those_published_for_cl100k_base(tokenizer: Tokenizer, text: str, count: int) -> None:
    assert tokenizer.count(text) == count


def test_special_tokens_are_ordinary_text(tokenizer: Tokenizer) -> None:
    assert tokenizer.count("<|endoftext|>") > 1


def test_bounds_of_words_and_of_characters_of_several_tokens(tokenizer: Tokenizer) -> None:
    assert tokenizer.boundaries("") == [0]
    assert tokenizer.boundaries("hello world") == [0, 5, 11]
    flag = "🏳️‍🌈"
    assert tokenizer.count(flag) > len(flag)
    assert set(tokenizer.boundaries(flag)) <= set(range(len(flag) + 1))


@given(_TEXT)
def test_bounds_cut_a_text_into_its_tokens(text: str) -> None:
    tokenizer = Tokenizer.load()
    bounds = tokenizer.boundaries(text)
    assert bounds == sorted(set(bounds))
    assert (bounds[0], bounds[-1]) == (0, len(text))
    assert len(bounds) - 1 <= tokenizer.count(text)
    tokens = tokenizer.encoding.decode_tokens_bytes(tokenizer.encoding.encode_ordinary(text))
    ends = {0}
    for end in range(1, len(tokens) + 1):
        head = b"".join(tokens[:end])
        if text.encode().startswith(head) and _whole(head):
            ends.add(len(head.decode()))
    assert set(bounds) == ends


def _whole(data: bytes) -> bool:
    """Whether it ends with a character's last byte."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_a_vocabulary_that_is_not_the_published_one_is_refused(tmp_path: Path) -> None:
    forged = tmp_path / "cl100k_base.tiktoken"
    with pytest.raises(ArtifactMissingError, match=r"cl100k_base\.tiktoken is missing"):
        Tokenizer.load(forged)
    forged.write_bytes(b"aGVsbG8= 0\n")
    with pytest.raises(ArtifactHashError, match=r"cl100k_base\.tiktoken is not the file we trust"):
        Tokenizer.load(forged)


def test_the_vocabulary_is_read_once() -> None:
    assert Tokenizer.load().encoding is Tokenizer.load().encoding
