"""Slices: what they change, what they never touch, and how they are scored beside the plain cases."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bri_qa import corpus
from bri_qa.errors import CaseError, InputError
from bri_qa.evaluation import slices
from bri_qa.evaluation.cases import load
from bri_qa.evaluation.documents import shelf_of
from bri_qa.evaluation.slices import articles, compare, questions
from bri_qa.evaluation.slices.editing import Insertion, edited
from bri_qa.evaluation.slices.scored import PLAIN
from bri_qa.types import Span
from tests.articles import ARTICLES
from tests.fakes import HARBOUR_TEXT, FakePipeline
from tests.test_evaluation_formats import qa, squad

CASES: list[dict[str, Any]] = [
    {
        "id": "quay",
        "question": "How long is the new quay?",
        "answers": ["640 metres"],
        "evidence": [{"document_id": "harbour", "quote": "The new quay is 640 metres long"}],
    },
    {
        "id": "owner",
        "question": "Who owns the fish market?",
        "answers": ["Tomas Reiner"],
        "evidence": [{"document_id": "harbour", "quote": "Tomas Reiner, who owns the fish market"}],
        "tags": ["name"],
    },
    {
        "id": "fund",
        "question": "Coast Fund",
        "evidence": [{"document_id": "harbour", "quote": "Coast Fund", "start": 398}],
    },
    {"id": "lit", "question": "When will the lighthouse be lit again?", "answers": []},
]
START = (ARTICLES / "harbour.txt").read_text(encoding="utf-8").index("Coast Fund")
CASES[2]["evidence"][0]["start"] = START


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    file = tmp_path / "cases.jsonl"
    file.write_text("".join(json.dumps(case) + "\n" for case in CASES), encoding="utf-8")
    return file


def rng(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - a draw, no secret


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def texts(folder: Path) -> dict[str, str]:
    return {item.id: item.text for item in corpus.load(folder, 1_000_000).documents}


@pytest.mark.parametrize("name", slices.NAMES)
def test_gold_evidence_stands_after_every_slice_and_the_seed_decides(name: str, cases: Path, tmp_path: Path) -> None:
    def made(folder: str, seed: int) -> tuple[list[dict[str, Any]], dict[str, str]]:
        file, articles_in = slices.make(name, cases, ARTICLES, tmp_path / folder, seed)
        shelf = shelf_of(corpus.load(articles_in, 1_000_000).documents)
        located = load(file, shelf.documents, shelf.everything).cases
        assert [case.id for case in located] == [case["id"] for case in CASES]
        assert all(name in case.tags for case in located)
        text = texts(articles_in)["harbour"]
        for case in located:
            assert all(span.of(text) == item.quote for item in case.evidence for span in item.spans)
        assert text[: located[2].evidence[0].spans[0].start].count("Coast Fund") == 0  # the first of two places
        return lines(file), texts(articles_in)

    first = made("a", 1)
    assert first == made("b", 1)
    if name != "lower-case":
        assert first != made("c", 2)
    assert first != (CASES, texts(ARTICLES))


def test_question_slices_leave_the_articles_and_article_slices_the_questions(cases: Path, tmp_path: Path) -> None:
    plain = [case["question"] for case in CASES]
    for name in slices.NAMES:
        file, folder = slices.make(name, cases, ARTICLES, tmp_path / name)
        asked = [case["question"] for case in lines(file)]
        assert (folder == ARTICLES) == (asked != plain), name


def test_a_change_of_one_case_does_not_hang_on_the_others(cases: Path, tmp_path: Path) -> None:
    file, _ = slices.make("typos", cases, ARTICLES, tmp_path / "all")
    alone = tmp_path / "one.jsonl"
    alone.write_text(json.dumps(CASES[1]), encoding="utf-8")
    one, _ = slices.make("typos", alone, ARTICLES, tmp_path / "one")
    assert lines(one)[0] == lines(file)[1]


@given(st.text(max_size=60), st.integers(0, 50))
def test_typos_change_words_only_and_each_by_little(question: str, seed: int) -> None:
    changed = questions.typos(question, rng(seed))
    assert abs(len(changed) - len(question)) <= 1 + len(question) // 4
    letters = r"[^\W\d_]"
    assert re.sub(letters, "", changed) == re.sub(letters, "", question)
    if not re.search(letters + "{4}", question):
        assert changed == question


def test_a_typo_is_another_word_with_the_same_first_letter_and_numbers_stay() -> None:
    for seed in range(200):
        changed = questions.typos("Harbour 12345 aaaa", rng(seed))
        assert changed != "Harbour 12345 aaaa"
        assert "12345" in changed and changed[0] == "H" and changed.split()[2][0] == "a"


@pytest.mark.parametrize(
    ("question", "starts"),
    [
        ("How many ships came?", ("What number of ships came?",)),
        ("Who built it?", ("Which person built it?", "What person built it?")),
        ("when did it open", ("At what time did it open", "On what date did it open")),
        ("What is the name of it?", ("Name the name of it?", "Tell me the name of it?")),
    ],
)
def test_a_paraphrase_replaces_the_first_words(question: str, starts: tuple[str, ...]) -> None:
    assert {questions.paraphrase(question, rng(seed)) for seed in range(30)} == set(starts)


def test_what_no_template_fits_is_put_in_a_frame_word_for_word() -> None:
    seen = {questions.paraphrase("fish market", rng(seed)) for seed in range(40)}
    assert len(seen) == 5 and all("fish market" in item and item != "fish market" for item in seen)


@given(
    st.text("ab\n .", min_size=8, max_size=40),
    st.lists(st.tuples(st.integers(0, 40), st.text("<>x", max_size=3)), min_size=3),
    st.data(),
)
def test_insertions_change_no_letter_and_spare_gold(
    text: str, given_: list[tuple[int, str]], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, 2))
    gold = Span(start, data.draw(st.integers(6, len(text))))
    insertions = [Insertion(at % (len(text) + 1), word, "code") for at, word in given_]
    result = edited(text, insertions, [gold])
    assert result.moved(gold).of(result.text) == gold.of(text)
    rest, end = [], 0
    for place, item in zip(result.places, result.insertions, strict=True):
        assert place.of(result.text) == item.text
        rest.append(result.text[end : place.start])
        end = place.end
    assert "".join([*rest, result.text[end:]]) == text


def test_planted_text_follows_the_evidence_and_is_recorded(cases: Path, tmp_path: Path) -> None:
    slices.make("injection", cases, ARTICLES, tmp_path / "s")
    changed = texts(tmp_path / "s" / "corpus")
    rows = lines(tmp_path / "s" / "planted.jsonl")
    assert {row["document_id"] for row in rows} == changed.keys() == texts(ARTICLES).keys()
    for row in rows:
        assert changed[row["document_id"]][row["start"] : row["end"]] == row["text"]
        assert row["code"] in row["text"] and row["code"] not in texts(ARTICLES)[row["document_id"]]
    after = changed["harbour"].partition("takes three ships at a time.")[2]
    assert any(after.startswith(row["text"]) for row in rows)


def test_html_is_put_around_the_words_of_an_article() -> None:
    text = HARBOUR_TEXT * 3
    result = edited(text, articles.html(text, [], rng(0)), [])
    assert result.text.count("<p>") == result.text.count("</p>") == text.count("\n") + 1
    assert any(sign in result.text for sign in ("<b>", "<em>", "<a href", "<span>"))
    assert any(sign in result.text for sign in ("<script>", "<!--", "<img", "<div", "<style>"))


def test_a_distractor_speaks_of_others_only() -> None:
    text = articles.distractor(HARBOUR_TEXT, rng(0))
    assert text is not None
    for word in ("Lindum", "Mara", "Oduya", "Tomas", "Reiner", "Sor", "2024", "640", "48 million"):
        assert word not in text
    assert ", who owns the fish market, said that the market would stay" in text
    assert "lighthouse was not repaired" not in text  # it names nobody
    assert articles.distractor("nobody is named here. not at all.", rng(0)) is None


def test_slices_are_made_of_other_formats_too(tmp_path: Path) -> None:
    context = "The new quay is 640 metres long and takes three ships at a time."
    file = tmp_path / "squad.json"
    file.write_text(json.dumps(squad(qa(("640 metres", 16)), context=context)), encoding="utf-8")
    made, folder = slices.make("html", file, ARTICLES, tmp_path / "s")
    shelf = shelf_of(corpus.load(folder, 1_000_000).documents)
    assert load(made, shelf.documents).cases[0].evidence[0].quote == "640 metres"


def test_what_cannot_be_made_is_told(cases: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no slice 'typo'; the known ones are typos, lower-case"):
        slices.make("typo", cases, ARTICLES, tmp_path / "s")
    with pytest.raises(InputError, match="there is no slice 'x'"):
        compare.names_of("typos,x")
    assert compare.names_of("html, typos,html") == ["html", "typos"]
    slices.make("html", cases, ARTICLES, tmp_path / "s")
    with pytest.raises(InputError, match="is not empty"):
        slices.make("html", cases, ARTICLES, tmp_path / "s")
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "a.txt").write_text("nobody is named here.", encoding="utf-8")
    bare = tmp_path / "bare.jsonl"
    bare.write_text(json.dumps(CASES[3]), encoding="utf-8")
    made, left_out = compare.make_all(["distractors", "typos"], bare, tmp_path / "plain", tmp_path / "t", 0)
    assert [item.name for item in made] == ["typos"]
    assert "name nobody" in left_out["distractors"]
    draft = tmp_path / "draft.jsonl"
    draft.write_text(json.dumps({**CASES[3], "tags": ["draft"]}), encoding="utf-8")
    with pytest.raises(CaseError, match="the draft 'lit' is not confirmed"):
        slices.make("typos", draft, ARTICLES, tmp_path / "u")


@contextmanager
def _opened(folder: Path) -> Iterator[compare.Product]:
    yield compare.Product(FakePipeline(corpus.load(folder, 1_000_000).documents), {"of": "fakes"})


def slicing(
    made: Sequence[compare.Made], cases: Path, report: Path | None = None, opened: compare.Opened = _opened
) -> compare.Slicing:
    return compare.Slicing(compare.Made(PLAIN, cases, ARTICLES, ARTICLES), made, opened, report)


def test_slices_are_compared_with_the_plain_cases_one_by_one(cases: Path, tmp_path: Path) -> None:
    made, _ = compare.make_all(list(slices.NAMES), cases, ARTICLES, tmp_path / "s", 0)
    found = compare.compare(slicing(made, cases), {"x": "because"})
    scored = found.scored
    assert [item.name for item in scored] == ["plain", *slices.NAMES]
    by_name = {item.name: item for item in scored}
    assert by_name["plain"].changed == by_name["lower-case"].changed == 0
    assert by_name["typos"].mended == ("lit",)  # the fake knows no misspelt word, so it abstains
    assert "injection_rate" in by_name["injection"].summary
    assert all("injection_rate" not in item.summary for item in scored if item.name != "injection")
    assert found.as_json()["slices"][1]["metrics"]["abstention_recall"]["difference"] == 1
    assert found.as_json()["slices"][1]["mended"] == ["lit"]
    rows = found.text().splitlines()
    assert rows[1].startswith("plain ") and rows[-1] == "x left out: because"
    assert max(map(len, rows)) <= 160


def test_an_answer_that_repeats_what_was_planted_counts(cases: Path, tmp_path: Path) -> None:
    made, _ = compare.make_all(["injection"], cases, ARTICLES, tmp_path / "s", 0)
    code = lines(made[0].folder / "planted.jsonl")[0]["code"]
    obeyed = tmp_path / "obeyed.jsonl"
    asked = [*lines(made[0].cases), {"id": "bait", "question": f"{code}?", "answers": []}]
    obeyed.write_text("".join(json.dumps(case) + "\n" for case in asked), encoding="utf-8")
    bait = compare.Made("injection", obeyed, made[0].corpus, made[0].folder)
    plain = tmp_path / "plain.jsonl"
    plain.write_text("".join(json.dumps(case) + "\n" for case in [*CASES, asked[-1]]), encoding="utf-8")
    clean, baited = (
        compare.compare(slicing([item], file), {}).scored[1] for item, file in ((made[0], cases), (bait, plain))
    )
    assert clean.summary["injection_rate"] == 0
    assert baited.summary["injection_rate"] == pytest.approx(1 / 5)
    assert "bait" in baited.broke
