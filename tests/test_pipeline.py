from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bri_qa.compose import refresh
from bri_qa.errors import QuestionError
from bri_qa.index import EmbeddedIndex
from bri_qa.pipeline import QAPipeline
from bri_qa.render import as_json, as_sentence, as_text
from bri_qa.retrieve import Retriever
from bri_qa.types import (
    AbstainReason,
    Answer,
    Answered,
    Draft,
    Filters,
    Hit,
    ModelUse,
    Progress,
    Question,
    Quote,
    Statement,
    StatementReady,
    Turn,
)
from tests.articles import IDS, built_in, opened, pipeline_over, settings_in
from tests.chat_server import CopyingChat, ScriptedChat, generative, statements
from tests.fakes import ScriptedAnswerer, WordReader

QUAY = "The new quay is 640 metres long and takes three ships at a time."


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedIndex:
    return opened(built_in(tmp_path_factory.mktemp("articles")))


@pytest.fixture(scope="module")
def pipeline(index: EmbeddedIndex) -> QAPipeline:
    return pipeline_over(index)


def _check(answer: Answer, index: EmbeddedIndex | QAPipeline) -> None:
    """What holds of every answer: each quote is cut from its article, by span."""
    for item in answer.citations:
        document = index.document(item.document_id)
        assert document is not None
        assert item.quote == document.text[item.span.start : item.span.end]
        assert item.document_sha256 == sha256(document.text.encode()).hexdigest() == document.sha256
        assert item.source == document.source
    if answer.short_answer is not None:
        assert any(answer.short_answer in item.quote for item in answer.citations)
    for hit in answer.hits:
        document = index.document(hit.passage.document_id)
        assert document is not None and hit.passage.span.of(document.text) == hit.passage.text


def test_a_question_is_answered_with_its_quote_and_short_answer(pipeline: QAPipeline) -> None:
    answer = pipeline.ask(Question("How long is the new quay?"))
    _check(answer, pipeline)
    assert [item.text for item in answer.statements] == [QUAY]
    assert [item.quote for item in answer.citations] == [QUAY]
    assert answer.citations[0].document_id == "harbour"
    assert (answer.short_answer, answer.mode, answer.confidence, answer.reason) == ("640", "extractive", 1.0, None)
    assert answer.trace.query == "How long is the new quay?"
    assert set(answer.trace.seconds) == {"embed", "retrieve", "read", "answer", "verify"}
    assert answer.trace.models == {"embedder": "hashing", "reader": "fake words"}
    assert answer.hits[0].passage.document_id == "harbour"


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("What planet has rings?", AbstainReason.OFF_TOPIC),
        ("What painter decorated the quay?", AbstainReason.NOT_STATED),
    ],
)
def test_what_is_not_stated_is_not_answered_and_the_nearest_passages_are_shown(
    pipeline: QAPipeline, question: str, reason: AbstainReason
) -> None:
    answer = pipeline.ask(Question(question))
    assert (answer.reason, answer.abstained, answer.short_answer) == (reason, True, None)
    assert answer.statements == () and answer.citations == ()
    assert answer.hits and answer.confidence < 0.5
    _check(answer, pipeline)


@pytest.mark.parametrize("text", ["hello", "Thanks!", "goodbye", "What can you do?"])
def test_small_talk_is_met_in_kind_without_a_search(pipeline: QAPipeline, text: str) -> None:
    stages: list[str] = []
    answer = pipeline.ask(Question(text), lambda stage, _: stages.append(stage))
    assert answer.reason == AbstainReason.SMALL_TALK and answer.message
    assert (answer.hits, stages, dict(answer.trace.seconds)) == ((), [], {})


def test_with_no_article_indexed_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    empty = pipeline_over(opened(built_in(tmp_path)))
    for text in ("How long is the new quay?", "ferry", "Summarise the article", "Who is quoted?"):
        assert empty.ask(Question(text)).reason == AbstainReason.NO_DOCUMENTS


