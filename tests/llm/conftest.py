"""These tests need a real model: they are collected for `-m llm` alone."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    del collection_path
    return None if config.getoption("markexpr") == "llm" else True
