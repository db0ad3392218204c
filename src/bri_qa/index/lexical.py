"""Words in tantivy: BM25 over English stems, numbers and codes; each Chinese or Japanese character is a word.

Chosen over bm25s and SQLite's FTS5 by measurement (bench/README.md). The words of a query are looked up as terms:
no character of it is query syntax.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import regex

FOLDER = "words"
_MAX_TERMS = 256  # of a query
_HEAP_BYTES = 128_000_000
_WIDE = regex.compile(r"(?<=\p{Han}|\p{Hiragana}|\p{Katakana})|(?=\p{Han}|\p{Hiragana}|\p{Katakana})")


class WordIndex:
    """An open lexical index; searches are safe from several threads."""

    def __init__(self, index: Any) -> None:
        self._index = index
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
                document.add_text("text", _spaced(text))
                writer.add_document(document)
            writer.commit()
            writer.wait_merging_threads()
        except ValueError as error:  # what tantivy raises for any failure to write
            raise OSError(str(error)) from error

    @classmethod
    def open(cls, folder: Path) -> WordIndex:
        """
        Raises:
            OSError: the files cannot be read as an index.
        """
        import tantivy

        try:
            index = tantivy.Index.open(str(folder / FOLDER))
        except ValueError as error:
            raise OSError(f"{folder / FOLDER} is no word index: {error}") from error
        index.register_tokenizer("words", _analyzer())
        return cls(index)

    def search(self, query: str, k: int, documents: Sequence[str] | None) -> list[tuple[int, float]]:
        """(number, BM25 score) of at most k passages, best first; `documents` None searches all."""
        import tantivy

        terms = list(dict.fromkeys(_analyzer().analyze(_spaced(query))))[:_MAX_TERMS]
        if not terms or k <= 0:
            return []
        should = [(tantivy.Occur.Should, tantivy.Query.term_query(_schema(), "text", term)) for term in terms]
        asked = tantivy.Query.boolean_query(should)
        if documents is not None:
            inside = tantivy.Query.term_set_query(_schema(), "document", list(documents))
            filtered = tantivy.Query.const_score_query(inside, 0.0)
            asked = tantivy.Query.boolean_query([(tantivy.Occur.Must, asked), (tantivy.Occur.Must, filtered)])
        found = self._searcher.search(asked, k).hits
        return [(int(self._searcher.doc(place)["number"][0]), float(score)) for score, place in found]


def _spaced(text: str) -> str:
    """The text with a space around each character of a script that is written without spaces."""
    spaced: str = _WIDE.sub(" ", text)
    return spaced


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
        tantivy.Filter.stopword("english"),
        tantivy.Filter.stemmer("english"),
    ):
        builder = builder.filter(step)
    return builder.build()
