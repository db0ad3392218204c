from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from bri_qa.errors import SettingsError
from bri_qa.settings import PREFIX, Settings

BOUNDS = {
    "max_file_bytes": (1_000, 500_000_000),
    "passage_tokens": (80, 1_000),  # 32, if the overlap is made smaller with it
    "overlap_tokens": (0, 80),  # 400, if the passages are made larger with it
    "threads": (0, 256),
    "candidates": (1, 1_000),
    "top_k": (1, 100),
    "max_statements": (1, 10),
    "max_question_chars": (20, 100_000),
    "history_days": (1, 3_650),
    "feedback_days": (1, 3_650),
    "llm_context_tokens": (800, 1_000_000),  # 512, if it writes less
    "llm_output_tokens": (32, 2_048),  # 16,000, if the context is larger
    "llm_max_statements": (1, 20),
    "llm_concurrency": (1, 256),
    "llm_retries": (0, 10),
    "llm_cache": (0, 100_000),
    "port": (0, 65_535),
}


def test_nothing_set_gives_the_defaults() -> None:
    settings = Settings.load({"PATH": "/bin", "BRI": "x"})
    assert settings == Settings()
    assert (settings.passage_tokens, settings.overlap_tokens, settings.abstain_below) == (160, 40, None)
    assert (settings.corpus_dir, settings.host) == (Path("corpus"), "127.0.0.1")


def test_the_environment_is_read_and_arguments_stand_above_it() -> None:
    environ = {"BRI_QA_TOP_K": "5", "BRI_QA_CORPUS_DIR": "/articles", "BRI_QA_ABSTAIN_BELOW": "0.25"}
    settings = Settings.load(environ, top_k=7, corpus_dir=None)
    assert (settings.top_k, settings.corpus_dir, settings.abstain_below) == (7, Path("/articles"), 0.25)


def test_the_environment_of_the_process_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRI_QA_CANDIDATES", "33")
    assert Settings.load().candidates == 33
    assert Settings.load({}).candidates == Settings().candidates == 50
    monkeypatch.setenv("BRI_QA_CANDIDATE", "33")
    with pytest.raises(SettingsError, match="unknown setting BRI_QA_CANDIDATE;"):
        Settings.load()


@pytest.mark.parametrize("name", ["BRI_QA_TOPK", "bri_qa_topk", "BRI_QA_", "Bri_Qa_Model"])
def test_an_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=f"unknown setting {name}; docs/settings.md lists the known ones"):
        Settings.load({name: "1"})


def test_all_unknown_names_are_told_in_order() -> None:
    with pytest.raises(SettingsError, match=r"unknown setting BRI_QA_A, BRI_QA_B;"):
        Settings.load({"BRI_QA_B": "", "BRI_QA_TOP_K": "3", "BRI_QA_A": ""})


def test_an_unknown_argument_is_refused() -> None:
    with pytest.raises(SettingsError, match="BRI_QA_TOPK"):
        Settings.load({}, topk=3)


@pytest.mark.parametrize(("name", "least", "most"), [(name, *bounds) for name, bounds in BOUNDS.items()])
def test_numbers_are_bounded(name: str, least: int, most: int) -> None:
    variable = PREFIX + name.upper()
    for value in (least, most):
        assert getattr(Settings.load({variable: str(value)}), name) == value
    for bad in (str(least - 1), str(most + 1), "many", "", "1.5"):
        with pytest.raises(SettingsError, match=r"BRI_QA_.*; docs/settings.md lists the bounds|at most half") as caught:
            Settings.load({variable: bad})
        assert "\n" not in str(caught.value)


def test_the_widest_and_narrowest_passages_can_be_set() -> None:
    assert Settings.load({}, passage_tokens=32, overlap_tokens=16).passage_tokens == 32
    assert Settings.load({}, passage_tokens=1_000, overlap_tokens=400).overlap_tokens == 400
    for tokens, overlap in ((31, 0), (1_001, 400), (1_000, 401)):
        with pytest.raises(SettingsError):
            Settings.load({}, passage_tokens=tokens, overlap_tokens=overlap)


def test_an_overlap_of_more_than_half_a_passage_is_refused() -> None:
    with pytest.raises(SettingsError, match="overlap_tokens must be at most half of passage_tokens"):
        Settings.load({"BRI_QA_PASSAGE_TOKENS": "60"})


@pytest.mark.parametrize(
    ("name", "value"),
    [("precision", "f16"), ("retrieval", "magic"), ("abstain_below", "1.1"), ("abstain_below", "nan")],
)
def test_other_values_are_checked_too(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{PREFIX}{name.upper()}: "):
        Settings.load({PREFIX + name.upper(): value})


SERVER = {"BRI_QA_LLM_BASE_URL": "http://127.0.0.1:11434/v1", "BRI_QA_LLM_MODEL": "some"}


def test_a_language_model_is_set_with_its_server() -> None:
    assert Settings.load(SERVER).llm_model == "some" and Settings().llm_base_url is None
    for name, value in SERVER.items():
        with pytest.raises(SettingsError, match="llm_base_url and llm_model are set together"):
            Settings.load({name: value})


@pytest.mark.parametrize(
    "url", ["ftp://a/v1", "127.0.0.1:11434", "http://user:secret@host/v1", "http://host/v1?key=secret", ""]
)
def test_the_address_of_the_server_is_one_and_holds_no_secret(url: str) -> None:
    with pytest.raises(SettingsError, match="BRI_QA_LLM_BASE_URL") as caught:
        Settings.load({**SERVER, "BRI_QA_LLM_BASE_URL": url})
    assert "secret" not in str(caught.value)


def test_the_key_comes_from_the_environment_or_a_file_and_is_never_shown(tmp_path: Path) -> None:
    assert Settings.load(SERVER).llm_key() is None
    one = Settings.load({**SERVER, "BRI_QA_LLM_API_KEY": "sk-secret"})
    assert one.llm_key() == "sk-secret"
    (tmp_path / "key").write_text("sk-secret\n", encoding="utf-8")
    assert Settings.load({**SERVER, "BRI_QA_LLM_API_KEY_FILE": str(tmp_path / "key")}).llm_key() == "sk-secret"
    assert "sk-secret" not in repr(one) + str(one.model_dump()) + one.model_dump_json()


def test_a_key_that_cannot_be_used_is_told_without_it(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for value, said in (("none", "cannot be read"), ("empty", "is empty"), (".", "cannot be read")):
        with pytest.raises(SettingsError, match=said):
            Settings.load({**SERVER, "BRI_QA_LLM_API_KEY_FILE": str(tmp_path / value)}).llm_key()
    with pytest.raises(SettingsError, match="no header can hold") as caught:
        Settings.load({**SERVER, "BRI_QA_LLM_API_KEY": "sk-sécret\n"}).llm_key()
    assert "sécret" not in str(caught.value)
    with pytest.raises(SettingsError, match="not set together"):
        Settings.load({**SERVER, "BRI_QA_LLM_API_KEY": "x", "BRI_QA_LLM_API_KEY_FILE": "y"})


def test_an_output_of_more_than_half_the_context_is_refused() -> None:
    with pytest.raises(SettingsError, match="at most half of llm_context_tokens"):
        Settings.load({**SERVER, "BRI_QA_LLM_CONTEXT_TOKENS": "600"})


def test_settings_are_frozen_and_every_one_is_described() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().top_k = 3
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
