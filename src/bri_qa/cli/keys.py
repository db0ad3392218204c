"""`bri-qa keys`: API keys for programs, portals and people."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bri_qa.cli.common import AsJson, app, say, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from bri_qa.history import Keys
    from bri_qa.history.keys import Key

keys = typer.Typer(help="Make, list and revoke API keys.", rich_markup_mode=None, no_args_is_help=True)
app.add_typer(keys, name="keys", short_help="Make, list and revoke API keys.")


class RoleName(StrEnum):
    """What the bearer of a key may do; each includes those before it."""

    READER = "reader"
    EVALUATOR = "evaluator"
    ADMINISTRATOR = "administrator"


class ScopeName(StrEnum):
    """What a key may do beside its role."""

    MINT = "mint"


@keys.command(short_help="Make a key; it is shown once.")
def new(
    name: Annotated[str, typer.Argument(help="What the key is for, as in portal or nightly-eval.")],
    role: Annotated[
        RoleName | None, typer.Option("--role", help="What its bearer may do (default: reader, none with --scope).")
    ] = None,
    groups: Annotated[str, typer.Option("--groups", help="Access groups whose articles it opens, comma between.")] = "",
    scope: Annotated[ScopeName | None, typer.Option("--scope", help="mint: make tokens for the widget.")] = None,
    expires: Annotated[int | None, typer.Option("--expires", min=1, max=3_650, help="Days until it ends.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it. It is kept as a hash alone: write it down now, it cannot be shown again."""
    chosen = role or (None if scope else RoleName.READER)
    wanted = tuple(item.strip() for item in groups.split(",") if item.strip())
    for store in _store():
        about = {"name": name, "role": chosen, "groups": wanted, "scope": scope, "days": expires}
        with _recorded("keys.new", about) as found:
            key, secret = store.new(name, chosen, wanted, (scope.value,) if scope else (), expires)
            found["key"] = key.id
        if as_json:
            say(json.dumps({**_shown(key), "key": secret}, ensure_ascii=False))
        else:
            say(secret)
            typer.echo(f"The key {key.name} ({_may(key)}) is above; it is not shown again.", err=True)


@keys.command("list", short_help="Show what keys there are.")
def listed(as_json: AsJson = False) -> None:
    """Show all keys that were made: what they may do, when they end and when they were last used; never the keys."""
    for store in _store():
        found = store.all()
        if as_json:
            say(json.dumps([_shown(key) for key in found], ensure_ascii=False, indent=1))
        elif not found:
            say("There is no key; make one with: bri-qa keys new NAME")
        else:
            for key in found:
                say(_line(key))


@keys.command(short_help="End a key at once.")
def revoke(name: Annotated[str, typer.Argument(help="The name or the id of a key in use.")]) -> None:
    """End a key; a running server refuses it from its next request on."""
    for store in _store():
        with _recorded("keys.revoke", {"name": name}) as found:
            key = store.revoke(name)
            found["key"] = key.id
        say(f"The key {key.name} ({key.id}) opens nothing any more.")


def _store() -> Iterator[Keys]:
    from bri_qa.history import Database, Keys

    database = Database.open(settings_of().history_dir)
    try:
        yield Keys(database)
    finally:
        database.close()


def _recorded(action: str, about: dict[str, Any]) -> AbstractContextManager[dict[str, Any]]:
    from bri_qa.web.audit import Actor, Audit

    return Audit(settings_of().history_dir).act(Actor.at_the_command_line(), action, about)


def _may(key: Key) -> str:
    parts = [key.role or "no role", *key.scopes]
    return ", ".join(parts) + (f"; groups: {', '.join(key.groups)}" if key.groups else "")


def _line(key: Key) -> str:
    from datetime import UTC, datetime

    state = "in use" if key.alive(datetime.now(UTC)) else "revoked" if key.revoked else "expired"
    ends = f", ends {key.expires:%Y-%m-%d}" if key.expires and state == "in use" else ""
    used = f"last used {key.last_used:%Y-%m-%d %H:%M} UTC" if key.last_used else "never used"
    return f"{key.id}  {key.name}  {_may(key)}  {state}{ends}, made {key.created:%Y-%m-%d}, {used}"


def _shown(key: Key) -> dict[str, Any]:
    moments = {
        name: value.isoformat() if value else None
        for name, value in (
            ("created", key.created),
            ("expires", key.expires),
            ("revoked", key.revoked),
            ("last_used", key.last_used),
        )
    }
    return {
        "id": key.id,
        "name": key.name,
        "role": key.role,
        "groups": list(key.groups),
        "scopes": list(key.scopes),
        **moments,
    }
