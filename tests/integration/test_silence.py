"""What is told besides changes: failures that go on, repairs, silence, and what comes to its end."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exosync.store import EventRecord
from exosync.watch import (
    Ending,
    certificates,
    watch_endings,
    watch_feed,
    watch_slow,
    watch_targets,
)
from tests.standins.endpoints import EndpointsStandIn
from tests.standins.web import Reply
from tests.support.world import START, World

OLD, NEW = "2018102900", "2019010700"
TWO_DAYS = timedelta(hours=48)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A file target in mode apply, in a folder that can be taken away."""
    with EndpointsStandIn(version=OLD) as feed:
        target = {"name": "edge", "kind": "file", "mode": "apply", "path": "out/edge.txt"}
        (tmp_path / "out").mkdir()
        yield World(tmp_path, feed, [target])


def events(world: World, *kinds: str) -> list[EventRecord]:
    """What happened, oldest first."""
    with world.opened() as one:
        return one.store.events(999, kinds=kinds or None)[::-1]


def watch(world: World) -> None:
    """What the service does every few minutes."""
    with world.opened() as one:
        since, now = START, world.now
        watch_feed(one.store, "Worldwide", after=TWO_DAYS, since=since, now=now)
        watch_targets(one.store, ["edge"], after=TWO_DAYS, since=since, now=now)


def test_a_target_that_goes_on_failing_is_told_at_growing_intervals(world: World) -> None:
    """After 1, 6 and 24 hours, then daily; and once when it works again."""
    world.sync()
    shutil.rmtree(world.folder / "out")
    world.pass_time(minutes=10)
    began = world.now
    for minutes in [15] * 4 * 9 + [60] * 24 * 3:
        world.sync()
        world.pass_time(minutes=minutes)
    told = events(world, "target_failed", "still_failing")
    hours = [(one.at - began) / timedelta(hours=1) for one in told]
    assert [0, 1, 7, 31, 55, 79] == hours
    assert [1, 2, 3, 4, 5] == [one.body["times"] for one in told[1:]]
    assert f"edge fails since {began:%Y-%m-%d %H:%M} UTC: " in told[1].title
    (world.folder / "out").mkdir()
    world.sync()
    world.sync()
    assert ["edge works again"] == [one.title for one in events(world, "target_recovered")]


def test_a_second_failure_starts_anew(world: World) -> None:
    """With its own first word, and its own hour."""
    world.sync()
    for _ in range(2):
        shutil.rmtree(world.folder / "out")
        world.pass_time(minutes=10)
        world.sync()
        world.pass_time(hours=1)
        world.sync()
        (world.folder / "out").mkdir()
        world.sync()
    kinds = [one.kind for one in events(world, "target_failed", "still_failing")]
    assert ["target_failed", "still_failing"] * 2 == kinds


def test_drift_is_told_when_it_is_found_and_when_it_is_repaired(world: World) -> None:
    """Each once, also where the repair is a person's later word."""
    world.sync()
    path = world.folder / "out" / "edge.txt"
    good = path.read_text()
    path.write_text("".join(good.splitlines(keepends=True)[:-1]))
    world.pass_time(hours=1)
    world.sync()
    world.sync()
    assert ["drift", "drift_repaired"] == [
        one.kind for one in events(world, "drift", "drift_repaired")
    ]
    world.targets[0]["mode"] = "plan"
    path.write_text("".join(good.splitlines(keepends=True)[:-1]))
    world.pass_time(hours=1)
    plan = world.sync()["targets"][0]["plan"]
    world.sync()
    assert "drift" == events(world, "drift", "drift_repaired")[-1].kind
    world.apply(plan)
    world.sync()
    assert ["drift", "drift_repaired"] * 2 == [
        one.kind for one in events(world, "drift", "drift_repaired")
    ]


def test_an_answer_that_is_refused_is_told_once(world: World) -> None:
    """And again if the next one is refused for another reason."""
    world.sync()
    for _ in range(3):
        world.pass_time(hours=1)
        world.feed.script(None, Reply(body=b"[]"))
        world.feed.publish(NEW)
        world.sync()
    told = events(world, "feed_refused")
    assert 1 == len(told)
    assert "is refused by" in told[0].title
    assert told[0].body["rule"] in told[0].title
    world.pass_time(hours=1)
    world.sync()
    assert NEW == events(world, "ranges_changed", "feed_adopted")[-1].body["version"]


def test_silence_of_the_feed_is_told_and_its_end(world: World) -> None:
    """Once each, after the configured time."""
    world.sync()
    for hours, expected in ((47, 0), (2, 1), (24, 1)):
        world.pass_time(hours=hours)
        watch(world)
        assert expected == len(events(world, "feed_stale"))
    world.sync()
    watch(world)
    watch(world)
    assert ["feed_stale", "feed_back"] == [
        one.kind for one in events(world, "feed_stale", "feed_back")
    ]


