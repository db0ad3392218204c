"""One tree of errors. Each message is one line that says what is wrong and what to do about it.

BriQAError
├── SettingsError            a setting is unknown, out of bounds or contradictory
├── InputError               something the user gave cannot be used
│   ├── CorpusError          the corpus folder cannot be read at all (single bad files are reported, not raised)
│   ├── CorpusEditError      a change of the corpus folder that is refused or cannot be made; `code` says which
│   ├── QuestionError        an empty or oversized question
│   ├── CaseError            an eval case or baseline file that does not fit its format
│   ├── AnswerFileError      a saved answer that is not the contract's JSON
│   ├── NotFoundError        a conversation, an answer or a citation that this user does not have
│   ├── HistoryInputError    a title, search, rating or comment that cannot be kept
│   └── HistoryFullError     there is no room for another conversation or question
├── ArtifactError            weights or vocabulary
│   ├── ArtifactMissingError a file that a package should carry is not there
│   └── ArtifactHashError    a file is there but is not the one we trust
├── IndexStoreError          the index on disk
│   ├── IndexMissingError    there is none
│   ├── IndexStaleError      it was built by another embedder, format or passage setting
│   ├── IndexCorruptError    its files do not fit its manifest
│   ├── IndexWriteError      it could not be written (full or read-only disk); the old one still stands
│   └── IndexBusyError       another process is building it
├── HistoryError             the file of conversations and feedback
│   ├── HistoryCorruptError  it is damaged or another program's; it is left as it is
│   ├── HistoryNewerError    a newer version wrote it; it is left as it is
│   └── HistoryWriteError    it could not be written (full, locked or read-only disk); what was in it stands
├── ModelError               a model cannot be loaded or run
│   └── ChatModelError       the language model gave nothing that can be used; the extractive answer is given instead
│       ├── ChatUnreachableError no connection to its server, or no answer in time
│       ├── ChatBusyError    it is busy, or at rest after it hung
│       ├── ChatRefusedError its server refused: a wrong key, model or request
│       └── ChatOutputError  its answer broke off, or is no completion
└── MissingExtraError        a configured part needs an optional dependency; names the extra
"""

from __future__ import annotations


class BriQAError(Exception):
    """Base of all errors that are meant for the user."""


class SettingsError(BriQAError):
    """A setting is unknown, out of bounds or contradictory."""


class InputError(BriQAError):
    """Something the user gave cannot be used."""


class CorpusError(InputError):
    """The corpus folder cannot be read at all."""


class CorpusEditError(InputError):
    """A change of the corpus folder that is refused or cannot be made."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class QuestionError(InputError):
    """An empty or oversized question."""


class CaseError(InputError):
    """An eval case or baseline file that does not fit its format."""


class AnswerFileError(InputError):
    """A saved answer that is not the contract's JSON."""


class NotFoundError(InputError):
    """A conversation, an answer or a citation that this user does not have."""


class HistoryInputError(InputError):
    """A title, search, rating or comment that cannot be kept."""


class HistoryFullError(InputError):
    """There is no room for another conversation or question."""


class ArtifactError(BriQAError):
    """Weights or vocabulary."""


class ArtifactMissingError(ArtifactError):
    """A file that a package should carry is not there."""


class ArtifactHashError(ArtifactError):
    """A file is there but is not the one we trust."""


class IndexStoreError(BriQAError):
    """The index on disk."""


class IndexMissingError(IndexStoreError):
    """There is no index."""


class IndexStaleError(IndexStoreError):
    """The index was built by another embedder, format or passage setting."""


class IndexCorruptError(IndexStoreError):
    """The files of the index do not fit its manifest."""


class IndexWriteError(IndexStoreError):
    """The index could not be written; the old one still stands."""


class IndexBusyError(IndexStoreError):
    """Another process is building the index."""


class HistoryError(BriQAError):
    """The file of conversations and feedback."""


class HistoryCorruptError(HistoryError):
    """The file is damaged or another program's; it is left as it is."""


class HistoryNewerError(HistoryError):
    """A newer version wrote the file; it is left as it is."""


class HistoryWriteError(HistoryError):
    """The file could not be written; what was in it stands."""


class ModelError(BriQAError):
    """A model cannot be loaded or run."""


class ChatModelError(ModelError):
    """The language model gave nothing that can be used."""


class ChatUnreachableError(ChatModelError):
    """There is no connection to the language model's server, or no answer in time (`timed_out`)."""

    def __init__(self, message: str, *, timed_out: bool = False) -> None:
        super().__init__(message)
        self.timed_out = timed_out


class ChatBusyError(ChatModelError):
    """The language model is busy, or at rest after it hung."""


class ChatRefusedError(ChatModelError):
    """The language model's server refused the request: its HTTP `status` and, on one line, its `detail`."""

    def __init__(self, message: str, status: int, detail: str = "") -> None:
        super().__init__(message)
        self.status, self.detail = status, detail


class ChatOutputError(ChatModelError):
    """The language model's answer broke off, or is no completion."""


class MissingExtraError(BriQAError):
    """A configured part needs an optional dependency."""
