"""Address space that is not public is known by name and source."""

from __future__ import annotations

import json
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exosync.core.ranges import IpRanges
from exosync.core.special import special
from tests.standins.endpoints import answer_body, published


@pytest.mark.parametrize(
    ("cidr", "name", "source"),
    [
        ("10.1.2.0/24", "private", "RFC 1918"),
        ("127.0.0.1/32", "loopback", "RFC 1122 section 3.2.1.3"),
        ("169.254.169.254/32", "link-local", "RFC 3927"),
        ("100.64.0.0/16", "shared (carrier-grade NAT)", "RFC 6598"),
        ("198.19.0.0/16", "benchmarking", "RFC 2544"),
        ("203.0.113.7/32", "documentation", "RFC 5737"),
        ("239.0.0.0/8", "multicast", "RFC 5771"),
        ("240.0.0.0/8", "reserved", "RFC 1112 section 4"),
        ("255.255.255.255/32", "broadcast", "RFC 919"),
        ("::1/128", "loopback", "RFC 4291"),
        ("::ffff:40.92.0.0/111", "IPv4-mapped", "RFC 4291"),
        ("2001::/40", "Teredo", "RFC 4380"),
        ("2001:db8::/48", "documentation", "RFC 3849"),
        ("2002:2800::/24", "6to4", "RFC 3056"),
        ("3fff::/24", "documentation", "RFC 9637"),
        ("fd00::/8", "unique local", "RFC 4193"),
        ("fe80::/64", "link-local", "RFC 4291"),
        ("ff02::/16", "multicast", "RFC 4291"),
        ("4000::/16", "reserved", "RFC 4291 section 2.4"),
    ],
)
def test_a_special_range_is_told_with_name_and_source(cidr: str, name: str, source: str) -> None:
    """The closest block names it, not one that holds that block."""
    assert ((cidr, name, source),) == special(IpRanges.parse(cidr))


def test_only_the_special_part_of_a_range_is_told() -> None:
    """A wide range is not private as a whole."""
    found = special(IpRanges.parse(["192.168.0.0/15", "8.8.8.0/24"]))

    assert (("192.168.0.0/16", "private", "RFC 1918"),) == found


def test_everything_holds_each_special_address_once_and_in_order() -> None:
    """The parts told of all addresses are disjoint and sorted, IPv4 first."""
    cidrs = [cidr for cidr, _, _ in special(IpRanges.parse(["0.0.0.0/0", "::/0"]))]

    assert cidrs == sorted(cidrs, key=IpRanges.sort_key)
    whole = IpRanges.parse(cidrs)
    parts = [IpRanges.parse(cidr) for cidr in cidrs]
    for family in (4, 6):
        assert whole.addresses(family) == sum(part.addresses(family) for part in parts)


@pytest.mark.parametrize("instance", ["Worldwide", "China", "USGovDoD", "USGovGCCHigh"])
def test_nothing_that_microsoft_publishes_is_special(instance: str) -> None:
    """No published range of any set of any version is stopped by the table."""
    cidrs = {
        cidr
        for version in published(instance)
        for one in json.loads(answer_body(instance, version))
        for cidr in one.get("ips", ())
    }

    assert cidrs
    assert () == special(IpRanges.parse(sorted(cidrs)))


@given(st.ip_addresses())
@example(ip_address("192.0.0.0"))
@example(ip_address("fec0::1"))
@example(ip_address("100::1"))
def test_what_python_holds_for_not_public_is_special(address: IPv4Address | IPv6Address) -> None:
    """The table covers all that the standard library's registry knows."""
    not_public = (
        address.is_private
        or address.is_reserved
        or address.is_multicast
        or address.is_link_local
        or address.is_unspecified
        or (isinstance(address, IPv6Address) and address.is_site_local)
    )
    if not_public:
        assert 1 == len(special(IpRanges.parse(str(address))))


def test_nothing_is_special_of_nothing() -> None:
    """No ranges, no parts."""
    assert () == special(IpRanges())
