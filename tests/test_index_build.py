"""Planning and building: what is taken over, what is built anew, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bri_qa.errors import IndexBusyError, IndexCorruptError, IndexMissingError, IndexStaleError
from bri_qa.index import Change, EmbeddedIndex, Identity, Manifest, build, plan
from bri_qa.types import Document, Filters, Passage, Source
from tests.fakes import CountingEmbedder, document, lines

A = document("a", "the first line\nthe second line of a", publisher="Gazette")
B = document("b", "one line of b")
C = document("c", "one line of c\nand another")


def identity(embedder: CountingEmbedder) -> Identity:
    return Identity(embedder.name, embedder.fingerprint, embedder.dim, 160, 40)


IDENTITY = identity(CountingEmbedder())


def refresh(folder: Path, documents: Sequence[Document]) -> tuple[Change, list[str]]:
    """What changed, and which passages were embedded."""
    embedder = CountingEmbedder()
    planned = plan(folder, documents, IDENTITY)
    build(planned, embedder, lines)
    return planned.change, embedder.embedded


def generation(folder: Path) -> Path:
    return folder / (folder / "CURRENT").read_text(encoding="utf-8").strip()


def texts(index: EmbeddedIndex, word: str) -> list[str]:
    return [hit.passage.text for hit in index.search_lexical(word, 10, Filters())]


def test_the_first_build_adds_everything_and_says_why(tmp_path: Path) -> None:
    planned = plan(tmp_path / "new" / "index", [B, A], IDENTITY)
    assert planned.change == Change(("a", "b"), (), (), (), "there is no index yet") and planned.change
    assert not (tmp_path / "new").exists()  # a plan writes nothing
    manifest = build(planned, CountingEmbedder(), lines)
    assert (manifest.documents, manifest.passages, manifest.identity) == (2, 3, IDENTITY)
    assert EmbeddedIndex.open(tmp_path / "new" / "index", IDENTITY).documents() == [A, B]


def test_only_what_is_new_is_embedded(tmp_path: Path) -> None:
    refresh(tmp_path, [A, B, C])
    changed = document("b", "one other line of b")
    added = document("d", "d is new")
    assert refresh(tmp_path, [A, added, changed]) == (
        Change(added=("d",), changed=("b",), removed=("c",), unchanged=("a",)),
        ["one other line of b", "d is new"],
    )
    index = EmbeddedIndex.open(tmp_path, IDENTITY)
    assert index.documents() == [A, changed, added]
    assert sorted(texts(index, "line")) == ["one other line of b", "the first line", "the second line of a"]
    assert texts(index, "another") == []


def test_a_second_run_changes_nothing_and_makes_no_duplicates(tmp_path: Path) -> None:
    refresh(tmp_path, [A, B])
    planned = plan(tmp_path, [B, A], IDENTITY)
    assert planned.change == Change((), (), (), ("a", "b")) and not planned.change
    assert planned.base is not None and planned.base.manifest.passages == 3
    change, embedded = refresh(tmp_path, [A, B])
    assert not change and embedded == []
    index = EmbeddedIndex.open(tmp_path, IDENTITY)
    assert index.manifest.passages == 3 and len(texts(index, "line")) == 3


def test_a_new_title_or_date_is_a_change_that_embeds_nothing(tmp_path: Path) -> None:
    refresh(tmp_path, [A, B])
    renamed = replace(A, source=Source("Another title", "Gazette", "2025-07-01", licence="CC BY 4.0"))
    change, embedded = refresh(tmp_path, [renamed, B])
    assert change == Change((), ("a",), (), ("b",)) and embedded == []
    index = EmbeddedIndex.open(tmp_path, IDENTITY)
    assert index.document("a") == renamed
    assert [hit.passage.document_id for hit in index.search_lexical("line", 9, Filters(published_from="2025"))] == [
        "a",
        "a",
    ]


def test_vectors_are_taken_over_bit_for_bit(tmp_path: Path) -> None:
    embedder = CountingEmbedder()
    refresh(tmp_path, [B, C])
    refresh(tmp_path, [A, C])  # other row numbers, and vectors in another order
    refresh(tmp_path, [A, B, C])
    index = EmbeddedIndex.open(tmp_path, IDENTITY)
    for item in (A, B, C):
        for passage in lines(item):
            hit = index.search_dense(embedder.embed_query(passage.text), 1, Filters(document_ids=(item.id,)))[0]
            assert hit.passage == passage and hit.score == pytest.approx(1, abs=1e-6)


def test_progress_counts_the_passages_to_embed(tmp_path: Path) -> None:
    long = document("long", "\n".join(f"line {n}" for n in range(600)))
    seen: list[tuple[int, int]] = []
    refresh(tmp_path, [A])
    build(
        plan(tmp_path, [A, long], IDENTITY), CountingEmbedder(), lines, lambda done, total: seen.append((done, total))
    )
    assert seen == [(0, 600), (256, 600), (512, 600), (600, 600)]


def test_the_corpus_hash_is_of_ids_texts_and_sources_only(tmp_path: Path) -> None:
    def corpus_hash(name: str, documents: Sequence[Document]) -> str:
        return build(plan(tmp_path / name, documents, IDENTITY), CountingEmbedder(), lines).corpus_sha256

    first = corpus_hash("one", [A, B])
    assert corpus_hash("two", [B, A]) == first
    others = [[A], [A, document("b2", B.text)], [A, document("b", "other")], [A, replace(B, source=Source("x"))]]
    assert len({first, *(corpus_hash(f"other{n}", other) for n, other in enumerate(others))}) == 5


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (replace(IDENTITY, embedder="all-MiniLM-L6-v2"), "built with embedder hashing, not all-MiniLM-L6-v2"),
        (replace(IDENTITY, fingerprint="0" * 64), "built with fingerprint"),
        (replace(IDENTITY, passage_tokens=200), "built with passage_tokens 160, not 200"),
        (replace(IDENTITY, overlap_tokens=0), "built with overlap_tokens 40, not 0"),
        (identity(CountingEmbedder(32)), "built with fingerprint"),
    ],
)
def test_an_index_of_another_making_is_refused_and_built_anew(tmp_path: Path, wanted: Identity, message: str) -> None:
    refresh(tmp_path, [A, B])
    with pytest.raises(IndexStaleError, match=f"{message}.*run `bri-qa index`"):
        EmbeddedIndex.open(tmp_path, wanted)
    planned = plan(tmp_path, [A, B], wanted)
    assert planned.base is None and planned.change.reason is not None
    assert message in planned.change.reason and planned.change.added == ("a", "b")
    embedder = CountingEmbedder(wanted.dim)
    build(planned, embedder, lines)
    assert len(embedder.embedded) == 3
    assert EmbeddedIndex.open(tmp_path, wanted).documents() == [A, B]


def test_an_index_of_another_format_is_refused(tmp_path: Path) -> None:
    refresh(tmp_path, [A])
    path = generation(tmp_path) / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "format": 2}), encoding="utf-8")
    with pytest.raises(IndexStaleError, match=r"has format 2, this program reads 4; .*run `bri-qa index`"):
        EmbeddedIndex.open(tmp_path, IDENTITY)
    assert refresh(tmp_path, [A])[1] == ["the first line", "the second line of a"]


@pytest.mark.parametrize("content", ["[]", '{"format": 4}', "null", "", "\x00", '{"format": 4, "files": [], "x": 1}'])
def test_what_is_no_manifest_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content, encoding="utf-8")
    with pytest.raises(IndexCorruptError, match="run `bri-qa index`"):
        Manifest.read(tmp_path)


def test_where_nothing_was_built_the_error_says_how_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for folder in (tmp_path, tmp_path / "nowhere", tmp_path / "file"):
        with pytest.raises(IndexMissingError, match=r"there is no index in .*run `bri-qa index` first"):
            EmbeddedIndex.open(folder, IDENTITY)


def test_a_change_of_groups_alone_embeds_nothing_and_is_there_at_once(tmp_path: Path) -> None:
    refresh(tmp_path, [A, B])
    index = EmbeddedIndex.open(tmp_path, IDENTITY)
    before = index.manifest.corpus_sha256
    closed = replace(A, source=replace(A.source, groups=("board", "press")))
    assert refresh(tmp_path, [closed, B]) == (Change((), ("a",), (), ("b",)), [])
    assert index.snapshot().documents() == [closed, B]
    assert index.manifest.corpus_sha256 != before
    nobody, press = Filters(groups=frozenset()), Filters(groups=frozenset({"press", "x"}))
    for filters, found in ((nobody, ["b"]), (press, ["a", "a", "b"]), (Filters(), ["a", "a", "b"])):
        hits = index.search_dense(CountingEmbedder().embed_query("line"), 10, filters)
        assert sorted(hit.passage.document_id for hit in hits) == found
        assert sorted(hit.passage.document_id for hit in index.search_lexical("line", 10, filters)) == found


def test_where_nothing_is_restricted_groups_cost_no_search_anything(tmp_path: Path) -> None:
    refresh(tmp_path, [A, B])
    generation = EmbeddedIndex.open(tmp_path, IDENTITY).snapshot()
    assert generation._allowed(Filters(groups=frozenset())) is None
    assert generation._allowed(Filters(document_ids=("a",), groups=frozenset())) == ["a"]


def test_a_second_builder_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    def cut_while_another_builds(item: Document) -> list[Passage]:
        with pytest.raises(IndexBusyError, match=r"another process is building the index in .*wait"):
            build(plan(tmp_path, [B], IDENTITY), CountingEmbedder(), lines)
        return lines(item)

    build(plan(tmp_path, [A], IDENTITY), CountingEmbedder(), cut_while_another_builds)
    assert EmbeddedIndex.open(tmp_path, IDENTITY).documents() == [A]
    refresh(tmp_path, [B])  # the lock was given back
    assert EmbeddedIndex.open(tmp_path, IDENTITY).documents() == [B]


def test_a_build_that_fails_leaves_the_old_index_and_nothing_else(tmp_path: Path) -> None:
    def cut_badly(item: Document) -> list[Passage]:
        raise KeyboardInterrupt

    refresh(tmp_path, [A])
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt):
        build(plan(tmp_path, [B], IDENTITY), CountingEmbedder(), cut_badly)
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert EmbeddedIndex.open(tmp_path, IDENTITY).documents() == [A]


FILES = ["manifest.json", "articles.sqlite", "vectors.faiss", "words/meta.json", "words/*.term", "words/*.store"]


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "flipped", "folder"])
@pytest.mark.parametrize("pattern", FILES)
def test_a_damaged_file_is_noticed_and_the_next_build_mends_it(tmp_path: Path, pattern: str, damage: str) -> None:
    refresh(tmp_path, [A, B])
    harm(next(generation(tmp_path).glob(pattern)), damage)
    with pytest.raises(IndexCorruptError, match="run `bri-qa index`"):
        EmbeddedIndex.open(tmp_path, IDENTITY)
    change, embedded = refresh(tmp_path, [A, B])
    assert change.reason is not None and change.added == ("a", "b") and len(embedded) == 3
    assert EmbeddedIndex.open(tmp_path, IDENTITY).documents() == [A, B]


def test_every_file_is_in_the_manifest(tmp_path: Path) -> None:
    refresh(tmp_path, [A])
    there = {
        path.relative_to(generation(tmp_path)).as_posix() for path in generation(tmp_path).rglob("*") if path.is_file()
    }
    assert {*EmbeddedIndex.open(tmp_path, IDENTITY).manifest.files, "manifest.json"} == there


@pytest.mark.parametrize("pointer", ["", "generation-000009-0123456789abcdef", "../elsewhere", "\xff", None])
def test_a_damaged_pointer_is_noticed_and_the_next_build_mends_it(tmp_path: Path, pointer: str | None) -> None:
    refresh(tmp_path / "index", [A])
    (tmp_path / "elsewhere").mkdir()
    path = tmp_path / "index" / "CURRENT"
    if pointer is None:
        generation(tmp_path / "index").rename(tmp_path / "index" / "away")
    else:
        path.write_bytes(pointer.encode("latin-1"))
    with pytest.raises(IndexCorruptError, match="run `bri-qa index`"):
        EmbeddedIndex.open(tmp_path / "index", IDENTITY)
    assert refresh(tmp_path / "index", [A])[0].reason is not None
    assert EmbeddedIndex.open(tmp_path / "index", IDENTITY).documents() == [A]


def harm(path: Path, damage: str) -> None:
    data = path.read_bytes()
    path.unlink()
    if damage == "empty":
        path.touch()
    elif damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "flipped":
        middle = len(data) // 2
        path.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
    elif damage == "folder":
        path.mkdir()
