"""Words in tantivy: BM25 over English stems, names, numbers and codes; each Chinese or Japanese character is a word.

Chosen over bm25s and SQLite's FTS5 by measurement (bench/README.md). The words of a query are looked up as terms:
no character of it is query syntax. A number or code of several parts is also one word: 112,000 is found as 112000,
A-12b as A12b, and 3.5 apart from 35.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import regex

FOLDER = "words"
_LOCKS = ".tantivy-*.lock"
_MAX_TERMS = 256  # of a query
_HEAP_BYTES = 128_000_000
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
_CODE = regex.compile(r"(?<![\p{L}\p{N}])[\p{L}\p{N}]++(?:[-\u2010_/.,][\p{L}\p{N}]++)++")  # or words joined
_THOUSANDS = regex.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_ACRONYM = regex.compile(r"(?<![\p{L}\p{N}])\p{Lu}{2,}(?![\p{L}\p{N}])")


class WordIndex:
    """An open lexical index; searches are safe from several threads."""

    def __init__(self, index: Any) -> None:
        self._searcher = index.searcher()

    @classmethod
    def build(cls, folder: Path, passages: Iterable[tuple[int, str, str]]) -> None:
        """Write an index of (number, document id, text) triples below `folder`.

        Raises:
            OSError: the disk is full or cannot be written.
        """
        import tantivy

        place = folder / FOLDER
        place.mkdir()
        try:
            index = tantivy.Index(_schema(), path=str(place))
            index.register_tokenizer("words", _analyzer())
            writer = index.writer(heap_size=_HEAP_BYTES, num_threads=1)
            for number, document_id, text in passages:
                document = tantivy.Document()
                document.add_unsigned("number", number)
                document.add_text("document", document_id)
                document.add_text("text", _prepared(text))
                writer.add_document(document)
            writer.commit()
            writer.wait_merging_threads()
        except ValueError as error:  # what tantivy raises for any failure to write
            raise OSError(str(error)) from error
        for lock in place.glob(_LOCKS):
            lock.unlink()

    @classmethod
    def open(cls, folder: Path) -> WordIndex:
        """
        Raises:
            OSError: the files cannot be read as an index.
        """
        import tantivy

        place = folder / FOLDER
        try:
            return cls(tantivy.Index.open(str(place)))
        except ValueError:  # tantivy locks what it opens; the folder may be read-only or its disk full
            with _linked(place) as elsewhere:
                try:
                    return cls(tantivy.Index.open(str(elsewhere)))
                except ValueError as error:
                    raise OSError(f"{place} is no word index: {error}") from error

    def search(self, query: str, k: int, documents: Sequence[str] | None) -> list[tuple[int, float]]:
        """(number, BM25 score) of at most k passages, best first; `documents` None searches all."""
        import tantivy

        terms = _terms(query)
        k = min(k, self._searcher.num_docs)  # room for k hits is made at once
        if not terms or k <= 0 or (documents is not None and not documents):
            return []
        should = [(tantivy.Occur.Should, tantivy.Query.term_query(_schema(), "text", term)) for term in terms]
        asked = tantivy.Query.boolean_query(should)
        if documents is not None:
            inside = tantivy.Query.term_set_query(_schema(), "document", list(documents))
            filtered = tantivy.Query.const_score_query(inside, 0.0)
            asked = tantivy.Query.boolean_query([(tantivy.Occur.Must, asked), (tantivy.Occur.Must, filtered)])
        found = self._searcher.search(asked, k).hits
        return [(int(self._searcher.doc(place)["number"][0]), float(score)) for score, place in found]


def _terms(query: str) -> list[str]:
    """The terms of a query, each once; its stop words only if they are acronyms (WHO, IT) or all there is."""
    words = dict.fromkeys(_analyzer().analyze(_prepared(query)))
    acronyms = {word.lower() for word in _ACRONYM.findall(query)}
    telling = [word for word in words if word in acronyms or _stops().analyze(word)]
    return (telling or list(words))[:_MAX_TERMS]


def _prepared(text: str) -> str:
    """The text with codes also in one piece, and a space around each character of a script that has no spaces.

    Letters in their compatible form: those of a ligature, a wide digit, a letter and its accent typed apart.
    """
    if not text.isascii():
        text = _UNSPACED.sub(r" \g<0> ", unicodedata.normalize("NFKC", text))
    prepared: str = _CODE.sub(_with_code, text)
    return prepared


def _with_code(match: regex.Match[str]) -> str:
    """A code as it is and as one run of letters and digits; a point in it becomes a letter, for 3.5 is not 35."""
    whole: str = match[0]
    if not any(character.isdecimal() for character in whole):
        return whole
    pointed = _THOUSANDS.sub("", whole).replace(",", ".").replace(".", "p")
    return f"{whole} {''.join(character for character in pointed if character.isalnum())}"


@contextmanager
def _linked(place: Path) -> Iterator[Path]:
    """A passing folder of links to the files of an index, which is not needed once they are open."""
    with TemporaryDirectory(prefix="bri-qa-") as name:
        for path in place.iterdir():
            if not path.match(_LOCKS):
                (Path(name) / path.name).symlink_to(path.resolve())
        yield Path(name)


@cache
def _schema() -> Any:
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("number", stored=True)
    builder.add_text_field("document", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("text", tokenizer_name="words", index_option="freq")
    return builder.build()


@cache
def _analyzer() -> Any:
    import tantivy

    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    for step in (
        tantivy.Filter.remove_long(100),
        tantivy.Filter.lowercase(),
        tantivy.Filter.ascii_fold(),
        tantivy.Filter.stemmer("english"),
    ):
        builder = builder.filter(step)
    return builder.build()


@cache
def _stops() -> Any:
    """Nothing for a term that is a stop word."""
    import tantivy

    return tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.raw()).filter(tantivy.Filter.stopword("english")).build()
