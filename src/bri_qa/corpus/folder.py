"""A folder of files to a corpus: found, read, named, and each that cannot be used reported."""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from bri_qa.corpus import sources
from bri_qa.corpus.formats import READERS, SUPPORTED
from bri_qa.corpus.metadata import groups_of, merged
from bri_qa.corpus.records import Article, Corpus, RejectedFile, Unusable
from bri_qa.errors import CorpusError
from bri_qa.types import Document, Source

NOT_ARTICLES = (
    "README.md",
    "examples.txt",
    sources.FILE,
)  # in the folder itself; a README.md further down is an article


def load(folder: Path, max_bytes: int, added: Path | None = None) -> Corpus:
    """All articles under `folder`, in the order of their paths; hidden files are skipped.

    Args:
        max_bytes: a larger file is rejected.
        added: a folder of files that are to be put into `folder`, whose files they replace if they can be used; they
            are taken last, so it is they who are rejected where two articles clash.

    Raises:
        CorpusError: there is no such folder, or it cannot be listed.
    """
    try:
        root = folder.resolve(strict=True)
        next(root.iterdir(), None)
    except FileNotFoundError as error:
        raise CorpusError(
            f"there is no corpus folder {folder}; create it and put .txt or .md articles into it, or name another"
        ) from error
    except (OSError, RuntimeError) as error:
        raise CorpusError(f"the corpus folder {folder} cannot be listed ({error}); name a readable folder") from error
    shelf = _Shelf(root, max_bytes)
    here = _ordered(root, shelf)
    over = added.resolve() if added is not None else root
    new = _ordered(over, shelf) if added is not None else {}
    for name, path in here.items():
        if name not in new:
            shelf.add(path, root)
    for name in sorted(new, key=lambda name: (name not in here, name)):
        if not shelf.add(new[name], over) and name in here:  # what cannot be used replaces nothing
            shelf.add(here[name], root)
    return shelf.corpus()


def _ordered(root: Path, shelf: _Shelf) -> dict[str, Path]:
    """The files under `root` by their paths there, sorted."""
    return dict(sorted((path.relative_to(root).as_posix(), path) for path in _files(root, shelf)))


def _files(root: Path, shelf: _Shelf) -> Iterator[Path]:
    """All files that are not hidden; links to folders are reported, not followed."""
    for place, folders, names in os.walk(root, onerror=shelf.unlisted):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in (*folders, *names):
            path = Path(place, name)
            if name.startswith(".") or (name in NOT_ARTICLES and path.parent == root):
                continue
            if name in names or _is_link(path):
                yield path


class _Shelf:
    """Takes files one by one and knows what it has taken."""

    def __init__(self, root: Path, max_bytes: int) -> None:
        self._root = root
        self._max_bytes = max_bytes
        self._sources = sources.read(root / sources.FILE, max_bytes)
        self._documents: list[Document] = []
        self._rejected = list(self._sources.rejected)
        self._paths: set[str] = set()
        self._by_id: dict[str, str] = {}
        self._by_text: dict[bytes, str] = {}

    def unlisted(self, error: OSError) -> None:
        """Report a folder that cannot be listed."""
        name = _name(Path(error.filename), self._root)
        self._reject(name, f"cannot be listed: {error.strerror}; mend its permissions")

    def add(self, path: Path, root: Path) -> bool:
        """Take a file that lies under `root`, or report why not; whether it was taken."""
        name = _name(path, root)
        self._paths.add(name)
        try:
            document = self._document(path, root, name)
            self._check_new(document)
        except Unusable as error:
            if all(item.path != name for item in self._rejected):  # of the same file: as it is to be, and as it is
                self._reject(name, str(error))
            return False
        self._documents.append(document)
        self._by_id[document.id] = name
        self._by_text[_words(document)] = name
        return True

    def corpus(self) -> Corpus:
        """What was taken and what was not."""
        rejected = self._rejected + self._sources.unmatched(self._paths)
        ordered = tuple(sorted(rejected, key=lambda one: (one.path, one.reason)))
        return Corpus(tuple(self._documents), ordered, self._by_id)

    def _reject(self, name: str, reason: str) -> None:
        self._rejected.append(RejectedFile(name, reason))

    def _document(self, path: Path, root: Path, name: str) -> Document:
        _check_name(path.relative_to(root).as_posix())
        _check_link(path, root)
        suffix = path.suffix.lower()
        if suffix not in READERS:
            raise Unusable(f"unsupported format {suffix or '(no suffix)'}; supported: {SUPPORTED}")
        article = READERS[suffix](_content(path, self._max_bytes))
        if not any(map(str.isalnum, article.text)):
            raise Unusable("empty: it holds no words; write the article or delete the file")
        if self._sources.hidden and "groups" not in article.metadata:
            raise Unusable(f"{sources.FILE}, which may say who may read it, cannot be used; mend {sources.FILE}")
        return _assembled(article, name, merged(article.metadata, self._sources.of(name)))

    def _check_new(self, document: Document) -> None:
        if document.id in self._by_id:
            raise Unusable(
                f"its id {document.id!r} is taken by {self._by_id[document.id]}; rename it, "
                "or set an id in its front matter"
            )
        if (words := _words(document)) in self._by_text:
            raise Unusable(f"its text is that of {self._by_text[words]}; delete one of them")


def _name(path: Path, root: Path) -> str:
    """The path under the folder in a form that can be printed."""
    return os.fsencode(path.relative_to(root).as_posix()).decode("utf-8", "backslashreplace")


def _assembled(article: Article, name: str, values: dict[str, str]) -> Document:
    default = PurePosixPath(unicodedata.normalize("NFC", name)).with_suffix("").as_posix()
    source = Source(
        title=values.get("title", article.title),
        publisher=values.get("publisher"),
        published=values.get("published"),
        url=values.get("url"),
        language=values.get("language"),
        licence=values.get("licence"),
        groups=groups_of(values.get("groups", "")),
    )
    sha256 = hashlib.sha256(article.text.encode()).hexdigest()
    return Document(values.get("id", default), article.text, source, sha256)


def _words(document: Document) -> bytes:
    """A hash that two texts share which differ in white space alone."""
    return hashlib.sha256(" ".join(document.text.split()).encode()).digest()


def _check_name(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise Unusable("its name is not UTF-8; rename it") from error
    if any(unicodedata.category(character) == "Cc" for character in name):
        raise Unusable("its name holds a control character; rename it")


def _is_link(path: Path) -> bool:
    try:
        return path.is_symlink()
    except OSError:  # its folder may be listed but not entered
        return False


def _check_link(path: Path, root: Path) -> None:
    if not _is_link(path):
        return
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise Unusable("a symbolic link to nothing; mend or delete it") from error
    if not target.is_relative_to(root):
        raise Unusable("a symbolic link that leaves the corpus folder; copy the file into the folder")
    if target.is_dir():
        raise Unusable("a symbolic link to a folder, whose files are read where they are; delete it")


def _content(path: Path, max_bytes: int) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise Unusable("not a regular file; replace it by one")
        with path.open("rb") as stream:
            data = stream.read(max_bytes + 1)
    except OSError as error:
        raise Unusable(f"cannot be read: {error.strerror}; mend its permissions or delete it") from error
    if len(data) > max_bytes:
        raise Unusable(f"larger than {max_bytes:,} bytes; split it, or raise BRI_QA_MAX_FILE_BYTES")
    return data
