"""Writes the pages of docs/ that are made from the program itself: `python -m tests.regenerate`."""

from __future__ import annotations

import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import typer
from annotated_types import Ge, Le
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from bri_qa.cli import app
from bri_qa.settings import PREFIX, Settings

DOCS = Path(__file__).parent.parent / "docs"
MADE = "<!-- Made from the program by `python -m tests.regenerate`; do not edit. -->\n"
SETTINGS = """# Settings

Every setting is a variable of the environment. Options of a command (`--corpus`, `--index`, `--host`, `--port`) win over
them. An unknown name that begins with `BRI_QA_`, or a value out of bounds, is refused with one line that names it.

Lengths are in tokens (cl100k_base), sizes in bytes.

| Variable | Default | Allowed | Meaning |
|---|---|---|---|
"""
COMMANDS = """# The command line

Every command exits with 0 on success (an abstention is a success), with 1 on a failed gate (a missed baseline of
`eval`, a quote that does not stand in `verify`) and with 2 on an error, which is one line on standard error that says
what to do. `docs/settings.md` lists what else can be set.

`ask --batch` takes one JSON object a line, `{"id": "…", "question": "…"}` and optionally `"history": [{"role": "user",
"text": "…"}, …]`. It prints one a line, in the same order: the answer (`docs/api.md`) with its `id`, or `{"id": "…",
"error": {"line": 3, "message": "…"}}` where a line cannot be answered. The rest goes on, and the exit code is then 2.
"""


def settings_page() -> str:
    """One row a setting, in the order of `Settings`."""
    rows = [
        f"| `{PREFIX}{name.upper()}` | {_default(field)} | {_allowed(field)} | {field.description} |\n"
        for name, field in Settings.model_fields.items()
    ]
    return MADE + SETTINGS + "".join(rows)


def _default(field: FieldInfo) -> str:
    return "unset" if field.default is None else f"`{field.default}`"


def _allowed(field: FieldInfo) -> str:
    kind: Any = field.annotation
    if get_origin(kind) in (Union, types.UnionType):
        kind = next(item for item in get_args(kind) if item is not type(None))
    if get_origin(kind) is Literal:
        return ", ".join(f"`{item}`" for item in get_args(kind))
    least = next((f"{item.ge:,}" for item in field.metadata if isinstance(item, Ge)), "")
    most = next((f"{item.le:,}" for item in field.metadata if isinstance(item, Le)), "")
    names = {int: "whole number", float: "number", str: "text", Path: "folder", SecretStr: "text", bool: "true, false"}
    return f"{least} to {most}" if least and most else names[kind]


def command_line_page() -> str:
    """The help of the program and of each command, as a terminal of 80 columns shows it."""
    group: Any = typer.main.get_command(app)
    above = typer.Context(group, info_name="bri-qa", terminal_width=80, max_content_width=80)
    parts = [("bri-qa", group.get_help(above))]
    for name in group.list_commands(above):
        command = group.get_command(above, name)
        inside = typer.Context(command, info_name=name, parent=above, terminal_width=80, max_content_width=80)
        parts.append((f"bri-qa {name}", command.get_help(inside)))
    return MADE + COMMANDS + "".join(f"\n## {title}\n\n```text\n{text.rstrip()}\n```\n" for title, text in parts)


def api_page() -> str:
    """Every operation of the API, from its OpenAPI description."""
    from tests.fakes import FakePipeline
    from tests.serving import made

    schema = made(FakePipeline()).openapi()
    parts = [
        _operation(method, path, operation)
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
    ]
    return MADE + f"# The API's routes\n\n{schema['info']['description']}\n" + "".join(parts)


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    name = operation["operationId"]
    rows = [
        f"| `{item['name']}` | {item['in']} | {item.get('description') or item['schema'].get('description', '')} |\n"
        for item in operation.get("parameters", [])
    ]
    table = "\n| Parameter | In | Meaning |\n|---|---|---|\n" + "".join(rows) if rows else ""
    body = next(iter(operation.get("requestBody", {}).get("content", {"": {}}).values())).get("schema", {})
    shape = f"\nBody: {_shape(body)}\n" if body else ""
    given = ", ".join(f"`{status}`" for status in sorted(operation["responses"]))
    return f"\n## {name}\n\n`{method.upper()} {path}`\n\n{operation['description']}\n{table}{shape}\nStatus: {given}\n"


def _shape(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return f"`{schema['$ref'].rpartition('/')[2]}`"
    return f"a list of {_shape(schema['items'])}" if "items" in schema else _first(schema)


def _first(schema: dict[str, Any]) -> str:
    return _shape(schema["anyOf"][0]) if schema.get("anyOf") else f"{schema.get('type', 'JSON')}"


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "command-line.md": command_line_page,
    "api-reference.md": api_page,
}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
