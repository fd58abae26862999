"""A step for a person: planned, seen to be done, and never taken for drift."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.standins.dns import DnsStandin
from tests.standins.dns_zones import Zones
from tests.standins.endpoints import EndpointsStandIn
from tests.support.world import World, only, rules
from tests.support.zones import zone_file

BEFORE = "v=spf1 ip4:192.0.2.25 -all"
AFTER = "v=spf1 ip4:192.0.2.25 include:spf.protection.outlook.com -all"
MICROSOFT = zone_file("protection.outlook.com", 'spf IN TXT "v=spf1 ip4:40.92.0.0/15 -all"')


def zones(record: str) -> dict[str, str]:
    """The company's zone and Microsoft's."""
    mine = zone_file("example.test", f'@ IN TXT "{record}"')
    return {"example.test": mine, "protection.outlook.com": MICROSOFT}


@pytest.fixture
def dns() -> Iterator[DnsStandin]:
    """A domain that does not include Microsoft yet."""
    with DnsStandin(zones(BEFORE)) as server:
        yield server


def test_a_person_pastes_the_record_and_the_next_run_sees_it(
    tmp_path: Path, dns: DnsStandin
) -> None:
    """Waiting, with the text to paste; then in sync, and nobody is called somebody else."""
    server = {"server": "127.0.0.1", "port": dns.port, "resolvers": [f"127.0.0.1:{dns.port}"]}
    target = {"name": "spf", "kind": "spf", "mode": "apply", "domain": "example.test"}
    with EndpointsStandIn(version="2026081400") as feed:
        world = World(tmp_path, feed, [{**target, "dns": server}])
        told = world.sync()
        waiting = only(told)
        (step,) = waiting["steps"]
        assert ("waiting", "waiting", "person") == (told["outcome"], waiting["state"], step["by"])
        assert (BEFORE, AFTER) == (step["before"], step["after"])

        dns.zones = Zones(zones(AFTER), {})
        seen = only(world.sync())

    assert ("in_sync", True) == (seen["state"], seen["verified"])
    assert "person_acted" in rules(seen, "findings")
    assert "drift" not in rules(seen, "findings")
