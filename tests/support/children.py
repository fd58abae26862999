"""Second processes for the tests of the state: each does one thing until it is killed.

They come from a fork server that has imported the store once, so that starting one costs a
hundredth of a second.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, cast

import alembic.command  # noqa: F401 (loaded once, in the fork server)
from sqlalchemy import Engine, event

from exosync.errors import LockHeldError, StoreError
from exosync.store import RunLock, Store
from exosync.store.engine import connect
from exosync.store.migrate import Migrations, bring_up_to_date
from tests.support.state import AT, URL, raw

_FOREVER = 3600
_PATIENCE = 120
"""So long a child is waited for before a test is given up."""


@contextmanager
def child(action: str, *args: Any) -> Iterator[tuple[BaseProcess, Callable[[], str]]]:
    """A process that does an action of this module; and a way to hear what it says next.

    Hearing raises EOFError once the process has ended. It is killed at the end, if it must.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    ours, its = context.Pipe()
    process = context.Process(target=_run, args=(action, its, *args))
    process.start()
    its.close()

    def told() -> str:
        if not ours.poll(_PATIENCE):
            raise TimeoutError
        return cast("str", ours.recv())

    try:
        yield process, told
    finally:
        process.kill()
        process.join()
        process.close()
        ours.close()


def _run(action: str, pipe: Connection, *args: Any) -> None:
    globals()[action](pipe.send, *args)


Say = Callable[[str], None]


def hold_database(say: Say, path: Path) -> None:
    """Keep the write lock of the database."""
    with raw(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        say("holding")
        time.sleep(_FOREVER)


def open_with_small_files(say: Say, base: Path) -> None:
    """Open a new state where no file may grow beyond 20 kB, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    try:
        Store.open(URL, base=base).close()
    except StoreError as error:
        say(str(error))


def fill_with_small_files(say: Say, base: Path) -> None:
    """Write events until no file may grow any more; tell the error and how many are stored."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
    stored = 0
    try:
        with Store.open(URL, base=base) as store:
            while True:
                _event(store, "x" * 1000)
                stored += 1
    except StoreError as error:
        say(f"{error}|{stored}")


def write_pairs(say: Say, base: Path) -> None:
    """Write two events in each transaction; tell of each pair once it is stored."""
    with Store.open(URL, base=base) as store:
        number = 0
        while True:
            number += 1
            with store.transaction():
                _event(store, "first of a pair")
                second = _event(store, "second of a pair")
            say(str(second))


def write_some(say: Say, base: Path, count: int) -> None:
    """Open the state as soon as possible, and write so many events."""
    with Store.open(URL, base=base) as store:
        for _ in range(count):
            _event(store, "one of many")
    say("done")


def migrate(say: Say, base: Path, known: Migrations) -> None:
    """Open a state and bring it to the newest of these revisions."""
    path = base / "exosync.db"
    connection = connect(path)
    try:
        bring_up_to_date(connection, path, known)
    except StoreError as error:
        say(str(error))
    else:
        say("done")
    finally:
        connection.close()


def migrate_as_far(say: Say, base: Path, known: Migrations, points: int) -> None:
    """The same, but stop for ever before writing statement or commit number `points`."""
    left = points

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            say("stopped")
            time.sleep(_FOREVER)

    @event.listens_for(Engine, "before_cursor_execute")
    def _before(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().partition(" ")[0] not in {"BEGIN", "PRAGMA", "SELECT"}:
            count()

    @event.listens_for(Engine, "commit")
    def _commit(_connection: Any) -> None:
        count()

    migrate(say, base, known)


def hold_lock(say: Say, path: Path) -> None:
    """Hold the run lock."""
    with RunLock(path, command="exosync sync").held(at=AT):
        say("holding")
        time.sleep(_FOREVER)


def hold_lock_for_a_moment(say: Say, path: Path) -> None:
    """Hold the run lock, and let it go soon."""
    with RunLock(path, command="exosync sync").held(at=AT):
        say("holding")
        time.sleep(0.2)
    say("let go")


def hold_lock_as_a_parent(say: Say, path: Path) -> None:
    """Hold the run lock with one child that was forked and one that runs a program."""
    with RunLock(path, command="exosync sync").held(at=AT):
        program = subprocess.Popen(["sleep", str(_FOREVER)])
        forked = os.fork()
        if forked == 0:
            time.sleep(_FOREVER)
        say(f"{program.pid} {forked}")
        time.sleep(_FOREVER)


def hold_lock_while_a_child_ends(say: Say, path: Path) -> None:
    """Hold the run lock while a forked child leaves the block that holds it."""
    parent = os.getpid()
    try:
        with RunLock(path, command="exosync sync").held(at=AT):
            forked = os.fork()
            if forked == 0:
                return
            os.waitpid(forked, 0)
            say("holding")
            time.sleep(_FOREVER)
    finally:
        if os.getpid() != parent:
            os._exit(0)


def lock_without_space(say: Say, path: Path) -> None:
    """Try to get the run lock where no file may grow, and live on."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        with RunLock(path, command="exosync sync").held(at=AT):
            say("got it")
    except StoreError as error:
        say(str(error))
    time.sleep(_FOREVER)


def hold_lock_saying(say: Say, path: Path, text: bytes) -> None:
    """Hold the run lock with another text in its file."""
    lock = RunLock(path, command="exosync sync")
    with lock.held(at=AT):
        lock.path.write_bytes(text)
        say("holding")
        time.sleep(_FOREVER)


def try_lock(say: Say, path: Path) -> None:
    """Try to get the run lock."""
    try:
        with RunLock(path, command="exosync plan").held(at=AT):
            say("got it")
    except LockHeldError as error:
        say(str(error))


def _event(store: Store, title: str) -> int:
    return store.add_event("k", "info", target=None, title=title, body={}, run_id=None, at=AT)
