"""`widget.js`: the parts in `static/` as one script, put together when the server starts. It needs no other file."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
LANGUAGES = ("en", "zh-Hans")
_PARTS = ("client.js", "view.js", "element.js", "start.js")


@dataclass(frozen=True, slots=True)
class Bundle:
    """The script, the same compressed, and a name that changes with it."""

    text: bytes
    zipped: bytes
    tag: str


@cache
def bundle() -> Bundle:
    """One function around all parts: the page sees no name of ours but the element's."""
    words = {language: json.loads(_read(f"{language}.json")) for language in LANGUAGES}
    lines = [
        '(() => {\n"use strict";',
        "const SCRIPT = document.currentScript;",
        'const BASE = new URL(".", SCRIPT.src).href;',
        f"const STYLE = {json.dumps(_read('style.css'))};",
        f"const TEXTS = {json.dumps(words, ensure_ascii=False)};",
        *(_read(name) for name in _PARTS),
        "})();\n",
    ]
    text = "\n".join(lines).encode()
    return Bundle(text, gzip.compress(text, mtime=0), f'"{sha256(text).hexdigest()[:20]}"')


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
