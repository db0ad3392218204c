"""Public text for the benchmarks: docstrings, comments and help topics of Python's standard library."""

from __future__ import annotations

import ast
import io
import random
import sysconfig
import tokenize
from collections.abc import Iterator
from functools import cache
from itertools import count as numbers
from itertools import islice
from pathlib import Path
from pydoc_data.topics import topics

from bri_qa.embed import MiniLMEmbedder

WORDS = 130  # give or take 200 word pieces of such prose
_SWAPPED = 0.15  # of the words of a repeated passage


def docstrings() -> list[str]:
    """Every docstring of the library's top-level modules, in the order of files and lines; white space made single."""
    files = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    return [" ".join(text.split()) for file in files for text in _docstrings_of(file)]


def passages(count: int, embedder: MiniLMEmbedder) -> list[str]:
    """`count` runs of `WORDS` words that the embedder reads without cutting."""
    words = " ".join(docstrings()).split()
    cut = (" ".join(words[i : i + WORDS]) for i in range(0, len(words), WORDS))
    fitting = [text for text in cut if 120 <= embedder.count_tokens(text) <= embedder.max_tokens]
    assert len(fitting) >= count, f"the standard library gives only {len(fitting)} passages"
    step = len(fitting) // count
    return fitting[: count * step : step]


def many_passages(count: int) -> list[str]:
    """`count` different runs of `WORDS` words of docstrings, comments and topics; once all are used, they are repeated
    with 15 % of their words drawn anew."""
    return list(islice(_runs(), count))


def _runs() -> Iterator[str]:
    words = _all_words()
    rng = random.Random(7)  # noqa: S311
    for round_ in numbers():
        for start in range(round_ * 37 % WORDS, len(words) - WORDS, WORDS):
            run = words[start : start + WORDS]
            if round_:
                run = [rng.choice(words) if rng.random() < _SWAPPED else word for word in run]
            yield " ".join(run)


def queries(count: int) -> list[str]:
    """First sentences of docstrings, 4 to 15 words long."""
    firsts = dict.fromkeys(text.split(". ")[0] for text in docstrings())
    short = [text for text in firsts if 4 <= len(text.split()) <= 15]
    step = len(short) // count
    return short[: count * step : step]


def long_queries(count: int) -> list[str]:
    """Questions as people paste them: 40 to 80 words of a docstring."""
    long = [" ".join(text.split()[:80]) for text in docstrings() if len(text.split()) >= 40]
    step = len(long) // count
    return long[: count * step : step]


@cache
def _all_words() -> list[str]:
    root = Path(sysconfig.get_path("stdlib"))
    files = [path for path in sorted(root.rglob("*.py")) if not {"site-packages", "test"} & set(path.parts)]
    texts = list(docstrings())
    texts += [text for key, text in sorted(topics.items())]
    texts += [text for file in files for text in _comments_of(file)]
    return " ".join(texts).split()


def _docstrings_of(file: Path) -> Iterator[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, kinds) and (text := ast.get_docstring(node)):
            yield text


def _comments_of(file: Path) -> Iterator[str]:
    """The comments of a file, of four words or more; nothing of a file that does not parse."""
    try:
        found = [
            token.string.lstrip("#:! ")
            for token in tokenize.generate_tokens(io.StringIO(file.read_text(encoding="utf-8")).readline)
            if token.type == tokenize.COMMENT
        ]
    except (tokenize.TokenError, SyntaxError, UnicodeDecodeError):
        return
    yield from (text for text in found if len(text.split()) >= 4)
