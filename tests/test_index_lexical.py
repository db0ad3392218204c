"""How words, codes and queries become terms."""

from __future__ import annotations

from pathlib import Path

import pytest

from bri_qa.index.lexical import WordIndex


def found(folder: Path, texts: list[str], query: str) -> list[int]:
    """The places in `texts` of what `query` finds, best first."""
    folder.mkdir(exist_ok=True)
    WordIndex.build(folder, [(number, "d", text) for number, text in enumerate(texts)])
    return [number for number, _ in WordIndex.open(folder).search(query, 10, None)]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("1,234,567", "1234567"),
        ("1234567", "exactly 1,234,567."),
        ("F16", "the F-16, a plane"),
        ("F-16", "(F16)"),
        ("2025/07/01", "on 2025-07-01"),
        ("v1.2.3", "v1.2.3,"),
        ("3,5", "3.5 percent"),
        ("ISO 9001", "ISO9001/9001"),
        ("covid19", "COVID-19’s"),
        ("A\u20111", "A1"),
        ("U.S.", "the U.S. of old"),
        ("strasse", "Straße"),
        ("e\u0301tude", "étude"),
        ("running", "he runs"),
        ("112,000", "１１２，０００"),
        ("final", "the ﬁnal"),
        ("中国", "这里是中国"),
        ("カタカナ", "これはカタカナです"),
    ],
)
def test_it_is_found_however_it_is_written(tmp_path: Path, query: str, text: str) -> None:
    assert found(tmp_path, ["another line", text], query) == [1]


@pytest.mark.parametrize(
    ("query", "text"),
    [("35", "3.5"), ("112000", "112 of 000"), ("1000", "1,00,0"), ("A12", "A 12"), ("12", "A12"), ("12.5", "1.25")],
)
def test_other_numbers_and_codes_are_not_found(tmp_path: Path, query: str, text: str) -> None:
    assert found(tmp_path, [text], query) == []


@pytest.mark.parametrize(
    ("query", "best"),
    [
        ("112,000", "112,000 came"),
        ("A-12", "A-12 came"),
        ("12.5", "12.5 came"),
    ],
)
def test_a_code_in_one_piece_beats_its_parts(tmp_path: Path, query: str, best: str) -> None:
    texts = ["112 and 000", "A or 12 A 12", "12 and 5 and 12", "000 112", best]
    assert found(tmp_path, texts, query)[0] == 4


def test_acronyms_are_no_stop_words(tmp_path: Path) -> None:
    texts = ["IT grew", "trade grew", "it is so"]
    assert sorted(found(tmp_path / "1", texts, "Has IT grown? It grew")) == [0, 1, 2]
    assert sorted(found(tmp_path / "2", texts, "Has it grown? It grew")) == [0, 1]


def test_a_word_said_often_in_a_query_counts_once(tmp_path: Path) -> None:
    texts = ["ferry and quay", "quay"]
    assert found(tmp_path / "1", texts, "quay " * 500 + "ferry") == [0, 1]
    assert found(tmp_path / "2", texts, "quay ferry") == [0, 1]
