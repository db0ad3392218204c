"""The seams: each crosses weights, disk or network, and each has more than one implementation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

from bri_qa.types import Document, Draft, Filters, Hit, ModelUse, Passage, Question, Reading, Statement

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Vectors: TypeAlias = "NDArray[np.float32]"


class Embedder(Protocol):
    """Texts to unit vectors. `max_tokens` is how many of `count_tokens` it reads before it cuts."""

    @property
    def name(self) -> str: ...
    @property
    def fingerprint(self) -> str:
        """Identity of the weights (SHA-256) or, for a computed embedder, of its parameters."""
        ...

    @property
    def dim(self) -> int: ...
    @property
    def max_tokens(self) -> int: ...
    def count_tokens(self, text: str) -> int:
        """How many of the model's own tokens `text` takes, special tokens included."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """f32[n, dim], rows of norm 1, in the order of `texts`."""
        ...

    def embed_query(self, text: str) -> Vectors:
        """f32[dim], norm 1."""
        ...


class Index(Protocol):
    """Documents, passages and their vectors, open for reading."""

    def snapshot(self) -> Index:
        """The index as it stands now; one question uses one snapshot from start to end."""
        ...

    def search_dense(self, vector: Vectors, k: int, filters: Filters) -> list[Hit]:
        """At most k hits by inner product, best first, ties by passage id. `vector` is f32[dim]."""
        ...

    def search_lexical(self, query: str, k: int, filters: Filters, vector: Vectors | None = None) -> list[Hit]:
        """At most k hits by BM25 over the query's words, best first, ties by passage id.

        `vector`, the query's if there is one, gives them their cosine.
        """
        ...

    def document(self, document_id: str) -> Document | None: ...
    def documents(self) -> list[Document]:
        """All documents, by id."""
        ...

    def passages(self, document_id: str) -> list[Passage]:
        """The passages of a document in reading order."""
        ...


class Reader(Protocol):
    """Reads passages for an answer. Scores travel with their model, and so does its threshold."""

    @property
    def name(self) -> str: ...
    @property
    def threshold(self) -> float:
        """The confidence below which the product abstains."""
        ...

    @property
    def topic_threshold(self) -> float:
        """The relevance below which even the nearest passage is off the topic of the question."""
        ...

    @property
    def settled(self) -> float:
        """The confidence from which reading more passages was not found to change the answer."""
        ...

    def read(self, question: str, hits: Sequence[Hit]) -> list[Reading]:
        """One reading a hit, of its passage, in the order given."""
        ...

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """The read hits in the order in which they should be trusted, best first; `score` is the new score."""
        ...

    def confidence(self, question: str, hits: Sequence[Hit]) -> float:
        """In [0, 1]: how likely the read hits, best first, state the answer and the best span is it."""
        ...


class Answerer(Protocol):
    """Question and hits to an unverified draft. `query` is the question made standalone."""

    @property
    def mode(self) -> str: ...
    def answer(self, question: Question, query: str, hits: Sequence[Hit]) -> Draft: ...


@runtime_checkable
class StreamingAnswerer(Answerer, Protocol):
    """An answerer whose statements come one by one."""

    def stream(self, question: Question, query: str, hits: Sequence[Hit]) -> Iterator[Statement | Draft]:
        """Statements that will not be withdrawn, then the draft, whose first statements they are."""
        ...


class Rewriter(Protocol):
    """A follow-up to a question that stands on its own, and what a language model did for it."""

    def rewrite(self, question: Question) -> tuple[str, ModelUse | None]: ...


@dataclass(frozen=True, slots=True)
class Message:
    """One message to a language model."""

    role: Literal["system", "user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Completion:
    """All that a language model wrote in one go, and what it took. `cut` says that it ran into the output limit."""

    text: str
    use: ModelUse
    cut: bool = False


Schema: TypeAlias = Mapping[str, Any]


class ChatModel(Protocol):
    """A language model. With `schema` (JSON Schema) the text is JSON that fits it.

    Every method raises a `ChatModelError` that says what was wrong.
    """

    @property
    def name(self) -> str: ...
    def supports_schema(self) -> bool:
        """Whether the server holds its output to a schema; found out at the first call, then remembered."""
        ...

    def took(self, messages: Sequence[Message], written: str) -> ModelUse:
        """What a request that was ended before its time took, by our own count of tokens."""
        ...

    def complete(self, messages: Sequence[Message], schema: Schema | None = None) -> Completion: ...
    def stream(self, messages: Sequence[Message], schema: Schema | None = None) -> Iterator[str | Completion]:
        """Pieces of text as they come, then the completion. Closing the iterator ends the request."""
        ...
