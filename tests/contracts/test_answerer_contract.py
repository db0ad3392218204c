"""What every answerer promises; a new one is added to `ANSWERERS`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bri_qa.answer import DigestAnswerer, ExtractiveAnswerer, MentionsAnswerer, SpeakersAnswerer
from bri_qa.citations import verify
from bri_qa.embed import HashingEmbedder
from bri_qa.errors import ChatBusyError
from bri_qa.protocols import Answerer
from bri_qa.types import AbstainReason, Draft, Hit, Question
from tests.articles import articles, hits_of, read_hits
from tests.chat_server import CopyingChat, ScriptedChat, generative
from tests.fakes import document

ANSWERERS: dict[str, Callable[[], Answerer]] = {
    "extractive": ExtractiveAnswerer,
    "digest": lambda: DigestAnswerer(HashingEmbedder()),
    "speakers": SpeakersAnswerer,
    "mentions": MentionsAnswerer,
    "generative": lambda: generative(CopyingChat(True)),
    "generative, by lines": lambda: generative(CopyingChat(False)),
    "generative, without its model": lambda: generative(ScriptedChat(ChatBusyError("it is busy"))),
}
TEXTS = [item.text for item in articles().values()]
HOSTILE = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(" .\\n“”,"), max_size=120)


@pytest.fixture(params=list(ANSWERERS))
def answerer(request: pytest.FixtureRequest) -> Answerer:
    return ANSWERERS[request.param]()


def _ask(answerer: Answerer, query: str, texts: Sequence[str]) -> tuple[Draft, list[Hit]]:
    hits = read_hits(query, *texts)
    return answerer.answer(Question(query), query, hits), hits


@pytest.mark.parametrize("query", ["ferry", "How long is the new quay?", "Who is quoted?"])
def test_every_quote_of_a_draft_stands_in_a_hit(answerer: Answerer, query: str) -> None:
    draft, hits = _ask(answerer, query, TEXTS)
    documents = {hit.passage.document_id: document(hit.passage.document_id, hit.passage.text) for hit in hits}
    verified = verify(draft, hits, documents.get)
    assert verified.rejected == ()
    assert [item.text for item in verified.statements] == [item.text for item in draft.statements]


def test_it_answers_something_that_it_is_made_for(answerer: Answerer) -> None:
    assert any(_ask(answerer, query, TEXTS)[0].statements for query in ("ferry", "How long is the new quay?"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=HOSTILE, texts=st.lists(HOSTILE, max_size=3))
def test_hostile_words_are_answered_or_abstained_from(answerer: Answerer, query: str, texts: list[str]) -> None:
    draft, hits = _ask(answerer, query, texts)
    passages = {hit.passage.id: hit.passage.text for hit in hits}
    for quote in (quote for item in draft.statements for quote in item.quotes):
        assert quote.text in passages[quote.passage_id]
    assert 0 <= draft.confidence <= 1


def test_without_hits_it_abstains(answerer: Answerer) -> None:
    draft = answerer.answer(Question("ferry"), "ferry", [])
    assert draft.reason == AbstainReason.NOT_STATED and draft.short_answer is None


def test_unread_hits_break_nothing(answerer: Answerer) -> None:
    draft = answerer.answer(Question("ferry"), "ferry", hits_of(*TEXTS))
    assert bool(draft.statements) != (draft.reason is not None)


def test_a_statement_is_one_line_of_text(answerer: Answerer) -> None:
    for query in ("ferry", "How long is the new quay?"):
        for item in _ask(answerer, query, TEXTS)[0].statements:
            assert item.text == " ".join(item.text.split()) != ""
            assert item.quotes


def test_the_same_question_has_the_same_draft_from_several_threads(answerer: Answerer) -> None:
    with ThreadPoolExecutor(4) as pool:
        drafts = list(pool.map(lambda _: _ask(answerer, "ferry", TEXTS)[0], range(8)))
    assert all(draft == drafts[0] for draft in drafts)


def test_it_names_its_mode(answerer: Answerer) -> None:
    assert answerer.mode in ("extractive", "generative")
