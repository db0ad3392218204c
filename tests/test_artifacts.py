from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from bri_qa.artifacts import sha256, verified
from bri_qa.errors import ArtifactHashError, ArtifactMissingError

DATA = b"weights \x00\xff" * 40_000


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    path.write_bytes(DATA)
    return path


def test_a_file_with_the_trusted_hash_is_given_back(artifact: Path) -> None:
    trusted = hashlib.sha256(DATA).hexdigest()
    assert sha256(artifact) == trusted
    assert verified(artifact, trusted) == artifact


def test_a_file_with_one_other_byte_is_refused_by_name(artifact: Path) -> None:
    trusted = sha256(artifact)
    artifact.write_bytes(DATA[:-1] + b"\xfe")
    with pytest.raises(ArtifactHashError, match=rf"model\.safetensors is not the file we trust .*{trusted[:8]}"):
        verified(artifact, trusted)
    assert verified(artifact, None) == artifact


@pytest.mark.parametrize("expected", ["0" * 64, None])
def test_a_missing_file_or_a_folder_is_named(tmp_path: Path, expected: str | None) -> None:
    for path in (tmp_path / "gone.bin", tmp_path):
        with pytest.raises(ArtifactMissingError, match=f"{path.name} is missing; reinstall"):
            verified(path, expected)
