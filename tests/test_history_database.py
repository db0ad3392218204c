from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from bri_qa.errors import HistoryCorruptError, HistoryNewerError, HistoryWriteError
from bri_qa.history import Database, Rating, database
from bri_qa.history.models import Base
from tests.keeping import MILL, QUAY, Kept

USER = "anonymous:anna"


def _dump(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return list(connection.iterdump())


def _at(file: Path, revision: str) -> None:
    """A database as it was at `revision`."""
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


def test_the_migrations_make_what_the_models_say(tmp_path: Path) -> None:
    opened = Database.open(tmp_path)
    with opened.reading() as session:
        assert compare_metadata(MigrationContext.configure(session.connection()), Base.metadata) == []
    opened.close()


def test_an_old_database_is_brought_up_to_date_and_nothing_is_lost(tmp_path: Path) -> None:
    kept = Kept.open(tmp_path / "new")
    entry = kept.add(USER)
    kept.database.close()
    (tmp_path / "old").mkdir()
    old = tmp_path / "old" / database.FILE
    _at(old, "0001")
    with closing(sqlite3.connect(old)) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert {"conversations", "entries"} <= tables and "feedback" not in tables
        connection.execute("ATTACH ? AS new", (str(tmp_path / "new" / database.FILE),))
        connection.execute("INSERT INTO conversations SELECT * FROM new.conversations")
        connection.execute("INSERT INTO entries SELECT * FROM new.entries")
        connection.commit()
    again = Kept.open(tmp_path / "old")
    assert again.history.entry(USER, entry.id) == entry
    again.ratings.rate(USER, entry.id, Rating.UP)
    again.database.close()


def test_opening_twice_changes_nothing(tmp_path: Path) -> None:
    kept = Kept.open(tmp_path)
    kept.add(USER)
    kept.database.close()
    before = _dump(tmp_path / database.FILE)
    Database.open(tmp_path).close()
    assert _dump(tmp_path / database.FILE) == before


def test_a_migration_that_fails_leaves_the_old_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    migrations = tmp_path / "migrations"
    shutil.copytree(Path(database.__file__).parent / "migrations", migrations)
    head = max(path.name[1:5] for path in (migrations / "versions").glob("v[0-9]*.py"))
    lines = [
        "from alembic import op",
        f"revision, down_revision = '9999', '{head}'",
        "def upgrade():",
        "    op.execute('DELETE FROM entries')",
        "    op.execute('DELETE FROM absent')",
    ]
    (migrations / "versions" / "v9999.py").write_text("\n".join(lines))
    kept = Kept.open(tmp_path / "data")
    kept.add(USER)
    kept.database.close()
    before = _dump(tmp_path / "data" / database.FILE)
    monkeypatch.setattr(database, "_MIGRATIONS", migrations)
    with pytest.raises(OperationalError, match="no such table: absent"):
        Database.open(tmp_path / "data")
    assert _dump(tmp_path / "data" / database.FILE) == before
    assert any('INSERT INTO "entries"' in line for line in before)


def test_a_newer_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    kept = Kept.open(tmp_path)
    kept.add(USER)
    with kept.database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    kept.database.close()
    before = (tmp_path / database.FILE).read_bytes()
    with pytest.raises(HistoryNewerError, match=r"newer bri_qa \(its format is 9999\); install that version, or name"):
        Database.open(tmp_path)
    assert (tmp_path / database.FILE).read_bytes() == before


def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / database.FILE)) as connection:
        connection.execute("CREATE TABLE bills (amount)")
    before = _dump(tmp_path / database.FILE)
    with pytest.raises(HistoryCorruptError, match="another program's database; name another folder"):
        Database.open(tmp_path)
    assert _dump(tmp_path / database.FILE) == before


def test_a_damaged_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / database.FILE
    file.write_bytes(b"this is no database at all, it is a letter" * 100)
    with pytest.raises(HistoryCorruptError, match=r"is damaged .*; it was left as it is: put a backup in its place"):
        Database.open(tmp_path)
    assert file.read_bytes().startswith(b"this is no database")


