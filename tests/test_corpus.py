"""The folder as a whole; formats and metadata have their own files beside this one."""

from __future__ import annotations

import hashlib
import os
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bri_qa.corpus import Corpus, load
from bri_qa.errors import CorpusError

REPOSITORY = Path(__file__).parents[1]
MAX = 2_000


def _fill(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def _rejected(corpus: Corpus) -> dict[str, str]:
    assert len({one.path for one in corpus.rejected}) == len(corpus.rejected)
    return {one.path: one.reason for one in corpus.rejected}


def _ids(corpus: Corpus) -> list[str]:
    return [document.id for document in corpus.documents]


def test_the_first_article_is_loaded_as_it_is() -> None:
    corpus = load(REPOSITORY / "corpus", 5_000_000)
    assert corpus.rejected == ()
    article = next(one for one in corpus.documents if one.id == "securities-times-high-quality-joint-construction")
    data = (REPOSITORY / "corpus" / f"{article.id}.txt").read_bytes()
    assert article.text.encode() == data
    assert article.sha256 == hashlib.sha256(data).hexdigest()
    assert article.sha256 == "02327d3538a024eb470ee5908429acbc4657528f7dc202a1e831989ed0db6cc4"
    source = article.source
    assert source.title == article.text.split("\n")[0]
    assert (source.publisher, source.published, source.language) == ("Securities Times", "2025", "en")
    assert (source.url, source.licence) == (None, None)


def test_documents_come_in_the_order_of_their_paths_with_ids_from_them(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "b.txt": "Bee",
        "a/z.md": "# Zed\nText.",
        "a.txt": "Ay",
        "a/README.md": "Read",
        "c.d.MARKDOWN": "Sea",
    }
    corpus = load(_fill(tmp_path, files), MAX)
    assert corpus.rejected == ()
    assert _ids(corpus) == ["a", "a/README", "a/z", "b", "c.d"]
    assert [one.source.title for one in corpus.documents] == ["Ay", "Read", "Zed", "Bee", "Sea"]
    assert corpus == load(tmp_path, MAX)


def test_the_folders_own_files_and_hidden_ones_are_no_articles(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "README.md": "Read me", "examples.txt": "Why?", "sources.csv": "path\n", ".hidden.txt": "x", ".git/a.txt": "y", "a.txt": "Ay"
    }  # fmt: skip
    corpus = load(_fill(tmp_path, files), MAX)
    assert (_ids(corpus), corpus.rejected) == (["a"], ())


def test_every_file_that_cannot_be_used_is_named_and_the_rest_is_loaded(tmp_path: Path) -> None:
    bad: dict[str, str | bytes] = {
        "empty.txt": "",
        "blank.md": " \n\t\n",
        "mark.txt": "\ufeff\ufeff\u200b",
        "front.txt": "---\ntitle: Only a title\n---\n",
        "nul.txt": b"text\0more",
        "picture.txt": b"\x89PNG\r\n\x1a\n\0\0",
        "escape.txt": "line one\nline \x1b[31mtwo",
        "utf16.txt": "word".encode("utf-16"),
        "latin.txt": "Caf\xe9 au lait".encode("latin-1"),
        "large.txt": "x" * (MAX + 1),
        "letter.docx": b"PK\x03\x04",
        "page.html": "<p>",
        "nosuffix": "words",
        "y-copy.txt": "The same words.\r\n",
        "y.txt": "More words.",
        "open.txt": "---\ntitle: x\nThe rest.",
        "new\nline.txt": "words",
    }
    good: dict[str, str | bytes] = {
        "a.txt": "The same words.",
        "y.md": "Other words.",
        "full.txt": "x" * MAX,
        "z/z.txt": "Zed",
    }
    corpus = load(_fill(tmp_path, {**bad, **good}), MAX)
    assert _ids(corpus) == ["a", "full", "y", "z/z"]
    starts = {
        "empty.txt": "empty: ",
        "blank.md": "empty: ",
        "mark.txt": "empty: ",
        "front.txt": "empty: ",
        "nul.txt": "binary: NUL at byte 4",
        "picture.txt": "binary: NUL at byte 8",
        "escape.txt": "binary: control character U+001B on line 2",
        "utf16.txt": "not UTF-8 but UTF-16",
        "latin.txt": "not UTF-8 at byte 3",
        "large.txt": "larger than 2,000 bytes",
        "letter.docx": "unsupported format .docx; supported: .txt, .md, .markdown",
        "page.html": "unsupported format .html",
        "nosuffix": "unsupported format (no suffix)",
        "y-copy.txt": "its text is that of a.txt",
        "y.txt": "its id 'y' is taken by y.md",
        "open.txt": "front matter: `---` on line 1 is never closed",
        "new\nline.txt": "its name holds a control character",
    }
    rejected = _rejected(corpus)
    assert sorted(rejected) == sorted(starts)
    for name, start in starts.items():
        assert rejected[name].startswith(start)
        assert "\n" not in rejected[name]
    assert [one.path for one in corpus.rejected] == sorted(rejected)


def test_a_name_that_is_not_utf8_is_reported_so_that_it_can_be_printed(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/caf\xe9.txt", "wb") as stream:  # noqa: PTH123 - a path of bytes
        stream.write(b"words")
    corpus = load(_fill(tmp_path, {"a.txt": "Ay"}), MAX)
    assert _ids(corpus) == ["a"]
    assert _rejected(corpus) == {"caf\\xe9.txt": "its name is not UTF-8; rename it"}


def test_a_decomposed_file_name_gives_a_composed_id(tmp_path: Path) -> None:
    name = unicodedata.normalize("NFD", "café.txt")
    corpus = load(_fill(tmp_path, {name: "words", "sources.csv": "path,title\ncafé.txt,Coffee\n"}), MAX)
    assert corpus.rejected == ()
    assert _ids(corpus) == [unicodedata.normalize("NFC", "café")]
    assert corpus.documents[0].source.title == "Coffee"


def test_links_are_read_inside_the_folder_only(tmp_path: Path) -> None:
    outside = _fill(tmp_path / "outside", {"secret.txt": "secret"})
    folder = _fill(tmp_path / "corpus", {"real/a.txt": "Ay", "b.txt": "Bee"})
    (folder / "away.txt").symlink_to(outside / "secret.txt")
    (folder / "awayfolder").symlink_to(outside)
    (folder / "dead.txt").symlink_to(folder / "nothing.txt")
    (folder / "loop.txt").symlink_to(folder / "loop.txt")
    (folder / "same.txt").symlink_to(folder / "b.txt")
    (folder / "folder").symlink_to(folder / "real")
    (folder / "up").symlink_to(folder)
    corpus = load(folder, MAX)
    assert _ids(corpus) == ["b", "real/a"]
    leaves = "a symbolic link that leaves the corpus folder; copy the file into the folder"
    inside = "a symbolic link to a folder, whose files are read where they are; delete it"
    assert _rejected(corpus) == {
        "away.txt": leaves,
        "awayfolder": leaves,
        "dead.txt": "a symbolic link to nothing; mend or delete it",
        "loop.txt": "a symbolic link to nothing; mend or delete it",
        "same.txt": "its text is that of b.txt; delete one of them",
        "folder": inside,
        "up": inside,
    }


def test_what_is_no_file_is_reported_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    corpus = load(_fill(tmp_path, {"a.txt": "Ay"}), MAX)
    assert (_ids(corpus), _rejected(corpus)) == (["a"], {"pipe.txt": "not a regular file; replace it by one"})


@contextmanager
def _ordinary_user() -> Iterator[None]:
    """Root may read everything; as another user the modes of files count."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """A folder that every user may enter, which pytest's own is not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_files_and_folders_that_may_not_be_read_are_reported(shared_folder: Path) -> None:
    files: dict[str, str | bytes] = {
        "a.txt": "Ay", "b.txt": "Bee", "closed/c.txt": "Sea", "listed/d.txt": "Dee", "listed/e/f.txt": "Eff", "z.txt": "Zed"
    }  # fmt: skip
    _fill(shared_folder, files)
    modes = {"b.txt": 0o000, "closed": 0o000, "listed": 0o444}
    try:
        for name, mode in modes.items():
            (shared_folder / name).chmod(mode)
        with _ordinary_user():
            corpus = load(shared_folder, MAX)
    finally:
        for name in modes:
            (shared_folder / name).chmod(0o755)
    assert _ids(corpus) == ["a", "z"]
    rejected = _rejected(corpus)
    assert rejected == {
        "b.txt": "cannot be read: Permission denied; mend its permissions or delete it",
        "closed": "cannot be listed: Permission denied; mend its permissions",
        "listed/d.txt": "cannot be read: Permission denied; mend its permissions or delete it",
        "listed/e": "cannot be listed: Permission denied; mend its permissions",
    }


def test_what_nobody_can_read_may_say_who_may_read(shared_folder: Path) -> None:
    _fill(
        shared_folder, {"a.txt": "Ay", "b.txt": "---\ngroups: board\n---\nBee", "sources.csv": "path,groups\na.txt,x\n"}
    )
    (shared_folder / "sources.csv").chmod(0o000)
    with _ordinary_user():
        corpus = load(shared_folder, MAX)
    assert _ids(corpus) == ["b"]
    assert _rejected(corpus) == {
        "a.txt": "sources.csv, which may say who may read it, cannot be used; mend sources.csv",
        "sources.csv": "cannot be read: Permission denied; mend its permissions",
    }


def test_a_folder_that_is_not_there_or_cannot_be_listed_is_an_error_that_says_what_to_do(shared_folder: Path) -> None:
    with pytest.raises(CorpusError, match=r"there is no corpus folder .*gone; create it and put \.txt or \.md"):
        load(shared_folder / "gone", MAX)
    with pytest.raises(CorpusError, match=r"cannot be listed .*name a readable folder"):
        load(_fill(shared_folder, {"a.txt": "Ay"}) / "a.txt", MAX)
    (shared_folder / "closed").mkdir(mode=0o000)
    with _ordinary_user(), pytest.raises(CorpusError, match=r"cannot be listed .*Permission denied"):
        load(shared_folder / "closed", MAX)
    (shared_folder / "empty").mkdir()
    assert load(shared_folder / "empty", MAX) == Corpus((), ())
