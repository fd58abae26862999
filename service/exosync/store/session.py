"""One open connection, and the transactions on it."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Table, and_, insert, update

from exosync.errors import StoreError
from exosync.store.engine import READ, WRITE, begin_with
from exosync.store.failures import mapped

_PATIENCE = 60
"""Seconds that a thread waits for the others of its process to have written."""

_writers: defaultdict[str, Lock] = defaultdict(Lock)


def _after_fork() -> None:
    """A forked child has none of the threads that may hold these."""
    _writers.clear()


os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def _in_turn(path: Path, begin: str) -> Iterator[None]:
    """Let the threads of this process write one after the other.

    SQLite's waiting is a matter of luck: of many threads of a service that write at a time one
    could be out of it for as long as it waits for another process.
    """
    if begin != WRITE:
        yield
        return
    lock = _writers[str(path)]
    # Whoever waits longer than this finds out from SQLite what is the matter.
    got = lock.acquire(timeout=_PATIENCE)
    try:
        yield
    finally:
        if got:
            lock.release()


class Session:
    """What all parts of the store share. It belongs to the thread that opened it."""

    def __init__(self, path: Path, connection: Connection) -> None:
        self.path = path
        self._connection = connection
        self._inside = False
        self._spoiled = False
        self._begun: set[int] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. Closing twice is harmless."""
        with mapped(self.path):
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is stored, or nothing of it.

        It takes the database's write lock at once. One inside another joins it; if the
        database fails in the midst of that, the whole is undone even if the error is caught.
        """
        with self._writing():
            yield

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._outermost(WRITE) as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._outermost(READ) as connection:
            yield connection

    @contextmanager
    def _outermost(self, begin: str) -> Iterator[Connection]:
        if self._inside:
            with self._joined():
                yield self._connection
            return
        with mapped(self.path), _in_turn(self.path, begin):
            begin_with(self._connection, begin)
            with self._connection.begin():
                self._inside, self._spoiled = True, False
                try:
                    yield self._connection
                finally:
                    self._inside = False
                self._refuse_spoiled()

    @contextmanager
    def _joined(self) -> Iterator[None]:
        try:
            with mapped(self.path):
                yield
        except StoreError:
            self._spoiled = True
            raise

    def _refuse_spoiled(self) -> None:
        if self._spoiled:
            message = f"a write to {self.path} failed, so nothing of its transaction was stored"
            raise StoreError(message)


def put(
    connection: Connection, table: Table, key: Mapping[str, Any], values: Mapping[str, Any]
) -> None:
    """Update the row with that key, or insert it."""
    where = and_(*(table.c[name] == value for name, value in key.items()))
    if connection.execute(update(table).where(where).values(**values)).rowcount == 0:
        connection.execute(insert(table).values(**key, **values))


def new_id(connection: Connection, table: Table, **values: Any) -> int:
    """Insert a row into a numbered table; gives its id."""
    key = connection.execute(insert(table).values(**values)).inserted_primary_key
    assert key is not None
    return int(key[0])
