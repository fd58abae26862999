"""The service killed at random points, again and again: the next one goes on from there.

KILL_ROUNDS=200 kills it two hundred times; KILL_SEED draws other points.
"""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from exosync.core.ranges import IpRanges
from exosync.store import Store, over
from tests.bench.serve_world import make_versions, range_of
from tests.serve.simulated import START
from tests.standins.endpoints import EndpointsStandIn
from tests.standins.webhook import WebhookStandIn
from tests.support.served import Served, configure, file_target, serving, until

ROUNDS = int(os.environ.get("KILL_ROUNDS", "10"))
SEED = int(os.environ.get("KILL_SEED", "1"))
NAMES = ("a", "b", "c")


@pytest.fixture
def versions(tmp_path: Path) -> list[str]:
    """One for each round and some to end with; each adds a range and takes one away."""
    return make_versions(tmp_path / "feed", ROUNDS + 2, moving=True)


@pytest.fixture
def feed(tmp_path: Path, versions: list[str]) -> Iterator[EndpointsStandIn]:
    """Microsoft's service, at the first of them."""
    with EndpointsStandIn(data=tmp_path / "feed", version=versions[0]) as standing_in:
        yield standing_in


@pytest.fixture
def hook() -> Iterator[WebhookStandIn]:
    """Who is told of everything."""
    with WebhookStandIn() as receiver:
        yield receiver


@pytest.fixture
def folder(tmp_path: Path, feed: EndpointsStandIn, hook: WebhookStandIn) -> Path:
    """An installation whose service asks for a new version every second."""
    (tmp_path / "secret").write_text("whsec_c2VjcmV0")
    channel = {"name": "hook", "kind": "webhook", "url": hook.url, "secret": {"file": "secret"}}
    configure(
        tmp_path,
        feed.url,
        web={"listen": None},
        ranges={"grace": "0s"},
        guards={"max_shrink": "100%", "max_growth": "400%"},
        schedule={"feed": "1s", "jitter": "0", "stop_within": "10s"},
        alerts={"group": "1s", "channels": [{**channel, "max_per_hour": 10_000}]},
        targets=[file_target(name) for name in NAMES],
    )
    return tmp_path


@pytest.mark.slow
def test_a_service_killed_at_random_points_loses_nothing(
    folder: Path, feed: EndpointsStandIn, hook: WebhookStandIn, versions: list[str]
) -> None:
    """Each new one finds what the last one left; at last all is right, and all was told."""
    chance = Random(SEED)
    stopped = killed = 0
    for version in versions[1:-1]:
        with serving(folder) as served:
            if chance.random() < 0.7:
                served.logged("serving")
            feed.publish(version)
            time.sleep(chance.random() * 1.5)
            if served.lines and chance.random() < 0.3:
                assert 0 == served.stop(), served.lines
                stopped += 1
            else:
                served.kill()
                killed += 1
    feed.publish(versions[-1])
    with serving(folder) as served:
        until(lambda: is_at(served, versions[-1]))
        # Removals wait a minute for the others; nobody waits for that here.
        with served.store() as store:
            store.trigger("", by="ada", at=datetime.now(UTC))
        until(lambda: is_settled(served))
        assert 0 == served.stop()
    assert killed, "or nothing was tried"
    assert stopped, "or nothing was tried"
    with served.store() as store:
        the_state_is_sound(store)
        everything_was_told(store, hook)
    for name in NAMES:
        lines = (folder / f"{name}.txt").read_text().splitlines()
        found = IpRanges.parse(one for one in lines if one and not one.startswith("#"))
        assert IpRanges.parse(range_of(ROUNDS + 1)) <= found
        assert not IpRanges.parse(map(range_of, range(ROUNDS + 1))) & found


def is_at(served: Served, version: str) -> bool:
    """Whether every target was run against a version."""
    with served.store() as store:
        states = [store.target_state(name) for name in NAMES]
    return all(one is not None and one.version == version for one in states)


def is_settled(served: Served) -> bool:
    """Whether every target is proven right, and nothing waits to be sent.

    What was killed while it was sent is tried again after a while; nobody waits for that either.
    """
    with served.store() as store:
        store.hasten_messages("hook", datetime.now(UTC))
        right = all(one.verified for one in store.target_states())
        return right and not store.backlogs() and store.is_channel_idle("hook", datetime.now(UTC))


def the_state_is_sound(store: Store) -> None:
    """The database is whole, nothing is left open, nobody holds a lock."""
    with closing(sqlite3.connect(store.path)) as connection:
        assert [("ok",)] == connection.execute("PRAGMA integrity_check").fetchall()
        assert [] == connection.execute("PRAGMA foreign_key_check").fetchall()
    with over(store.path, "", command="a test", at=START):
        assert [] == store.interrupted(START)
    assert [] == [step for name in NAMES for step in store.unfinished(name)]
    started = store.events(1000, kinds=["service_started"])
    assert started, "what was found is told"
    record = store.service()
    assert record is not None
    assert record.stopped_at is not None


def everything_was_told(store: Store, hook: WebhookStandIn) -> None:
    """Each event has arrived; what came again had the key of the first time."""
    keys = defaultdict(set)
    for request in hook.taken:
        for event in json.loads(request.body)["events"]:
            keys[event["id"]].add(request.headers["webhook-id"])
    assert {f"e-{one.id}" for one in store.events(10_000)} == keys.keys()
    assert {1} == {len(one) for one in keys.values()}


def test_a_service_manager_that_does_not_listen_holds_nothing_up(
    tmp_path: Path, feed: EndpointsStandIn
) -> None:
    """The kernel keeps a few of the datagrams for it; then it takes no more, and SIGTERM works."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.setblocking(False)
            with pytest.raises(BlockingIOError):
                for _ in range(10_000):
                    other.sendto(b"STATUS=busy", str(tmp_path / "notify"))
        configure(tmp_path, feed.url, web={"listen": None}, targets=[file_target()])
        with serving(tmp_path, {"NOTIFY_SOCKET": str(tmp_path / "notify")}) as served:
            served.logged("run", command="sync edge")
            assert 0 == served.stop()
