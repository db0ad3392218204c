"""Files we trust only by their SHA-256: weights and vocabularies that arrive inside packages."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bri_qa.errors import ArtifactHashError, ArtifactMissingError


def sha256(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def verified(path: Path, expected: str | None) -> Path:
    """`path`, once its bytes are those we trust; `expected` None trusts whatever is there.

    Raises:
        ArtifactMissingError: there is no such file.
        ArtifactHashError: the file has another SHA-256.
    """
    if not path.is_file():
        raise ArtifactMissingError(f"{path} is missing; reinstall the package that carries it (make clean setup)")
    if expected is not None and (found := sha256(path)) != expected:
        raise ArtifactHashError(
            f"{path} is not the file we trust (SHA-256 {found[:8]}…, not {expected[:8]}…); reinstall it"
        )
    return path
