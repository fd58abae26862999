"""Every published version of all four clouds, replayed through a fresh state.

After each version the file and the SPF record hold what they should, no address that is
valid then is ever missing, and every large removal was refused first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exosync.core.endpoints import parse_endpoints
from exosync.core.ranges import IpRanges
from exosync.core.selection import mail_ranges
from tests.standins.endpoints import EndpointsStandIn, answer_body, published
from tests.support.bind import Bind
from tests.support.judge import from_server, judge
from tests.support.world import Json, World, rules
from tests.support.zones import WIDE, zone_file

DOMAIN = "example.test"
GRACE = timedelta(days=30)


def mail_of(instance: str, version: str) -> IpRanges:
    """The mail ranges of a published version."""
    body = answer_body(instance, version)
    return mail_ranges(
        parse_endpoints(body, instance=instance, version=version, where=version)
    ).ranges


def day_of(version: str) -> datetime:
    """The day that a version's number names."""
    return datetime.strptime(version[:8], "%Y%m%d").replace(tzinfo=UTC)


def in_file(world: World) -> IpRanges:
    """What the file holds now."""
    path = world.folder / "exo.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    return IpRanges.parse(one for one in lines if one and not one.startswith("#"))


@dataclass
class Settled:
    """What it took until nothing was left to do."""

    last: Json
    always: IpRanges
    refused: bool


def settle(world: World) -> Settled:
    """Sync until nothing is left to do, approving what is refused.

    `always` is what the file held after every run. A large removal must have been refused.
    """
    always, refused = in_file(world), False
    for _ in range(6):
        before = in_file(world)
        told = world.sync()
        always &= in_file(world)
        assert refused or not removed_at_once(before, in_file(world)), "removed much unasked"
        if told["outcome"] != "refused":
            return Settled(told, always, refused)
        for target in told["targets"]:
            assert all(one["approvable"] for one in target["refusals"]), target
            refused |= "shrink" in rules(target)
            if target["state"] == "refused":
                world.approve(target["plan"])
    pytest.fail("never settled")


def removed_at_once(before: IpRanges, after: IpRanges) -> bool:
    """Whether more than a tenth of the ranges of a family goes."""
    for version in (4, 6):
        old, gone = before.family(version), (before - after).family(version)
        untouched = set(old.cidrs()) & set((old - gone).cidrs())
        if old and (len(old) - len(untouched)) * 10 > len(old):
            return True
    return False


@pytest.mark.parametrize(
    ("instance", "refused"),
    [
        ("Worldwide", ["2018102900", "2019010700", "2019022800"]),
        ("USGovGCCHigh", ["2024073100"]),
        # What 2020062900 removed had aged only after the next version had come.
        ("USGovDoD", ["2020072800", "2024073100"]),
        ("China", []),
    ],
)
def test_a_replay_keeps_the_file_right_after_each_version(
    tmp_path: Path, instance: str, refused: list[str]
) -> None:
    """On the day of a version, and once its removals have aged."""
    versions = published(instance)
    found = []
    with EndpointsStandIn(instance=instance, version=versions[0]) as feed:
        targets = [{"name": "edge", "kind": "file", "mode": "apply", "path": "exo.txt"}]
        settings = {"feed": {"url": feed.url, "instance": instance}}
        world = World(tmp_path, feed, targets, settings, now=day_of(versions[0]))
        for version, following in zip(versions, [*versions[1:], None], strict=True):
            world.feed.publish(version)
            world.now = max(world.now + timedelta(hours=1), day_of(version))
            before, valid = in_file(world), mail_of(instance, version)

            settled = settle(world)

            assert settled.last["targets"][0]["verified"], version
            assert valid <= in_file(world), f"{version} is missing something"
            assert before & valid <= settled.always, f"{version} took away what is valid"
            aged = world.now + GRACE
            if following is None or day_of(following) > aged:
                world.now = aged
                if settle(world).refused:
                    found.append(version)
                assert valid == in_file(world), f"{version} is not exact once its removals aged"
    assert refused == found


@pytest.fixture
def bind(tmp_path: Path) -> Iterator[Bind]:
    """A primary and a secondary with the company's zone."""
    zone = zone_file(
        DOMAIN,
        f'@ IN TXT "v=spf1 ip4:192.0.2.25 include:_exo.{DOMAIN} -all"',
        servers=("127.0.0.1",),
    )
    (tmp_path / "dns").mkdir()
    with Bind(tmp_path / "dns", {DOMAIN: zone}, secondary=True) as servers:
        yield servers


@pytest.mark.parametrize("instance", ["USGovGCCHigh", "China"])
def test_a_replay_keeps_the_spf_record_right(tmp_path: Path, bind: Bind, instance: str) -> None:
    """Judged by an evaluator that is not ours, at both servers, in every version."""
    versions = published(instance)
    ports = [
        (bind.primary.address, bind.primary.port),
        (bind.secondary.address, bind.secondary.port),
    ]
    secret = tmp_path / "tsig"
    secret.write_text(WIDE.secret)
    target = {
        "name": "spf",
        "kind": "spf",
        "mode": "apply",
        "domain": DOMAIN,
        "method": "records",
        "dns": {
            "server": ports[0][0],
            "port": ports[0][1],
            "servers": [
                f"{host}:{port}" if ":" not in host else f"[{host}]:{port}" for host, port in ports
            ],
            "resolvers": [f"{ports[0][0]}:{ports[0][1]}"],
            "key": {
                "name": WIDE.name,
                "algorithm": WIDE.algorithm,
                "secret": {"file": str(secret)},
            },
        },
    }
    with EndpointsStandIn(instance=instance, version=versions[0]) as feed:
        world = World(
            tmp_path, feed, [target], settings={"feed": {"url": feed.url, "instance": instance}}
        )
        world.now = day_of(versions[0])
        for version in versions:
            world.feed.publish(version)
            world.now = max(world.now + timedelta(hours=1), day_of(version))

            last = settle(world).last

            assert last["outcome"] in ("applied", "in_sync"), last
            valid = mail_of(instance, version)
            for host, port in ports:
                ask = from_server(host, port)
                for address in valid.samples():
                    assert "pass" == judge(address, DOMAIN, ask).result, (version, address, host)
                for family in (4, 6):
                    outsider = (valid | IpRanges.parse("192.0.2.25")).outside(family)
                    assert outsider is not None
                    assert "fail" == judge(outsider, DOMAIN, ask).result, (version, outsider)
