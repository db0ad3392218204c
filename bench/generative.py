"""Extractive answers against a language model's, on the same cases in one run of the eval suite.

Three answerers over one index: quotes alone; a real small model (llama.cpp on the loopback, `make test-llm` installs
it); and a scripted server that says right things in other words (`good_statements.json`), with the id of the sentence
that holds the gold evidence: what is dropped of those is a fault of our checks. It is run by itself, since it needs
what only `make test-llm` installs: `python -m bench.generative [--quick] [NOTE]`.
"""

from __future__ import annotations

import json
import random
import re
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import machine
from bri_qa.answer.support import leans, unsupported
from bri_qa.compose import identity_card, pipeline, refresh
from bri_qa.errors import BriQAError
from bri_qa.evaluation import Plan, carry_out
from bri_qa.evaluation.run import Record, summarised
from bri_qa.passages import sentences
from bri_qa.settings import Settings
from bri_qa.types import Answer, Citation

ROOT = Path(__file__).parents[1]
ANSWERABLE, UNANSWERABLE, SEED = 18, 6, 7
_GOOD = Path(__file__).with_name("good_statements.json")
_FIGURES = (
    "citation_validity",
    "statement_coverage",
    "evidence_coverage",
    "answer_stated",
    "abstention_f1",
    "false_abstention_rate",
)


def measure(quick: bool) -> dict[str, Any]:
    """Figures by answerer. Every quote is cut again, every statement of a model checked again."""
    try:
        from tests.llm import serve
    except ImportError as error:
        raise BriQAError("this needs a small model; run make test-llm once, it installs one") from error
    from tests.chat_server import chat_server

    cases = _sample(2 if quick else ANSWERABLE, 1 if quick else UNANSWERABLE)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "cases.jsonl"
        file.write_text("".join(json.dumps(case) + "\n" for case in cases), encoding="utf-8")
        settings = Settings.load({}, corpus_dir=ROOT / "corpus", index_dir=folder / "index")
        refresh(settings).run()
        made: dict[str, Any] = {"cases": len(cases), "answerable": sum(map(_answerable, cases)), "seed": SEED}
        made["extractive"] = _figures(file, settings)
        with chat_server(_Good(cases)) as scripted:
            made["right in other words"] = _figures(file, _with(settings, scripted.url, "scripted"))
        server = serve.start()
        made[serve.MODEL] = _figures(file, _with(settings, f"{server.listening_address}/v1", serve.MODEL))
    return made


def _with(settings: Settings, url: str, model: str) -> Settings:
    wanted = {"llm_base_url": url, "llm_model": model, "llm_timeout": 600.0, "llm_rewrite": False}
    small = {"llm_context_tokens": 900, "llm_output_tokens": 100, "llm_max_statements": 2}
    return settings.model_copy(update=wanted | (small if model != "scripted" else {}))


