"""API keys: found by their secret alone, kept as a hash, and dead once they are revoked or have ended."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bri_qa.errors import HistoryInputError, NotFoundError
from bri_qa.history import Database, Keys
from bri_qa.history.database import FILE
from bri_qa.history.models import ApiKeyRow


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[Keys]:
    database = Database.open(tmp_path)
    yield Keys(database)
    database.close()


def test_a_key_is_found_by_its_secret_alone(keys: Keys) -> None:
    key, secret = keys.new("portal", "reader", ("board", "art", "board"), ("mint",), 30)
    found = keys.find(secret)
    assert found is not None
    assert (found.id, found.name, found.role, found.groups, found.scopes) == (
        key.id,
        "portal",
        "reader",
        ("art", "board"),
        ("mint",),
    )
    other = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    for wrong in (other, secret[:-1], secret + "x", key.id, "", "bqk_", f"bqk_{'0' * 12}_{'a' * 43}", "é" * 70):
        assert keys.find(wrong) is None


def test_the_secret_is_not_kept(keys: Keys, tmp_path: Path) -> None:
    key, secret = keys.new("portal", "reader", (), (), None)
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        dump = "\n".join(connection.iterdump())
    assert "portal" in dump
    assert secret not in dump
    assert secret.removeprefix(f"bqk_{key.id}_") not in dump


def test_a_revoked_key_opens_nothing_and_its_name_is_free(keys: Keys) -> None:
    key, secret = keys.new("portal", "reader", (), (), None)
    with pytest.raises(HistoryInputError, match="a key named portal is in use; revoke it first"):
        keys.new("portal", "reader", (), (), None)
    assert keys.alive(key.id) and keys.any_alive()
    assert keys.revoke("portal").revoked is not None
    assert keys.find(secret) is None
    assert not keys.alive(key.id) and not keys.any_alive()
    with pytest.raises(NotFoundError, match="no key in use is named portal"):
        keys.revoke("portal")
    again, _ = keys.new("portal", "evaluator", (), (), None)
    assert keys.revoke(again.id).id == again.id
    assert [item.name for item in keys.all()] == ["portal", "portal"]


def test_a_key_ends_when_its_days_are_over(keys: Keys) -> None:
    key, secret = keys.new("week", "reader", (), (), 7)
    assert key.expires is not None and key.expires - key.created == timedelta(days=7)
    with keys._database.writing() as session:
        row = session.get(ApiKeyRow, key.id)
        assert row is not None
        row.expires = datetime.now(UTC) - timedelta(seconds=1)
    assert keys.find(secret) is None


def test_the_last_use_is_kept_to_the_hour(keys: Keys) -> None:
    key, secret = keys.new("portal", "reader", (), (), None)
    assert key.last_used is None
    keys.find(secret)
    first = keys.all()[0].last_used
    assert first is not None
    keys.find(secret)
    assert keys.all()[0].last_used == first


@pytest.mark.parametrize(
    ("name", "groups"), [("", ()), ("a b", ()), ("x" * 65, ()), ("ok", ("Big",)), ("ok", ("a b",))]
)
def test_names_and_groups_are_checked(keys: Keys, name: str, groups: tuple[str, ...]) -> None:
    with pytest.raises(HistoryInputError, match=r"is no (name|group)"):
        keys.new(name, "reader", groups, (), None)
    assert keys.all() == []
