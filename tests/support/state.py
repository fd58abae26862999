"""What the tests of the state share: a moment, a filled state, and ways to take rights away."""

from __future__ import annotations

import ctypes
import hashlib
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from exosync.store import (
    Acknowledgement,
    FeedState,
    PlanRecord,
    ServiceRecord,
    SnapshotRecord,
    Store,
    TargetState,
    TaskOutcome,
)

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
WORLD = "Worldwide"
URL = "sqlite:///exosync.db"


def put_empty_state(folder: Path) -> None:
    """Put a state there in which nothing has happened, unless there is one already.

    It is what Store.open makes, made once for all tests of a process: the migrations to the
    newest revision take a tenth of a second.
    """
    path = folder / "exosync.db"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(_empty_state())


@cache
def _empty_state() -> bytes:
    with TemporaryDirectory() as folder:
        Store.open(URL, base=Path(folder)).close()
        return (Path(folder) / "exosync.db").read_bytes()


def snapshot(version: str = "2026010100", body: str = '[{"id":1}]') -> SnapshotRecord:
    """A version as the feed would hand it over."""
    return SnapshotRecord(
        instance=WORLD,
        version=version,
        sha256=hashlib.sha256(body.encode()).hexdigest(),
        body=body,
        fetched_at=AT,
        source="https://endpoints.example/endpoints/Worldwide",
    )


def plan(
    plan_id: str = "aaaa00000001", target: str = "edge", *, adopting: bool = False
) -> PlanRecord:
    """A plan as a run would hand it over."""
    return PlanRecord(
        id=plan_id,
        target=target,
        version="2026010100",
        adopting=adopting,
        ingredients={"version": "v", "observed": "o"},
        body={"id": plan_id, "steps": [{"summary": "write the file"}]},
        refused=True,
    )


def target(name: str = "edge", state: str = "in_sync") -> TargetState:
    """How a target stands, as a run would hand it over."""
    return TargetState(
        name=name,
        kind="file",
        mode="apply",
        state=state,
        since=AT,
        version="2026010100",
        resources={"/etc/exo.cidr": "token"},
        plan="aaaa00000001",
        verified=True,
        verified_at=AT,
        seen_at=AT,
        failures=0,
        error="",
        report={"name": name, "steps": []},
    )


def fill(store: Store, at: datetime = AT) -> None:
    """Put something into every table."""
    store.client_id()
    store.save_feed_state(WORLD, FeedState("2026010100", at, at, 2, "no answer"))
    store.add_snapshot(snapshot())
    store.adopt(WORLD, "2026010100", at)
    run_id = store.begin_run("sync", at)
    store.save_plan(replace(plan(), run_id=run_id), at)
    store.approve("aaaa00000001", by="ada", why="checked with Microsoft", at=at)
    step_id = store.intend(
        run_id,
        "aaaa00000001",
        "edge",
        resource="/etc/exo.cidr",
        summary="write the file",
        expects="absent",
        gives="token",
        at=at,
    )
    store.conclude(step_id, "done", at)
    store.save_target_state(target())
    fill_people(store, at)
    fill_service(store, at)
    store.add_event(
        "applied", "info", target="edge", title="1 step", body={"n": 1}, run_id=run_id, at=at
    )
    store.finish_run(
        run_id, outcome="applied", version="2026010100", report={"n": [1]}, fingerprint="f", at=at
    )


def fill_people(store: Store, at: datetime = AT) -> None:
    """A task that was acknowledged, and one that waits."""
    words = {"title": "list the ranges", "box": "192.0.2.0/24", "confirmation": "acknowledged"}
    body = {**words, "ranges": ["192.0.2.0/24"], "added": ["192.0.2.0/24"], "delay": "0s"}
    for setting in ("done", "waiting"):
        number = store.add_task(
            target="edge",
            setting=setting,
            plan_id="aaaa00000001",
            resource=setting,
            gives="token",
            body=body,
            at=at,
            due_at=at,
        )
        if setting == "done":
            store.close_task(number, TaskOutcome.ACKNOWLEDGED, at)
    store.acknowledge(
        Acknowledgement(
            target="edge",
            setting="done",
            plan_id="aaaa00000001",
            resource="done",
            gives="token",
            cidrs=["192.0.2.0/24"],
            by="ada",
            note="seen in the console",
            at=at,
        )
    )
    store.save_memory("edge", {"ids": {"one": "eNo1"}})


def fill_service(store: Store, at: datetime = AT) -> None:
    """A service at work on a target, another one paused, and a request to run that."""
    store.save_service(ServiceRecord(4711, "mail1", "0.1.0", at, at))
    store.plan_turns({"edge": at, "other": None})
    store.begin_turn("edge", at)
    store.end_turn("edge", seconds=1.5)
    store.plan_turn("edge", at)
    store.pause("other", by="ada", why="moving house", at=at)
    store.trigger("other", by="ada", at=at)


def raw(path: Path) -> closing[sqlite3.Connection]:
    """The database by the standard library alone, closed at the end; every statement commits."""
    return closing(sqlite3.connect(path, isolation_level=None))


def connection_of(store: Store) -> sqlite3.Connection:
    """The store's own connection, for limits that SQLite only knows for one connection."""
    driver = store._connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


@contextmanager
def bound_by_permissions() -> Iterator[None]:
    """Make file permissions count, also where the tests run as root.

    Root passes them by with capabilities (capabilities(7)); they are given up for the moment,
    for this thread, by capset(2).
    """
    if os.geteuid() != 0:
        yield
        return
    if not sys.platform.startswith("linux"):
        pytest.skip("file permissions do not bind root here")
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    kept, reduced = (ctypes.c_uint32 * 6)(), (ctypes.c_uint32 * 6)()
    assert libc.capget(header, kept) == 0
    # Each half is effective, permitted, inheritable: only the effective ones go.
    reduced[:] = [0, kept[1], kept[2], 0, kept[4], kept[5]]
    assert libc.capset(header, reduced) == 0
    try:
        yield
    finally:
        assert libc.capset(header, kept) == 0
