"""A change is told by what happened to addresses, and what is told is the whole difference."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync.core.changes import Change, ChangeKind, changes, summary
from exosync.core.ranges import IpRanges
from exosync.errors import RangeError

ADDED, REMOVED = ChangeKind.ADDED, ChangeKind.REMOVED
WIDENED, NARROWED, RECUT = ChangeKind.WIDENED, ChangeKind.NARROWED, ChangeKind.RECUT


def told(before: Sequence[str], after: Sequence[str]) -> tuple[Change, ...]:
    """The changes between two published lists."""
    return changes(
        IpRanges.parse(before),
        IpRanges.parse(after),
        before_cidrs=before,
        after_cidrs=after,
    )


# The history of set 10 of the Worldwide cloud


def test_2018072800_removed_three_ranges() -> None:
    """The neighbour 40.107.0.0/17 stays and is not told."""
    before = ["23.103.144.0/20", "23.103.212.0/22", "40.107.0.0/17", "40.107.128.0/18"]

    found = told(before, ["40.107.0.0/17"])

    assert (
        Change(REMOVED, "23.103.144.0/20"),
        Change(REMOVED, "23.103.212.0/22"),
        Change(REMOVED, "40.107.128.0/18"),
    ) == found


def test_2018080200_put_one_back() -> None:
    """It had left five days before."""
    found = told(["40.107.0.0/17"], ["23.103.144.0/20", "40.107.0.0/17"])

    assert (Change(ADDED, "23.103.144.0/20"),) == found


def test_2018102900_removed_an_ipv6_range() -> None:
    """The other /54 of the same /48 stays."""
    before = ["2a01:111:f400:7c00::/54", "2a01:111:f400:fc00::/54"]

    assert (Change(REMOVED, "2a01:111:f400:fc00::/54"),) == told(before, before[:1])


def test_2019010700_narrowed_one_and_widened_another() -> None:
    """A comparison of texts would have told two removals and two additions."""
    before = ["40.92.0.0/14", "40.107.0.0/17", "104.47.0.0/17"]
    after = ["40.92.0.0/15", "40.107.0.0/16", "104.47.0.0/17"]

    found = told(before, after)

    assert (
        Change(NARROWED, "40.92.0.0/15", "40.92.0.0/14"),
        Change(WIDENED, "40.107.0.0/16", "40.107.0.0/17"),
    ) == found
    assert ("40.94.0.0/15",) == found[0].lost.cidrs()
    assert ("40.107.128.0/17",) == found[1].gained.cidrs()


def test_2019072900_widened_an_ipv6_range() -> None:
    """The old one lies in the middle of the new one."""
    found = told(["2a01:111:f400:7c00::/54"], ["2a01:111:f400::/48"])

    assert (Change(WIDENED, "2a01:111:f400::/48", "2a01:111:f400:7c00::/54"),) == found


# The rules


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param([], [], (), id="nothing"),
        pytest.param(["10.0.0.0/8"], ["10.0.0.0/8"], (), id="the same"),
        pytest.param(
            ["10.0.0.0/24"],
            ["10.0.0.0/24", "10.0.1.0/25"],
            (Change(ADDED, "10.0.1.0/25"),),
            id="a neighbour that merges into no CIDR is added",
        ),
        pytest.param(
            ["10.0.0.0/24"],
            ["10.0.0.0/24", "10.0.1.0/24"],
            (Change(ADDED, "10.0.1.0/24"),),
            id="a neighbour that is listed by itself is added",
        ),
        pytest.param(
            ["10.0.0.0/24"],
            ["10.0.0.0/23"],
            (Change(WIDENED, "10.0.0.0/23", "10.0.0.0/24"),),
            id="widened upwards",
        ),
        pytest.param(
            ["10.0.1.0/24"],
            ["10.0.0.0/23"],
            (Change(WIDENED, "10.0.0.0/23", "10.0.1.0/24"),),
            id="widened downwards",
        ),
        pytest.param(
            ["10.0.0.0/25", "10.0.0.128/25"],
            ["10.0.0.0/24"],
            (Change(RECUT, "10.0.0.0/24", "10.0.0.0/25, 10.0.0.128/25"),),
            id="merged",
        ),
        pytest.param(
            ["10.0.0.0/24"],
            ["10.0.0.0/25", "10.0.0.128/25"],
            (Change(RECUT, "10.0.0.0/25, 10.0.0.128/25", "10.0.0.0/24"),),
            id="split",
        ),
        pytest.param(
            ["10.0.0.0/25", "10.0.0.128/25"],
            ["10.0.0.0/23"],
            (Change(WIDENED, "10.0.0.0/23", "10.0.0.0/25, 10.0.0.128/25"),),
            id="merged and widened",
        ),
        pytest.param(
            ["10.0.0.0/24", "10.0.9.0/24"],
            ["10.0.0.0/16"],
            (Change(WIDENED, "10.0.0.0/16", "10.0.0.0/24, 10.0.9.0/24"),),
            id="several widened into one",
        ),
        pytest.param(
            ["10.0.0.0/16"],
            ["10.0.0.0/24", "10.0.9.0/24"],
            (Change(NARROWED, "10.0.0.0/24, 10.0.9.0/24", "10.0.0.0/16"),),
            id="one narrowed to several",
        ),
        pytest.param(
            ["10.0.0.0/23"],
            ["10.0.0.0/25", "10.0.0.128/25"],
            (Change(NARROWED, "10.0.0.0/25, 10.0.0.128/25", "10.0.0.0/23"),),
            id="narrowed and split",
        ),
        pytest.param(
            ["10.0.0.0/24", "10.0.2.0/23"],
            ["10.0.0.0/22"],
            (Change(ADDED, "10.0.1.0/24"),),
            id="a hole is filled",
        ),
        pytest.param(
            ["10.0.0.0/22"],
            ["10.0.0.0/24", "10.0.2.0/23"],
            (Change(REMOVED, "10.0.1.0/24"),),
            id="a hole is made",
        ),
        pytest.param(
            ["10.0.0.0/24"],
            ["10.0.1.0/24"],
            (Change(REMOVED, "10.0.0.0/24"), Change(ADDED, "10.0.1.0/24")),
            id="moved to the neighbour",
        ),
        pytest.param(
            ["0.0.0.0/0"],
            ["::/0"],
            (Change(REMOVED, "0.0.0.0/0"), Change(ADDED, "::/0")),
            id="the families have nothing to do with each other",
        ),
        pytest.param(
            ["10.1.0.0/16", "10.0.0.0/8"],
            ["10.0.0.0/8"],
            (),
            id="a CIDR inside another one of its list says nothing",
        ),
        pytest.param(
            ["2A01:0111:F403::/48", "52.238.78.88"],
            ["52.238.78.88/32", "2a01:111:f403::/48", "2a01:111:f403::/48"],
            (),
            id="how a CIDR is written says nothing",
        ),
    ],
)
def test_each_kind_has_its_place(
    before: list[str], after: list[str], expected: tuple[Change, ...]
) -> None:
    """The rules of the module, one by one."""
    assert expected == told(before, after)


def test_without_the_lists_the_minimal_cidrs_are_compared() -> None:
    """Two /25 that fill a /24 are then that /24."""
    before = IpRanges.parse(["10.0.0.0/25", "10.0.0.128/25"])

    assert () == changes(before, IpRanges.parse("10.0.0.0/24"))
    assert (Change(WIDENED, "10.0.0.0/23", "10.0.0.0/24"),) == changes(
        before, IpRanges.parse("10.0.0.0/23")
    )


def test_changes_come_in_address_order() -> None:
    """IPv4 first, whatever the kinds and the order of the lists."""
    before = ["40.107.0.0/17", "23.103.132.0/22", "2a01:111:f400::/48"]
    after = ["2a01:111:f403::/48", "52.100.0.0/14", "40.107.0.0/16"]

    assert [
        "23.103.132.0/22",
        "40.107.0.0/16",
        "52.100.0.0/14",
        "2a01:111:f400::/48",
        "2a01:111:f403::/48",
    ] == [one.cidr for one in told(before, after)]


def test_a_list_that_belongs_to_other_ranges_is_refused() -> None:
    """A difference would be told that is none."""
    ten, eleven = IpRanges.parse("10.0.0.0/8"), IpRanges.parse("11.0.0.0/8")

    with pytest.raises(ValueError, match="does not hold the addresses"):
        changes(ten, eleven, before_cidrs=["10.0.0.0/8"], after_cidrs=["10.0.0.0/8"])
    with pytest.raises(RangeError, match=re.escape("10.0.0.1/8")):
        changes(ten, eleven, before_cidrs=["10.0.0.1/8"])


# The whole difference, and nothing else


@st.composite
def small_blocks(draw: st.DrawFn) -> str:
    """A block of 1 to 64 addresses in one of four small universes."""
    base = ipaddress.ip_address(draw(st.sampled_from(("10.0.0.0", "0.0.0.0", "::", "2a01::"))))
    address = base + draw(st.integers(0, 63))
    prefix = draw(st.integers(base.max_prefixlen - 6, base.max_prefixlen))
    return str(ipaddress.ip_network(f"{address}/{prefix}", strict=False))


lists = st.lists(small_blocks(), max_size=12)


def union(parts: Sequence[IpRanges]) -> IpRanges:
    """All parts together."""
    return IpRanges().union(*parts)


@given(lists, lists)
def test_what_is_told_is_exactly_the_difference_of_addresses(
    before: list[str], after: list[str]
) -> None:
    """With the published lists and without them."""
    old, new = IpRanges.parse(before), IpRanges.parse(after)

    for found in (told(before, after), changes(old, new)):
        assert new - old == union([one.gained for one in found])
        assert old - new == union([one.lost for one in found])


@given(lists, lists)
def test_no_address_is_told_twice(before: list[str], after: list[str]) -> None:
    """The sums over the changes are the sums of the difference."""
    old, new = IpRanges.parse(before), IpRanges.parse(after)

    for version in (4, 6):
        found = told(before, after)
        gained = sum(one.gained.addresses(version) for one in found)
        lost = sum(one.lost.addresses(version) for one in found)
        assert ((new - old).addresses(version), (old - new).addresses(version)) == (gained, lost)


@given(lists, lists)
def test_each_kind_means_what_it_says(before: list[str], after: list[str]) -> None:
    """What came and went of a change fits its kind; `cidr` and `was` are held on their side."""
    old, new = IpRanges.parse(before), IpRanges.parse(after)

    for one in told(before, after):
        came_and_went = {
            ADDED: (True, False),
            REMOVED: (False, True),
            WIDENED: (True, False),
            NARROWED: (False, True),
            RECUT: (False, False),
        }[one.kind]
        cidr = IpRanges.parse(one.cidr.split(", "))

        assert came_and_went == (bool(one.gained), bool(one.lost))
        assert cidr <= (old if one.kind is REMOVED else new)
        assert bool(one.was) == (one.kind in (WIDENED, NARROWED, RECUT))
        assert not one.was or IpRanges.parse(one.was.split(", ")) <= old


@given(lists, lists)
def test_the_way_back_is_the_mirror(before: list[str], after: list[str]) -> None:
    """Added and removed change places, and so do widened and narrowed."""
    mirror = {ADDED: REMOVED, REMOVED: ADDED, WIDENED: NARROWED, NARROWED: WIDENED, RECUT: RECUT}
    there, back = told(before, after), told(after, before)

    assert [mirror[one.kind] for one in there] == [one.kind for one in back]
    assert [one.gained for one in there] == [one.lost for one in back]


@given(lists, lists)
def test_equal_ranges_are_at_most_recut(before: list[str], after: list[str]) -> None:
    """The order and the duplicates of a list say nothing, nor does a copy of it."""
    assert () == told(before, [*reversed(before), *before])
    same = IpRanges.parse(before + after)

    assert {RECUT} >= {one.kind for one in told(before + after, same.cidrs())}
    assert () == changes(same, same)


# The texts


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ([], ["52.112.0.0/14"], "added 52.112.0.0/14 (262,144 addresses)"),
        ([], ["52.238.78.88"], "added 52.238.78.88/32 (1 address)"),
        ([], ["::ffff:1.2.3.0/120"], "added ::ffff:1.2.3.0/120 (256 addresses)"),
        ([], ["2a01:111:f403:1::/64"], "added 2a01:111:f403:1::/64 (1 /64 network)"),
        (["2a01:111:f403::/48"], [], "removed 2a01:111:f403::/48 (65,536 /64 networks)"),
        (
            ["40.107.0.0/17"],
            ["40.107.0.0/16"],
            "widened 40.107.0.0/17 → 40.107.0.0/16 (+32,768 addresses)",
        ),
        (
            ["40.92.0.0/14"],
            ["40.92.0.0/15"],
            "narrowed 40.92.0.0/14 → 40.92.0.0/15 (-131,072 addresses)",
        ),
        (
            ["2a01:111:f400:7c00::/54"],
            ["2a01:111:f400::/48"],
            "widened 2a01:111:f400:7c00::/54 → 2a01:111:f400::/48 (+64,512 /64 networks)",
        ),
        (
            ["2a01:111:f400::"],
            ["2a01:111:f400::/48"],
            "widened 2a01:111:f400::/128 → 2a01:111:f400::/48 (over +65,535 /64 networks)",
        ),
        (
            ["10.0.0.0/25", "10.0.0.128/25"],
            ["10.0.0.0/24"],
            (
                "re-cut 10.0.0.0/25, 10.0.0.128/25 → 10.0.0.0/24 "
                "(same addresses, other CIDRs: no change of meaning)"
            ),
        ),
        (
            ["10.0.0.0/22"],
            ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"],
            "removed 10.0.3.0/24 (256 addresses)",
        ),
        (
            ["10.0.0.0/16"],
            ["10.0.0.0/24", "10.0.4.0/24", "10.0.8.0/24", "10.0.12.0/24"],
            (
                "narrowed 10.0.0.0/16 → 10.0.0.0/24, 10.0.4.0/24, 10.0.8.0/24, 10.0.12.0/24 "
                "(-64,512 addresses)"
            ),
        ),
        (
            ["10.0.0.0/24"],
            [f"10.0.0.{n}" for n in range(256)],
            (
                "re-cut 10.0.0.0/24 → 10.0.0.0/32, 10.0.0.1/32, 10.0.0.2/32 and 253 more "
                "(same addresses, other CIDRs: no change of meaning)"
            ),
        ),
    ],
)
def test_a_change_reads_well(before: list[str], after: list[str], text: str) -> None:
    """Counts have separators, IPv6 counts in /64 networks, long lists are shortened."""
    (found,) = told(before, after)

    assert text == found.text


def test_the_json_form_has_the_kind_the_ranges_and_the_text() -> None:
    """It goes into reports and alerts as it is."""
    change = Change(WIDENED, "40.107.0.0/16", "40.107.0.0/17")

    assert {
        "change": "widened",
        "cidr": "40.107.0.0/16",
        "was": "40.107.0.0/17",
        "text": "widened 40.107.0.0/17 → 40.107.0.0/16 (+32,768 addresses)",
    } == json.loads(json.dumps(change.as_json()))


def test_the_summary_counts_each_kind() -> None:
    """In one order, and only the kinds that occur."""
    before = ["23.103.132.0/22", "40.92.0.0/14", "40.107.0.0/17", "104.47.0.0/17"]
    after = [
        *("40.92.0.0/15", "40.107.0.0/16", "52.100.0.0/14", "52.238.78.88"),
        *("104.47.0.0/18", "104.47.64.0/18"),
    ]

    assert "2 added, 1 removed, 1 widened, 1 narrowed, 1 re-cut" == summary(told(before, after))
    assert "1 added" == summary(told([], ["10.0.0.0/8"]))
    assert "no changes" == summary(())


def test_ten_thousand_ranges_are_told_one_by_one() -> None:
    """A large list is no trouble: the work grows with the list, not with its square."""
    before = [f"10.{n >> 8}.{n & 255}.0/25" for n in range(10_000)]
    after = [f"10.{n >> 8}.{n & 255}.0/24" for n in range(10_000)]

    assert "10,000 widened" == summary(told(before, after))
