"""A run that is killed at any point: the next one finishes, and says what it found."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from exosync.core.ranges import IpRanges
from tests.standins.dns import DnsStandin
from tests.standins.endpoints import EndpointsStandIn
from tests.support.world import Json, World
from tests.support.zones import WIDE, zone_file
from tests.support.zygote import Zygote, zygote

OLD, NEW = "2020072800", "2024073100"
INSTANCE = "USGovGCCHigh"
ZONE = zone_file("example.test", '@ IN TXT "v=spf1 include:_exo.example.test -all"')


@pytest.fixture
def feed() -> Iterator[EndpointsStandIn]:
    """Microsoft's GCC High cloud, before an address was added and six were removed."""
    with EndpointsStandIn(instance=INSTANCE, version=OLD) as service:
        yield service


@pytest.fixture
def dns() -> Iterator[DnsStandin]:
    """The company's zone."""
    with DnsStandin({"example.test": ZONE}, keys=[WIDE], grants={WIDE.name: ("*",)}) as server:
        yield server


@pytest.fixture
def world(tmp_path: Path, feed: EndpointsStandIn, dns: DnsStandin) -> World:
    """A file and an SPF record, both written by every run."""
    (tmp_path / "tsig").write_text(WIDE.secret)
    server = {"server": "127.0.0.1", "port": dns.port, "resolvers": [f"127.0.0.1:{dns.port}"]}
    key = {"name": WIDE.name, "algorithm": WIDE.algorithm, "secret": {"file": "tsig"}}
    spf = {"domain": "example.test", "method": "records", "dns": {**server, "key": key}}
    targets: list[Json] = [
        {"name": "edge", "kind": "file", "mode": "apply", "path": "exo.txt"},
        {"name": "spf", "kind": "spf", "mode": "apply", **spf},
    ]
    return World(tmp_path, feed, targets, {"feed": {"url": feed.url, "instance": INSTANCE}})


@pytest.fixture
def runs() -> Iterator[Zygote]:
    """Where runs come from that may be killed."""
    with zygote() as one:
        yield one


def in_file(world: World) -> IpRanges:
    """What the file holds."""
    lines = (world.folder / "exo.txt").read_text().splitlines()
    return IpRanges.parse(one for one in lines if one and not one.startswith("#"))


@pytest.mark.slow
def test_a_run_killed_at_any_point_is_finished_by_the_next(
    world: World, dns: DnsStandin, runs: Zygote
) -> None:
    """No update is lost, nothing is half done, no step stays without an outcome."""
    world.sync()
    before = in_file(world)
    pristine = world.folder.parent / "pristine"
    shutil.copytree(world.folder, pristine)
    zone = dns.zones.copy()
    world.publish(NEW)
    told_found, interrupted, point = set(), 0, 0
    while True:
        point += 1
        shutil.rmtree(world.folder)
        shutil.copytree(pristine, world.folder)
        dns.zones = zone.copy()

        ended = runs.run_until(world.config_file.parent, point, world.now)

        if not ended.signal:
            assert 0 == ended.code, ended.said
            break
        assert signal.SIGKILL == ended.signal
        there = in_file(world)
        assert there in (before, before | IpRanges.parse("52.244.65.13")), "whole, old or new"
        told = world.sync()
        assert told["outcome"] in ("applied", "in_sync"), (point, told)
        assert NEW == told["version"], point
        assert all(one["verified"] for one in told["targets"]), point
        assert IpRanges.parse("52.244.65.13") <= in_file(world)
        with world.opened() as one:
            assert not one.store.unfinished("edge")
            assert not one.store.unfinished("spf")
            kinds = {event.kind for event in one.store.events(50)}
        assert "ranges_changed" in kinds, point
        interrupted += "run_interrupted" in kinds
        told_found |= {
            finding["message"].rpartition("; ")[2]
            for target in told["targets"]
            for finding in target["findings"]
            if finding["rule"] == "interrupted_step"
        }
    assert 10 < point, "a run has more points than that"
    assert interrupted >= point - 5, "only before its first row is there nothing to tell"
    assert {"it had been written", "it had not been written"} == told_found