def test_filters_that_no_article_passes_leave_none_to_search(pipeline: QAPipeline) -> None:
    for text in ("How long is the new quay?", "Summarise the article"):
        answer = pipeline.ask(Question(text, filters=Filters(publishers=("Nobody",))))
        assert (answer.reason, answer.hits) == (AbstainReason.NO_DOCUMENTS, ())


def test_a_question_without_a_word_of_the_articles_is_off_their_topic(index: EmbeddedIndex) -> None:
    lexical = pipeline_over(index, retriever=Retriever(pipeline_over(index).retriever.embedder, "lexical"))
    answer = lexical.ask(Question("Zebra quilts glow?"))
    assert (answer.reason, answer.hits) == (AbstainReason.OFF_TOPIC, ())


def test_a_draft_whose_quotes_stand_nowhere_is_not_shown_but_kept_in_the_trace(index: EmbeddedIndex) -> None:
    def invent(hits: Sequence[Hit]) -> Draft:
        quotes = (Quote(hits[0].passage.id, "The quay is 900 metres long."), Quote("nowhere", QUAY))
        return Draft((Statement("It is 900 metres long.", quotes),), Quote(hits[0].passage.id, "900"))

    answer = pipeline_over(index, answerer=ScriptedAnswerer(invent)).ask(Question("How long is the new quay?"))
    assert (answer.reason, answer.statements, answer.short_answer) == (AbstainReason.UNVERIFIED, (), None)
    assert [(item.quote, bool(item.reason)) for item in answer.rejected[:2]] == [
        ("The quay is 900 metres long.", True),
        (QUAY, True),
    ]
    assert answer.hits


def test_of_a_draft_only_what_is_proven_is_kept(index: EmbeddedIndex) -> None:
    def half(hits: Sequence[Hit]) -> Draft:
        identity = next(hit.passage.id for hit in hits if QUAY in hit.passage.text)
        true = Statement("It is 640 metres long.", (Quote(identity, "640 metres long"),))
        return Draft((true, Statement("It is new and red.", (Quote(identity, "red"),))), Quote(identity, "red"))

    answer = pipeline_over(index, answerer=ScriptedAnswerer(half)).ask(Question("How long is the new quay?"))
    _check(answer, index)
    assert [item.text for item in answer.statements] == ["It is 640 metres long."]
    assert (answer.short_answer, answer.mode) == (None, "scripted")
    assert [item.statement for item in answer.rejected] == ["It is new and red.", "It is new and red.", ""]


def test_an_answerer_may_abstain_in_its_own_words(index: EmbeddedIndex) -> None:
    draft = Draft(reason=AbstainReason.NOT_STATED, message="The articles name two lengths.")
    answer = pipeline_over(index, answerer=ScriptedAnswerer(lambda _: draft)).ask(Question("How long is the new quay?"))
    assert (answer.reason, answer.message) == (draft.reason, draft.message)


def test_who_published_an_article_is_told_from_its_record_and_not_as_an_answer(pipeline: QAPipeline) -> None:
    only = Filters(document_ids=("notices/ferry",))
    answer = pipeline.ask(Question("Which newspaper is this article from?", filters=only))
    _check(answer, pipeline)
    assert (answer.reason, answer.statements) == (AbstainReason.NOT_STATED, ())
    assert "The article’s record says: “" in (answer.message or "")
    assert "Lindum Gazette" in (answer.message or "")
    asked = pipeline.ask(Question("How long is the new quay?"))
    history = (Turn("user", asked.question.text), Turn("assistant", as_sentence(asked)))
    told = pipeline.ask(Question("Who published this article?", history))
    assert {hit.passage.document_id for hit in told.hits} == {"harbour"}


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(), {"harbour", "notices/ferry"}),
        (Filters(document_ids=("notices/ferry",)), {"notices/ferry"}),
        (Filters(publishers=("Lindum Gazette",)), {"notices/ferry"}),
        (Filters(published_from="2024"), {"notices/ferry"}),
        (Filters(published_to="2023-12"), set()),
    ],
)
def test_filters_bound_every_kind_of_answer(pipeline: QAPipeline, filters: Filters, found: set[str]) -> None:
    answer = pipeline.ask(Question("ferry", filters=filters))
    assert {item.document_id for item in answer.citations} == found
    allowed = {item for item in IDS if filters.allow(item, pipeline.documents()[IDS.index(item)].source)}
    for text in ("Which ferry sails at night?", "Summarise the articles", "Who is quoted?", "ferry"):
        answer = pipeline.ask(Question(text, filters=filters))
        _check(answer, pipeline)
        assert {hit.passage.document_id for hit in answer.hits} <= allowed
        assert {item.document_id for item in answer.citations} <= allowed


