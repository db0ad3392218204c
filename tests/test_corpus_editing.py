from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bri_qa.corpus import editing, load, staging
from bri_qa.corpus.records import Unusable
from bri_qa.errors import CorpusEditError

MOST = 1_000
BREAD = "Bread\nBread needs an hour in the oven.\n"
FERRY = "---\ntitle: The ferry\npublisher: Gazette\npublished: 2024-03\n---\nThe ferry sails at noon.\n"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    (folder / "deep").mkdir(parents=True)
    (folder / "bread.txt").write_text(BREAD)
    (folder / "deep" / "mill.md").write_text("The mill\nThe mill grinds.\n")
    (folder / "README.md").write_text("About this folder.\n")
    return folder


def staged(corpus: Path, *files: tuple[str, str | bytes]) -> staging.Preview:
    sent = [(name, io.BytesIO(text.encode() if isinstance(text, str) else text)) for name, text in files]
    return staging.preview(corpus, staging.stage(corpus, sent, MOST), MOST)


def fates(preview: staging.Preview) -> dict[str, str]:
    return {item.name: item.fate.value for item in preview.files}


def files_of(corpus: Path) -> set[str]:
    """What is not hidden."""
    return {
        name
        for path in corpus.rglob("*")
        if path.is_file() and not (name := path.relative_to(corpus).as_posix()).startswith(".")
    }


def test_a_preview_says_what_would_change_and_changes_nothing(corpus: Path) -> None:
    before = files_of(corpus)
    preview = staged(
        corpus,
        ("ferry.md", FERRY),
        ("bread.txt", BREAD + "It cools for two.\n"),
        ("empty.txt", " \n"),
        ("b.pdf", b"%PDF"),
    )
    assert fates(preview) == {
        "b.pdf": "rejected",
        "bread.txt": "replaced",
        "empty.txt": "rejected",
        "ferry.md": "added",
    }
    ferry = preview.files[3].document
    assert ferry and (ferry.source.title, ferry.source.publisher, ferry.source.published) == (
        "The ferry",
        "Gazette",
        "2024-03",
    )
    assert [item.name for item in preview.changes] == ["bread.txt", "ferry.md"]
    assert files_of(corpus) == before
    assert [item.id for item in load(corpus, MOST).documents] == ["bread", "deep/mill"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("x.txt", b"a\0b", "binary: NUL at byte 1"),
        ("x.txt", "é".encode("latin-1"), "not UTF-8 at byte 0"),
        ("x.txt", b"", "empty"),
        ("x.txt", b"word " * 300, "larger than 1,000 bytes"),
        ("x.txt", BREAD.replace(" ", "  ").encode(), "its text is that of bread.txt"),
        ("x.txt", b"---\nid: bread\n---\nAnother text.", "its id 'bread' is taken by bread.txt"),
        ("x.md", b"---\nauthor: me\n---\nA text.", "unknown key 'author'"),
        ("x.docx", b"PK", "unsupported format .docx"),
        ("deep", b"A text.", "a folder of the corpus has this name"),
        (".hidden.txt", b"A text.", "a hidden file is never read"),
        ("a/../../.x.txt", b"A text.", "a hidden file is never read"),
        ("..", b"A text.", "a hidden file is never read"),
        ("a\nb.txt", b"A text.", "control character"),
        ("Sources.CSV", b"path,title", "is not an article's name"),
        ("folder/", b"A text.", "it has no name"),
        ("x" * 300 + ".txt", b"A text.", "longer than 200 bytes"),
    ],
)
def test_what_the_loader_would_reject_is_rejected_with_its_reason(
    corpus: Path, name: str, content: bytes, reason: str
) -> None:
    preview = staged(corpus, (name, content))
    (item,) = preview.files
    assert item.fate is staging.Fate.REJECTED and reason in item.reason
    with pytest.raises(CorpusEditError) as caught:
        staging.apply(corpus, preview.id, preview.digest, MOST)
    assert caught.value.code == "nothing_to_add"
    assert files_of(corpus) == {"bread.txt", "deep/mill.md", "README.md"}


def test_two_files_of_one_upload_may_not_clash(corpus: Path) -> None:
    preview = staged(corpus, ("a.txt", "One text."), ("b.txt", "One  text."), ("c/a.txt", "Another."))
    assert fates(preview) == {"a.txt": "added", "b.txt": "rejected", "c/a.txt": "rejected"}
    assert "second file of this name" in preview.files[2].reason


def test_an_article_stands_against_its_copy_whatever_comes_with_the_copy(corpus: Path) -> None:
    for replacement in (BREAD.encode(), b"\0"):
        preview = staged(corpus, ("a-copy.txt", BREAD), ("bread.txt", replacement))
        assert "its text is that of bread.txt" in preview.files[0].reason
        assert preview.changes == ()


def test_a_rejected_file_can_be_mended(corpus: Path) -> None:
    (corpus / "bad.txt").write_bytes(b"a\0b")
    assert "NUL at byte 0" in staged(corpus, ("bad.txt", b"\0")).files[0].reason
    assert fates(staged(corpus, ("bad.txt", "It is mended."))) == {"bad.txt": "replaced"}


