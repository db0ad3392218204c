"""Where somebody goes after signing in: to a page of this server, wherever a link would have led them."""

from __future__ import annotations

import unicodedata
from urllib.parse import urlsplit

HOME = "/"
MOST_CHARS = 2_000
_DOORS = ("/sign-in", "/sign-out")


def local(wanted: str) -> str:
    r"""`wanted` where it is a path on this server, else the chat.

    Browsers drop tabs and line breaks and take `\` for `/`, so that `/\host` and `/<tab>/host` would lead away.
    """
    strange = any(character == "\\" or character.isspace() or _is_control(character) for character in wanted)
    if strange or len(wanted) > MOST_CHARS or not wanted.startswith("/") or wanted.startswith("//"):
        return HOME
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return HOME
    is_door = any(parts.path == door or parts.path.startswith(f"{door}/") for door in _DOORS)
    return HOME if parts.scheme or parts.netloc or is_door else wanted


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs")
