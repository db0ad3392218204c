from __future__ import annotations

import inspect

from bri_qa import errors
from bri_qa.errors import BriQAError


def _drawn(kind: type[BriQAError], indent: str = "") -> list[str]:
    """The names below `kind` as the docstring draws them, in the order they are defined in."""
    lines = []
    children = kind.__subclasses__()
    for child in children:
        last = child is children[-1]
        lines.append(f"{indent}{'└' if last else '├'}── {child.__name__}")
        lines += _drawn(child, indent + ("    " if last else "│   "))
    return lines


def test_the_docstring_draws_the_tree_of_errors() -> None:
    tree = (errors.__doc__ or "").partition("BriQAError\n")[2].strip().splitlines()
    assert [line.partition("Error")[0] + "Error" for line in tree] == _drawn(BriQAError)


def test_every_error_says_what_it_is_and_is_of_the_tree() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    assert len(kinds) == len(_drawn(BriQAError)) + 1
    for kind in kinds:
        assert issubclass(kind, BriQAError)
        assert kind.__doc__ and kind.__doc__.endswith(".")
