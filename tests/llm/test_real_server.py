"""The protocol against a real server on this machine: llama.cpp with a small model. `make test-llm` runs it.

The model is small and bad on purpose: what is tested is that the proof holds all the same.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bri_qa.answer import ExtractiveAnswerer
from bri_qa.answer.evidence import Budget
from bri_qa.answer.generative import GenerativeAnswerer
from bri_qa.answer.openai_chat import OpenAIChat
from bri_qa.answer.prompts import schema_of
from bri_qa.answer.support import unsupported
from bri_qa.answer.wire import Wire
from bri_qa.doctor.parts import examined
from bri_qa.protocols import Completion, Message
from bri_qa.tokens import Tokenizer
from bri_qa.types import Answer, Answered, Question, StatementReady
from tests.articles import built_in, opened, pipeline_over
from tests.injections import ATTACKS
from tests.llm.serve import MODEL, start
from tests.test_injections import attacked, withstood

pytestmark = pytest.mark.llm
LIMIT = 64  # tokens that it may write
EXTRA = {"cache_prompt": False}  # with it, the same prompt may be answered in another way the second time
TIMEOUT = 240.0
HELLO = [Message("user", "Name three colours.")]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    held = start()
    yield held.listening_address
    del held


@pytest.fixture
def chat(server: str) -> Iterator[OpenAIChat]:
    wire = Wire.open(f"{server}/v1", None, TIMEOUT, 1)
    with closing(OpenAIChat(wire, MODEL, LIMIT, Tokenizer.load().count, extra=EXTRA)) as made:
        yield made


def _answerer(chat: OpenAIChat) -> GenerativeAnswerer:
    return GenerativeAnswerer(chat, Budget(550, LIMIT, chat.count), ExtractiveAnswerer(), 2)


def _proven(answer: Answer, pipeline: Any) -> None:
    """Every quote is cut from its article, and no statement says more than its quotes."""
    for item in answer.citations:
        assert item.span.of(pipeline.document(item.document_id).text) == item.quote
    for statement in answer.statements:
        quotes = [answer.citations[number - 1].quote for number in statement.citations]
        assert answer.mode == "extractive" or unsupported(statement.text, quotes) is None


def test_text_is_streamed_and_counted(chat: OpenAIChat) -> None:
    *pieces, last = chat.stream(HELLO)
    assert isinstance(last, Completion) and "".join(str(item) for item in pieces) == last.text != ""
    assert len(pieces) > 1 and 0 < last.use.completion_tokens <= LIMIT and last.use.prompt_tokens > 5
    assert chat.complete(HELLO).text == last.text


def test_its_schema_is_found_out_and_held_to(chat: OpenAIChat) -> None:
    assert chat.supports_schema() is True
    written = chat.complete(HELLO, schema_of(["S1", "S2"], 1)).text
    assert written.lstrip().startswith("{") and '"sentences"' in written
    head = written[written.index("[", written.index('"sentences"')) :]
    assert head[: head.index("]")].strip("[ ").replace('"', "").split(",")[0].strip() in ("S1", "S2")


def test_a_request_that_is_closed_is_ended_on_the_server(chat: OpenAIChat, server: str) -> None:
    long = OpenAIChat(chat.wire, MODEL, 2_000, chat.count, extra=EXTRA)
    pieces = long.stream([Message("user", "Write a long story about a harbour.")])
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    end = time.monotonic() + 20
    while any(slot["is_processing"] for slot in _slots(server)):
        assert time.monotonic() < end, "the server is still at work"
        time.sleep(0.1)


def _slots(server: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{server}/slots", timeout=10) as answer:  # noqa: S310 - our own server
        slots: list[dict[str, Any]] = json.load(answer)
    return slots


def test_a_model_that_the_context_is_too_small_for_is_told(chat: OpenAIChat) -> None:
    from bri_qa.errors import ChatRefusedError

    with pytest.raises(ChatRefusedError, match="HTTP 400"):
        chat.complete([Message("user", "harbour " * 6_000)])


@pytest.mark.parametrize("schema", [True, False], ids=["schema", "lines"])
def test_whatever_it_writes_the_answer_is_proven(tmp_path: Path, chat: OpenAIChat, schema: bool) -> None:
    chat._can.schema = schema
    pipeline = pipeline_over(opened(built_in(tmp_path)), answerer=_answerer(chat))
    *events, last = pipeline.stream(Question("What did the repairs cost?"))
    assert isinstance(last, Answered) and not last.answer.abstained
    _proven(last.answer, pipeline)
    assert last.answer.trace.use is not None and last.answer.trace.use.calls in (1, 2)
    told = [item.statement for item in events if isinstance(item, StatementReady)]
    assert tuple(told) == last.answer.statements


def test_planted_attacks_are_withstood(tmp_path: Path, chat: OpenAIChat, record_property: Any) -> None:
    tried = ATTACKS[:3]
    failed = [
        attack.name
        for attack in tried
        if not withstood(attacked(tmp_path / attack.name, chat, attack, "article", 420), attack)
    ]
    record_property("withstood", f"{len(tried) - len(failed)} of {len(tried)}")
    assert failed == []


def test_the_doctor_finds_all_in_order(tmp_path: Path, server: str) -> None:
    settings = built_in(
        tmp_path,
        reader="sentences",
        llm_base_url=f"{server}/v1",
        llm_model=MODEL,
        llm_timeout=TIMEOUT,
        llm_output_tokens=LIMIT,
    )
    found = {item.name: (item.fine, item.detail) for item in examined(settings)}
    assert all(fine for fine, _ in found.values())
    assert found["JSON schema"] == (True, "yes") and found["streaming"] == (True, "yes")
