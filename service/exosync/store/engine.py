"""From the setting `state` to an open connection."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from exosync.errors import ConfigError, StoreError
from exosync.store.failures import BUSY_SECONDS, code_of, mapped, of_os

OLDEST_SQLITE = (3, 37, 0)
"""The first SQLite with STRICT tables (https://sqlite.org/stricttables.html)."""

READ = "BEGIN"
WRITE = "BEGIN IMMEDIATE"
"""A writer takes its lock at once: one that asks for it later may find that it cannot wait."""

_PREFIX = "sqlite:///"


def database_path(url: str, *, base: Path) -> Path:
    """The file that `state` names; a relative one starts from `base`. Raises ConfigError."""
    scheme = url.partition(":")[0]
    if not url.startswith(_PREFIX):
        what = f"a {scheme} address" if "://" in url else "no address of a database"
        message = (
            f"state: this is {what}; only {_PREFIX}FILE is known now (PostgreSQL comes in a later "
            f"release), for example {_PREFIX}exosync.db"
        )
        raise ConfigError(message)
    name = url.removeprefix(_PREFIX)
    if name in {"", ":memory:"} or "?" in name or "\0" in name:
        message = f"state: {url!r} names no file; write it as {_PREFIX}exosync.db"
        raise ConfigError(message)
    return base / name


def connect(path: Path) -> Connection:
    """Open the database file, made with mode 0600 if it is not there. Raises StoreError."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        message = f"SQLite {sqlite3.sqlite_version} is too old: exosync needs 3.37 or newer"
        raise StoreError(message)
    _create(path)
    with mapped(path):
        return _engine(path).connect()


@lru_cache(maxsize=8)
def _engine(path: Path) -> Engine:
    """What is kept between two openings: the SQL of each statement, and no connection.

    To work that out takes longer than to run it, and the service opens its state for every page
    and every job.
    """
    engine = create_engine(
        "sqlite://",
        creator=lambda: _open(path),
        poolclass=NullPool,
        hide_parameters=True,
    )
    event.listen(engine, "begin", _begin)
    return engine


def begin_with(connection: Connection, statement: str) -> None:
    """Set how the next transactions begin: READ or WRITE."""
    connection.info["begin"] = statement


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.info.get("begin", READ))


def _create(path: Path) -> None:
    """Make an empty file that its owner alone can read, whatever the umask says.

    SQLite gives its companions (-wal, -shm) the mode of the database.
    """
    try:
        with suppress(FileExistsError):
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
            os.fchmod(handle, 0o600)
            os.close(handle)
    except OSError as error:
        raise of_os(error, path) from error
    if path.is_dir():
        raise of_os(IsADirectoryError(), path)


def _open(path: Path) -> sqlite3.Connection:
    # mode=rw: a file that vanished in the meantime must not come back with another mode.
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode=rw",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
    )
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        _use_wal(connection, path)
        for pragma in ("synchronous = FULL", "foreign_keys = ON", "trusted_schema = OFF"):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def _use_wal(connection: sqlite3.Connection, path: Path) -> None:
    """Switch to write-ahead logging, which stays with the file.

    SQLite does not wait for others at this switch, so processes that start together on a
    new file do it themselves.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            mode = _answer(connection, "PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if code_of(error) & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
            continue
        if mode != "wal":
            message = (
                f"the state {path} cannot use write-ahead logging (journal mode {mode}): put it on "
                "a local disk, not on a network file system"
            )
            raise StoreError(message)
        return


def _answer(connection: sqlite3.Connection, statement: str) -> Any:
    row = connection.execute(statement).fetchone()
    return row[0] if row else None