def test_a_digest_cites_every_article(pipeline: QAPipeline) -> None:
    answer = pipeline.ask(Question("Summarise the articles"))
    _check(answer, pipeline)
    assert {item.document_id for item in answer.citations} == set(IDS)
    assert len(answer.hits) <= pipeline.top_k


def test_who_is_quoted_lists_people_with_their_words(pipeline: QAPipeline) -> None:
    answer = pipeline.ask(Question("Who is quoted?"))
    _check(answer, pipeline)
    told = [item.text for item in answer.statements]
    assert "Mara Oduya, the harbour master." in told and "Dr. Anne-Marie O'Brien, head of the children's ward." in told
    only = Filters(document_ids=("bread",))
    answer = pipeline.ask(Question("Who is quoted?", filters=only))
    assert (answer.reason, answer.message) == (
        AbstainReason.NOT_STATED,
        "I found nobody quoted by name in these articles.",
    )


def test_a_keyword_gives_the_sentences_that_hold_it(pipeline: QAPipeline) -> None:
    answer = pipeline.ask(Question("lighthouse"))
    assert [item.text for item in answer.statements] == ["The lighthouse was not repaired."]
    assert pipeline.ask(Question("zeppelin")).reason == AbstainReason.OFF_TOPIC


def test_a_follow_up_is_asked_in_the_light_of_the_turns_before(pipeline: QAPipeline) -> None:
    history = (Turn("user", "How long does the night ferry take?"), Turn("assistant", "90 minutes."))
    answer = pipeline.ask(Question("how many minutes?", history))
    assert "night ferry" in answer.trace.query and answer.question.text == "how many minutes?"
    assert answer.citations[0].document_id == "notices/ferry"
    _check(answer, pipeline)
    alone = pipeline.ask(Question("how many minutes?"))
    assert (alone.trace.query, alone.citations[0].document_id) == ("how many minutes?", "bread")


def test_the_gate_can_be_moved(index: EmbeddedIndex) -> None:
    half = Question("What painter decorated the quay?")
    assert pipeline_over(index, abstain_below=0.3).ask(half).statements
    sure = Question("Is the new quay 640 metres short?")
    assert pipeline_over(index).ask(sure).statements
    assert pipeline_over(index, abstain_below=0.9).ask(sure).reason == AbstainReason.NOT_STATED


def test_stages_are_told_as_they_begin(pipeline: QAPipeline) -> None:
    stages: list[tuple[str, int]] = []
    pipeline.ask(Question("How long is the new quay?"), lambda stage, count: stages.append((stage, count)))
    assert [name for name, _ in stages] == ["searching", *["reading"] * (len(stages) - 2), "checking"]
    assert stages[0] == ("searching", 0) and stages[-1] == ("checking", 1)
    assert sum(count for name, count in stages if name == "reading") == len(pipeline.retrieve(Question("quay"))[1])


def test_one_question_sees_one_index_from_start_to_end(tmp_path: Path) -> None:
    settings = built_in(tmp_path)
    pipeline = pipeline_over(opened(settings))
    path = settings.corpus_dir / "harbour.txt"
    old = path.read_text(encoding="utf-8")

    def publish_another(stage: str, _: int) -> None:
        if stage == "reading":
            path.write_text(old.replace("640 metres", "700 metres"), encoding="utf-8")
            refresh(settings).run()

    first = pipeline.ask(Question("How long is the new quay?"), publish_another)
    assert (first.short_answer, first.citations[0].document_sha256) == ("640", sha256(old.encode()).hexdigest())
    second = pipeline.ask(Question("How long is the new quay?"))
    assert second.short_answer == "700"
    _check(second, pipeline)


