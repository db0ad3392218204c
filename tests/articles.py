"""The small articles written for the tests, and a real index of them with hashed words for vectors."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from bri_qa.answer import DigestAnswerer, ExtractiveAnswerer, MentionsAnswerer, SpeakersAnswerer
from bri_qa.compose import open_index, refresh
from bri_qa.conversation import Intent
from bri_qa.corpus import load
from bri_qa.embed import HASHING, HashingEmbedder
from bri_qa.index import EmbeddedIndex
from bri_qa.passages import sentences
from bri_qa.pipeline import QAPipeline
from bri_qa.protocols import Index
from bri_qa.retrieve import Retriever
from bri_qa.settings import Settings
from bri_qa.types import Document, Hit, Passage, Span
from tests.fakes import WordReader, document

ARTICLES = Path(__file__).parent / "data" / "articles"
IDS = ["bread", "clinic", "harbour", "notices/ferry"]


def articles() -> dict[str, Document]:
    """As the loader gives them, in the order of their ids."""
    return {item.id: item for item in sorted(load(ARTICLES, 1_000_000).documents, key=lambda item: item.id)}


def settings_in(folder: Path, **overrides: Any) -> Settings:
    """Settings for a corpus and an index in `folder`, with hashed words; the articles are copied there."""
    if not (folder / "corpus").exists():
        shutil.copytree(ARTICLES, folder / "corpus")
    places = {"corpus_dir": folder / "corpus", "index_dir": folder / "index", "embedding_model": HASHING}
    return Settings.load({}, **places, **overrides)


def built_in(folder: Path, **overrides: Any) -> Settings:
    """The same, the index built."""
    settings = settings_in(folder, **overrides)
    refresh(settings).run()
    return settings


def pipeline_over(index: Index, **parts: Any) -> QAPipeline:
    """The product's pipeline with hashed words and a reader that counts shared words; `parts` replace others."""
    embedder = HashingEmbedder()
    usual: dict[str, Any] = {
        "retriever": Retriever(embedder),
        "reader": WordReader(),
        "answerer": ExtractiveAnswerer(),
        "overviews": {Intent.DIGEST: DigestAnswerer(embedder), Intent.SPEAKERS: SpeakersAnswerer()},
        "mentions": MentionsAnswerer(),
        "models": {"embedder": "hashing", "reader": "fake words"},
    }
    return QAPipeline(index=index, **{**usual, **parts})


def opened(settings: Settings) -> EmbeddedIndex:
    return open_index(settings)


def whole(text: str, identity: str = "a") -> Hit:
    """A document of one passage, as an unread hit."""
    item = document(identity, text)
    return Hit(Passage(f"{identity}#0", identity, Span(0, len(text)), "", item.text), 0.0)


def hits_of(*texts: str) -> list[Hit]:
    """One unread hit a text, each the whole of its document: "a", "b", …"""
    return [whole(text, chr(ord("a") + at)) for at, text in enumerate(texts)]


def read_hits(question: str, *texts: str) -> list[Hit]:
    """The same, read by the reader that counts shared words, best first."""
    hits, reader = hits_of(*texts), WordReader()
    readings = reader.read(question, hits)
    return reader.rerank(
        question, [Hit(hit.passage, 0.0, reading) for hit, reading in zip(hits, readings, strict=True)]
    )


def sentence_texts(text: str) -> list[str]:
    return [span.of(text) for span in sentences(text)]
