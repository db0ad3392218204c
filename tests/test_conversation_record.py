from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from bri_qa.conversation import record
from bri_qa.protocols import Index
from bri_qa.types import AbstainReason, Document, Draft, Filters, Hit, Question, Source, Turn
from tests.fakes import FakePipeline, document, lines

HARBOUR = FakePipeline().by_id["harbour"]
TIDES = FakePipeline().by_id["tides"]
BARE = document("bare", "Bare\nNothing is known of this one.")
OFF_TOPIC = Draft(reason=AbstainReason.OFF_TOPIC, confidence=0.1)


class Shelf:
    """An index that finds a passage by the words it begins with."""

    def document(self, document_id: str) -> Document | None:
        return {item.id: item for item in (HARBOUR, TIDES, BARE)}.get(document_id)

    def search_lexical(self, query: str, k: int, filters: Filters) -> list[Hit]:
        found = [one for item in (HARBOUR, TIDES) for one in lines(item) if one.text.startswith(query[:20].strip())]
        return [Hit(one, 1.0) for one in found if filters.allow(one.document_id, self._source(one.document_id))][:k]

    def _source(self, document_id: str) -> Source:
        found = self.document(document_id)
        assert found is not None
        return found.source


def _told(text: str, near: Sequence[Document], draft: Draft = OFF_TOPIC, **more: Any) -> tuple[Draft, Sequence[Hit]]:
    hits = [Hit(lines(item)[-1], 0.1) for item in near]
    return record.told(draft, Question(text, **more), hits, cast(Index, Shelf()))


def test_an_abstention_says_what_the_record_states() -> None:
    draft, hits = _told("Who published this article?", [HARBOUR])
    assert (draft.reason, draft.confidence, len(hits)) == (AbstainReason.NOT_STATED, 0.1, 1)
    assert draft.message == (
        "That is not stated in the text of these articles. The article’s record says: “The harbour of Lindum opens "
        "again”: Lindum Gazette, 2024-03-05, https://gazette.example/harbour."
    )


def test_of_several_articles_each_is_named_once_and_no_author_is_made_up() -> None:
    draft, _ = _told("Who wrote this article?", [TIDES, TIDES, BARE])
    assert draft.message == (
        "That is not stated in the text of these articles; no author is recorded. The records of the nearest articles "
        "say: “A long essay on tides”: Coast Review, 2019; “Bare”: nothing but the title."
    )


def test_this_article_is_the_one_that_the_last_answer_was_cut_from() -> None:
    said = Turn("assistant", "Paragraph 7. The tide tables of the coast were copied by hand. [1]")
    draft, hits = _told("When was it published?", [HARBOUR], history=(Turn("user", "How?"), said))
    assert "Coast Review" in (draft.message or "")
    assert "Gazette" not in (draft.message or "")
    assert {hit.passage.document_id for hit in hits} == {"tides"}
    for text, history in (
        ("When was the article about the harbour published?", (said,)),  # it says itself which
        ("When was it published?", (Turn("assistant", "That is not stated in these articles."),)),
    ):
        draft, _ = _told(text, [HARBOUR], history=history)
        assert "Gazette" in (draft.message or "")


def test_filters_hold_for_the_article_that_is_pointed_at() -> None:
    said = Turn("assistant", "Paragraph 7. The tide tables of the coast were copied by hand. [1]")
    draft, _ = _told("When was it published?", [HARBOUR], history=(said,), filters=Filters(("harbour",)))
    assert "Coast Review" not in (draft.message or "")


@pytest.mark.parametrize("reason", [AbstainReason.NO_DOCUMENTS, AbstainReason.UNVERIFIED])
def test_other_abstentions_stay_as_they_are(reason: AbstainReason) -> None:
    draft = Draft(reason=reason)
    assert _told("Who published this article?", [HARBOUR], draft)[0] is draft
    assert _told("How long is the quay?", [HARBOUR])[0] is OFF_TOPIC
    assert _told("Who published this article?", [])[0] is OFF_TOPIC


@pytest.mark.parametrize(
    "text",
    [
        "Who published this article?",
        "When was it published?",
        "When was this article published?",
        "Which newspaper is this from?",
        "Which newspaper published this?",
        "What is the publication date of the article?",
        "What is the date of this article?",
        "who wrote this story",
        "Who is the author of this piece?",
        "By whom was this written?",
        "Where was this published?",
        "Where does this article come from?",
        "What is the link to the original article?",
        "What is the article's URL?",
        "Where can I read the original?",
        "How old is this article?",
        "Who is the publisher?",
        "What is its date?",
        "And when was the article about the bridge published?",
    ],
)
def test_a_question_about_a_record(text: str) -> None:
    assert record.asked(text)


@pytest.mark.parametrize(
    "text",
    [
        "Who published the first map of the coast?",
        "When was the law published?",
        "Which newspaper is sponsored by the party?",
        "Who wrote the ledger of the mill?",
        "What is the source of the river?",
        "When was this bridge opened?",
        "Where is it?",
        "Who is the author of the novel?",
        "What is the date of the opening?",
        "Which site will it be built on?",
        "What does this article say about dates?",
        "Summarise the article",
        "Is this true?",
        "How old is the bridge?",
        "Which agency said that this was wrong?",
        "",
        "x " * 400 + "Who published this article?",
    ],
)
def test_a_question_about_what_the_text_tells(text: str) -> None:
    assert not record.asked(text)