def test_damaged_pages_are_noticed(tmp_path: Path) -> None:
    kept = Kept.open(tmp_path)
    for _ in range(20):
        kept.add(USER)
    kept.database.close()
    file = tmp_path / database.FILE
    content = file.read_bytes()
    middle = len(content) // 8192 * 4096
    damaged = content[:middle] + b"\xff" * 8192 + content[middle + 8192 :]
    file.write_bytes(damaged)
    with pytest.raises(HistoryCorruptError, match="is damaged"):
        Database.open(tmp_path)
    assert file.read_bytes() == damaged


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HistoryWriteError, match=r"cannot be used .*BRI_QA_HISTORY_DIR"):
        Database.open(tmp_path / "file")
    (tmp_path / "taken" / database.FILE).mkdir(parents=True)
    with pytest.raises(HistoryWriteError, match="cannot be used"):
        Database.open(tmp_path / "taken")


def test_a_full_disk_is_told_and_what_was_kept_stands(tmp_path: Path) -> None:
    kept = Kept.open(tmp_path)
    kept.add(USER)
    with kept.database.reading() as session:
        pages = session.execute(text("PRAGMA page_count")).scalar_one()
    kept.database.close()  # the limit is a connection's own: let the next one be the only one
    with kept.database.reading() as session:
        session.execute(text(f"PRAGMA max_page_count = {pages}"))
    with pytest.raises(HistoryWriteError, match=r"database or disk is full.*free some space"):
        for _ in range(100):
            kept.add(USER, MILL)
    assert QUAY in kept.titles(USER)
    kept.database.close()


def test_a_locked_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_PRAGMAS", ("PRAGMA busy_timeout = 0", *database._PRAGMAS[1:]))
    kept = Kept.open(tmp_path)
    with closing(sqlite3.connect(tmp_path / database.FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(HistoryWriteError, match="database is locked"):
            kept.add(USER)
        assert kept.titles(USER) == []  # readers do not wait for a writer
    kept.add(USER)
    kept.database.close()


def test_a_file_that_another_program_holds_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0)
    monkeypatch.setattr(database, "_PRAGMAS", ("PRAGMA busy_timeout = 0", *database._PRAGMAS[1:]))
    with closing(sqlite3.connect(tmp_path / database.FILE, isolation_level=None)) as other:
        other.execute("CREATE TABLE x (y)")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(HistoryWriteError, match="database is locked"):
            Database.open(tmp_path)
        monkeypatch.setattr(database, "_check", lambda _: None)
        with pytest.raises(HistoryWriteError, match="database is locked"):
            Database.open(tmp_path)


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    kept = Kept.open(tmp_path / "made")
    kept.add(USER)
    assert (tmp_path / "made").stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in (tmp_path / "made").iterdir())
    kept.database.close()


def test_what_is_deleted_is_in_no_file_any_more(tmp_path: Path) -> None:
    kept = Kept.open(tmp_path)
    kept.add(USER, MILL)
    entry = kept.add(USER, f"{QUAY} zanzibar")
    kept.ratings.rate(USER, entry.id, Rating.DOWN, comment="zanzibar")
    assert _holds(tmp_path, b"zanzibar")
    kept.history.delete(USER, entry.conversation_id)
    assert not _holds(tmp_path, b"zanzibar")
    assert _holds(tmp_path, MILL.encode())
    kept.history.delete_all(USER)
    assert not _holds(tmp_path, MILL.encode())
    kept.database.close()


def _holds(folder: Path, words: bytes) -> bool:
    return any(words in file.read_bytes() for file in folder.iterdir())


def test_many_threads_lose_nothing(tmp_path: Path) -> None:
    kept = Kept.open(tmp_path)
    shared = kept.add(USER).conversation_id

    def work(number: int) -> None:
        user = f"user {number % 4}"
        entry = kept.add(user, f"harbour {number}")
        kept.ratings.rate(user, entry.id, Rating.DOWN)
        kept.add(USER, QUAY, shared)
        kept.titles(user, "harbour")
        kept.history.conversation(user, entry.conversation_id)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(32)))
    assert len(kept.history.conversation(USER, shared).entries) == 33
    assert [len(kept.titles(f"user {number}")) for number in range(4)] == [8] * 4
    assert kept.ratings.counts()["down"] == 32
    kept.database.close()


def test_a_process_that_is_killed_loses_nothing_that_was_kept(tmp_path: Path) -> None:
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom tests.keeping import Kept\n"
        "kept = Kept.open(Path(sys.argv[1]))\nkept.add('anonymous:anna')\n"
        "with kept.database.writing() as session:\n"
        "    session.connection().exec_driver_sql('DELETE FROM conversations')\n    os._exit(9)\n"
    )
    run = subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=Path(__file__).parent.parent, check=False)
    assert run.returncode == 9
    kept = Kept.open(tmp_path)
    assert kept.titles(USER) == [QUAY]
    kept.database.close()
