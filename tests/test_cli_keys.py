"""`bri-qa keys`: what is printed, and what a running server makes of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bri_qa.cli import run
from bri_qa.history import Database, Keys


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BRI_QA_HISTORY_DIR", str(tmp_path))
    return tmp_path


def _found(folder: Path, secret: str) -> tuple[str | None, tuple[str, ...], tuple[str, ...]] | None:
    database = Database.open(folder)
    try:
        key = Keys(database).find(secret)
        return (key.role, key.groups, key.scopes) if key else None
    finally:
        database.close()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ("reader", (), ())),
        (["--role", "administrator", "--groups", "board, art"], ("administrator", ("art", "board"), ())),
        (["--scope", "mint"], (None, (), ("mint",))),
        (["--scope", "mint", "--role", "reader"], ("reader", (), ("mint",))),
    ],
)
def test_a_new_key_may_what_was_asked(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], expected: object
) -> None:
    assert run(["keys", "new", "portal", *options]) == 0
    out, err = capsys.readouterr()
    assert "not shown again" in err
    assert _found(folder, out.strip()) == expected


def test_keys_are_listed_without_their_secrets_and_revoked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["keys", "list"]) == 0
    assert capsys.readouterr().out == "There is no key; make one with: bri-qa keys new NAME\n"
    run(["keys", "new", "nightly", "--role", "evaluator", "--expires", "30", "--json"])
    made = json.loads(capsys.readouterr().out)
    secret = made.pop("key")
    assert run(["keys", "list", "--json"]) == 0
    out = capsys.readouterr().out
    assert json.loads(out) == [made] and secret not in out
    run(["keys", "list"])
    assert f"{made['id']}  nightly  evaluator  in use, ends " in capsys.readouterr().out
    assert run(["keys", "revoke", "nightly"]) == 0
    assert "opens nothing any more" in capsys.readouterr().out
    assert _found(folder, secret) is None
    run(["keys", "list"])
    assert "evaluator  revoked, made " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["new", "two words"], "'two words' is no name for a key; use letters"),
        (["new", "a", "--groups", "Board"], "'Board' is no group; use small letters"),
        (["new", "a", "--role", "king"], "--role"),
        (["new", "a", "--expires", "0"], "--expires"),
        (["revoke", "absent"], "no key in use is named absent; `bri-qa keys list` shows them"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert run(["keys", *arguments]) == 2
    err = capsys.readouterr().err
    assert told in err and err.count("\n") == 1


def test_what_is_done_to_keys_is_on_record_without_the_keys(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["keys", "new", "portal", "--scope", "mint", "--groups", "board"])
    secret = capsys.readouterr().out.strip()
    assert run(["keys", "revoke", "nobody"]) == 2 and run(["keys", "revoke", "portal"]) == 0
    text = (folder / "audit.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(line["action"], line["result"]) for line in lines] == [
        ("keys.new", "begun"),
        ("keys.new", "done"),
        ("keys.revoke", "begun"),
        ("keys.revoke", "failed"),
        ("keys.revoke", "begun"),
        ("keys.revoke", "done"),
    ]
    made = lines[1]["about"]
    assert (made["name"], made["role"], made["groups"], made["scope"]) == ("portal", None, ["board"], "mint")
    assert made["key"] == lines[-1]["about"]["key"] and lines[0]["who"]["kind"] == "command line"
    assert secret not in text and secret.split("_")[2] not in text


def test_no_key_is_made_that_is_not_on_record(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "audit.jsonl").mkdir()
    assert run(["keys", "new", "portal"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and "audit.jsonl cannot be written" in err
    run(["keys", "list"])
    assert "There is no key" in capsys.readouterr().out
