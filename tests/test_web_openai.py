"""`/v1` as the official client sees it, over the application served on the loopback."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from bri_qa import render
from bri_qa.types import Filters, Question, Turn
from tests.chatting import KEY, QUAY, resolve, said
from tests.fakes import FakePipeline, document, web_documents
from tests.serving import served

STATEMENT = "The new quay is 640 metres long and takes three ships at a time."
TOOLS: list[Any] = [{"type": "function", "function": {"name": "clock", "parameters": {"type": "object"}}}]
SECRET = document("secret", "A secret plan\nThe secret quay of Lindum is 999 metres long.", groups=("board",))


@pytest.fixture(scope="module")
def pipeline() -> FakePipeline:
    return FakePipeline([*web_documents(), SECRET])


@pytest.fixture(scope="module")
def base(pipeline: FakePipeline) -> Iterator[str]:
    with served(pipeline, resolve=resolve) as address:
        yield address


@pytest.fixture
def client(base: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{base}/v1", api_key=KEY, max_retries=0) as client:
        yield client


def _annotated(content: str, annotations: list[Any]) -> list[str]:
    places = [
        item["url_citation"] if isinstance(item, dict) else item.url_citation.model_dump() for item in annotations
    ]
    return [content[place["start_index"] : place["end_index"]] for place in places]


def test_the_one_model_is_listed(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["bri_qa"]
    assert client.models.retrieve("bri_qa").object == "model"
    with pytest.raises(openai.NotFoundError, match="it is bri_qa"):
        client.models.retrieve("gpt")


def test_an_answer_holds_its_citations_three_ways(client: openai.OpenAI, base: str, pipeline: FakePipeline) -> None:
    done = client.chat.completions.create(model="bri_qa", messages=said(QUAY), temperature=0.2, max_tokens=5)
    (choice,) = done.choices
    content = choice.message.content or ""
    answer = pipeline.ask(Question(QUAY, filters=Filters(groups=frozenset({"press"}))))
    assert choice.finish_reason == "stop"
    assert (done.model_extra or {})["bri_qa"] == render.as_json(answer)
    assert content.startswith(f"{STATEMENT} [1]\n\n")
    _, _, sources = content.partition("\n\nSources:\n\n")
    (first, *_) = answer.citations
    url = f"{base}/source/harbour?start={first.span.start}&end={first.span.end}&v={first.document_sha256[:16]}#quote-1"
    assert sources.startswith(
        f"1. [The harbour of Lindum opens again, Lindum Gazette, 2024-03-05]({url})\n\n   > {STATEMENT}"
    )
    annotations = choice.message.annotations or []
    assert annotations[0].url_citation.url == url
    assert annotations[0].url_citation.title == "The harbour of Lindum opens again"
    assert _annotated(content, annotations) == [f"[{n}]" for item in answer.statements for n in item.citations]
    page = httpx.get(url, headers={"authorization": f"Bearer {KEY}"})
    assert f'tabindex="-1">{STATEMENT}</mark>' in page.text
    assert done.usage is not None and done.usage.prompt_tokens == 8
    assert done.usage.total_tokens == done.usage.prompt_tokens + done.usage.completion_tokens > 20


@pytest.mark.parametrize(
    "question", [QUAY, "When is the lamp of the moon due?", "hello", "ledger of the mill clerk wrote"]
)
@pytest.mark.parametrize("sources", [True, False])
def test_what_is_streamed_is_what_is_sent_whole(client: openai.OpenAI, question: str, sources: bool) -> None:
    options = {"bri_qa": {"sources": sources}}
    whole = client.chat.completions.create(model="bri_qa", messages=said(question), extra_body=options)
    chunks = list(
        client.chat.completions.create(model="bri_qa", messages=said(question), stream=True, extra_body=options)
    )
    message = whole.choices[0].message
    deltas = [chunk.choices[0].delta for chunk in chunks]
    content = "".join(delta.content or "" for delta in deltas)
    annotations = [item for delta in deltas for item in (delta.model_extra or {}).get("annotations", [])]
    assert content == message.content
    assert annotations == [item.model_dump() for item in message.annotations or []]
    assert ("Sources:" in content) == (sources and bool(annotations))
    assert {chunk.id for chunk in chunks} == {chunks[0].id} and deltas[0].role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert (chunks[-1].model_extra or {})["bri_qa"] == (whole.model_extra or {})["bri_qa"]


def test_an_abstention_is_an_answer_in_plain_words(client: openai.OpenAI) -> None:
    done = client.chat.completions.create(model="bri_qa", messages=said("When is the lamp of the moon due?"))
    ours = (done.model_extra or {})["bri_qa"]
    assert done.choices[0].message.content == "That is not stated in these articles."
    assert done.choices[0].finish_reason == "stop" and done.choices[0].message.annotations == []
    assert (ours["abstained"], ours["reason"]) == (True, "not_stated")


def test_a_statement_leaves_before_the_answer_is_whole_and_the_usage_last(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="bri_qa", messages=said("quay harbour"), stream=True, stream_options={"include_usage": True}
    )
    *rest, last = stream
    assert sum("annotations" in (chunk.choices[0].delta.model_extra or {}) for chunk in rest) == 3
    assert last.choices == [] and last.usage is not None and last.usage.completion_tokens > 20
    assert (last.model_extra or {})["bri_qa"]["question"] == "quay harbour"


def test_the_history_is_what_the_user_and_bri_qasaid(client: openai.OpenAI, pipeline: FakePipeline) -> None:
    first = client.chat.completions.create(model="bri_qa", messages=said("What did the repairs cost?"))
    messages: list[Any] = [
        {"role": "system", "content": "obey"},
        *said("What did the repairs cost?"),
        {"role": "assistant", "content": first.choices[0].message.content},
        {"role": "tool", "tool_call_id": "1", "content": "noise"},
        {"role": "user", "content": [{"type": "text", "text": "and who paid"}, {"type": "text", "text": "the rest?"}]},
    ]
    client.chat.completions.create(model="bri_qa", messages=messages)
    asked = pipeline.last("and who paid\nthe rest?")
    answer = (first.model_extra or {})["bri_qa"]["answer"]
    assert asked.history == (Turn("user", "What did the repairs cost?"), Turn("assistant", answer))


def test_the_one_who_asks_reaches_only_what_they_may_read(client: openai.OpenAI, pipeline: FakePipeline) -> None:
    options = {"bri_qa": {"filters": {"document_ids": ["secret", "harbour"]}}}
    done = client.chat.completions.create(model="bri_qa", messages=said("secret quay of Lindum"), extra_body=options)
    assert "999" not in done.model_dump_json()
    asked = pipeline.last("secret quay of Lindum")
    assert asked.filters == Filters(document_ids=("secret", "harbour"), groups=frozenset({"press"}))


def test_a_client_that_closes_the_stream_stops_the_work(client: openai.OpenAI, pipeline: FakePipeline) -> None:
    stream = client.chat.completions.create(model="bri_qa", messages=said("wait for the quay"), stream=True)
    next(iter(stream))
    stream.close()
    time.sleep(0.3)  # the server has to see it
    pipeline.gate.set()
    end = time.monotonic() + 10
    while not pipeline.closed and time.monotonic() < end:
        time.sleep(0.02)
    pipeline.gate.clear()
    assert pipeline.closed == ["wait for the quay"]


def test_a_chat_front_end_lists_asks_and_names_the_chat(client: openai.OpenAI, pipeline: FakePipeline) -> None:
    """The calls of one that speaks the protocol, in its order: the models, the question streamed, its own prompts."""
    (model,) = client.models.list().data
    stream = client.chat.completions.create(model=model.id, messages=said(QUAY), stream=True, tools=TOOLS)
    answer = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    asked = len(pipeline.asked)
    chat = f"### Chat History:\n<chat_history>\nUSER: {QUAY}\nASSISTANT: {answer}\n</chat_history>"
    replies = []
    for task, shape in (
        ("Generate a concise, 3-5 word title with an emoji summarizing the chat history.", '{ "title": "…" }'),
        ("Generate 1-3 broad tags categorizing the main themes of the chat history.", '{ "tags": ["tag1"] }'),
        ("Suggest 3-5 relevant follow-up questions or prompts.", '{ "follow_ups": ["Question 1?"] }'),
    ):
        prompt = f"### Task:\n{task}\n### Output:\nJSON format: {shape}\n{chat}"
        done = client.chat.completions.create(model=model.id, messages=said(prompt))
        assert "bri_qa" not in (done.model_extra or {})
        replies.append(json.loads(done.choices[0].message.content or ""))
    assert replies == [{"title": QUAY}, {"tags": []}, {"follow_ups": []}]
    streamed = client.chat.completions.create(model=model.id, messages=said(prompt), stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in streamed) == '{"follow_ups": []}'
    assert len(pipeline.asked) == asked
