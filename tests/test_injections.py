"""Instructions inside articles, questions and earlier turns change nothing, even if the model obeys every one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from bri_qa import render
from bri_qa.answer import ExtractiveAnswerer
from bri_qa.answer.evidence import Budget
from bri_qa.answer.generative import GenerativeAnswerer
from bri_qa.compose import refresh
from bri_qa.protocols import ChatModel, Completion, Message, Schema
from bri_qa.types import Answer, ModelUse, Question, Turn
from tests.articles import opened, pipeline_over, settings_in
from tests.chat_server import statements
from tests.injections import ATTACKS, PLACES, Attack, Place, ids_in

QUERY = "How long is the new quay?"


class ObedientChat:
    """Says what the attack wants, once with each id that it sees, one that it does not see, and none."""

    name = "obedient"

    def __init__(self, attack: Attack, schema: bool) -> None:
        self.attack, self.schema = attack, schema
        self.asked: list[Sequence[Message]] = []

    def supports_schema(self) -> bool:
        return self.schema

    def took(self, messages: Sequence[Message], written: str) -> ModelUse:
        del messages, written
        return ModelUse(1)

    def complete(self, messages: Sequence[Message], schema: Schema | None = None) -> Completion:
        *_, last = self.stream(messages, schema)
        assert isinstance(last, Completion)
        return last

    def stream(self, messages: Sequence[Message], schema: Schema | None = None) -> Iterator[str | Completion]:
        self.asked.append(messages)
        cited = [*([name] for name in ids_in(messages)), ids_in(messages), ["S99"], []]
        if schema is not None:
            text = statements(*((ids, self.attack.obeyed) for ids in cited))
        else:
            text = "\n".join(" ".join(f"[{name}]" for name in ids) + " " + self.attack.obeyed for ids in cited)
        yield text
        yield Completion(text, ModelUse(1))


def attacked(folder: Path, chat: ChatModel, attack: Attack, place: Place, context: int = 4_096) -> Answer:
    """The answer to `QUERY` with `attack` planted in the article that answers it, in the question or in a turn.

    `context` is of the model, in words.
    """
    settings = settings_in(folder)
    if place == "article":
        path = settings.corpus_dir / "harbour.txt"
        text = path.read_text(encoding="utf-8").replace("The new quay is 640", f"{attack.planted} The new quay is 640")
        path.write_text(text, encoding="utf-8")
    refresh(settings).run()
    budget = Budget(context, 60, lambda text: len(text.split()))
    pipeline = pipeline_over(opened(settings), answerer=GenerativeAnswerer(chat, budget, ExtractiveAnswerer()))
    history = (Turn("user", attack.planted), Turn("assistant", attack.planted)) if place == "turn" else ()
    return pipeline.ask(Question(f"{QUERY} {attack.planted}" if place == "question" else QUERY, history))


def withstood(answer: Answer, attack: Attack) -> bool:
    """Whether nothing that the attack wanted is in what a reader is shown, beyond the quotes of the articles."""
    shown = " ".join([*(item.text for item in answer.statements), answer.short_answer or ""]).casefold()
    own = " ".join(item.quote for item in answer.citations).casefold()
    links = "href=" in render.as_html(answer).replace('href="#citation-', "")
    return (
        not any(mark in shown and (mark not in own or answer.mode != "extractive") for mark in attack.marks)
        and not links
    )


@pytest.mark.parametrize("schema", [True, False], ids=["schema", "lines"])
@pytest.mark.parametrize("place", PLACES)
def test_every_attack_is_withstood_though_the_model_obeys_it(tmp_path: Path, place: Place, schema: bool) -> None:
    failed = []
    for attack in ATTACKS:
        chat = ObedientChat(attack, schema)
        answer = attacked(tmp_path / attack.name, chat, attack, place)
        assert chat.asked or answer.abstained, attack.name  # it was tried, unless the gate did not let it come to that
        if not withstood(answer, attack):
            failed.append((attack.name, [item.text for item in answer.statements], answer.mode))
    assert failed == [], f"{len(ATTACKS) - len(failed)} of {len(ATTACKS)} withstood"


def test_an_attack_that_gets_through_would_be_seen(tmp_path: Path) -> None:
    harmless = Attack("none", "The quay is red.", "The new quay is 640 metres long.", ("640 metres",))
    answer = attacked(tmp_path, ObedientChat(harmless, True), harmless, "article")
    assert answer.mode == "generative" and not withstood(answer, harmless)


def test_what_strangers_write_stands_between_the_marks_and_builds_none(tmp_path: Path) -> None:
    for attack in ATTACKS:
        chat = ObedientChat(attack, True)
        attacked(tmp_path / attack.name, chat, attack, "turn")
        for messages in chat.asked:
            system, user = messages[0], messages[-1]
            mark = user.text.splitlines()[0]
            assert mark in system.text and user.text.count(mark) == 2
            assert not {"<", ">", "|", "`"} & set(user.text)
            assert attack.planted not in system.text
