"""Two runs never work at the same place at the same time.

A lock is the kernel's (flock) on a file next to the database, so a crash releases it at
once and no stale lock can be left. Who holds it is written into the file, for people. The
file itself is never deleted: two processes could otherwise lock two files of one name.

A run over everything holds the run lock alone. A run over one thing (a target, the feed)
shares it with others of its sort, and holds the lock of that thing: see `over`.

It holds on one machine and a local disk. Over NFS, and between machines, flock is not to be
relied on: several machines on one state are what PostgreSQL is for, in a later release.
"""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from exosync.errors import LockHeldError
from exosync.store.failures import of_os

_RETRY_SECONDS = 0.05
_HOLDER_BYTES = 4096
_SHOWN = 80
"""So much of each text about the holder is shown: the file may hold anything."""

_open_handles: set[int] = set()


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the lock; `since` is ISO 8601 in UTC."""

    pid: int
    host: str
    user: str
    command: str
    since: str

    def __str__(self) -> str:
        who = f"pid {self.pid} on host {self.host}, user {self.user}"
        return f"{who}, `{self.command}`, since {self.since}"


class RunLock:
    """A lock of the state at `path` (the database's file); `command` is told to others.

    The run lock's file is `path` with `.run-lock` added. `what` names another lock (letters,
    digits, blanks, `_`, `.` and `-`), whose file is in the folder `path` with `.locks` added.
    `shared`: those who share it do not keep each other out.
    """

    def __init__(
        self, path: Path, *, command: str, what: str | None = None, shared: bool = False
    ) -> None:
        if what is None:
            self.path = path.with_name(f"{path.name}.run-lock")
        else:
            self.path = path.with_name(f"{path.name}.locks") / what.replace(" ", ".")
        self._command = command
        self._way = fcntl.LOCK_SH if shared else fcntl.LOCK_EX

    @contextmanager
    def held(self, wait: float = 0.0, *, at: datetime) -> Iterator[None]:
        """Hold the lock from `at` on, after waiting at most `wait` seconds for whoever has it.

        Raises LockHeldError naming the holder, and StoreError if the file cannot be written.
        """
        with self._opened() as handle:
            self._take(handle, wait)
            try:
                self._sign(handle, at)
                yield
            finally:
                # A forked child comes here without the lock: its handle is closed already.
                if handle in _open_handles:
                    _let_go(handle, forget=self._way == fcntl.LOCK_EX)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        try:
            if self.path.parent.suffix == ".locks":
                self.path.parent.mkdir(mode=0o700, exist_ok=True)
            # What Python opens does not outlive exec; for fork see _after_fork.
            handle = os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise of_os(error, self.path) from error
        _open_handles.add(handle)
        try:
            yield handle
        finally:
            if handle in _open_handles:
                _open_handles.discard(handle)
                os.close(handle)

    def _take(self, handle: int, wait: float) -> None:
        deadline = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(handle, self._way | fcntl.LOCK_NB)
            except BlockingIOError:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise LockHeldError(_held_by(_read_holder(handle))) from None
                time.sleep(min(_RETRY_SECONDS, left))
            except OSError as error:
                raise of_os(error, self.path) from error
            else:
                return

    def _sign(self, handle: int, at: datetime) -> None:
        since = at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        me = Holder(os.getpid(), os.uname().nodename, _user(), self._command, since)
        try:
            os.ftruncate(handle, 0)
            os.pwrite(handle, json.dumps(asdict(me)).encode() + b"\n", 0)
        except OSError as error:
            raise of_os(error, self.path) from error


@contextmanager
def over(
    path: Path, scope: str, *, command: str, wait: float = 0.0, at: datetime
) -> Iterator[None]:
    """Hold what a run over `scope` needs: a target's name, `feed`, or everything if empty.

    Raises what `RunLock.held` does.
    """
    with RunLock(path, command=command, shared=bool(scope)).held(wait, at=at):
        if not scope:
            yield
            return
        with RunLock(path, command=command, what=f"run {scope}").held(wait, at=at):
            yield


def _let_go(handle: int, *, forget: bool) -> None:
    # The text is for people alone: that it stays behind does no harm. Of those who share a
    # lock the last one signed it, and another may hold it still.
    if forget:
        with suppress(OSError):
            os.ftruncate(handle, 0)
    fcntl.flock(handle, fcntl.LOCK_UN)


def _after_fork() -> None:
    """Close a forked child's copies: the lock must end with the process that took it."""
    for handle in _open_handles:
        os.close(handle)
    _open_handles.clear()


os.register_at_fork(after_in_child=_after_fork)


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"id {os.geteuid()}"


def _read_holder(handle: int) -> Holder | None:
    """Who holds the lock; None if that has not (or not wholly) been written."""
    try:
        told = json.loads(os.pread(handle, _HOLDER_BYTES, 0))
        texts = (_clean(told[name]) for name in ("host", "user", "command", "since"))
        return Holder(int(told["pid"]), *texts)
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None


def _clean(value: object) -> str:
    return "".join(one if one.isprintable() else "?" for one in str(value)[:_SHOWN])


def _held_by(holder: Holder | None) -> str:
    who = holder or "a process that has not said who it is"
    return f"another run is at work: {who}; try again when it has ended"
