"""Property tests draw the same examples on every run, and take the time that the machine gives them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.housing import House

settings.register_profile("bri_qa", deadline=None, derandomize=True)
settings.load_profile("bri_qa")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """The routes about what the server keeps of its users, over an empty history in `tmp_path`."""
    from tests.housing import House

    with House.opened(tmp_path) as house:
        yield house