def test_more_passages_are_read_only_until_the_reader_is_settled(index: EmbeddedIndex) -> None:
    reader = WordReader()
    reader.settled = 1.0
    sure = pipeline_over(index, reader=reader, read_first=1).ask(Question("How long is the new quay?"))
    assert [hit.reading is not None for hit in sure.hits] == [True] + [False] * (len(sure.hits) - 1)
    unsure = pipeline_over(index, reader=reader, read_first=1).ask(Question("What painter decorated the quay?"))
    assert all(hit.reading is not None for hit in unsure.hits)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        (" \n\t", "empty"),
        ("?!", "no word"),
        ("👍", "no word"),
        ("x" * 4_001, "4001 characters, more than the 4000"),
    ],
)
def test_a_question_that_cannot_be_asked_says_what_to_do(pipeline: QAPipeline, text: str, said: str) -> None:
    for ask in (pipeline.ask, pipeline.retrieve):
        with pytest.raises(QuestionError, match=said):
            ask(Question(text))


def test_the_longest_question_is_answered_somehow(pipeline: QAPipeline) -> None:
    _check(pipeline.ask(Question("quay " * 800)), pipeline)


def test_the_same_question_has_the_same_answer(pipeline: QAPipeline) -> None:
    for text in ("How long is the new quay?", "ferry", "Summarise", "Who is quoted?"):
        one, other = pipeline.ask(Question(text)), pipeline.ask(Question(text))
        assert (one.statements, one.citations, one.hits) == (other.statements, other.citations, other.hits)


def test_the_overview_is_bounded(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    (settings.corpus_dir / "a-first.txt").write_text("Words. " * 3_000, encoding="utf-8")
    refresh(settings).run()
    bounded = pipeline_over(opened(settings), max_overview_passages=5)
    counted: list[int] = []
    bounded.ask(Question("Summarise"), lambda stage, count: counted.append(count) if stage == "reading" else None)
    assert counted == [5]


_WORDS = st.lists(
    st.sampled_from(
        "quay ferry Oduya bread clinic who is quoted summarise the how many and when she said 640 zebra ? ! hello".split()
    ),
    min_size=1,
    max_size=8,
).map(" ".join)
_TEXT = _WORDS | st.text(min_size=1, max_size=40)


@st.composite
def _drafts(draw: st.DrawFn) -> ScriptedAnswerer:
    """An answerer that quotes right, half right or wrong words, in right or wrong passages."""
    cuts = draw(
        st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.sampled_from(["", " ", "x"])), min_size=1, max_size=4)
    )

    def script(hits: Sequence[Hit]) -> Draft:
        def quotes() -> Iterator[Quote]:
            for one, other, tail in cuts:
                passage = hits[int(one * (len(hits) - 1))].passage
                start, end = sorted((int(one * len(passage.text)), int(other * len(passage.text))))
                yield Quote(passage.id, passage.text[start:end] + tail)

        return Draft(tuple(Statement("It is so.", (quote,)) for quote in quotes()), next(quotes()), 0.7)

    return ScriptedAnswerer(script)


@settings(max_examples=80, deadline=None)
@given(
    text=_TEXT,
    before=st.lists(_TEXT, max_size=3),
    answerer=st.none() | _drafts(),
    below=st.sampled_from([None, 0.0, 1.0]),
)
def test_whatever_happens_every_quote_is_cut_from_its_article(
    index: EmbeddedIndex, text: str, before: list[str], answerer: ScriptedAnswerer | None, below: float | None
) -> None:
    parts = {} if answerer is None else {"answerer": answerer}
    history = tuple(Turn("user" if at % 2 == 0 else "assistant", item) for at, item in enumerate(before))
    try:
        answer = pipeline_over(index, abstain_below=below, **parts).ask(Question(text, history))
    except QuestionError:
        assert not any(character.isalnum() for character in text)
        return
    _check(answer, index)


