from __future__ import annotations

from pathlib import Path

import pytest

from bri_qa.cli import run
from bri_qa.doctor import examined, parts
from tests.articles import built_in, settings_in
from tests.chat_server import KEY, MODEL, Reply, chat_server, refusal

PARTS = ["index", "embedder", "reader"]


def _found(folder: Path, **llm: object) -> dict[str, tuple[bool | None, str]]:
    settings = built_in(folder, reader="sentences", **llm)
    return {item.name: (item.fine, item.detail) for item in examined(settings)}


def test_without_a_language_model_the_parts_are_tried(tmp_path: Path) -> None:
    found = _found(tmp_path)
    assert [found[name][0] for name in PARTS] == [True] * 3 and found["index"][1].startswith("articles: 4, passages: ")
    assert found["language model"] == (None, "none is configured; answers are quotes (docs/language-models.md)")


@pytest.mark.parametrize("schema", [True, False])
def test_what_the_server_can_do_is_told(tmp_path: Path, schema: bool) -> None:
    with chat_server([Reply("hello")], schema) as server:
        found = _found(tmp_path, llm_base_url=server.url, llm_model=MODEL, llm_api_key=KEY)
    assert found["server"] == (True, f"{server.url} lists 2 models")
    assert found["language model"][0] and found["language model"][1].startswith("scripted answered: first words after ")
    assert found["streaming"] == (True, "yes")
    assert found["JSON schema"][1].startswith("yes" if schema else "no: ")
    assert KEY not in str(found)


def test_a_model_that_the_server_does_not_have_is_told_with_those_that_it_has(tmp_path: Path) -> None:
    with chat_server([refusal(404, "no such model")]) as server:
        found = _found(tmp_path, llm_base_url=server.url, llm_model="other")
    assert found["server"] == (False, "it has no model named other; set BRI_QA_LLM_MODEL to one of: another, scripted")
    assert found["language model"][0] is False and "HTTP 404" in found["language model"][1]
    assert "streaming" not in found


def test_a_failed_part_does_not_keep_the_others_from_being_tried(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, reader="sentences", llm_base_url="http://127.0.0.1:1/v1", llm_model="x")
    found = {item.name: item.fine for item in parts.examined(settings)}
    assert found == {"index": False, "embedder": True, "reader": True, "server": False, "language model": False}


def test_the_command_fails_if_a_part_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRI_QA_EMBEDDING_MODEL", "hashing")
    monkeypatch.setenv("BRI_QA_READER", "sentences")
    monkeypatch.setenv("BRI_QA_HISTORY_DIR", str(tmp_path / "data"))
    assert run(["doctor", "--index", str(tmp_path)]) == 1
    assert capsys.readouterr().out.startswith("FAILED  index: ")
    settings = built_in(tmp_path)
    assert run(["doctor", "--json", "--index", str(settings.index_dir)]) == 0
    assert '"name": "index"' in capsys.readouterr().out
