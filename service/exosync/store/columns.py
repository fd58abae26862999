"""How values lie in the columns: text and whole numbers only, alike in every database.

STRICT tables of SQLite know INTEGER, REAL, TEXT and BLOB (https://sqlite.org/stricttables.html),
so times, JSON and truth values are put into those by hand.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Dialect, Integer, LargeBinary, Text
from sqlalchemy.types import TypeDecorator

from exosync.errors import StoreError

T = TypeVar("T")


class Moment(TypeDecorator[datetime]):
    """An aware datetime as ISO 8601 in UTC, always with microseconds: its text sorts by time."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Refuse a naive datetime: nobody could tell what it means."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"a time without a time zone cannot be stored: {value.isoformat()}"
            raise ValueError(message)
        text = value.astimezone(UTC).isoformat(timespec="microseconds")
        return text.removesuffix("+00:00") + "Z"

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Give it back in UTC."""
        return None if value is None else _decoded(datetime.fromisoformat, value, "time")


class JsonText(TypeDecorator[Any]):
    """A JSON value as canonical ASCII text: sorted keys, no blanks."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Write it; what is not JSON is refused."""
        if value is None:
            return None
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Read it."""
        return None if value is None else _decoded(json.loads, value, "JSON text")


class Flag(TypeDecorator[bool]):
    """True or false as 1 or 0."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> int | None:  # noqa: FBT001
        """Write it."""
        return None if value is None else int(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> bool | None:
        """Read it."""
        return None if value is None else bool(value)


class Words(TypeDecorator[str]):
    """Text from outside, in which anything may stand.

    No database takes half a surrogate pair (Python's stand-in for a byte that is no UTF-8),
    and PostgreSQL takes no NUL: both are written as they would be escaped.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Escape what cannot be stored."""
        if value is None:
            return None
        return value.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


class PackedText(TypeDecorator[str]):
    """A long text, compressed by zlib."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Compress it."""
        return None if value is None else zlib.compress(value.encode(), level=9)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        """Decompress it."""
        return None if value is None else _decoded(_unpacked, value, "compressed text")


def sha256_of(text: str) -> str:
    """The SHA-256 of a text as UTF-8, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def _unpacked(value: bytes) -> str:
    return zlib.decompress(value).decode()


def _decoded(read: Callable[[Any], T], value: object, what: str) -> T:
    try:
        return read(value)
    except (TypeError, ValueError, zlib.error) as error:
        message = (
            f"the state holds a {what} that cannot be read ({error}): it was changed by "
            "something else than exosync, or is damaged; restore it from a copy"
        )
        raise StoreError(message) from error
