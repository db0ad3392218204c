"""The guides in docs/: their fenced blocks, as tests read and run them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
GUIDES = sorted((ROOT / "docs").glob("*.md"))
_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block. `kind` is what stands behind the fence: `sh` blocks are run, `sh setup` ones are not."""

    kind: str
    text: str


def blocks(guide: Path) -> list[Block]:
    return [Block(kind.strip(), text) for kind, text in _BLOCK.findall(guide.read_text(encoding="utf-8"))]
