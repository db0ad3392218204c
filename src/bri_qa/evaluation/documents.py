"""Where evidence is looked up without loading a model: the index, or a corpus folder that need not be indexed."""

from __future__ import annotations

from bri_qa import compose, corpus
from bri_qa.evaluation.locate import Shelf
from bri_qa.settings import Settings
from bri_qa.types import Document


def in_index(settings: Settings) -> Shelf:
    """The documents of the published index.

    Raises:
        IndexMissingError, IndexStaleError, IndexCorruptError: as their names say; each says what to do.
    """
    index = compose.open_index(settings)
    return Shelf(index.document, index.documents)


def in_corpus(settings: Settings) -> Shelf:
    """The documents of the corpus folder.

    Raises:
        CorpusError: there is no such folder, or it cannot be listed.
    """
    return shelf_of(corpus.load(settings.corpus_dir, settings.max_file_bytes).documents)


def shelf_of(documents: tuple[Document, ...]) -> Shelf:
    by_id = {item.id: item for item in documents}
    return Shelf(by_id.get, lambda: documents)
