"""Gradio writes no type stubs."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

import bri_qa.web  # noqa: F401 - its import comes before that of Gradio

OWN = """
import gradio as gr

class Own(gr.HTML):
    EVENTS = ["seen"]

    def __init__(self, value: str = "") -> None:
        super().__init__(value)
"""


def test_a_component_gets_no_stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "component_of_ours.py").write_text(OWN, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("component_of_ours")
    monkeypatch.delitem(sys.modules, "component_of_ours")
    assert callable(module.Own.seen)
    assert list(tmp_path.rglob("*.pyi")) == []
