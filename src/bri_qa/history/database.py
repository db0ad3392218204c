"""The SQLite file of the history: opened, migrated, and written in short transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, exc, inspect
from sqlalchemy.orm import Session

from bri_qa.errors import HistoryCorruptError, HistoryError, HistoryNewerError, HistoryWriteError

FILE = "history.sqlite"
BUSY_SECONDS = 10
_MIGRATIONS = Path(__file__).parent / "migrations"
_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # what a user deletes is overwritten
)
# When the disk, not the file, is the trouble; and when the file is.
_DISK = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}


class Database:
    """An open file; one engine, safe from several threads and beside other processes."""

    def __init__(self, engine: Engine, path: Path) -> None:
        self.path = path
        self._reading = engine
        self._writing = engine.execution_options(begin="BEGIN IMMEDIATE")

    @classmethod
    def open(cls, folder: Path) -> Database:
        """The history in `folder`, made where there is none, brought up to date where it is old.

        Raises:
            HistoryNewerError: a newer bri_qa wrote it; it is left as it is.
            HistoryCorruptError: it is damaged, or another program's; it is left as it is.
            HistoryWriteError: the folder or the file cannot be written.
        """
        path = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _check(path)
            path.touch(mode=0o600)
        except OSError as error:
            raise _unwritable(path, error.strerror or str(error)) from error
        database = cls(_engine(path), path)
        try:
            database._migrate()
        except BaseException:
            database.close()
            raise
        return database

    def _migrate(self) -> None:
        """All steps in one transaction: it is up to date afterwards, or as it was before."""
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        head = ScriptDirectory.from_config(config).get_current_head()
        with self._translated(), self._writing.begin() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
            if current == head:
                return
            self._refuse_strangers(connection, config, current)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def _refuse_strangers(self, connection: Connection, config: Config, current: str | None) -> None:
        if current is None:
            if inspect(connection).get_table_names():
                raise HistoryCorruptError(
                    f"{self.path} is another program's database; name another folder with BRI_QA_HISTORY_DIR"
                )
            return
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if current not in known:
            raise HistoryNewerError(
                f"{self.path} was written by a newer bri_qa (its format is {current}); install that version, or name "
                "another folder with BRI_QA_HISTORY_DIR"
            )

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the file.

        Raises:
            HistoryError: the file cannot be read.
        """
        with self._translated(), Session(self._reading) as session, session.begin():
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that writes; committed at the end of the block, undone when it raises.

        Raises:
            HistoryError: the file cannot be written; nothing of the block was kept.
        """
        with self._translated(), Session(self._writing) as session, session.begin():
            yield session

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (exc.DatabaseError, sqlite3.DatabaseError) as error:
            ours = _ours(self.path, error.orig if isinstance(error, exc.DatabaseError) else error)
            if ours is None:
                raise
            raise ours from error

    def settle(self) -> None:
        """Write what was changed or deleted into the file itself, so that no text of it is left in SQLite's log."""
        with self._translated(), self._reading.connect() as connection:
            raw = connection.connection.driver_connection
            if raw is not None:
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close all connections; what was written is in the one file."""
        self._reading.dispose()


def _engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path.resolve()}", pool_size=4, max_overflow=16)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # we begin the transactions ourselves, see below
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        """A writer takes its turn at once: one that turns writer later would fail when another was faster."""
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

    return engine


def _check(path: Path) -> None:
    """Look at a file that is there before anything touches it."""
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        ours = _ours(path, error)
        if ours is None:
            raise
        raise ours from error
    if verdict != "ok":
        raise _corrupt(path, "its pages do not fit together")


def _ours(path: Path, error: BaseException | None) -> HistoryError | None:
    """The error of ours for SQLite's; None for a mistake of this program."""
    code = error.sqlite_errorcode & 0xFF if isinstance(error, sqlite3.Error) else 0  # the rest is detail
    if code in _DISK:
        return _unwritable(path, str(error))
    return _corrupt(path, str(error)) if code in _DAMAGE else None


def _corrupt(path: Path, reason: str) -> HistoryCorruptError:
    return HistoryCorruptError(
        f"{path} is damaged ({_line(reason)}); it was left as it is: put a backup in its place, or move it away to "
        "start anew"
    )


def _unwritable(path: Path, reason: str) -> HistoryWriteError:
    return HistoryWriteError(
        f"{path} cannot be used ({_line(reason)}); make the folder writable and free some space, or name another with "
        "BRI_QA_HISTORY_DIR"
    )


def _line(reason: str) -> str:
    return " ".join(reason.split())
