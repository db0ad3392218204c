from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bri_qa.answer import ExtractiveAnswerer
from bri_qa.answer.generative import GenerativeAnswerer
from bri_qa.answer.openai_chat import OpenAIChat, Prices
from bri_qa.compose import identity_card, language_model, open_index, pipeline, refresh, without_language_model
from bri_qa.errors import CorpusError, IndexMissingError, IndexStaleError, SettingsError
from bri_qa.settings import Settings
from bri_qa.types import AbstainReason, Draft, Question
from tests.articles import IDS, built_in, pipeline_over, settings_in
from tests.fakes import ScriptedAnswerer


def test_settings_become_a_pipeline_that_answers(tmp_path: Path) -> None:
    settings = built_in(
        tmp_path, reader="sentences", max_statements=2, top_k=3, abstain_below=0.25, max_question_chars=99
    )
    made = pipeline(settings)
    assert (made.top_k, made.abstain_below, made.max_question_chars) == (3, 0.25, 99)
    assert isinstance(made.answerer, ExtractiveAnswerer) and made.answerer.max_statements == 2
    assert made.models == {"embedder": "hashing", "reader": "sentences"}
    answer = made.ask(Question("How long is the new quay?"))
    assert answer.citations[0].document_id == "harbour" and len(answer.hits) == 3
    assert dict(answer.trace.models) == made.models


def test_the_shipped_settings_answer(tmp_path: Path) -> None:
    settings = settings_in(tmp_path).model_copy(update={"embedding_model": Settings.load({}).embedding_model})
    refresh(settings).run()
    answer = pipeline(settings).ask(Question("How long is the new quay?"))
    assert "640 metres" in answer.citations[0].quote


@pytest.mark.parametrize("retrieval", ["fused", "dense", "lexical"])
def test_every_way_of_retrieval_can_be_set(tmp_path: Path, retrieval: str) -> None:
    made = pipeline(built_in(tmp_path, reader="sentences", retrieval=retrieval, candidates=7))
    assert (made.retriever.mode, made.retriever.candidates) == (retrieval, 7)
    assert made.retrieve(Question("the new quay"))[1][0].passage.document_id == "harbour"


