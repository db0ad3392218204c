from __future__ import annotations

from pathlib import Path

import pytest

from bri_qa.conversation import doubted
from bri_qa.conversation.named import UNHELD, names, unheld
from bri_qa.types import AbstainReason, Document, Question, Source
from tests.articles import built_in, hits_of, opened, pipeline_over


class _Shelf:
    """As much of an index as is asked here: one document, with what is known of its source."""

    def __init__(self, title: str = "News", publisher: str | None = None) -> None:
        self._one = Document("a", "Whatever.", Source(title, publisher), "0")

    def document(self, document_id: str) -> object:
        return self._one if document_id == "a" else None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("How many trains reached Africa in 2019?", ["africa", "2019"]),
        ("Who is Ada Moss's brother? Where is Keld?", ["ada", "moss", "keld"]),
        ("Why did Élodie leave? Please say so in May.", ["elodie"]),
        ("Trains to Lisbon, or to Lisbon by night", ["lisbon"]),
        ("What Is The Name Of The Harbour Master?", []),  # set like a headline
        ("WHO OWNS THE PORT", []),
        ("Who is Ada Moss?", ["ada", "moss"]),
        ("how many of the 1,200 boats, the 1600s, and I", []),
        ("", []),
    ],
)
def test_names_are_capitalised_words_within_a_sentence_and_years(query: str, expected: list[str]) -> None:
    assert names(query) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Europe", "European trains"),
        ("Europe", "The China–Europe line"),
        ("Moss", "Moss’s mill"),
        ("NHS", "the National Health Service"),
        ("Zürich", "the lake of Zurich"),
        ("2023", "exports of 2022/23"),
        ("Tanzanian", "farms in Tanzania"),
    ],
)
def test_a_name_is_held_in_any_of_its_forms(name: str, text: str) -> None:
    assert unheld(f"what of {name} then?", text) == []


@pytest.mark.parametrize(
    ("name", "text"), [("Keld", "Marrow"), ("Ada", "Adam"), ("2019", "20190 boxes"), ("Ann", "any")]
)
def test_another_word_is_no_form_of_a_name(name: str, text: str) -> None:
    assert unheld(f"what of {name} then?", text) == [name.casefold()]


def test_confidence_falls_where_a_name_is_nowhere() -> None:
    hits = hits_of("The ferry to Keld sails daily.")
    assert doubted(0.5, "When does the ferry sail to Keld?", hits, _Shelf()) == 0.5  # type: ignore[arg-type]
    fallen = doubted(0.5, "When does the ferry sail to Lisbon?", hits, _Shelf())  # type: ignore[arg-type]
    assert fallen == pytest.approx(1 / (1 + UNHELD))
    assert doubted(0.0, "When does the ferry sail to Lisbon?", hits, _Shelf()) == 0.0  # type: ignore[arg-type]
    assert doubted(1.0, "When does the ferry sail to Lisbon?", hits, _Shelf()) == 1.0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "source", [{"title": "News of Lisbon"}, {"publisher": "Lisbon Daily"}], ids=["title", "publisher"]
)
def test_what_the_source_holds_is_not_missing(source: dict[str, str]) -> None:
    hits = hits_of("The ferry sails daily.")
    assert doubted(0.5, "When does the ferry sail to Lisbon?", hits, _Shelf(**source)) == 0.5  # type: ignore[arg-type]


def test_a_question_with_a_name_from_elsewhere_abstains(tmp_path: Path) -> None:
    pipeline = pipeline_over(opened(built_in(tmp_path)), abstain_below=0.5)
    asked = pipeline.ask(Question("How long is the new quay?"))
    assert asked.statements
    swapped = pipeline.ask(Question("How long is the new quay of Lisbon?"))
    assert (swapped.reason, swapped.citations) == (AbstainReason.NOT_STATED, ())
    assert swapped.confidence < asked.confidence
