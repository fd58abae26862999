"""Sets of addresses: what is read, what is written, and an algebra that others agree with.

The oracles are `ipaddress`, netaddr, aggregate6 and plain Python sets of integers.
"""

from __future__ import annotations

import copy
import ipaddress
import pickle
import re
from collections.abc import Callable, Iterable
from itertools import pairwise

import netaddr
import pytest
from aggregate6 import aggregate
from hypothesis import given
from hypothesis import strategies as st

from exosync.core.ranges import IpRanges, _public
from exosync.core.special import special
from exosync.errors import ExosyncError, RangeError

SET_10 = (
    "40.92.0.0/15",
    "40.107.0.0/16",
    "52.100.0.0/14",
    "104.47.0.0/17",
    "2a01:111:f400::/48",
    "2a01:111:f403::/48",
)
"""Set 10 of the Worldwide cloud since version 2019072900."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


# Strategies: small dense universes, so that blocks touch and cover each other, and wide ones.

CORNERS = (
    (4, int(ipaddress.IPv4Address("10.0.0.0"))),
    (4, 0),
    (4, (1 << 32) - 64),
    (6, int(ipaddress.IPv6Address("2001:db8::"))),
    (6, int(ipaddress.IPv6Address("::ffff:10.0.0.0"))),
    (6, 0),
    (6, (1 << 128) - 64),
)
"""Where a dense universe of 64 addresses of each begins."""


def block(version: int, first: int, prefix: int) -> str:
    """The text of a block, by `ipaddress`; host bits are cleared."""
    made: Network
    if version == 4:
        made = ipaddress.IPv4Network((first, prefix), strict=False)
    else:
        made = ipaddress.IPv6Network((first, prefix), strict=False)
    return str(made)


@st.composite
def dense_blocks(draw: st.DrawFn) -> str:
    """A block of 1 to 64 addresses in one of the corners."""
    version, base = draw(st.sampled_from(CORNERS))
    bits = 32 if version == 4 else 128
    return block(version, base + draw(st.integers(0, 63)), draw(st.integers(bits - 6, bits)))


@st.composite
def wide_blocks(draw: st.DrawFn) -> str:
    """A block of any size anywhere, /0 and /32 or /128 included."""
    version = draw(st.sampled_from((4, 6)))
    bits = 32 if version == 4 else 128
    return block(version, draw(st.integers(0, (1 << bits) - 1)), draw(st.integers(0, bits)))


@st.composite
def mapped_blocks(draw: st.DrawFn) -> str:
    """A block within ::ffff:0:0/96, or around it."""
    low = draw(st.integers(0, (1 << 32) - 1))
    return block(6, 0xFFFF << 32 | low, draw(st.integers(80, 128)))


def lists_of(*blocks: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    """Lists that are taken from one or several kinds of blocks."""
    return st.lists(st.one_of(*blocks), max_size=24)


dense = lists_of(dense_blocks())
mixed = lists_of(dense_blocks(), wide_blocks(), mapped_blocks())
anything = st.one_of(dense, mixed)


# Oracles


def networks(cidrs: Iterable[str]) -> list[Network]:
    """The texts as `ipaddress` reads them; refuses host bits."""
    return [ipaddress.ip_network(cidr) for cidr in cidrs]


def by_ipaddress(cidrs: Iterable[str]) -> list[Network]:
    """The fewest networks, by the standard library."""
    every = networks(cidrs)
    four = [one for one in every if isinstance(one, ipaddress.IPv4Network)]
    six = [one for one in every if isinstance(one, ipaddress.IPv6Network)]
    return [*ipaddress.collapse_addresses(four), *ipaddress.collapse_addresses(six)]


def by_netaddr(cidrs: Iterable[str]) -> netaddr.IPSet:
    """The set, by netaddr."""
    return netaddr.IPSet(list(cidrs))


def from_netaddr(found: netaddr.IPSet) -> list[Network]:
    """The networks of a set of netaddr, IPv4 first."""
    return networks(str(one) for one in sorted(found.iter_cidrs(), key=lambda one: one.sort_key()))


def members(cidrs: Iterable[str]) -> set[tuple[int, int]]:
    """Every address of small blocks, as a plain set."""
    return {
        (one.version, value)
        for one in networks(cidrs)
        for value in range(int(one.network_address), int(one.broadcast_address) + 1)
    }


def held(ranges: IpRanges) -> set[tuple[int, int]]:
    """Every address of small ranges, as a plain set."""
    return {
        (version, value)
        for version in (4, 6)
        for first, last in ranges.intervals(version)
        for value in range(first, last + 1)
    }


# Reading


@pytest.mark.parametrize(
    ("text", "cidr"),
    [
        ("40.92.0.0/15", "40.92.0.0/15"),
        ("40.92.0.1", "40.92.0.1/32"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("255.255.255.255/32", "255.255.255.255/32"),
        ("2a01:111:f403::/48", "2a01:111:f403::/48"),
        ("2A01:0111:F403:0000::/48", "2a01:111:f403::/48"),
        ("::", "::/128"),
        ("::/0", "::/0"),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"),
        ("::ffff:1.2.3.4", "::ffff:1.2.3.4/128"),
        ("::ffff:102:304", "::ffff:1.2.3.4/128"),
        ("::ffff:0:0/96", "::ffff:0.0.0.0/96"),
        ("::1.2.3.4", "::102:304/128"),
        ("64:ff9b::1.2.3.4", "64:ff9b::102:304/128"),
    ],
)
def test_an_address_or_cidr_is_read_in_every_plain_notation(text: str, cidr: str) -> None:
    """What is written out is canonical, whatever was read."""
    assert (cidr,) == IpRanges.parse(text).cidrs()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("example.com", "not a whole IPv4 address"),
        ("40.92", "not a whole IPv4 address"),
        ("40.92/15", "before the slash is not a whole IPv4 address"),
        ("0x28.92.0.0", "not a whole IPv4 address"),
        ("679215104", "not a whole IPv4 address"),
        ("040.92.0.0", "not a whole IPv4 address"),
        ("40.92.0.256", "not a whole IPv4 address"),
        ("40.92.0.0.0", "not a whole IPv4 address"),
        ("40.92.0.-1", "not a whole IPv4 address"),
        ("40.92.0.0/", "prefix length must be a plain number from 0 to 32"),
        ("40.92.0.0/33", "prefix length must be a plain number from 0 to 32"),
        ("40.92.0.0/015", "prefix length must be a plain number from 0 to 32"),
        ("40.92.0.0/+15", "prefix length must be a plain number from 0 to 32"),
        ("40.92.0.0/-1", "prefix length must be a plain number from 0 to 32"),
        ("40.92.0.0/1_5", "prefix length must be a plain number from 0 to 32"),
        ("40.92.0.0/15/15", "prefix length must be a plain number from 0 to 32"),
        ("40.92.0.0/255.254.0.0", "netmasks are not read"),
        ("40.93.0.0/15", "bits set behind the prefix; the network is 40.92.0.0/15"),
        ("2a01:111:f403::1/48", "bits set behind the prefix; the network is 2a01:111:f403::/48"),
        ("2a01:111:f403::/129", "prefix length must be a plain number from 0 to 128"),
        ("2a01:111", "not a whole IPv6 address"),
        ("1::2::3", "not a whole IPv6 address"),
        ("1:2:3:4::5:6:7:8", "not a whole IPv6 address"),
        (":1:2:3:4:5:6:7", "not a whole IPv6 address"),
        ("1:2:3:4:5:6:7:", "not a whole IPv6 address"),
        ("00001::", "not a whole IPv6 address"),
        ("::ffff:01.2.3.4", "not a whole IPv6 address"),
        ("::g", "not a whole IPv6 address"),
        ("fe80::1%eth0", "zone"),
        ("fe80::1%eth0/64", "zone"),
        (" 40.92.0.0/15", "blanks"),
        ("40.92.0.0 /15", "blanks"),
        ("40.92.0.0/15\n", "blanks"),
        ("40.92.0.0\t", "blanks"),
        ("40.92.0.0\0", "control characters"),
        ("40.92.0.\N{ARABIC-INDIC DIGIT ONE}", "beyond ASCII"),
        ("40.92.0.0/1\N{FULLWIDTH DIGIT FIVE}", "beyond ASCII"),
        ("40\N{FULLWIDTH FULL STOP}92.0.0", "beyond ASCII"),
        ("\ud800", "beyond ASCII"),
    ],
)
def test_what_is_not_plainly_an_address_or_cidr_is_refused(text: str, why: str) -> None:
    """The refusal shows the text and says what is wrong with it."""
    with pytest.raises(RangeError) as caught:
        IpRanges.parse(["40.92.0.0/15", text])

    assert f"{text!r} is not an IP address or a CIDR" in str(caught.value)
    assert why in str(caught.value)


@pytest.mark.parametrize("item", [None, 5, b"40.92.0.0", ("40.92.0.0",), 1.5])
def test_what_is_not_a_text_is_refused(item: object) -> None:
    """A list out of JSON may hold anything."""
    with pytest.raises(RangeError, match="not a text but of type"):
        IpRanges.parse([item])  # type: ignore[list-item]


def test_a_long_offending_text_is_shortened() -> None:
    """A message stays readable whatever was fed in."""
    with pytest.raises(RangeError) as caught:
        IpRanges.parse("9" * 10_000)

    assert len(str(caught.value)) < 200


def test_a_refusal_is_one_of_ours_and_a_value_error() -> None:
    """Both those who catch our errors and validators catch it."""
    with pytest.raises(ExosyncError):
        IpRanges.parse("nonsense")
    with pytest.raises(ValueError, match="nonsense"):
        IpRanges.parse("nonsense")


def test_the_first_bad_item_is_named() -> None:
    """Of several bad items the first is told."""
    with pytest.raises(RangeError, match=re.escape("'10.0.0.1/8'")):
        IpRanges.parse(iter(["10.0.0.0/8", "10.0.0.1/8", "rubbish"]))


def test_an_error_of_the_source_of_items_is_not_taken_for_a_bad_item() -> None:
    """A generator that fails tells its own error."""

    def broken() -> Iterable[str]:
        yield "10.0.0.0/8"
        raise ValueError("the disk is gone")

    with pytest.raises(ValueError, match="the disk is gone") as caught:
        IpRanges.parse(broken())
    assert not isinstance(caught.value, RangeError)


def test_host_bits_are_cleared_on_request() -> None:
    """The tolerant reading gives the network that the address is in."""
    found = IpRanges.parse(["40.93.1.2/15", "2a01:111:f403::1/48"], strict=False)

    assert ("40.92.0.0/15", "2a01:111:f403::/48") == found.cidrs()


def test_the_tolerant_reading_clears_host_bits_and_nothing_else() -> None:
    """Bad syntax stays bad."""
    with pytest.raises(RangeError, match="plain number"):
        IpRanges.parse("40.93.1.2/015", strict=False)


def test_a_text_is_one_item_and_not_its_characters() -> None:
    """A single CIDR needs no list around it."""
    assert IpRanges.parse(["10.0.0.0/8"]) == IpRanges.parse("10.0.0.0/8")


@st.composite
def nearly_cidrs(draw: st.DrawFn) -> str:
    """A CIDR with a few characters changed."""
    text = list(draw(st.one_of(wide_blocks(), mapped_blocks(), dense_blocks())))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        text[at : at + draw(st.integers(0, 2))] = draw(st.sampled_from("0159af.:/ %+-x\0١"))
    return "".join(text)


@given(nearly_cidrs())
def test_what_is_accepted_is_what_ipaddress_accepts_in_plain_notation(text: str) -> None:
    """`ipaddress` also takes netmasks, zones and zeros before a prefix length; we do not."""
    try:
        expected = ipaddress.ip_network(text)
    except ValueError:
        expected = None
    if "%" in text or ("/" in text and not re.fullmatch(r"[^/]*/(0|[1-9][0-9]*)", text)):
        expected = None

    try:
        found = networks(IpRanges.parse(text).cidrs())
    except RangeError:
        found = []

    assert ([expected] if expected else []) == found


@given(wide_blocks(), st.data())
def test_the_tolerant_reading_agrees_with_ipaddress(cidr: str, data: st.DataObject) -> None:
    """Any address of a block stands for the block."""
    network = ipaddress.ip_network(cidr)
    inside = network[data.draw(st.integers(0, network.num_addresses - 1))]

    found = IpRanges.parse(f"{inside}/{network.prefixlen}", strict=False)

    assert [network] == networks(found)


# Writing


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),  # RFC 5952, section 4.2.3
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),  # section 4.2.2
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("0:0:1:0:0:1:1:1", "::1:0:0:1:1:1"),
        ("1:0:0:1:0:0:0:0", "1:0:0:1::"),
        ("0:0:0:1:0:0:0:0", "0:0:0:1::"),
        ("0:1:0:0:0:0:0:0", "0:1::"),
        ("1:0:0:0:0:0:0:0", "1::"),
        ("1:2:3:0:0:0:0:0", "1:2:3::"),
        ("1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7:0"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("0:0:0:0:0:fffe:102:304", "::fffe:102:304"),
        ("0:0:0:0:1:ffff:102:304", "::1:ffff:102:304"),
    ],
)
def test_ipv6_is_written_as_rfc_5952_has_it(value: str, text: str) -> None:
    """The first of the longest runs of zero groups is shortened, a single one never."""
    assert text == IpRanges.parse(value).first(6)


six_groups = st.lists(
    st.sampled_from((0, 0, 0, 1, 0xABC, 0xFFFF)) | st.integers(0, 0xFFFF), min_size=8, max_size=8
)


@given(six_groups)
def test_ipv6_is_written_as_ipaddress_writes_it(groups: list[int]) -> None:
    """For all but mapped addresses, whose text `ipaddress` changed in Python 3.13."""
    text = ":".join(f"{group:x}" for group in groups)
    address = ipaddress.IPv6Address(text)
    mapped = address.ipv4_mapped

    expected = f"::ffff:{mapped}" if mapped else str(address)
    assert expected == IpRanges.parse(text).first(6)


@given(anything)
def test_the_minimal_cidrs_are_those_of_ipaddress(cidrs: list[str]) -> None:
    """The same networks in the same order."""
    assert by_ipaddress(cidrs) == networks(IpRanges.parse(cidrs).cidrs())


@given(anything)
def test_the_minimal_cidrs_are_those_of_netaddr(cidrs: list[str]) -> None:
    """The same networks in the same order."""
    expected = networks(str(one) for one in netaddr.cidr_merge(cidrs))

    assert expected == networks(IpRanges.parse(cidrs).cidrs())


@given(anything)
def test_the_minimal_cidrs_are_those_of_aggregate6(cidrs: list[str]) -> None:
    """The same networks, in an order of its own."""
    assert set(networks(aggregate(cidrs))) == set(networks(IpRanges.parse(cidrs).cidrs()))


@given(anything)
def test_reading_what_was_written_gives_the_same(cidrs: list[str]) -> None:
    """Texts lose nothing."""
    ranges = IpRanges.parse(cidrs)

    assert ranges == IpRanges.parse(ranges.cidrs())
    assert ranges.cidrs() == tuple(ranges)
    assert len(ranges.cidrs()) == len(ranges)


@given(anything)
def test_cidrs_are_disjoint_and_in_address_order(cidrs: list[str]) -> None:
    """IPv4 comes first; `sort_key` is that order."""
    found = IpRanges.parse(cidrs).cidrs()

    assert sorted(found, key=IpRanges.sort_key) == list(found)
    assert all(not a.overlaps(b) for a, b in pairwise(networks(found)) if a.version == b.version)


def test_the_sort_key_is_family_address_and_prefix_length() -> None:
    """A shorter prefix comes first; an address has the longest."""
    keys = [IpRanges.sort_key(one) for one in ("0.0.0.1", "1.0.0.0/8", "1.0.0.0/9", "::/0", "::1")]

    assert [(4, 1, 32), (4, 1 << 24, 8), (4, 1 << 24, 9), (6, 0, 0), (6, 1, 128)] == keys
    with pytest.raises(RangeError, match="bits set behind the prefix"):
        IpRanges.sort_key("1.0.0.1/8")


def test_few_ranges_show_as_the_call_that_makes_them() -> None:
    """A failing test can be copied from its output."""
    assert "IpRanges()" == repr(IpRanges())
    assert "IpRanges.parse(['10.0.0.0/8', '::1/128'])" == repr(
        IpRanges.parse(["::1", "10.0.0.0/8"])
    )


def test_many_ranges_show_shortened() -> None:
    """A log line stays a line."""
    many = IpRanges.parse(f"10.{n}.0.0/24" for n in range(200))

    assert (
        "<IpRanges of 200 CIDRs: 10.0.0.0/24, 10.1.0.0/24, 10.2.0.0/24, …, 10.199.0.0/24>"
        == repr(many)
    )


# The value


def test_it_is_equal_and_hashes_by_its_addresses_alone() -> None:
    """How they were cut or ordered does not matter."""
    halves = IpRanges.parse(["10.0.0.128/25", "10.0.0.0/25"])
    whole = IpRanges.parse("10.0.0.0/24")

    assert whole == halves
    assert hash(whole) == hash(halves)
    assert whole != IpRanges.parse("::a00:0/120")
    assert whole != object()


def test_mapped_addresses_are_ipv6() -> None:
    """::ffff:1.2.3.4 is not 1.2.3.4."""
    mapped = IpRanges.parse("::ffff:1.2.3.4")

    assert mapped.isdisjoint(IpRanges.parse("1.2.3.4"))
    assert 1 == mapped.addresses(6)
    assert 0 == mapped.addresses(4)


def test_it_cannot_be_changed() -> None:
    """A value may be shared without fear; __slots__ leaves no room for more."""
    ranges = IpRanges.parse(SET_10)

    with pytest.raises(AttributeError):
        ranges._v4 = ((), ())  # type: ignore[misc]
    assert not hasattr(ranges, "__dict__")


def test_it_is_made_by_parse_alone() -> None:
    """A list handed to the class by mistake is an error, not an odd set."""
    with pytest.raises(TypeError):
        IpRanges(SET_10)  # type: ignore[call-arg]


@given(anything)
def test_it_survives_pickling_and_copying(cidrs: list[str]) -> None:
    """It may cross to another process."""
    ranges = IpRanges.parse(cidrs)

    assert ranges == pickle.loads(pickle.dumps(ranges))
    assert ranges == copy.copy(ranges) == copy.deepcopy(ranges)


def test_emptiness_is_falsehood() -> None:
    """Either family counts."""
    assert not IpRanges()
    assert not IpRanges.parse([])
    assert IpRanges.parse("0.0.0.0")
    assert IpRanges.parse("::")


# The algebra

OPERATIONS: list[tuple[Callable[..., IpRanges], Callable[..., object]]] = [
    (lambda a, b: a | b, lambda a, b: a | b),
    (lambda a, b: a & b, lambda a, b: a & b),
    (lambda a, b: a - b, lambda a, b: a - b),
    (lambda a, b: a ^ b, lambda a, b: a ^ b),
]


@pytest.mark.parametrize(("ours", "theirs"), OPERATIONS, ids="|&-^")
@given(one=dense, other=dense)
def test_the_algebra_is_that_of_plain_sets(
    ours: Callable[..., IpRanges],
    theirs: Callable[..., set[tuple[int, int]]],
    one: list[str],
    other: list[str],
) -> None:
    """In universes so small that every address can be listed."""
    expected = theirs(members(one), members(other))

    assert expected == held(ours(IpRanges.parse(one), IpRanges.parse(other)))


@pytest.mark.parametrize(("ours", "theirs"), OPERATIONS, ids="|&-^")
@given(one=anything, other=anything)
def test_the_algebra_is_that_of_netaddr(
    ours: Callable[..., IpRanges],
    theirs: Callable[..., netaddr.IPSet],
    one: list[str],
    other: list[str],
) -> None:
    """Over the whole of both families."""
    expected = from_netaddr(theirs(by_netaddr(one), by_netaddr(other)))

    assert expected == networks(ours(IpRanges.parse(one), IpRanges.parse(other)))


@pytest.mark.parametrize(("ours", "theirs"), OPERATIONS, ids="|&-^")
@given(one=anything, other=anything)
def test_every_result_is_in_normal_form(
    ours: Callable[..., IpRanges],
    theirs: object,
    one: list[str],
    other: list[str],
) -> None:
    """Spans never touch, so equality of addresses is equality of values."""
    found = ours(IpRanges.parse(one), IpRanges.parse(other))

    for version in (4, 6):
        spans = found.intervals(version)
        assert all(first <= last for first, last in spans)
        assert all(a[1] + 1 < b[0] for a, b in pairwise(spans))
    assert found == IpRanges.parse(found.cidrs())


@given(st.lists(anything, max_size=5))
def test_union_takes_any_number(lists: list[list[str]]) -> None:
    """It is the reading of all lists together."""
    parts = [IpRanges.parse(one) for one in lists]

    assert IpRanges.parse(cidr for one in lists for cidr in one) == IpRanges().union(*parts)


@given(dense, dense)
def test_subset_and_disjoint_are_those_of_plain_sets(one: list[str], other: list[str]) -> None:
    """All ways to ask agree."""
    a, b = IpRanges.parse(one), IpRanges.parse(other)

    assert (members(one) <= members(other)) == (a <= b) == (b >= a) == (a in b)
    assert members(one).isdisjoint(members(other)) == a.isdisjoint(b)


@given(anything, anything)
def test_subset_is_that_of_the_algebra(one: list[str], other: list[str]) -> None:
    """Over the whole of both families."""
    a, b = IpRanges.parse(one), IpRanges.parse(other)

    assert (not a - b) == (a <= b)
    assert a & b <= a <= a | b
    assert a - b <= a


@given(anything, st.one_of(dense_blocks(), wide_blocks(), mapped_blocks()))
def test_a_cidr_is_in_the_ranges_if_all_of_it_is(cidrs: list[str], one: str) -> None:
    """As netaddr has it."""
    assert (netaddr.IPNetwork(one) in by_netaddr(cidrs)) == (one in IpRanges.parse(cidrs))


@given(dense, dense_blocks())
def test_an_address_is_in_the_ranges_if_a_network_holds_it(cidrs: list[str], one: str) -> None:
    """As `ipaddress` has it."""
    address = ipaddress.ip_network(one)[0]

    assert any(address in net for net in networks(cidrs)) == (str(address) in IpRanges.parse(cidrs))


def test_a_cidr_over_two_touching_cidrs_is_inside() -> None:
    """Containment does not depend on how the ranges were cut."""
    ranges = IpRanges.parse(["10.0.0.0/25", "10.0.0.128/25"])

    assert "10.0.0.0/24" in ranges


def test_asking_for_what_is_no_address_is_an_error() -> None:
    """It is not simply absent."""
    ranges = IpRanges.parse(SET_10)

    with pytest.raises(RangeError, match=re.escape("outlook.com")):
        assert "outlook.com" in ranges
    with pytest.raises(TypeError, match="not int"):
        assert 5 in ranges


def test_other_types_take_no_part_in_the_algebra() -> None:
    """A forgotten `parse` is told at once."""
    for operation in ("__or__", "__and__", "__sub__", "__xor__", "__le__", "__ge__"):
        assert NotImplemented is getattr(IpRanges(), operation)("10.0.0.0/8")


# Measures


@given(anything)
def test_addresses_are_counted_by_family(cidrs: list[str]) -> None:
    """As the sum over the networks of `ipaddress`."""
    ranges = IpRanges.parse(cidrs)

    for version in (4, 6):
        expected = sum(one.num_addresses for one in by_ipaddress(cidrs) if one.version == version)
        assert expected == ranges.addresses(version)
        assert expected == ranges.family(version).addresses(version)


@given(anything)
def test_the_families_make_up_the_whole(cidrs: list[str]) -> None:
    """Nothing is in both or in neither."""
    ranges = IpRanges.parse(cidrs)

    assert ranges == ranges.family(4) | ranges.family(6)
    assert ranges.family(4).isdisjoint(ranges.family(6))


def test_intervals_are_inclusive() -> None:
    """Touching CIDRs are one interval."""
    ranges = IpRanges.parse(["0.0.0.4/30", "0.0.0.8", "255.255.255.255", "::/0"])

    assert ((4, 8), (2**32 - 1, 2**32 - 1)) == ranges.intervals(4)
    assert ((0, 2**128 - 1),) == ranges.intervals(6)


@given(anything)
def test_the_widest_is_the_shortest_prefix(cidrs: list[str]) -> None:
    """None where a family has no ranges."""
    ranges = IpRanges.parse(cidrs)

    for version in (4, 6):
        prefixes = [one.prefixlen for one in by_ipaddress(cidrs) if one.version == version]
        assert min(prefixes, default=None) == ranges.widest(version)


@pytest.mark.parametrize("ask", ["addresses", "family", "intervals", "widest", "first", "outside"])
def test_there_are_two_versions(ask: str) -> None:
    """5 is a mistake of the caller."""
    with pytest.raises(ValueError, match="no IP version 5"):
        getattr(IpRanges(), ask)(5)


def test_the_first_address_is_the_lowest() -> None:
    """None where a family has no ranges."""
    ranges = IpRanges.parse(["40.107.0.0/16", "40.92.0.0/15"])

    assert "40.92.0.0" == ranges.first(4)
    assert ranges.first(6) is None


# Splitting


def test_a_14_has_1024_24s() -> None:
    """For systems that take no networks larger than /24."""
    found = IpRanges.parse("52.100.0.0/14").split(ipv4=24, ipv6=64)

    assert 1024 == len(found)
    assert ("52.100.0.0/24", "52.100.1.0/24") == found[:2]
    assert "52.103.255.0/24" == found[-1]


def test_what_is_small_enough_is_not_split() -> None:
    """The list is then the minimal one."""
    ranges = IpRanges.parse(SET_10)

    assert ranges.cidrs() == ranges.split(ipv4=0, ipv6=0)
    assert ranges.cidrs() == ranges.split(ipv4=14, ipv6=48)


@given(dense, st.integers(24, 32), st.integers(120, 128))
def test_split_is_the_list_of_subnets(cidrs: list[str], ipv4: int, ipv6: int) -> None:
    """As `ipaddress` lists them; the count is known without the list."""
    ranges = IpRanges.parse(cidrs)
    most = {4: ipv4, 6: ipv6}
    expected = [
        part
        for one in by_ipaddress(cidrs)
        for part in one.subnets(new_prefix=max(one.prefixlen, most[one.version]))
    ]

    found = ranges.split(ipv4=ipv4, ipv6=ipv6)

    assert expected == networks(found)
    assert len(expected) == ranges.count_split(ipv4=ipv4, ipv6=ipv6)


def test_the_count_of_a_split_needs_no_list() -> None:
    """Not even that of all addresses there are."""
    everything = IpRanges.parse(["0.0.0.0/0", "::/0"])

    assert 2**32 + 2**128 == everything.count_split(ipv4=32, ipv6=128)


@pytest.mark.parametrize(("ipv4", "ipv6"), [(33, 64), (-1, 64), (24, 129), (24, -1)])
def test_a_prefix_length_that_does_not_exist_is_refused(ipv4: int, ipv6: int) -> None:
    """By both, even where there is nothing to split."""
    with pytest.raises(ValueError, match="has no prefix length"):
        IpRanges().split(ipv4=ipv4, ipv6=ipv6)
    with pytest.raises(ValueError, match="has no prefix length"):
        IpRanges().count_split(ipv4=ipv4, ipv6=ipv6)


# Addresses to try


@given(anything)
def test_there_is_a_sample_inside_every_cidr(cidrs: list[str]) -> None:
    """Not the network address, where a network has more than two addresses."""
    ranges = IpRanges.parse(cidrs)

    for sample, net in zip(ranges.samples(), networks(ranges), strict=True):
        address = ipaddress.ip_address(sample)
        assert address in net
        assert net.num_addresses <= 2 or address != net.network_address


def test_a_sample_is_the_middle_of_its_cidr() -> None:
    """Of one or two addresses it is the first."""
    ranges = IpRanges.parse(["10.0.0.0/8", "11.0.0.0/30", "12.0.0.0/31", "13.0.0.0", "::/0"])

    assert ("10.128.0.0", "11.0.0.2", "12.0.0.0", "13.0.0.0", "8000::") == ranges.samples()


@given(anything)
def test_the_outsider_is_public_and_in_none_of_the_ranges(cidrs: list[str]) -> None:
    """It proves that mail from elsewhere fails."""
    ranges = IpRanges.parse(cidrs)

    for version in (4, 6):
        found = ranges.outside(version)
        if found is not None:
            address = ipaddress.ip_address(found)
            assert found not in ranges
            assert version == address.version
            assert address.is_global
            assert not address.is_multicast


def test_the_outsider_is_the_middle_of_the_widest_gap() -> None:
    """So it is far from the ranges, and from what their neighbours hold."""
    free = IpRanges.parse(["20.0.0.0/16", "30.0.0.0/8", "40.0.0.0/24", "2a00::/16", "2b00::/32"])
    ranges = IpRanges.parse(["0.0.0.0/0", "::/0"]) - free

    assert "30.128.0.0" == ranges.outside(4)
    assert "2a00:8000::" == ranges.outside(6)


def test_no_outsider_is_in_space_that_the_guards_refuse() -> None:
    """What an outsider is chosen from holds nothing of the table of special space."""
    assert [] == list(special(_public()))


def test_there_is_no_outsider_to_everything() -> None:
    """Each family for itself; what is private or reserved is none."""
    public = IpRanges.parse("0.0.0.0/0") - IpRanges.parse(["10.0.0.0/8", "224.0.0.0/3"])

    assert public.outside(4) is None
    assert public.outside(6) is not None
    assert IpRanges.parse("2000::/3").outside(6) is None


def test_outsiders_of_nothing_exist() -> None:
    """An empty set has outsiders in both families."""
    assert ipaddress.ip_address(IpRanges().outside(4) or "").is_global
    assert ipaddress.ip_address(IpRanges().outside(6) or "").is_global


# Real ranges


def test_microsofts_own_spf_record_authorises_less_than_set_10() -> None:
    """The two lists as published in 2024: the difference is known."""
    include = IpRanges.parse(
        [
            *("40.92.0.0/15", "40.107.0.0/16", "52.100.0.0/15", "52.102.0.0/16", "52.103.0.0/17"),
            *("104.47.0.0/17", "2a01:111:f400::/48", "2a01:111:f403::/49"),
            *("2a01:111:f403:8000::/51", "2a01:111:f403:c000::/51", "2a01:111:f403:f000::/52"),
        ]
    )
    set_10 = IpRanges.parse(SET_10)

    assert include <= set_10
    assert ("52.103.128.0/17", "2a01:111:f403:a000::/51", "2a01:111:f403:e000::/52") == (
        set_10 - include
    ).cidrs()


def test_set_10_stays_as_published() -> None:
    """It is minimal already, but for its order."""
    assert SET_10 == IpRanges.parse(reversed(SET_10)).cidrs()
    assert "40.107.22.83" in IpRanges.parse(SET_10)
    assert "40.95.0.0/16" not in IpRanges.parse(SET_10)
