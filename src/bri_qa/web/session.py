"""What the chat keeps of one user, in that user's session and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto

from bri_qa.types import Turn
from bri_qa.web import messages

Message = dict[str, str]


def _said(role: str, content: str) -> Message:
    return {"role": role, "content": content}


@dataclass(frozen=True, slots=True)
class Session:
    """One user's conversation: what is shown, what the pipeline is told of it, and its name in the history."""

    shown: tuple[Message, ...] = ()
    turns: tuple[Turn, ...] = ()
    conversation: str | None = None

    def asking(self, text: str) -> Session:
        """The same with a question and an empty place for its answer."""
        return replace(self, shown=(*self.shown, _said("user", messages.user(text)), _said("assistant", "")))

    def with_last(self, content: str) -> Session:
        """The same with its last message replaced."""
        return replace(self, shown=(*self.shown[:-1], _said("assistant", content)))

    def told(self, question: str, answer: str, most: int) -> Session:
        """The same with the last `most` turns known to the pipeline, these two among them."""
        return replace(self, turns=(*self.turns, Turn("user", question), Turn("assistant", answer))[-most:])


class Wish(Enum):
    """What the user wants of the question that is running."""

    STOP = auto()
    CLEAR = auto()


class Running:
    """A session's running question: the one mutable thing of a session, so that another event can reach it."""

    def __init__(self) -> None:
        self.wish: Wish | None = None
        self._wake: Callable[[], object] | None = None

    def begin(self, wake: Callable[[], object]) -> None:
        self.wish, self._wake = None, wake

    def end(self) -> None:
        """From here on a wish comes too late."""
        self._wake = None

    def interrupt(self, wish: Wish) -> bool:
        """Tell the running question; False when none is running."""
        if self._wake is None:
            return False
        self.wish = wish
        self._wake()
        return True
