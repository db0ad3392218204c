"""Ids of documents, made of what public data sets call their articles."""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256

_FITS = re.compile(r"\w[\w.\-]{0,150}")


def article_id(name: str) -> str:
    """`name` if it can be a document's id; else its letters and digits and a hash, so that two names never meet."""
    text = unicodedata.normalize("NFC", name)
    if _FITS.fullmatch(text):
        return text
    words = re.sub(r"\W+", "-", text).strip("-")[:60].strip("-")
    return f"{words or 'article'}-{sha256(text.encode()).hexdigest()[:8]}"
