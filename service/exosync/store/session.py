"""One open connection, and the transactions on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Table, and_, insert, update

from exosync.errors import StoreError
from exosync.store.engine import READ, WRITE, begin_with
from exosync.store.failures import mapped


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
            self._connection.engine.dispose()

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
        with mapped(self.path):
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
