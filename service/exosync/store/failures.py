"""What the database complains of, as a StoreError that says what to do.

The result codes are those of https://sqlite.org/rescode.html; Python 3.11 and later hand
them on as `sqlite_errorcode`.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError

from exosync.errors import StoreError

BUSY_SECONDS = 5
"""How long a lock of another process is waited for."""


@contextmanager
def mapped(path: Path) -> Iterator[None]:
    """Turn every error of SQLAlchemy and SQLite into a StoreError."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise StoreError(explain(error, path)) from error


def explain(error: Exception, path: Path) -> str:
    """What happened, to which file, and what to do about it; never a statement or its values."""
    if isinstance(error, StatementError) and error.orig is not None:
        cause: BaseException = error.orig
    else:
        cause = error
    told = _MESSAGES.get(code_of(cause) & 0xFF)
    if told is not None:
        return told(path, _detail(cause))
    if isinstance(error, DBAPIError) or isinstance(cause, sqlite3.Error):
        return f"the state {path} could not be used: {_detail(cause)}"
    if isinstance(error, StatementError):
        return f"the state {path} takes no such value: {cause}"
    return f"the state {path} could not be used: {type(error).__name__}"


def code_of(error: BaseException) -> int:
    """SQLite's extended result code; 0 where there is none."""
    cause = getattr(error, "orig", None) or error
    return getattr(cause, "sqlite_errorcode", None) or 0


def of_os(error: OSError, path: Path) -> StoreError:
    """The same for an error of the operating system about the file at `path`."""
    folder = path.parent
    if not _exists(folder):
        return StoreError(
            f"the folder {folder} does not exist: create it, or set `state` elsewhere"
        )
    if _is_folder(path):
        return StoreError(_a_folder(path))
    if isinstance(error, PermissionError):
        return StoreError(_not_permitted(path))
    return StoreError(
        f"{path} cannot be opened or written: {error.strerror or error}; mend this, or set "
        "`state` to a file on a local disk that can be written"
    )


# Where a folder on the way is closed to us, os.path says no and pathlib raises.
def _exists(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112


def _detail(error: BaseException) -> str:
    name = getattr(error, "sqlite_errorname", None)
    return f"{error} ({name})" if name else str(error)


def _a_folder(path: Path) -> str:
    return f"{path} is a folder: set `state` to a file, such as sqlite:///{path.name}/exosync.db"


def _not_permitted(path: Path) -> str:
    where = path if _exists(path) and not _writable(path) else path.parent
    return (
        f"no permission to write {where} as {_me()}: run exosync as the owner of the state, or "
        f"give that user the folder {path.parent} and the files in it"
    )


def _writable(path: Path) -> bool:
    return os.access(path, os.R_OK | os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _me() -> str:
    return f"user id {os.geteuid()}"


def _busy(path: Path, _detail: str) -> str:
    return (
        f"the state {path} is locked by another process, for more than {BUSY_SECONDS} s: wait for it "
        f"to end and try again; `fuser {path}` tells which it is"
    )


def _damaged(path: Path, detail: str) -> str:
    return (
        f"{path} is damaged, or is no state of exosync: {detail}. Stop exosync, keep the file for "
        f"study, and put a backup or a {path.name}.before-… copy in its place"
    )


def _read_only(path: Path, detail: str) -> str:
    if not _exists(path):
        return _gone(path, detail)
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        return f"the file system of {path} is mounted read-only: set `state` to a file elsewhere"
    return f"the state is read-only ({detail}): {_not_permitted(path)}"


def _full(path: Path, detail: str) -> str:
    return (
        f"no space is left for the state {path}: {detail}. Nothing of this was stored; make room "
        "on its file system and run again"
    )


def _io(path: Path, detail: str) -> str:
    return (
        f"reading or writing the state {path} failed: {detail}. The disk may be full, at its quota "
        "or failing, or the file cut short: look at the system's log before running again"
    )


def _cannot_open(path: Path, detail: str) -> str:
    if _is_folder(path):
        return _a_folder(path)
    if not _exists(path.parent):
        return str(of_os(OSError(), path))
    if not _exists(path):
        return _gone(path, detail)
    if not (_writable(path) and _writable(path.parent)):
        return _not_permitted(path)
    return f"{path} cannot be opened: {detail}; is something else in its place?"


def _gone(path: Path, detail: str) -> str:
    return (
        f"{path} does not exist any more: {detail}. Put it back if it was moved; a new one is made "
        "at the next run"
    )


def _unfit(path: Path, detail: str) -> str:
    return (
        f"the tables in {path} are not as this version of exosync left them: {detail}. Put a "
        f"backup or a {path.name}.before-… copy in its place"
    )


def _constraint(path: Path, detail: str) -> str:
    return (
        f"the state {path} refuses what does not fit the rest of it: {detail}; nothing was stored"
    )


def _denied(path: Path, _detail: str) -> str:
    return _not_permitted(path)


def _memory(path: Path, detail: str) -> str:
    return f"not enough memory to use the state {path}: {detail}"


_MESSAGES: dict[int, Callable[[Path, str], str]] = {
    sqlite3.SQLITE_BUSY: _busy,
    sqlite3.SQLITE_LOCKED: _busy,
    sqlite3.SQLITE_PROTOCOL: _busy,
    sqlite3.SQLITE_CORRUPT: _damaged,
    sqlite3.SQLITE_NOTADB: _damaged,
    sqlite3.SQLITE_FORMAT: _damaged,
    sqlite3.SQLITE_READONLY: _read_only,
    sqlite3.SQLITE_FULL: _full,
    sqlite3.SQLITE_IOERR: _io,
    sqlite3.SQLITE_CANTOPEN: _cannot_open,
    sqlite3.SQLITE_PERM: _denied,
    sqlite3.SQLITE_AUTH: _denied,
    sqlite3.SQLITE_NOMEM: _memory,
    sqlite3.SQLITE_ERROR: _unfit,
    sqlite3.SQLITE_SCHEMA: _unfit,
    sqlite3.SQLITE_MISMATCH: _unfit,
    sqlite3.SQLITE_CONSTRAINT: _constraint,
}
