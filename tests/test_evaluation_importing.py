"""Imports: public formats to our own lines and a corpus folder that is read back as it was."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bri_qa import corpus
from bri_qa.errors import CaseError, InputError
from bri_qa.evaluation.cases import load
from bri_qa.evaluation.corpus_files import CorpusFolder
from bri_qa.evaluation.documents import shelf_of
from bri_qa.evaluation.formats.record import canonical
from bri_qa.evaluation.importing import Choice, import_cases, needs_documents
from bri_qa.types import Document, Source
from tests.fakes import HARBOUR_TEXT, document
from tests.test_evaluation_formats import CSV, QUAY, beir, qa, rated, squad, written


def loaded(cases: Path, folder: Path) -> Any:
    shelf = shelf_of(corpus.load(folder, 1_000_000).documents)
    return load(cases, shelf.documents, shelf.everything).cases


def test_squad_is_imported_with_its_articles_and_every_answer_located(tmp_path: Path) -> None:
    twice = squad(qa(("640 metres", 16)), qa(("takes", 36), id="r"), context=QUAY)
    second = {"context": "It takes a day.", "qas": [qa(("takes", 3), id="s")]}
    twice["data"][0]["paragraphs"].append(second)
    file, to, folder = written(tmp_path, twice), tmp_path / "out.jsonl", tmp_path / "articles"
    done = import_cases(file, to, folder, None)
    assert (done.format, done.cases, done.articles, done.drafts) == ("squad", 3, 1, 0)
    [document_read] = corpus.load(folder, 1_000_000).documents
    assert (document_read.id, document_read.text) == ("Lindum", f"Lindum\n{QUAY}\nIt takes a day.")
    first, other, last = loaded(to, folder)
    assert [span.of(document_read.text) for span in first.evidence[0].spans] == ["640 metres"]
    starts = [case.evidence[0].spans[0].start for case in (other, last)]
    assert starts == [7 + 36, 7 + len(QUAY) + 1 + 3]  # "takes" stands twice: each keeps its place
    assert "start" not in json.loads(to.read_text(encoding="utf-8").splitlines()[0])["evidence"][0]


def test_squad_without_a_corpus_folder_is_located_in_what_is_indexed(tmp_path: Path) -> None:
    file = written(tmp_path, squad(qa(("640 metres", 16))))
    assert needs_documents(file)
    harbour = document("harbour", HARBOUR_TEXT)
    import_cases(file, tmp_path / "out.jsonl", None, shelf_of((harbour,)))
    [line] = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["evidence"] == [{"document_id": "harbour", "quote": "640 metres"}]
    with pytest.raises(CaseError, match=r"qas\[0\]: no indexed document holds"):
        import_cases(file, tmp_path / "other.jsonl", None, shelf_of(()))
    assert not (tmp_path / "other.jsonl").exists()


def test_beir_is_imported_without_documents_that_are_empty_or_there_twice(tmp_path: Path) -> None:
    texts = {"MED 1": QUAY, "med-1": f"{QUAY} ", "d2": "The repairs cost 48 million crowns.", "d3": " "}
    lines = "".join(json.dumps({"_id": name, "text": text}) + "\n" for name, text in texts.items())
    folder = beir(tmp_path, corpus_jsonl=lines, test_tsv="1\tmed-1\t2\n2\td2\t1\n")
    done = import_cases(folder, tmp_path / "out.jsonl", tmp_path / "articles", None)
    assert (done.cases, done.articles, done.merged, done.empty) == (2, 2, 1, 1)
    first, second = loaded(tmp_path / "out.jsonl", tmp_path / "articles")
    assert first.evidence[0].document_id.startswith("MED-1-")
    assert (first.evidence[0].relevance, second.evidence[0].document_id, second.split) == (2, "d2", "test")


def test_a_table_and_feedback_need_no_documents(tmp_path: Path) -> None:
    table, feedback = written(tmp_path, CSV, "a.csv"), written(tmp_path, rated(comment="Wrong."), "b.jsonl")
    to = tmp_path / "out.jsonl"
    assert not needs_documents(table) and not needs_documents(feedback)
    assert import_cases(table, to, None, None).cases == 3
    done = import_cases(feedback, to, None, None, Choice(append=True))
    assert (done.cases, done.drafts, done.known) == (1, 1, 0)
    last = json.loads(to.read_text(encoding="utf-8").splitlines()[-1])
    assert last == {
        "id": "feedback-7",
        "question": "How long?",
        "kind": "other",
        "tags": ["draft", "feedback"],
        "note": "down: Wrong.",
    }
    again = import_cases(feedback, to, None, None, Choice(append=True))
    assert (again.cases, again.known, len(to.read_text(encoding="utf-8").splitlines())) == (0, 1, 4)


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    table, to = written(tmp_path, CSV, "a.csv"), written(tmp_path, "precious", "out.jsonl")
    with pytest.raises(CaseError, match="is there already; name another file, or add to it with --append"):
        import_cases(table, to, None, None)
    with pytest.raises(InputError, match=r"is not empty \(a.csv\)|is not empty \(out.jsonl\)"):
        import_cases(written(tmp_path, squad(qa(("640", 16)))), tmp_path / "new.jsonl", tmp_path, None)
    assert to.read_text(encoding="utf-8") == "precious"


def test_a_sample_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    rows = "question,unanswerable\n" + "".join(f"Question {n}?,yes\n" for n in range(50))
    file = written(tmp_path, rows, "a.csv")

    def drawn(name: str, seed: int) -> list[str]:
        import_cases(file, tmp_path / name, None, None, Choice(sample=5, seed=seed))
        return [json.loads(line)["id"] for line in (tmp_path / name).read_text(encoding="utf-8").splitlines()]

    first = drawn("a", 1)
    assert (len(first), first == drawn("b", 1), first == drawn("c", 2)) == (5, True, False)
    assert first == sorted(first, key=lambda name: int(name.removeprefix("row-")))


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=60)


@given(TEXTS, TEXTS, st.sampled_from(["", "---\n", "\n", "id: x\n---\n"]))
def test_a_document_is_read_back_character_for_character(title: str, text: str, lead: str) -> None:
    from tempfile import TemporaryDirectory

    body = canonical(lead + text)
    name = " ".join(canonical(title).split())
    item = Document("a/b", body, Source(name or "x", published="2024-05"), sha256(body.encode()).hexdigest())
    with TemporaryDirectory() as folder:
        wrote = CorpusFolder(Path(folder)).add(item)
        back = corpus.load(Path(folder), 1_000_000)
        assert (wrote is None) == (not any(map(str.isalnum, body)))
        assert back.rejected == ()
        assert list(back.documents) == ([item] if wrote else [])


def test_files_of_articles_never_meet_and_none_is_taken_for_something_else(tmp_path: Path) -> None:
    folder = CorpusFolder(tmp_path)
    names = ["examples", "Examples", "sources", "README", "a/b", "a-b", "日本", "..."]
    for at, name in enumerate(names):
        folder.add(document(name, f"Text {at}"))
    assert folder.written == len(names) == len(list(tmp_path.glob("*.txt")))
    kept = [item.id for item in corpus.load(tmp_path, 1_000).documents]
    assert sorted(kept) == sorted(name for name in names if name != "...")
