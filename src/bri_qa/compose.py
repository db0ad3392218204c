"""THE composition root: settings to a pipeline, settings to a built index. Everything heavy is imported here, late."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bri_qa.errors import SettingsError
from bri_qa.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bri_qa.answer import ExtractiveAnswerer
    from bri_qa.answer.openai_chat import OpenAIChat
    from bri_qa.corpus import RejectedFile
    from bri_qa.index import Change, EmbeddedIndex, Identity, Manifest, Planned
    from bri_qa.pipeline import QAPipeline
    from bri_qa.protocols import Answerer, Embedder, Reader, Rewriter


# The settings that bear on what is answered; all others say where and for whom. A new one is of the latter until named.
_BEARING = {
    "max_file_bytes",
    "passage_tokens",
    "overlap_tokens",
    "embedding_model",
    "reader",
    "precision",
    "retrieval",
    "candidates",
    "top_k",
    "max_statements",
    "abstain_below",
    "max_question_chars",
}
_BEARING_LLM = {
    "llm_model",
    "llm_timeout",
    "llm_context_tokens",
    "llm_output_tokens",
    "llm_max_statements",
    "llm_retries",
    "llm_rewrite",
}


@dataclass(frozen=True)
class Refresh:
    """What `bri-qa index` is about to do, and the files that it cannot use."""

    settings: Settings
    planned: Planned
    rejected: tuple[RejectedFile, ...]
    paths: Mapping[str, str]  # of the files under the corpus folder, by the ids of their documents

    @property
    def change(self) -> Change:
        return self.planned.change

    def run(self, progress: Callable[[int, int], None] | None = None) -> Manifest:
        """Build and publish; where nothing changed, only the manifest is returned.

        Raises:
            IndexStoreError: another process is building, or the disk cannot be written; the old index stands.
            ArtifactError, ModelError: the embedding model cannot be loaded.
        """
        if self.planned.base is not None and not self.change:
            return self.planned.base.manifest
        from bri_qa.index import build
        from bri_qa.passages import Limit, cut
        from bri_qa.tokens import Tokenizer

        embedder = embedding_model(self.settings)
        limits = [
            Limit(Tokenizer.load().count, self.settings.passage_tokens),
            Limit(embedder.count_tokens, embedder.max_tokens),
        ]
        overlap = self.settings.overlap_tokens
        return build(self.planned, embedder, lambda document: cut(document, limits, overlap), progress)


def refresh(settings: Settings) -> Refresh:
    """Compare the corpus folder with the index; nothing is written.

    Raises:
        CorpusError: there is no such folder, or it cannot be listed.
    """
    from bri_qa.corpus import load
    from bri_qa.index import plan

    corpus = load(settings.corpus_dir, settings.max_file_bytes)
    planned = plan(settings.index_dir, corpus.documents, _identity(settings))
    return Refresh(settings, planned, corpus.rejected, corpus.paths)


def open_index(settings: Settings) -> EmbeddedIndex:
    """The published index, without loading a model where the embedder's identity is known.

    Raises:
        IndexMissingError, IndexStaleError, IndexCorruptError: as their names say; each says what to do.
    """
    from bri_qa.index import EmbeddedIndex

    return EmbeddedIndex.open(settings.index_dir, _identity(settings))


def pipeline(settings: Settings) -> QAPipeline:
    """The product's pipeline over the published index, its models loaded.

    Raises:
        IndexMissingError, IndexStaleError, IndexCorruptError: no usable index; each says what to do.
        ArtifactError, ModelError: a model cannot be loaded.
    """
    from bri_qa import minilm
    from bri_qa.answer import DigestAnswerer, ExtractiveAnswerer, MentionsAnswerer, SpeakersAnswerer
    from bri_qa.conversation import Intent
    from bri_qa.pipeline import QAPipeline
    from bri_qa.reader.words import coverage
    from bri_qa.retrieve import Retriever
    from bri_qa.spelling import Spelling

    index = open_index(settings)
    embedder = embedding_model(settings)
    reader = reading_model(settings, embedder)
    models = {"embedder": embedder.name, "reader": reader.name}
    answerer: Answerer = ExtractiveAnswerer(settings.max_statements)
    rewriter = None
    if settings.llm_base_url is not None:
        answerer, rewriter = _by_language_model(settings, ExtractiveAnswerer(settings.max_statements))
        models["language model"] = settings.llm_model or ""
    return QAPipeline(
        index=index,
        retriever=Retriever(embedder, settings.retrieval, settings.candidates),
        reader=reader,
        answerer=answerer,
        overviews={Intent.DIGEST: DigestAnswerer(embedder), Intent.SPEAKERS: SpeakersAnswerer()},
        mentions=MentionsAnswerer(settings.max_statements),
        spell=Spelling(minilm.common_words()).correct,
        shared=lambda query, text: coverage(query, text)[0],
        rewriter=rewriter,
        models=models,
        top_k=settings.top_k,
        abstain_below=settings.abstain_below,
        max_question_chars=settings.max_question_chars,
    )


def without_language_model(pipeline: QAPipeline, settings: Settings) -> QAPipeline:
    """The same, sharing its parts, for questions that nobody asked: they cost no call of a language model."""
    from bri_qa.answer import ExtractiveAnswerer

    return replace(pipeline, answerer=ExtractiveAnswerer(settings.max_statements), rewriter=None)


def identity_card(settings: Settings) -> dict[str, Any]:
    """What a result was made with: the settings that bear on answers, and what the index was built of."""
    bearing = _BEARING if settings.llm_base_url is None else _BEARING | _BEARING_LLM
    manifest = open_index(settings).manifest
    return {
        "settings": settings.model_dump(mode="json", include=bearing),
        "index": {**asdict(manifest.identity), "corpus_sha256": manifest.corpus_sha256},
    }


def language_model(settings: Settings) -> OpenAIChat:
    """The configured language model; nothing is sent to its server yet.

    Raises:
        SettingsError: none is configured, or its key cannot be read.
    """
    from bri_qa.answer.openai_chat import OpenAIChat, Prices
    from bri_qa.answer.wire import Wire
    from bri_qa.tokens import Tokenizer

    if settings.llm_base_url is None or settings.llm_model is None:
        raise SettingsError("no language model is configured; set BRI_QA_LLM_BASE_URL and BRI_QA_LLM_MODEL")
    priced = settings.llm_price_prompt or settings.llm_price_completion
    return OpenAIChat(
        Wire.open(settings.llm_base_url, settings.llm_key(), settings.llm_timeout, settings.llm_retries),
        settings.llm_model,
        settings.llm_output_tokens,
        Tokenizer.load().count,
        settings.llm_concurrency,
        Prices(settings.llm_price_prompt, settings.llm_price_completion) if priced else None,
    )


def _by_language_model(settings: Settings, extractive: ExtractiveAnswerer) -> tuple[Answerer, Rewriter | None]:
    """The answerer and the rewriter of follow-ups that use the configured language model."""
    from bri_qa.answer.cache import Cache
    from bri_qa.answer.evidence import Budget
    from bri_qa.answer.generative import GenerativeAnswerer
    from bri_qa.answer.prompts import rewriting
    from bri_qa.answer.support import invented
    from bri_qa.answer.wording import content
    from bri_qa.conversation import ModelRewriter

    chat = language_model(settings)
    budget = Budget(settings.llm_context_tokens, settings.llm_output_tokens, chat.count)
    answerer = GenerativeAnswerer(chat, budget, extractive, settings.llm_max_statements, Cache(settings.llm_cache))
    rewriter = ModelRewriter(chat, lambda question: rewriting(question.text, question.history), invented, content)
    return answerer, rewriter if settings.llm_rewrite else None


def embedding_model(settings: Settings) -> Embedder:
    """The configured embedder.

    Raises:
        ArtifactError, ModelError: it cannot be loaded.
    """
    from bri_qa.embed import open_embedder

    return open_embedder(settings.embedding_model, settings.precision, settings.threads)


def reading_model(settings: Settings, embedder: Embedder) -> Reader:
    """The configured reader.

    Raises:
        ArtifactError, ModelError: it cannot be loaded.
    """
    from bri_qa.reader import BUNDLED, CrossEncoderReader, SentenceReader, is_ours, open_named

    if settings.reader == "sentences":
        return SentenceReader(embedder)
    folder = BUNDLED if settings.reader == "bundled" else Path(settings.reader)
    if settings.reader == "bundled" or is_ours(folder):
        return CrossEncoderReader.load(folder, embedder, settings.precision, settings.threads)
    return open_named(settings.reader, embedder, settings.threads)


def _identity(settings: Settings) -> Identity:
    from bri_qa.embed import identity_of
    from bri_qa.index import Identity

    name, fingerprint, dim = identity_of(settings.embedding_model, settings.threads)
    return Identity(name, fingerprint, dim, settings.passage_tokens, settings.overlap_tokens)