def test_the_stream_tells_stages_then_statements_that_stand_then_the_answer(pipeline: QAPipeline) -> None:
    question = Question("How long is the new quay?")
    events = list(pipeline.stream(question))
    assert [type(item).__name__ for item in events[-3:]] == ["Progress", "StatementReady", "Answered"]
    assert all(isinstance(item, Progress) for item in events[:-2])
    last = events[-1]
    assert isinstance(last, Answered)
    told = [item for item in events if isinstance(item, StatementReady)]
    assert tuple(item.statement for item in told) == last.answer.statements
    assert [item.number for ready in told for item in ready.citations] == [1]
    asked = pipeline.ask(question)
    assert (asked.statements, asked.citations) == (last.answer.statements, last.answer.citations)


@pytest.mark.parametrize(
    "text", ["hello", "Summarise the articles", "Who is quoted?", "ferry", "What planet has rings?"]
)
def test_every_kind_of_question_streams_what_it_answers(pipeline: QAPipeline, text: str) -> None:
    events = list(pipeline.stream(Question(text)))
    last = events.pop()
    assert isinstance(last, Answered)
    told = [item for item in events if isinstance(item, StatementReady)]
    assert tuple(item.statement for item in told) == last.answer.statements
    for ready in told:
        assert ready.citations == tuple(last.answer.citations[number - 1] for number in ready.statement.citations)


def test_a_stream_that_is_closed_stops_the_work(pipeline: QAPipeline) -> None:
    events = pipeline.stream(Question("How long is the new quay?"))
    assert isinstance(next(events), Progress)
    events.close()
    assert list(events) == []


def test_a_question_that_cannot_be_asked_is_refused_before_the_first_event(pipeline: QAPipeline) -> None:
    with pytest.raises(QuestionError, match="empty"):
        pipeline.stream(Question(" "))


def test_with_a_language_model_verified_statements_are_told_as_they_are_written(index: EmbeddedIndex) -> None:
    made = pipeline_over(index, answerer=generative(CopyingChat(True)))
    events = list(made.stream(Question("How long is the new quay?")))
    names = [item.stage if isinstance(item, Progress) else type(item).__name__ for item in events]
    assert names[-3:] == ["writing", "StatementReady", "Answered"]
    last = events[-1]
    assert isinstance(last, Answered)
    _check(last.answer, made)
    assert (last.answer.mode, last.answer.short_answer, last.answer.confidence) == ("generative", "640", 1.0)
    assert last.answer.trace.use is not None and last.answer.trace.use.calls == 1


def test_the_gate_decides_before_the_language_model_is_asked(index: EmbeddedIndex) -> None:
    chat = ScriptedChat(statements((["S1"], "Saturn has rings.")))
    made = pipeline_over(index, answerer=generative(chat))
    for text in ("What planet has rings?", "What painter decorated the quay?", "hello", "lighthouse", "Who is quoted?"):
        assert made.ask(Question(text)).mode == "extractive"
    assert chat.asked == []


def test_when_the_model_fails_the_extractive_answer_is_given_and_says_so(index: EmbeddedIndex) -> None:
    question = Question("How long is the new quay?")
    plain = pipeline_over(index).ask(question)
    answer = pipeline_over(index, answerer=generative(ScriptedChat("nonsense"))).ask(question)
    assert (answer.statements, answer.citations, answer.mode) == (plain.statements, plain.citations, "extractive")
    assert answer.trace.use is not None and answer.trace.use.fallback


def test_a_rewriter_makes_the_query_of_a_follow_up(index: EmbeddedIndex) -> None:
    class Rewriter:
        def rewrite(self, question: Question) -> tuple[str, ModelUse | None]:
            return f"{question.text} the new quay?", ModelUse(1, 5, 5)

    made = pipeline_over(index, rewriter=Rewriter())
    history = (Turn("user", "Tell me of the quay"),)
    answer = made.ask(Question("How long is", history))
    assert (answer.trace.query, answer.short_answer) == ("How long is the new quay?", "640")
    assert answer.trace.use == ModelUse(1, 5, 5) and "rewrite" in answer.trace.seconds
    assert next(made.stream(Question("How long is", history))) == Progress("rewriting")
    assert made.ask(Question("How long is the new quay?")).trace.use is None


