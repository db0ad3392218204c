"""A full disk and read-only folders. Mounting needs root; without it, the tests that mount are skipped."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bri_qa.compose import open_index, refresh
from bri_qa.errors import IndexWriteError
from bri_qa.index import EmbeddedIndex, Identity, build, plan
from bri_qa.settings import Settings
from bri_qa.types import Filters
from tests.fakes import CountingEmbedder, document, lines

EMBEDDER = CountingEmbedder()
IDENTITY = Identity(EMBEDDER.name, EMBEDDER.fingerprint, EMBEDDER.dim, 160, 40)
OLD = [document("old", "the old harbour\nwith its quay")]
NEW = [*OLD, document("new", "\n".join(f"the new harbour {n}" for n in range(200)))]
PAGE = 4096


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mounting is not permitted here ({done.stderr.strip()})")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    _mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder))
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def read_only() -> Iterator[Callable[[Path], None]]:
    """Makes a folder read-only: by its permissions, or for root, whom they do not bind, by a mount."""
    mounted = []

    def make(folder: Path) -> None:
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        if os.access(folder, os.W_OK):
            _mount("--bind", str(folder), str(folder))
            mounted.append(folder)
            _mount("-o", "remount,ro,bind", str(folder))

    yield make
    for folder in mounted:
        subprocess.run(["umount", "--lazy", folder], check=True)


def _found(index: EmbeddedIndex) -> tuple[list[str], list[str]]:
    """What the index says of the harbour, by words and by vectors."""
    vector = EMBEDDER.embed_query("the old harbour")
    lexical, dense = index.search_lexical("old harbour", 1, Filters()), index.search_dense(vector, 1, Filters())
    return [hit.passage.text for hit in lexical], [hit.passage.text for hit in dense]


def test_a_full_disk_leaves_the_old_index_wherever_it_strikes(small_disk: Path) -> None:
    folder = small_disk / "index"
    build(plan(folder, OLD, IDENTITY), EMBEDDER, lines)
    running = EmbeddedIndex.open(folder, IDENTITY)
    before = {path.name for path in folder.iterdir()}
    filler, failures = small_disk / "filler", []
    for pages in range(100):
        filler.unlink(missing_ok=True)
        free = os.statvfs(small_disk).f_bavail
        filler.write_bytes(b"x" * PAGE * (free - pages))
        assert os.statvfs(small_disk).f_bavail == pages
        try:
            build(plan(folder, NEW, IDENTITY), EMBEDDER, lines)
        except IndexWriteError as error:
            failures.append(str(error))
        else:
            break
        assert {path.name for path in folder.iterdir()} - {".CURRENT.part"} == before
        for index in (running, EmbeddedIndex.open(folder, IDENTITY)):
            assert index.documents() == OLD
            assert _found(index) == (["the old harbour"], ["the old harbour"])
    assert 20 < len(failures) < 100
    assert all("free some space" in message and "the old index still stands" in message for message in failures)
    assert all("\n" not in message for message in failures)
    for index in (running, EmbeddedIndex.open(folder, IDENTITY)):
        assert [item.id for item in index.documents()] == ["new", "old"]


def test_a_read_only_index_can_be_opened_and_searched(tmp_path: Path, read_only: Callable[[Path], None]) -> None:
    folder = tmp_path / "index"
    build(plan(folder, OLD, IDENTITY), EMBEDDER, lines)
    read_only(folder)
    files = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    index = EmbeddedIndex.open(folder, IDENTITY)
    assert _found(index) == (["the old harbour"], ["the old harbour"])
    assert index.documents() == OLD and index.passages("old") == lines(OLD[0])
    assert not plan(folder, OLD, IDENTITY).change
    with pytest.raises(IndexWriteError, match="cannot be written"):
        build(plan(folder, NEW, IDENTITY), EMBEDDER, lines)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == files


def test_a_read_only_corpus_is_built_and_refreshed(tmp_path: Path, read_only: Callable[[Path], None]) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "harbour.txt").write_text("The harbour\n\nThe harbour has a quay.\n", encoding="utf-8")
    read_only(corpus)
    settings = Settings.load({}, corpus_dir=corpus, index_dir=tmp_path / "index", embedding_model="hashing")
    manifest = refresh(settings).run()
    assert manifest.documents == 1 and not refresh(settings).change
    assert open_index(settings).search_lexical("quay", 5, Filters())
