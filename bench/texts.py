"""Public text for the benchmarks: docstrings of Python's standard library, cut to passages of about 200 word pieces."""

from __future__ import annotations

import ast
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from bri_qa.embed import MiniLMEmbedder

WORDS = 130  # give or take 200 word pieces of such prose


def docstrings() -> list[str]:
    """Every docstring of the library's top-level modules, in the order of files and lines; white space made single."""
    files = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    return [" ".join(text.split()) for file in files for text in _of(file)]


def passages(count: int, embedder: MiniLMEmbedder) -> list[str]:
    """`count` runs of `WORDS` words that the embedder reads without cutting."""
    words = " ".join(docstrings()).split()
    cut = (" ".join(words[i : i + WORDS]) for i in range(0, len(words), WORDS))
    fitting = [text for text in cut if 120 <= embedder.count_tokens(text) <= embedder.max_tokens]
    assert len(fitting) >= count, f"the standard library gives only {len(fitting)} passages"
    step = len(fitting) // count
    return fitting[: count * step : step]


def queries(count: int) -> list[str]:
    """First sentences of docstrings, 4 to 15 words long."""
    firsts = dict.fromkeys(text.split(". ")[0] for text in docstrings())
    short = [text for text in firsts if 4 <= len(text.split()) <= 15]
    step = len(short) // count
    return short[: count * step : step]


def _of(file: Path) -> Iterator[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, kinds) and (text := ast.get_docstring(node)):
            yield text