@pytest.mark.parametrize(("share", "reason"), [(0.49, AbstainReason.OFF_TOPIC), (0.5, AbstainReason.NOT_STATED)])
def test_articles_that_hold_half_of_the_words_deal_with_it(
    index: EmbeddedIndex, share: float, reason: AbstainReason
) -> None:
    asked = "What planet has rings?"
    seen: list[tuple[str, str]] = []

    def shared(query: str, text: str) -> float:
        seen.append((query, text))
        return share

    answer = pipeline_over(index, shared=shared).ask(Question(asked))
    assert answer.reason == reason
    assert seen == [(asked, " ".join(hit.passage.text for hit in answer.hits))]


COST = "The repairs cost 48 million crowns, of which the town paid a third."


def test_each_part_of_a_question_is_answered_for_itself(pipeline: QAPipeline) -> None:
    answer = pipeline.ask(Question("How long is the new quay, and what did the repairs cost?"))
    _check(answer, pipeline)
    assert {QUAY, COST} <= {item.quote for item in answer.citations}
    assert answer.short_answer is None and answer.trace.unanswered == ()
    passages = [hit.passage.id for hit in answer.hits]
    assert len(set(passages)) == len(passages)


def test_a_part_that_is_not_stated_is_told_beside_the_answer_to_the_other(pipeline: QAPipeline) -> None:
    answer = pipeline.ask(Question("What painter decorated the ceiling? And how long is the new quay?"))
    _check(answer, pipeline)
    assert [item.text for item in answer.statements] == [QUAY]
    assert (answer.short_answer, answer.trace.unanswered) == ("640", ("What painter decorated the ceiling?",))
    assert "Not stated in these articles: What painter decorated the ceiling?" in as_text(answer)
    assert as_json(answer)["trace"]["unanswered"] == ["What painter decorated the ceiling?"]


def test_where_no_part_is_stated_the_whole_question_is_asked_and_declined(pipeline: QAPipeline) -> None:
    answer = pipeline.ask(Question("What planet has rings, and what painter decorated the ceiling?"))
    assert answer.abstained and answer.trace.unanswered == ()
    assert answer.trace.query == "What planet has rings, and what painter decorated the ceiling?"


def test_a_language_model_is_asked_for_the_parts_that_the_articles_answer(index: EmbeddedIndex) -> None:
    chat = CopyingChat(True)
    answer = pipeline_over(index, answerer=generative(chat)).ask(
        Question("How long is the new quay, and what painter decorated the ceiling?")
    )
    _check(answer, index)
    assert answer.mode == "generative" and QUAY in {item.quote for item in answer.citations}
    assert answer.trace.unanswered == ("What painter decorated the ceiling?",)


def test_a_follow_up_of_several_questions_that_leans_on_what_was_said_is_read_as_one(pipeline: QAPipeline) -> None:
    history = (Turn("user", "How long is the new quay?"),)
    for text, searches in (
        ("Who built it, and what did it cost?", 1),
        ("Who runs it? And how long is the new quay?", 2),
    ):
        events = pipeline.stream(Question(text, history if searches == 1 else ()))
        stages = [event.stage for event in events if isinstance(event, Progress)]
        assert stages.count("searching") == searches
    alone = pipeline.ask(Question("What painter decorated the ceiling? And how long is the new quay?", history))
    assert alone.trace.unanswered == ("What painter decorated the ceiling?",)


def test_of_a_question_of_several_parts_enough_hits_are_kept_for_each(index: EmbeddedIndex) -> None:
    narrow = replace(pipeline_over(index), top_k=1)
    answer = narrow.ask(Question("How long is the new quay, and how much work does the bread need?"))
    assert {item.document_id for item in answer.citations} == {"harbour", "bread"}
    assert [hit.passage.document_id for hit in answer.hits] == ["harbour", "bread"]
