"""What an examination finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bri_qa.errors import BriQAError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried. `fine` is None where there is nothing to try, or nothing wrong but to be known."""

    name: str
    fine: bool | None
    detail: str


def tried(name: str, look: Callable[[], str]) -> Finding:
    """What `look` says, or that it failed and what to do about it."""
    try:
        return Finding(name, True, look())
    except BriQAError as error:
        return Finding(name, False, " ".join(str(error).split()))
