"""Which range stands in which policy: complete, within the limit, and stable."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exosync.core.ranges import IpRanges
from exosync_adapters.mimecast.layout import Held, Slot, count_policies, lay_out

blocks = st.tuples(st.integers(0, 255), st.integers(26, 32)).map(
    lambda one: IpRanges.parse(f"10.0.0.{one[0]}/{one[1]}", strict=False)
)
some_ranges = st.lists(blocks, max_size=10).map(lambda found: IpRanges().union(*found))
limits = st.integers(1, 5)
splits = st.sampled_from([None, 28, 30])
policies = st.dictionaries(
    st.integers(1, 4), st.builds(Held, some_ranges, st.booleans()), max_size=3
)


def _count(ranges: IpRanges, split_to: int | None) -> int:
    return len(ranges) if split_to is None else ranges.count_split(ipv4=split_to, ipv6=128)


@given(policies, some_ranges, limits, splits)
def test_every_range_stands_in_one_policy_and_nothing_else(
    held: dict[int, Held], wanted: IpRanges, limit: int, split_to: int | None
) -> None:
    """And no policy holds more entries than it may."""
    slots = lay_out(held, wanted, limit=limit, split_to=split_to)
    finals = [one.final for one in slots.values()]

    assert wanted == IpRanges().union(*finals)
    assert sum(one.addresses(4) for one in finals) == wanted.addresses(4)
    assert all(_count(one, split_to) <= limit for one in finals)


@given(policies, some_ranges, limits, splits)
def test_additions_take_nothing_away_and_stay_within_the_limit(
    held: dict[int, Held], wanted: IpRanges, limit: int, split_to: int | None
) -> None:
    """What was over the limit already is only not made worse."""
    for number, slot in lay_out(held, wanted, limit=limit, split_to=split_to).items():
        before = held.get(number, Held(IpRanges()))
        there = before.ranges if before.in_force else IpRanges()

        assert there <= slot.added
        assert slot.final <= slot.added
        if slot.added != there:
            assert _count(slot.added, split_to) <= max(limit, _count(there, split_to))


@given(policies, some_ranges, limits, splits)
def test_what_was_laid_out_stays_so(
    held: dict[int, Held], wanted: IpRanges, limit: int, split_to: int | None
) -> None:
    """A second run has nothing to do."""
    first = lay_out(held, wanted, limit=limit, split_to=split_to)
    again = {number: Held(one.final) for number, one in first.items()}

    second = lay_out(again, wanted, limit=limit, split_to=split_to)

    assert {n: Slot(one.final, one.final) for n, one in first.items()} == second


@given(some_ranges, some_ranges)
def test_a_range_stays_where_it_is(ranges: IpRanges, more: IpRanges) -> None:
    """New ones go elsewhere or beside it."""
    held = {1: Held(ranges - more), 2: Held(more)}

    slots = lay_out(held, ranges | more, limit=1000, split_to=None)

    assert all(held[number].ranges <= slots[number].final for number in held)


def test_what_is_in_force_goes_before_what_is_not() -> None:
    """A disabled policy with old ranges does not draw them back."""
    ranges = IpRanges.parse("10.0.0.0/30")
    held = {1: Held(ranges, in_force=False), 2: Held(ranges)}

    slots = lay_out(held, ranges, limit=10, split_to=None)

    assert (IpRanges(), ranges) == (slots[1].final, slots[2].final)


def test_neighbours_that_merge_make_room() -> None:
    """Two /31 side by side are one entry."""
    halves = IpRanges.parse("10.0.0.0/31")
    slots = lay_out(
        {1: Held(halves)}, IpRanges.parse(["10.0.0.0/30", "10.0.0.8/32"]), limit=2, split_to=None
    )

    assert [1] == list(slots)


def test_a_range_that_grew_stays_in_its_policy() -> None:
    """Full as it is: the other half merges with the first."""
    held = {1: Held(IpRanges.parse("40.92.0.0/15")), 2: Held(IpRanges.parse("40.107.0.0/17"))}
    wanted = IpRanges.parse(["40.92.0.0/15", "40.107.0.0/16"])

    slots = lay_out(held, wanted, limit=1, split_to=None)

    assert [IpRanges.parse("40.92.0.0/15"), IpRanges.parse("40.107.0.0/16")] == [
        one.final for one in slots.values()
    ]


def test_a_wide_range_takes_many_policies_when_it_is_split() -> None:
    """A /14 is 1,024 /24."""
    wide = IpRanges.parse("52.100.0.0/14")

    assert (1024, 11) == count_policies(wide, limit=100, split_to=24)
    assert 11 == len(lay_out({}, wide, limit=100, split_to=24))
    assert (1, 1) == count_policies(wide, limit=100, split_to=None)


def test_splitting_what_is_there_leaves_a_full_policy_alone_until_it_shrinks() -> None:
    """Cut in pieces it is over the limit, so nothing more is put into it."""
    wide = IpRanges.parse("10.0.0.0/20")

    slots = lay_out({1: Held(wide)}, wide, limit=10, split_to=24)

    assert wide == slots[1].added
    assert 10 == _count(slots[1].final, 24)
    assert [1, 2] == list(slots)
