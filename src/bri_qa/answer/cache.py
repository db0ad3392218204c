"""What a language model was asked before: its statements are remembered, and checked anew each time."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from threading import Lock
from typing import Generic, TypeVar

from bri_qa.protocols import Message

T = TypeVar("T")


@dataclass(slots=True)
class Cache(Generic[T]):
    """The last `size` values by key, in memory, for all threads of the process; 0 remembers nothing."""

    size: int
    _kept: OrderedDict[Hashable, T] = field(default_factory=OrderedDict, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)

    def get(self, key: str) -> T | None:
        with self._lock:
            value = self._kept.get(key)
            if value is not None:
                self._kept.move_to_end(key)
            return value

    def put(self, key: str, value: T) -> None:
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            while len(self._kept) > self.size:
                self._kept.popitem(last=False)


def key_of(model: str, passages: Sequence[str], messages: Sequence[Message]) -> str:
    """SHA-256 of the model, the ids of the passages and every word that the model is told."""
    told = json.dumps([model, list(passages), [asdict(item) for item in messages]], ensure_ascii=True)
    return sha256(told.encode("ascii")).hexdigest()
