from __future__ import annotations

import pytest

from bri_qa.initials import initials


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("the Belt and Road Initiative grew", {"br", "ri", "bri"}),
        ("the National Health Service", {"nh", "hs", "nhs"}),
        ("a Road was built in Africa", set()),
        ("no names here", set()),
    ],
)
def test_initials_of_runs_of_names_and_their_parts(text: str, held: set[str]) -> None:
    assert initials(text) == held


def test_a_very_long_run_is_looked_at_in_part() -> None:
    assert max(map(len, initials("Word " * 500))) == 12