def test_a_refresh_tells_first_and_then_does(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    (settings.corpus_dir / "empty.txt").touch()
    found = refresh(settings)
    assert list(found.change.added) == IDS and found.change.reason == "there is no index yet"
    assert [(item.path, item.reason.partition(":")[0]) for item in found.rejected] == [("empty.txt", "empty")]
    with pytest.raises(IndexMissingError):
        open_index(settings)
    counted: list[tuple[int, int]] = []
    manifest = found.run(lambda done, total: counted.append((done, total)))
    assert manifest.documents == 4 and counted[-1] == (manifest.passages, manifest.passages)
    assert [item.id for item in open_index(settings).documents()] == IDS


def test_an_unchanged_corpus_is_not_built_again(tmp_path: Path) -> None:
    settings = built_in(tmp_path)
    before = sorted(path.name for path in settings.index_dir.iterdir())
    again = refresh(settings)
    assert not again.change and again.run() == open_index(settings).manifest
    assert sorted(path.name for path in settings.index_dir.iterdir()) == before


def test_only_what_changed_is_read_anew(tmp_path: Path) -> None:
    settings = built_in(tmp_path)
    (settings.corpus_dir / "bread.txt").unlink()
    (settings.corpus_dir / "harbour.txt").write_text("Another harbour\nIt is closed.", encoding="utf-8")
    (settings.corpus_dir / "new.md").write_text("# New\n\nIt is open.", encoding="utf-8")
    change = refresh(settings).change
    assert (change.added, change.changed, change.removed) == (("new",), ("harbour",), ("bread",))
    assert change.unchanged == ("clinic", "notices/ferry") and change.reason is None


def test_an_index_of_other_passages_is_refused_with_the_command_that_mends_it(tmp_path: Path) -> None:
    settings = built_in(tmp_path)
    other = settings.model_copy(update={"passage_tokens": 100})
    for use in (open_index, pipeline, identity_card):
        with pytest.raises(IndexStaleError, match="bri-qa index"):
            use(other)
    found = refresh(other)
    assert found.change.reason and found.run().documents == 4
    assert open_index(other).documents()


def test_without_a_corpus_or_an_index_it_says_what_to_do(tmp_path: Path) -> None:
    nowhere = Settings.load({}, corpus_dir=tmp_path / "none", index_dir=tmp_path / "none", embedding_model="hashing")
    with pytest.raises(CorpusError, match="create it"):
        refresh(nowhere)
    with pytest.raises(IndexMissingError, match="run `bri-qa index` first"):
        pipeline(nowhere)


def test_without_a_language_model_nothing_of_one_is_loaded(tmp_path: Path) -> None:
    made = pipeline(built_in(tmp_path, reader="sentences"))
    assert (made.answerer.mode, made.rewriter, set(made.models)) == ("extractive", None, {"embedder", "reader"})
    code = (
        "import sys; from bri_qa.compose import pipeline; from bri_qa.settings import Settings; pipeline(Settings.load());"
        "sys.stderr.write(' '.join(name for name in sys.modules if name.startswith(('httpx', 'openai', 'bri_qa.answer.gen', 'bri_qa.answer.wire'))))"
    )
    environ = {"BRI_QA_INDEX_DIR": str(tmp_path / "index"), "BRI_QA_EMBEDDING_MODEL": "hashing"}
    environ |= {"BRI_QA_READER": "sentences", "PATH": os.environ["PATH"]}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_language_model_is_put_in_where_one_is_set(tmp_path: Path) -> None:
    server = {"llm_base_url": "http://127.0.0.1:1/v1", "llm_model": "some", "llm_retries": 0, "llm_price_prompt": 2}
    settings = built_in(tmp_path, reader="sentences", llm_api_key="sk-secret", **server)
    made = pipeline(settings)
    assert made.models["language model"] == "some" and made.answerer.mode == "generative"
    assert made.rewriter is not None
    answer = made.ask(Question("How long is the new quay?"))
    assert answer.mode == "extractive" and answer.trace.use is not None
    assert "cannot be reached" in (answer.trace.use.fallback or "")
    left = pipeline(settings.model_copy(update={"llm_rewrite": False}))
    assert left.rewriter is None
    with closing(language_model(settings)) as chat:
        assert chat.prices == Prices(2, 0)
    for item in (left, made):
        assert isinstance(item.answerer, GenerativeAnswerer) and isinstance(item.answerer.chat, OpenAIChat)
        item.answerer.chat.close()
    card = str(identity_card(settings))
    assert "'llm_model': 'some'" in card and "127.0.0.1" not in card and "secret" not in card
    with pytest.raises(SettingsError, match="no language model is configured; set BRI_QA_LLM_BASE_URL"):
        language_model(settings.model_copy(update={"llm_base_url": None}))


def test_the_identity_card_says_what_a_result_was_made_with_and_not_where(tmp_path: Path) -> None:
    one = identity_card(built_in(tmp_path / "one", top_k=3))
    other = identity_card(built_in(tmp_path / "other", top_k=3, port=1234, threads=1))
    assert one == other
    assert one["settings"]["top_k"] == 3 and one["index"]["passage_tokens"] == 160
    assert len(one["index"]["corpus_sha256"]) == 64
    assert str(tmp_path) not in str(one)


OPERATION = {
    "public_url": "https://portal.example",
    "trusted_proxies": "127.0.0.1",
    "widget_origins": "https://portal.example",
    "frame_origins": "https://portal.example",
    "rate_limit_ask": "1/minute",
    "rate_limit_storage": "redis://127.0.0.1:1/0",
    "answer_threads": 1,
    "answer_timeout": 5,
    "history_days": 3,
    "log_format": "json",
    "otel_endpoint": "http://127.0.0.1:1/v1/traces",
    "allow_upload": True,
}


def test_how_a_server_is_run_is_no_part_of_the_identity_card(tmp_path: Path) -> None:
    settings = built_in(tmp_path)
    plain = identity_card(settings)
    run = settings.model_copy(update={**OPERATION, "runs_dir": tmp_path / "runs", "history_dir": tmp_path / "data"})
    assert run != settings and identity_card(run) == plain
    assert not any(name.startswith("llm_") for name in plain["settings"])


def test_what_bears_on_answers_is_part_of_the_identity_card(tmp_path: Path) -> None:
    settings = built_in(tmp_path)
    plain = identity_card(settings)
    changes: list[dict[str, Any]] = [
        {"candidates": 7},
        {"top_k": 3},
        {"max_statements": 1},
        {"retrieval": "dense"},
        {"reader": "sentences"},
        {"precision": "f32"},
        {"abstain_below": 0.5},
        {"max_question_chars": 99},
        {"llm_base_url": "http://127.0.0.1:1/v1", "llm_model": "some"},
    ]
    for change in changes:
        assert identity_card(settings.model_copy(update=change)) != plain, change


def test_what_nobody_asked_costs_no_call_of_a_language_model(tmp_path: Path) -> None:
    settings = built_in(tmp_path, max_statements=2)
    whole = pipeline_over(
        open_index(settings), answerer=ScriptedAnswerer(lambda _: Draft(reason=AbstainReason.NOT_STATED))
    )
    checking = without_language_model(whole, settings)
    assert checking.answerer == ExtractiveAnswerer(2)
    assert checking.rewriter is None
    assert checking.index is whole.index