def test_that_no_version_could_be_had_at_all_is_told_at_once(world: World) -> None:
    """Nobody would wait two days for that; and its end is told too."""
    world.feed.script(*[Reply(status=500)] * 3)
    world.sync()
    watch(world)
    watch(world)
    assert 1 == len(events(world, "feed_stale"))
    assert "could be had yet" in events(world, "feed_stale")[0].title
    world.pass_time(hours=2)
    world.sync()
    watch(world)
    assert 1 == len(events(world, "feed_back"))


def test_a_version_that_is_out_and_cannot_be_had_is_told(world: World) -> None:
    """Microsoft answers each hour which is newest, and that one never comes."""
    world.settings = {"feed": {"url": world.feed.url, "attempts": 1}}
    world.sync()
    world.feed.publish(NEW)
    for _ in range(8):
        assert [] == events(world, "feed_stale")
        world.feed.script(None, Reply(status=500))
        world.pass_time(hours=1)
        world.sync()
        watch(world)
    (told,) = events(world, "feed_stale")
    assert f"version {NEW} is out and cannot be had" in told.title
    world.pass_time(hours=1)
    world.sync()
    watch(world)
    assert 1 == len(events(world, "feed_back"))


def test_a_target_that_nobody_looks_at_is_told_once_each_silence(world: World) -> None:
    """Whether it fails or no run comes at all."""
    world.sync()
    for _ in range(2):
        world.pass_time(hours=49)
        watch(world)
        watch(world)
        world.pass_time(hours=1)
        world.sync()
    told = events(world, "target_stale")
    assert 2 == len(told)
    assert "no run has ended" in told[0].title


def test_that_a_target_is_looked_at_again_is_told_once(world: World) -> None:
    """As soon as a run has looked; that a service has just started is no look."""
    world.sync()
    for _ in range(2):
        world.pass_time(hours=49)
        watch(world)
        with world.opened() as one:
            watch_targets(one.store, ["edge"], after=TWO_DAYS, since=world.now, now=world.now)
        assert "target_stale" == events(world, "target_stale", "target_back")[-1].kind
        world.sync()
        watch(world)
        watch(world)
        assert "edge is looked at again" == events(world, "target_stale", "target_back")[-1].title
    kinds = [one.kind for one in events(world, "target_stale", "target_back")]
    assert ["target_stale", "target_back"] * 2 == kinds


def test_the_silence_of_a_target_that_fails_ends_when_a_run_can_look(world: World) -> None:
    """A run that failed has not looked."""
    world.sync()
    world.pass_time(hours=49)
    watch(world)
    shutil.rmtree(world.folder / "out")
    world.sync()
    watch(world)
    assert [] == events(world, "target_back")
    (world.folder / "out").mkdir()
    world.pass_time(hours=1)
    world.sync()
    watch(world)
    assert 1 == len(events(world, "target_back"))


def test_a_run_that_does_not_end_is_told_once(world: World) -> None:
    """And the next one of the same target again."""
    with world.opened() as one:
        for _ in range(2):
            one.store.begin_turn("edge", world.now)
            for _ in range(3):
                world.pass_time(minutes=6)
                watch_slow(one.store, after=timedelta(minutes=10), now=world.now)
    assert 2 == len(events(world, "target_slow"))


def test_what_comes_to_its_end_is_told_30_7_and_1_days_before_and_when_it_is_over(
    world: World,
) -> None:
    """Each once; a new certificate starts anew."""
    ends = START + timedelta(days=40)
    with world.opened() as one:
        for _ in range(45):
            for _ in range(2):
                watch_endings(one.store, [Ending("certificate x", ends)], now=world.now)
            world.pass_time(days=1)
        watch_endings(one.store, [Ending("certificate x", ends)], now=world.now)
        later = Ending("certificate x", world.now + timedelta(days=5))
        watch_endings(one.store, [later], now=world.now)
    told = events(world, "credential_ending")
    left = [(ends - one.at).days for one in told[:-1]]
    assert [30, 7, 1, 0] == left
    assert ["warning", "warning", "error", "error", "warning"] == [one.severity for one in told]


def test_the_ends_of_certificates_are_read_from_a_bundle(tmp_path: Path) -> None:
    """Made by OpenSSL; a file that is none gives nothing."""
    made = subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "10",
            "-subj",
            "/CN=ours",
            "-keyout",
            "key.pem",
            "-out",
            "ca.pem",
        ],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert 0 == made.returncode
    (found,) = certificates(tmp_path / "ca.pem", "feed.ca_bundle")
    assert "certificate ours in feed.ca_bundle" == found.what
    assert timedelta(days=9) < found.at - datetime.now(UTC) <= timedelta(days=10)
    assert [] == list(certificates(tmp_path / "key.pem", "x"))
    assert [] == list(certificates(tmp_path / "nothing.pem", "x"))
