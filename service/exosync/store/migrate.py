"""Bringing an older state to the newest revision.

Forward only, each revision in a transaction of its own, so that a crash in the middle leaves
the revision before it. Of an existing file a copy is made first, as FILE.before-REVISION.
Alembic is only imported if there is something to do.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from exosync.errors import StoreError
from exosync.store.engine import READ, WRITE, begin_with
from exosync.store.failures import mapped

VERSION_TABLE = "alembic_version"


@dataclass(frozen=True, slots=True)
class Migrations:
    """Alembic scripts: their folder, and every revision in order."""

    folder: Path
    revisions: tuple[str, ...]

    @property
    def head(self) -> str:
        """The newest revision."""
        return self.revisions[-1]

    def after(self, revision: str | None) -> str:
        """The revision that follows; None stands for an empty database."""
        return self.revisions[0 if revision is None else self.revisions.index(revision) + 1]


OURS = Migrations(Path(__file__).with_name("migrations"), ("0001", "0002", "0003"))
"""Named here so that an up-to-date state is known for one without asking Alembic."""


def bring_up_to_date(connection: Connection, path: Path, known: Migrations = OURS) -> None:
    """Migrate the database behind `connection` to the newest revision. Raises StoreError."""
    with mapped(path):
        begin_with(connection, READ)
        with connection.begin():
            revision = stored_revision(connection, path, known)
        copied = revision is None
        while revision != known.head:
            revision = _advance(connection, path, known, revision, copy=not copied)
            copied = True


def stored_revision(connection: Connection, path: Path, known: Migrations) -> str | None:
    """The revision of a database; None for an empty one. Raises StoreError for a strange one."""
    if not connection.dialect.has_table(connection, VERSION_TABLE):
        strange = inspect(connection).get_table_names()
        if strange:
            message = (
                f"{path} is a database of something else (its tables: {', '.join(strange[:5])}): "
                "set `state` to a file of exosync's own"
            )
            raise StoreError(message)
        return None
    revision = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    if revision not in known.revisions:
        message = (
            f"{path} was written by a newer version of exosync (revision {revision}; this one knows "
            f"revisions up to {known.head}): install that version, or put the {path.name}.before-… copy in "
            "its place, which that version made of the state before"
        )
        raise StoreError(message)
    return str(revision)


def _advance(
    connection: Connection, path: Path, known: Migrations, revision: str | None, *, copy: bool
) -> str | None:
    """Take one step from `revision`; gives the revision that is there then.

    The step is decided upon under the write lock, so processes that start together do it once.
    """
    following = known.after(revision)
    # Rebuilding a table in SQLite must not fire foreign keys; the pragma is deaf inside a
    # transaction (https://sqlite.org/lang_altertable.html#otheralter).
    _foreign_keys(connection, on=False)
    try:
        begin_with(connection, WRITE)
        with connection.begin():
            there = stored_revision(connection, path, known)
            if there != revision:
                return there
            if copy:
                _copy_before(path, following)
            _upgrade(connection, path, known, following)
            _check_foreign_keys(connection, path, following)
    finally:
        _foreign_keys(connection, on=True)
    return following


def _upgrade(connection: Connection, path: Path, known: Migrations, revision: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", _escaped(known.folder))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, revision)
    except CommandError as error:
        raise StoreError(f"{path} could not be migrated to revision {revision}: {error}") from error


def _escaped(path: Path) -> str:
    """A path as an option of configparser, which gives % a meaning."""
    return str(path).replace("%", "%%")


def _foreign_keys(connection: Connection, *, on: bool) -> None:
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    raw.execute(f"PRAGMA foreign_keys = {'ON' if on else 'OFF'}")


def _check_foreign_keys(connection: Connection, path: Path, revision: str) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        message = (
            f"{path} could not be migrated to revision {revision}: a row of {broken[0]} points to none "
            f"in {broken[2]}; nothing was changed"
        )
        raise StoreError(message)


def _copy_before(path: Path, revision: str) -> None:
    """Keep the state as it is; the copy is one whole file, or none.

    A connection that is about to write cannot be copied from, so a second one reads: it sees
    what is stored, and the write lock of the first keeps that as it is.
    """
    final = path.with_name(f"{path.name}.before-{revision}")
    part = final.with_name(f"{final.name}.part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with (
            mapped(part),
            closing(sqlite3.connect(path)) as source,
            closing(sqlite3.connect(part)) as copy,
        ):
            source.backup(copy)
            # Out of write-ahead logging, so that the copy stands by itself.
            copy.execute("PRAGMA journal_mode = DELETE")
        part.replace(final)
    except OSError as error:
        message = f"{path} was not migrated: the copy {part} cannot be made: {error.strerror}"
        raise StoreError(message) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
