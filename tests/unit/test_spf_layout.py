"""The layout: ranges as one SPF record."""

from __future__ import annotations

import ipaddress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync.core.ranges import IpRanges
from exosync_adapters.rfc7208.record import owner_of, parse, ranges_in
from exosync_adapters.spf.layout import MAX_OCTETS, MAX_TERMS, address_term, answer_size, layout
from tests.support.judge import any_host, judge

NAME = "_exo.example.com"
MAIL = IpRanges.parse(
    [
        *("104.47.0.0/17", "40.92.0.0/15", "40.107.0.0/16", "52.100.0.0/14"),
        *("2a01:111:f403::/48", "2a01:111:f400::/48"),
    ]
)
RANGES = st.lists(
    st.one_of(
        st.tuples(st.ip_addresses(v=4), st.integers(8, 32)),
        st.tuples(st.ip_addresses(v=6), st.integers(16, 128)),
    ),
    max_size=8,
).map(lambda made: IpRanges.parse([f"{ip}/{length}" for ip, length in made], strict=False))


def test_lays_out_what_microsoft_publishes() -> None:
    """IPv4 first, in address order, then the mark and -all."""
    laid = layout(MAIL, "prod", name=NAME)

    assert laid.text == (
        "v=spf1 ip4:40.92.0.0/15 ip4:40.107.0.0/16 ip4:52.100.0.0/14 ip4:104.47.0.0/17 "
        "ip6:2a01:111:f400::/48 ip6:2a01:111:f403::/48 exo-owner=prod -all"
    )
    assert (len(NAME) + len(laid.text), 8, None) == (laid.octets, laid.terms, laid.refusal)


@pytest.mark.parametrize(
    ("cidr", "expected"),
    [
        ("192.0.2.1/32", "ip4:192.0.2.1"),
        ("192.0.2.0/31", "ip4:192.0.2.0/31"),
        ("2001:db8::1/128", "ip6:2001:db8::1"),
        ("2001:db8::/32", "ip6:2001:db8::/32"),
    ],
)
def test_leaves_out_the_length_of_a_single_address(cidr: str, expected: str) -> None:
    """It is the default of RFC 7208, section 5.6, and saves octets."""
    assert expected == address_term(cidr)


def _spread(count: int) -> IpRanges:
    """Single addresses, none next to another."""
    return IpRanges.parse([f"198.51.{i // 100}.{2 * (i % 100) + 20}" for i in range(count)])


def test_refuses_what_is_longer_than_an_answer_may_be() -> None:
    """The refusal tells the figures, and no approval makes the record fit."""
    laid = layout(_spread(30), "prod", name=NAME)

    assert laid.refusal is not None
    assert "record_size" == laid.refusal.rule
    assert f"{laid.octets} octets, 32 terms" == laid.refusal.seen
    assert f"{MAX_OCTETS} octets, {MAX_TERMS} terms" == laid.refusal.limit
    assert not laid.refusal.approvable


def test_takes_what_just_fits() -> None:
    """The limit itself is allowed; one octet more is not."""
    free = MAX_OCTETS - layout(MAIL, "prod", name=NAME).octets

    assert layout(MAIL, "prod", name=NAME, beside=["x" * free]).refusal is None
    assert layout(MAIL, "prod", name=NAME, beside=["x" * (free + 1)]).refusal is not None


def test_refuses_more_terms_than_every_receiver_reads() -> None:
    """The shortest terms reach the limit of terms before that of octets."""
    ranges = IpRanges.parse([f"ffff:{i:x}::/32" for i in range(0, 2 * MAX_TERMS, 2)])
    laid = layout(ranges, "p", name="a.b")

    assert laid.refusal is not None
    assert laid.terms == MAX_TERMS + 2


def test_counts_the_name_and_every_value_of_the_answer() -> None:
    """So RFC 7208, section 3.4, adds up the size of an answer."""
    assert 11 + 3 + 4 == answer_size("example.com.", ["abc", "ü\udcff1"])


@given(RANGES)
def test_authorises_exactly_the_ranges(ranges: IpRanges) -> None:
    """The record read back holds the same addresses, and the mark."""
    laid = layout(ranges, "prod", name=NAME)

    assert ranges == ranges_in(laid.text)
    assert "prod" == owner_of(laid.text)
    assert laid.terms == len(parse(laid.text).terms)


@given(RANGES)
def test_is_stable(ranges: IpRanges) -> None:
    """The same addresses give the same text, however they were cut and ordered."""
    halves = [str(half) for cidr in ranges.cidrs() for half in _halves(cidr)]

    assert layout(ranges, "p", name=NAME) == layout(IpRanges.parse(halves[::-1]), "p", name=NAME)


@given(RANGES)
def test_is_in_address_order(ranges: IpRanges) -> None:
    """A person finds an address in it."""
    words = [word for word in layout(ranges, "p", name=NAME).text.split() if word[:2] == "ip"]
    networks = [ipaddress.ip_network(word.partition(":")[2]) for word in words]

    assert all(
        (one.version, int(one[0])) < (other.version, int(other[0]))
        for one, other in pairwise(networks)
    )


@given(RANGES)
def test_an_independent_evaluator_reads_the_same(ranges: IpRanges) -> None:
    """pyspf passes an address of every range, and fails one of none."""
    text = layout(ranges, "prod", name=NAME).text
    outside = [one for version in (4, 6) if (one := ranges.outside(version))]

    for address in ranges.samples():
        if address.startswith("::ffff:"):
            continue  # mail from an IPv4-mapped address is IPv4 mail (RFC 7208, section 5)
        assert "pass" == judge(address, "example.com", any_host, record=text).result
    assert {"fail"} == {judge(one, "example.com", any_host, record=text).result for one in outside}


def _halves(cidr: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    network = ipaddress.ip_network(cidr)
    return [network] if network.prefixlen == network.max_prefixlen else list(network.subnets())
