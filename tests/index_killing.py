"""Kills a build with SIGKILL at each moment at which it touches the index folder, and says what was left.

Run as `python -m tests.index_killing FOLDER`; prints a JSON list with one object a moment. Each build runs in a
process of its own, forked from this one, which starts no threads.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from bri_qa.index import EmbeddedIndex, Identity, build, plan
from bri_qa.types import Document, Filters
from tests.fakes import CountingEmbedder, document, lines

EMBEDDER = CountingEmbedder()
IDENTITY = Identity(EMBEDDER.name, EMBEDDER.fingerprint, EMBEDDER.dim, 160, 40)
OLDER = [document("a", "older words of a")]
OLD = [document("a", "old words of a"), document("b", "words of b")]
NEW = [document("a", "new words of a"), document("b", "words of b"), document("c", "words of c")]


def main(folder: Path) -> None:
    """Build two generations, then a third that is killed at the first, second, third … moment."""
    base = folder / "base"
    _apart(lambda: _build(base, OLDER))
    _apart(lambda: _build(base, OLD))
    moments: list[dict[str, object]] = []
    while not moments or moments[-1]["killed"]:
        moments.append(_kill(base, folder, len(moments)))
    sys.stdout.write(json.dumps(moments))


def _kill(base: Path, folder: Path, moment: int) -> dict[str, object]:
    """Kill a build of a copy of `base` at that moment; what was found afterwards."""
    place, report = folder / f"killed-{moment}", folder / f"{moment}.json"
    shutil.copytree(base, place)
    killed = _apart(lambda: _build_until(place, moment)) == -signal.SIGKILL
    status = _apart(lambda: report.write_text(json.dumps(_examine(place)), encoding="utf-8"))
    found = json.loads(report.read_bytes()) if status == 0 else {}
    return {"killed": killed, **found}


def _apart(call: Callable[[], object]) -> int:
    """Run `call` in a process of its own; its exit status, negative for a signal."""
    child = os.fork()
    if child == 0:
        try:
            call()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _build(place: Path, documents: Sequence[Document]) -> None:
    build(plan(place, documents, IDENTITY), EMBEDDER, lines)


def _build_until(place: Path, moment: int) -> None:
    """Build, but die before the event of that number that names a path within `place`."""
    events = count()

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        named = any(str(place) in str(argument) for argument in arguments)
        if named and event.startswith(("open", "os.", "shutil.", "sqlite3.")) and next(events) == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    planned = plan(place, NEW, IDENTITY)
    sys.addaudithook(hook)
    build(planned, EMBEDDER, lines)


def _examine(place: Path) -> dict[str, object]:
    """What an index says after the kill, then after the next build, and what is in its folder at the end."""
    after = _said(place)
    _build(place, NEW)
    return {"after": after, "mended": _said(place), "left": sorted(path.name for path in place.iterdir())}


def _said(place: Path) -> list[str]:
    index = EmbeddedIndex.open(place, IDENTITY)
    lexical = index.search_lexical("words", 9, Filters())
    dense = index.search_dense(EMBEDDER.embed_query("words"), 9, Filters())
    assert {hit.passage for hit in lexical} == {hit.passage for hit in dense}
    return sorted(hit.passage.text for hit in dense)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
