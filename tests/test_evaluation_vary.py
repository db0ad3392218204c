"""Several configurations in one go, over the real pipeline with hashed words for vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bri_qa.errors import BriQAError, InputError, SettingsError
from bri_qa.evaluation import Plan, perform
from bri_qa.evaluation.vary import Indexes, configurations
from bri_qa.settings import Settings
from tests.articles import settings_in

CASES: list[dict[str, Any]] = [
    {"id": "long", "question": "How long is the new quay?", "answers": ["640 metres"], "kind": "number",
     "evidence": [{"document_id": "harbour", "quote": "The new quay is 640 metres long"}]},
    {"id": "zebra", "question": "Zebra quilts glow?", "answers": [], "kind": "none"},
]  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in CASES), encoding="utf-8")
    return settings_in(tmp_path).model_copy(update={"reader": "sentences", "abstain_below": 0.3})


def test_each_combination_of_values_is_a_configuration(settings: Settings) -> None:
    found = configurations(settings, ["retrieval=dense, lexical", "BRI_QA_TOP_K=3,5"])
    assert [item.name for item in found] == [
        "retrieval=dense, top_k=3",
        "retrieval=dense, top_k=5",
        "retrieval=lexical, top_k=3",
        "retrieval=lexical, top_k=5",
    ]
    assert (found[3].settings.retrieval, found[3].settings.top_k) == ("lexical", 5)
    assert found[0].settings == settings.model_copy(update={"retrieval": "dense", "top_k": 3})
    assert found[0].folder == "retrieval=dense_top_k=3"


@pytest.mark.parametrize(
    ("varied", "said"),
    [
        (["retrieval"], "--vary retrieval: write a setting and its values"),
        (["retrieval=dense,"], "write a setting and its values"),
        (["retriever=dense"], "there is no setting 'retriever'; docs/settings.md"),
        (["top_k=3", "top_k=5"], "top_k is varied twice"),
        (["top_k=3,0"], "BRI_QA_TOP_K: Input should be greater than or equal to 1"),
        (["retrieval=dense,vague"], "BRI_QA_RETRIEVAL"),
    ],
)
def test_what_cannot_be_varied_is_refused(settings: Settings, varied: list[str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        configurations(settings, varied)


def test_configurations_are_shown_side_by_side_and_held_against_the_first(settings: Settings, tmp_path: Path) -> None:
    plan = Plan(
        tmp_path / "cases.jsonl",
        report=tmp_path / "out",
        vary=("retrieval=lexical,dense", "abstain_below=0.3,1"),
        junit=tmp_path / "junit.xml",
    )
    told: list[tuple[int, int]] = []
    result = perform(plan, settings, from_corpus=True, progress=lambda done, total: told.append((done, total)))
    assert told == [(done, 8) for done in range(1, 9)]
    lines = result.text.splitlines()
    assert lines[:2] == ["(1) retrieval=lexical, abstain_below=0.3", "(2) retrieval=lexical, abstain_below=1"]
    [row] = [line.split() for line in lines if line.startswith("false_abstention_rate")]
    assert row[:3] == ["false_abstention_rate", "0.000", "1.000"]
    assert "(2) retrieval=lexical, abstain_below=1: " in result.text and "0 cases improved, 1 broken" in result.text
    assert "peak_memory_mb" not in result.text
    assert not result.failed
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        "vary.json",
        *(f"retrieval={how}_abstain_below={below}" for how in ("lexical", "dense") for below in ("0.3", "1")),
    }
    written = json.loads((tmp_path / "out" / "vary.json").read_text(encoding="utf-8"))
    assert [item["id"] for item in written["retrieval=lexical, abstain_below=1"]["cases"]["broken"]] == ["long"]
    assert result.json["comparisons"] == written
    assert (tmp_path / "junit.xml").read_text(encoding="utf-8").count("<testsuite ") == 4


def test_a_missed_gate_of_any_configuration_fails(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "gates.json").write_text('{"gates": {"false_abstention_rate": {"max": 0.5}}}', encoding="utf-8")
    plan = Plan(tmp_path / "cases.jsonl", baseline=tmp_path / "gates.json", vary=("abstain_below=0.3,1",))
    result = perform(plan, settings, from_corpus=True)
    assert result.failed
    assert "missed by abstain_below=1: false_abstention_rate must be at most 0.5, but is 1.0000" in result.text


def test_one_index_is_built_for_all_that_ask_for_the_same(settings: Settings) -> None:
    found = configurations(settings, ["passage_tokens=64,160", "top_k=3,5", "overlap_tokens=10"])
    with Indexes.open() as indexes:
        folders = [indexes.usable(item.settings).index_dir for item in found]
        assert folders[0] == folders[1] != folders[2] == folders[3]
        assert all((folder / "CURRENT").exists() for folder in folders)
    assert not folders[0].exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"vary": ("passage_tokens=100,160",)}, "passage_tokens bears on the index; name the articles with --corpus"),
        ({"vary": ("top_k=3",), "against": Path("x")}, "leave out --against"),
        ({"vary": ("top_k=3",), "write_baseline": Path("x")}, "leave out --vary"),
    ],
)
def test_what_does_not_go_together_is_refused_at_once(
    settings: Settings, tmp_path: Path, more: dict[str, Any], said: str
) -> None:
    with pytest.raises((InputError, SettingsError), match=said) as caught:
        perform(Plan(tmp_path / "cases.jsonl", **more), settings, from_corpus=False)
    assert isinstance(caught.value, BriQAError)


def test_the_same_code_gives_the_same_scores(settings: Settings, tmp_path: Path) -> None:
    found = [perform(Plan(tmp_path / "cases.jsonl"), settings, from_corpus=True).json for _ in range(2)]
    for part in ("counts", "calibration", "risk_coverage", "by_document"):
        timeless = [json.loads(json.dumps(item[part])) for item in found]
        for item in timeless:
            for document in item.values() if part == "by_document" else []:
                document["summary"] = {k: v for k, v in document["summary"].items() if not k.startswith(("lat", "thr"))}
        assert timeless[0] == timeless[1]
    scores = [{k: v for k, v in item["summary"].items() if not k.startswith(("lat", "thr", "peak"))} for item in found]
    assert scores[0] == scores[1] and scores[0]["recall@1"] == 1


def test_a_baseline_is_written_and_passed(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "kept" / "baseline.json"
    assert not perform(Plan(tmp_path / "cases.jsonl", write_baseline=file), settings, from_corpus=True).failed
    held = perform(Plan(tmp_path / "cases.jsonl", baseline=file), settings, from_corpus=True)
    assert not held.failed
    assert "latency_p50" not in json.loads(file.read_text(encoding="utf-8"))["gates"]
