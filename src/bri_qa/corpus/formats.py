"""The formats that can be read, by suffix. A new one is a module with a reader, and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from bri_qa.corpus import markdown, plain
from bri_qa.corpus.records import Article

Reader: TypeAlias = Callable[[bytes], Article]
"""The bytes of a file to an article, its text canonical; raises Unusable with the reason."""

READERS: Mapping[str, Reader] = {
    ".txt": plain.read,
    ".md": markdown.read,
    ".markdown": markdown.read,
}
SUPPORTED = ", ".join(READERS)
