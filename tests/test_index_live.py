"""Publishing beside readers: killed builders, running readers, generations kept and removed."""

from __future__ import annotations

import gc
import json
import logging
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from bri_qa.index import EmbeddedIndex, Identity, build, plan
from bri_qa.types import Document, Filters
from tests.fakes import CountingEmbedder, document, lines

EMBEDDER = CountingEmbedder()
IDENTITY = Identity(EMBEDDER.name, EMBEDDER.fingerprint, EMBEDDER.dim, 160, 40)


def edition(number: int) -> list[Document]:
    """A corpus whose every line names its edition."""
    return [document(f"{letter}", f"words of edition {number}\nmore words {number}") for letter in "abc"]


def publish(folder: Path, documents: Sequence[Document]) -> Path:
    """Build and publish; the folder of the generation."""
    build(plan(folder, documents, IDENTITY), EMBEDDER, lines)
    return folder / (folder / "CURRENT").read_text(encoding="utf-8").strip()


def generations(folder: Path) -> list[Path]:
    return sorted(folder.glob("generation-*"))


def test_a_build_killed_at_any_moment_leaves_an_index_that_answers(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.index_killing", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and done.stderr == ""
    moments = json.loads(done.stdout)
    assert len(moments) > 40
    assert [moment["killed"] for moment in moments] == [True] * (len(moments) - 1) + [False]
    old = ["old words of a", "words of b"]
    new = ["new words of a", "words of b", "words of c"]
    after = [moment["after"] for moment in moments]
    published = after.index(new)
    assert published > 40 and after == [old] * published + [new] * (len(after) - published)
    for moment in moments:
        assert moment["mended"] == new
        assert [name.partition("-")[0] for name in moment["left"]] == [".lock", "CURRENT", "generation", "generation"]


def test_the_current_generation_and_the_one_before_are_kept(tmp_path: Path) -> None:
    published = [publish(tmp_path, edition(n)) for n in range(4)]
    assert generations(tmp_path) == published[2:]
    assert len({path.name for path in published}) == 4


def test_readers_get_each_new_index_and_no_question_fails(tmp_path: Path) -> None:
    publish(tmp_path, edition(0))
    index = EmbeddedIndex.open(tmp_path, IDENTITY)
    over = Event()

    def ask() -> list[str]:
        """The editions that were seen; one snapshot never mixes two."""
        seen = [""]
        while not over.is_set() or len(seen) < 2:
            now = index.snapshot()
            hits = now.search_lexical("words", 9, Filters())
            hits += now.search_dense(EMBEDDER.embed_query("more words"), 9, Filters())
            editions = {hit.passage.text.rpartition(" ")[2] for hit in hits}
            editions |= {item.text.rpartition(" ")[2] for item in now.documents()}
            assert len(hits) == 12 and len(editions) == 1
            seen += editions - {seen[-1]}
        return seen[1:]

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        try:
            for n in range(1, 8):
                publish(tmp_path, edition(n))
        finally:
            over.set()
        for one in asking:
            seen = one.result()
            assert seen == sorted(seen)  # never back to an older one
    assert index.documents() == edition(7)


def test_generations_that_nobody_reads_are_let_go(tmp_path: Path) -> None:
    publish(tmp_path, edition(0))
    index = EmbeddedIndex.open(tmp_path, IDENTITY)
    gc.collect()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for n in range(1, 9):
        publish(tmp_path, edition(n))
        assert index.search_lexical("words", 1, Filters())
    gc.collect()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 2


def test_an_index_deleted_and_built_again_is_a_new_one(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    publish(folder, edition(1))
    index = EmbeddedIndex.open(folder, IDENTITY)
    shutil.rmtree(folder)
    publish(folder, edition(2))
    assert index.documents() == edition(2)


def test_an_index_deleted_under_a_reader_goes_on_answering(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "index"
    publish(folder, edition(1))
    index = EmbeddedIndex.open(folder, IDENTITY)
    shutil.rmtree(folder)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert len(index.search_lexical("words", 9, Filters())) == 6
            assert len(index.search_dense(EMBEDDER.embed_query("words"), 9, Filters())) == 6
            assert index.passages("a") == lines(edition(1)[0])
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "there is no index" in caplog.text


def test_a_new_index_that_cannot_be_used_is_reported_once_and_the_old_one_answers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    publish(tmp_path, edition(1))
    index = EmbeddedIndex.open(tmp_path, IDENTITY)
    (publish(tmp_path, edition(2)) / "vectors.faiss").write_bytes(b"damaged")
    other = Identity("another", EMBEDDER.fingerprint, EMBEDDER.dim, 160, 40)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert index.documents() == edition(1)
        build(plan(tmp_path, edition(3), other), EMBEDDER, lines)
        for _ in range(3):
            assert index.documents() == edition(1)
    damaged, stale = (record.message for record in caplog.records)
    assert "vectors.faiss is damaged" in damaged and "built with embedder another" in stale
    publish(tmp_path, edition(4))
    assert index.documents() == edition(4) and index.manifest.documents == 3


def test_a_plan_stays_good_while_another_builder_publishes(tmp_path: Path) -> None:
    publish(tmp_path, edition(1))
    planned = plan(tmp_path, [*edition(1), document("d", "d is new")], IDENTITY)
    for n in range(2, 5):
        publish(tmp_path, edition(n))
    assert planned.base is not None and not planned.base.folder.exists()
    build(planned, EMBEDDER, lines)
    assert EmbeddedIndex.open(tmp_path, IDENTITY).documents() == [*edition(1), document("d", "d is new")]