def _sample(answerable: int, unanswerable: int) -> list[dict[str, Any]]:
    lines = (ROOT / "eval" / "cases" / "dev.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    good = json.loads(_GOOD.read_text(encoding="utf-8"))
    drawn = random.Random(SEED)  # noqa: S311 - a sample, no secret
    told = drawn.sample([case for case in cases if _answerable(case)], ANSWERABLE)
    others = drawn.sample([case for case in cases if not _answerable(case)], UNANSWERABLE)
    if missing := [case["question"] for case in told if case["question"] not in good]:
        raise BriQAError(f"{_GOOD.name} has no statement for: {missing[0]}; write one")
    return [*told[:answerable], *others[:unanswerable]]


def _answerable(case: dict[str, Any]) -> bool:
    return bool(case.get("answers") or case.get("evidence"))


class _Good:
    """The script of a server whose model says what is right, in other words than the article's."""

    def __init__(self, cases: Sequence[dict[str, Any]]) -> None:
        good = json.loads(_GOOD.read_text(encoding="utf-8"))
        self._known = [(case["question"], good.get(case["question"], ""), case.get("evidence", [])) for case in cases]

    def __call__(self, body: dict[str, Any]) -> Any:
        from tests.chat_server import Reply, statements

        shown, _, asked = body["messages"][-1]["content"].rpartition("Question: ")
        lines = re.findall(r"^\[(S\d+)\] (.+)$", shown, re.MULTILINE)
        question = min(self._known, key=lambda item: _distance(item[0], asked))
        gold = [_folded(item["quote"])[:40] for item in question[2]]
        ids = [name for name, text in lines if any(words in _folded(text) for words in gold)]
        return Reply(statements((ids[:1], question[1])) if ids else "")


def _distance(one: str, other: str) -> float:
    """Words that one of two questions has alone: the pipeline may have mended the spelling of one."""
    mine, yours = set(one.casefold().split()), set(other.casefold().split())
    return len(mine ^ yours) / len(mine | yours)


def _folded(text: str) -> str:
    return " ".join(re.sub(r"[\[\]<>{}|`()‹›'\"“”]", "", text).split())


def _figures(cases: Path, settings: Settings) -> dict[str, Any]:
    asked = pipeline(settings)

    def progress(done: int, total: int) -> None:
        print(f"{settings.llm_model or 'extractive'}: {done} of {total}", file=sys.stderr, flush=True)

    records = carry_out(Plan(cases), asked, identity_card(settings), progress).run.records
    answers = [record.asked.answer for record in records]
    uses = [answer.trace.use for answer in answers if answer.trace.use is not None]
    scores = summarised(records)
    return {
        "scores": {name: round(scores[name], 4) for name in _FIGURES if name in scores},
        "abstained": {"answerable": _abstained(records, True), "unanswerable": _abstained(records, False)},
        "statements": sum(len(answer.statements) for answer in answers),
        "quotes_that_differ": sum(_differ(asked, answer) for answer in answers),
        "unsupported": sum(_unsupported(asked, answer) for answer in answers),
        "modes": dict(Counter(answer.mode for answer in answers if not answer.abstained)),
        "fallbacks": dict(Counter(use.fallback for use in uses if use.fallback)),
        "dropped_for": dict(
            Counter(
                re.sub(r"(name|number|date|than|of) \S+( \S+)? is", r"\1 … is", item.reason)
                for answer in answers
                for item in answer.rejected
            ).most_common(12)
        ),
        "tokens": [sum(use.prompt_tokens for use in uses), sum(use.completion_tokens for use in uses)],
        "requests": sum(use.calls for use in uses),
        "median_seconds": round(statistics.median(record.asked.seconds for record in records), 2),
        "fluent": [
            [answer.question.text, *(statement.text for statement in answer.statements)]
            for answer in answers
            if answer.mode == "generative" and not answer.abstained
        ],
        "lost": [
            [answer.question.text, *(f"{item.statement} — {item.reason}" for item in answer.rejected)]
            for answer in answers
            if settings.llm_model and answer.mode != "generative" and not answer.abstained
        ],
    }


def _abstained(records: Sequence[Record], answerable: bool) -> list[int]:
    """How many did, of how many."""
    among = [record for record in records if record.case.answerable is answerable]
    return [sum(record.asked.answer.abstained for record in among), len(among)]


def _differ(asked: Any, answer: Answer) -> int:
    return sum(item.span.of(asked.document(item.document_id).text) != item.quote for item in answer.citations)


def _unsupported(asked: Any, answer: Answer) -> int:
    """Statements of a model that do not stand in their quotes, by the check that drops them."""
    if answer.mode != "generative":
        return 0
    cited = [[answer.citations[number - 1] for number in item.citations] for item in answer.statements]
    return sum(
        unsupported(item.text, [one.quote for one in quotes], before=[_before(asked, one) for one in quotes])
        is not None
        for item, quotes in zip(answer.statements, cited, strict=True)
    )


def _before(asked: Any, citation: Citation) -> str:
    """The sentence before a quote that opens with a pronoun; nothing for any other."""
    text = asked.document(citation.document_id).text
    earlier = [span for span in sentences(text) if span.end <= citation.span.start]
    return earlier[-1].of(text) if earlier and leans(citation.quote) else ""


if __name__ == "__main__":
    given = sys.argv[1:]
    figures = measure("--quick" in given)
    note = " ".join(word for word in given if word != "--quick")
    print(
        json.dumps(figures, indent=1, ensure_ascii=False)
        if "--quick" in given
        else machine.keep("generative", figures, note)
    )
