"""Ten years of hourly runs in a state, made by exosync's own reconcile and store.

Every published version of the Worldwide cloud comes up in turn, evenly spread, with a file
target in mode apply: real runs adopt it, write, are refused and approved. Every month the
web service turns one run away, and it recovers with the next. All hours between are runs that
found no change; they are written with the store's own `begin_run` and `finish_run`, many to a
transaction, since nobody wants to wait for 87,600 times the disk.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from exosync.store import Store
from tests.standins.endpoints import EndpointsStandIn, published
from tests.standins.web import Reply
from tests.support.world import Json, World

MONTH = 730
HOUR = timedelta(hours=1)
TARGETS: list[Json] = [{"name": "edge", "kind": "file", "mode": "apply", "path": "exo.txt"}]
STATE = "sqlite:///exosync.db"


@dataclass(frozen=True, slots=True)
class State:
    """A state: its configuration's file, its size in bytes, its runs and the rows they take."""

    config: Path
    size: int
    runs: int
    rows: int


def fill(folder: Path, hours: int) -> tuple[State, State]:
    """A state with at least so many hourly runs, and one that was only opened."""
    versions = published("Worldwide")
    with EndpointsStandIn(version=versions[0]) as feed:
        full, empty = (_world(folder / name, feed) for name in ("full", "empty"))
        Store.open(STATE, base=empty.folder).close()
        for number, version in enumerate(versions, start=1):
            full.publish(version)
            while _state(full).runs < hours * number // len(versions):
                month(full, min(MONTH, hours // len(versions)))
        return _state(full), _state(empty)


def month(world: World, hours: int) -> None:
    """What there is to do, then runs that find nothing, then one that is turned away."""
    settle(world)
    repeat(world, hours)
    world.feed.script(Reply(403))
    world.pass_time(hours=1)
    assert world.sync()["outcome"] == "failed"


def settle(world: World) -> None:
    """Run every hour until all is as desired; a person approves what is refused."""
    outcome = ""
    while outcome != "in_sync":
        world.pass_time(hours=1)
        told = world.sync()
        outcome = told["outcome"]
        if outcome == "refused":
            world.approve(told["targets"][0]["plan"])


def repeat(world: World, hours: int) -> None:
    """So many runs that find what the last one found."""
    with Store.open(STATE, base=world.folder) as store, store.transaction():
        (last,) = store.runs(1)
        assert last.report is not None
        for _ in range(hours):
            world.pass_time(hours=1)
            run_id = store.begin_run("sync", world.now)
            store.finish_run(
                run_id,
                outcome="in_sync",
                version=last.version,
                report=last.report,
                fingerprint=last.fingerprint,
                at=world.now,
            )


def _world(folder: Path, feed: EndpointsStandIn) -> World:
    folder.mkdir()
    world = World(folder, feed, TARGETS)
    assert world.config_file.exists()
    return world


def _state(world: World) -> State:
    path = world.folder / "exosync.db"
    if not path.exists():
        return State(world.folder / "exosync.yaml", 0, 0, 0)
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT count(*), coalesce(sum(repeats + 1), 0) FROM runs"
        rows, runs = connection.execute(query).fetchone()
    return State(world.folder / "exosync.yaml", path.stat().st_size, runs, rows)