def test_confirmed_files_are_moved_in_and_those_they_replace_go_to_the_trash(corpus: Path) -> None:
    preview = staged(corpus, ("../up/ferry.md", FERRY), ("bread.txt", "Bread\nNo oven at all.\n"), ("bad.txt", b"\0"))
    done = staging.apply(corpus, preview.id, preview.digest, MOST)
    assert [item.name for item in done.changes] == ["bread.txt", "ferry.md"]
    assert files_of(corpus) == {"bread.txt", "ferry.md", "deep/mill.md", "README.md"}
    (old,) = done.trashed
    assert (corpus / editing.TRASH / old.id / "bread.txt").read_text() == BREAD
    assert [item.id for item in load(corpus, MOST).documents] == ["bread", "deep/mill", "ferry"]
    with pytest.raises(CorpusEditError) as caught:
        staging.apply(corpus, preview.id, preview.digest, MOST)
    assert caught.value.code == "upload_gone"


def test_an_upload_is_not_added_to_a_corpus_that_is_not_the_one_of_its_preview(corpus: Path) -> None:
    preview = staged(corpus, ("ferry.md", FERRY))
    (corpus / "ferry.md").write_text("Somebody else wrote it meanwhile.\n")
    with pytest.raises(CorpusEditError) as caught:
        staging.apply(corpus, preview.id, preview.digest, MOST)
    assert caught.value.code == "preview_stale"
    assert (corpus / "ferry.md").read_text() == "Somebody else wrote it meanwhile.\n"
    again = staging.preview(corpus, preview.id, MOST)
    assert fates(again) == {"ferry.md": "replaced"}
    staging.apply(corpus, again.id, again.digest, MOST)


def test_the_same_file_again_changes_nothing(corpus: Path) -> None:
    assert fates(staged(corpus, ("bread.txt", BREAD))) == {"bread.txt": "unchanged"}


@pytest.mark.parametrize("upload", ["", "..", "../..", "0" * 32, "a/b"])
def test_an_upload_is_named_by_its_id_alone(corpus: Path, upload: str) -> None:
    for act in (
        lambda: staging.preview(corpus, upload, MOST),
        lambda: staging.apply(corpus, upload, "", MOST),
        lambda: staging.discard(corpus, upload),
    ):
        with pytest.raises(CorpusEditError) as caught:
            act()
        assert caught.value.code == "upload_gone"


def test_old_uploads_and_those_that_are_too_many_go(corpus: Path) -> None:
    first = staged(corpus, ("a.txt", "One."))
    os.utime(corpus / staging.STAGING / first.id, (0, 0))
    kept = [staged(corpus, (f"{n}.txt", f"Text {n}.")).id for n in range(staging.WAITING + 2)]
    left = {path.name for path in (corpus / staging.STAGING).iterdir()}
    assert first.id not in left and kept[-1] in left and len(left) == staging.WAITING
    staging.discard(corpus, kept[-1])
    assert kept[-1] not in {path.name for path in (corpus / staging.STAGING).iterdir()}


def test_a_removed_article_lies_in_the_trash_and_can_be_put_back(corpus: Path) -> None:
    gone = editing.remove(corpus, "deep/mill.md", MOST)
    assert [item.id for item in load(corpus, MOST).documents] == ["bread"]
    assert editing.trash(corpus) == [gone]
    assert editing.restore(corpus, gone.id).path == "deep/mill.md"
    assert [item.id for item in load(corpus, MOST).documents] == ["bread", "deep/mill"]
    assert editing.trash(corpus) == []
    with pytest.raises(CorpusEditError) as caught:
        editing.restore(corpus, gone.id)
    assert caught.value.code == "trash_missing"


def test_a_file_is_not_put_back_over_another(corpus: Path) -> None:
    gone = editing.remove(corpus, "bread.txt", MOST)
    (corpus / "bread.txt").write_text("Newer.\n")
    with pytest.raises(CorpusEditError) as caught:
        editing.restore(corpus, gone.id)
    assert caught.value.code == "name_taken" and (corpus / "bread.txt").read_text() == "Newer.\n"


def test_a_rejected_file_can_be_removed(corpus: Path) -> None:
    (corpus / "bad.txt").write_bytes(b"\0")
    editing.remove(corpus, "bad.txt", MOST)
    assert load(corpus, MOST).rejected == ()


@pytest.mark.parametrize(
    "path", ["README.md", "sources.csv", "nothing.txt", "", ".", "deep", "../outside.txt", "/etc/hostname", ".trash"]
)
def test_nothing_but_what_the_loader_reports_can_be_removed(corpus: Path, path: str) -> None:
    (corpus.parent / "outside.txt").write_text("Not ours.\n")
    (corpus / "sources.csv").write_text("path,nonsense\n")  # rejected, and yet no article
    with pytest.raises(CorpusEditError) as caught:
        editing.remove(corpus, path, MOST)
    assert caught.value.code == "article_missing"
    assert (corpus.parent / "outside.txt").exists()


def test_a_folder_that_cannot_be_changed_says_so(corpus: Path) -> None:
    (corpus / editing.TRASH).write_text("a file where the trash should be")
    with pytest.raises(CorpusEditError) as caught:
        editing.remove(corpus, "bread.txt", MOST)
    assert caught.value.code == "corpus_unwritable" and "cannot be changed" in str(caught.value)
    assert (corpus / "bread.txt").exists()


def _names() -> Iterator[str]:
    yield from ("/", "\\", "..", ".", "a", "\0", " ", "é", "\ud800", "\n", "README.md", ".txt")


@given(st.lists(st.sampled_from(list(_names())), max_size=8).map("".join))
def test_a_name_never_leaves_the_folder(given_name: str) -> None:
    try:
        name = staging.file_name(given_name)
    except Unusable:
        return
    assert Path("/corpus", name).parent == Path("/corpus") and not name.startswith(".") and name == name.strip()
