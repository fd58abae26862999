"""Each guard says no where it should, with its figures, and only there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from exosync.core.desired import Desired
from exosync.core.guards import Limits, guard
from exosync.core.ranges import IpRanges
from exosync.core.target import ABSENT, Action, Draft, Phase, Refusal, Step

TODAY = ("40.92.0.0/15", "40.107.0.0/16", "52.100.0.0/14", "104.47.0.0/17")
SIX = ("2a01:111:f400::/48", "2a01:111:f403::/48")
FRESH = timedelta(hours=1)
STEP = Step("file:/x", Phase.ADD, Action.UPDATE, "write", "", "", ABSENT, "1")


def refusals(
    before: tuple[str, ...],
    after: tuple[str, ...],
    *,
    limits: Limits | None = None,
    age: timedelta = FRESH,
) -> list[Refusal]:
    """What the guards say of going from one list to another."""
    goal = IpRanges.parse(after)
    draft = Draft(base=IpRanges.parse(before), goal=goal, steps=(STEP,))
    desired = Desired("Worldwide", "2024073100", goal)
    return list(guard(draft, desired, limits=limits or Limits(), feed_age=age))


def rules(found: list[Refusal]) -> list[str]:
    """The names of the rules."""
    return [one.rule for one in found]


def test_a_first_publication_is_no_growth() -> None:
    """Everything is new where nothing is owned."""
    assert [] == refusals((), TODAY + SIX)


def test_a_family_that_appears_is_no_growth() -> None:
    """IPv6 beside an IPv4 list is a first publication of that family."""
    assert [] == refusals(TODAY, TODAY + SIX)


def test_nothing_to_do_is_never_refused() -> None:
    """A plan without steps changes nothing, whatever the figures."""
    draft = Draft(base=IpRanges.parse(TODAY), goal=IpRanges())

    found = guard(
        draft, Desired("Worldwide", "2024073100", IpRanges()), limits=Limits(), feed_age=FRESH
    )

    assert () == found


def test_an_empty_list_is_refused_for_good() -> None:
    """No approval makes an empty allowlist right."""
    found = refusals(TODAY, ())

    assert "empty" in rules(found)
    assert not next(one for one in found if one.rule == "empty").approvable


def test_too_few_ranges_are_refused_with_both_figures() -> None:
    """The setting is named so that a person finds it."""
    (one,) = refusals((), TODAY[:3])

    assert ("min_ranges", "3 ranges", "4 ranges", "guards.min_ranges") == (
        one.rule,
        one.seen,
        one.limit,
        one.setting,
    )


def test_a_large_removal_is_refused_in_its_phase_alone() -> None:
    """Additions may go on while a removal waits for approval."""
    (one,) = refusals(
        TODAY + SIX, (*TODAY[:3], "52.96.0.0/32", *SIX), limits=Limits(max_growth=Fraction(9))
    )

    assert ("shrink", Phase.REMOVE, True) == (one.rule, one.phase, one.approvable)
    assert "guards.max_shrink" == one.setting
    assert "104.47.0.0/17" in one.message


def test_many_small_removals_are_refused_by_their_number() -> None:
    """Twelve of twenty small ranges went in 2019022800: few addresses, most of the list."""
    small = tuple(f"23.103.{index}.0/24" for index in range(0, 32, 2))
    before = TODAY + small

    (one,) = refusals(before, before[:-12])

    assert "shrink" == one.rule
    assert "60% of ranges" in one.seen


def test_a_small_removal_passes() -> None:
    """One of twenty ranges is within ten percent."""
    small = tuple(f"23.103.{index}.0/24" for index in range(0, 32, 2))

    assert [] == refusals(TODAY + small, TODAY + small[:-1])


def test_each_family_is_measured_for_itself() -> None:
    """A lost IPv4 list does not hide behind the vastness of IPv6."""
    found = refusals(TODAY + SIX, (TODAY[0], *SIX), limits=Limits(min_ranges=1))

    assert ["shrink"] == rules(found)
    assert found[0].message.startswith("IPv4")


def test_growth_is_measured_in_addresses_too() -> None:
    """2019072900 widened a /54 to a /48: one range, but nearly as much again as all others."""
    before = ("2a01:111:f400:7c00::/54", "2a01:111:f403::/48", *TODAY)

    (one,) = refusals(before, TODAY + SIX)

    assert ("growth", "guards.max_growth", None) == (one.rule, one.setting, one.phase)
    assert "96.92% of addresses, 50% of ranges" == one.seen


def test_bringing_back_what_was_taken_away_is_no_growth() -> None:
    """Somebody deleted most of a list that was proven right: its repair is not held up."""
    goal = IpRanges.parse(TODAY)
    draft = Draft(base=IpRanges.parse(TODAY[:1]), goal=goal, steps=(STEP,))
    wish = Desired("Worldwide", "2024073100", goal)

    assert guard(draft, wish, limits=Limits(), feed_age=FRESH), "without the proof it is"
    assert () == guard(draft, wish, limits=Limits(), feed_age=FRESH, proven=goal)


def test_what_comes_to_an_adopted_list_is_no_growth() -> None:
    """It is a first publication; what would be lost of it is still a removal."""
    draft = Draft(IpRanges.parse(TODAY[:1]), IpRanges.parse(TODAY[1:]), steps=(STEP,))
    wish = Desired("Worldwide", "2024073100", draft.goal)

    found = guard(draft, wish, limits=Limits(min_ranges=1), feed_age=FRESH, adopting=True)

    assert ["shrink"] == rules(list(found))


def test_a_recut_is_neither_growth_nor_shrink() -> None:
    """The same addresses under other CIDRs change nothing."""
    halves = ("40.92.0.0/16", "40.93.0.0/16")

    assert [] == refusals((*halves, *TODAY[1:]), TODAY)


@pytest.mark.parametrize(
    ("setting", "rule", "after"),
    [
        ("guards.max_shrink_ranges", "shrink", TODAY[:3]),
        ("guards.max_growth_ranges", "growth", (*TODAY, "52.112.0.0/20")),
    ],
)
def test_a_count_may_be_limited_besides_the_share(
    setting: str, rule: str, after: tuple[str, ...]
) -> None:
    """Counts govern where shares are generous."""
    loose = Limits(min_ranges=1, max_shrink=Fraction(10), max_growth=Fraction(10))

    tight = replace(loose, max_shrink_ranges=0, max_growth_ranges=0)

    assert [] == refusals(TODAY, after, limits=loose)
    (one,) = refusals(TODAY, after, limits=tight)

    assert (rule, setting) == (one.rule, one.setting)


@pytest.mark.parametrize(
    ("cidr", "setting"),
    [("52.0.0.0/12", "guards.widest_ipv4"), ("2a01::/31", "guards.widest_ipv6")],
)
def test_a_range_that_is_too_wide_is_refused(cidr: str, setting: str) -> None:
    """Shorter than /13 or /32, by default."""
    (one,) = refusals((), (*TODAY, cidr))

    assert ("too_wide", setting) == (one.rule, one.setting)


def test_width_is_measured_on_what_is_added() -> None:
    """Two neighbours that merge are not a wide addition."""
    before = ("52.96.0.0/13", *TODAY[:2], TODAY[3])

    assert [] == refusals(before, (*before, "52.104.0.0/13"), limits=Limits(max_growth=Fraction(9)))


@pytest.mark.parametrize(
    "cidr",
    ["10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/13", "fe80::/64", "fc00::/48"],
)
def test_space_that_is_not_public_is_refused(cidr: str) -> None:
    """Private, loopback, link-local, multicast and the like."""
    found = refusals((), (*TODAY, cidr), limits=Limits(widest_ipv4=0, widest_ipv6=0))

    assert ["special_space"] == rules(found)


def test_a_stale_feed_is_refused() -> None:
    """A list that nobody has confirmed for long is no ground to change anything."""
    (one,) = refusals((), TODAY, age=timedelta(days=46))

    assert ("stale_feed", "46.0 days", "45.0 days", "guards.max_feed_age") == (
        one.rule,
        one.seen,
        one.limit,
        one.setting,
    )


def test_a_stale_feed_does_not_stop_a_repair() -> None:
    """What was proven right is put back, however old the list is."""
    goal = IpRanges.parse(TODAY)
    draft = Draft(base=IpRanges.parse(TODAY[:3]), goal=goal, steps=(STEP,))
    wish = Desired("Worldwide", "2024073100", goal)

    found = guard(draft, wish, limits=Limits(), feed_age=timedelta(days=99), proven=goal)

    assert () == found


def test_what_was_granted_before_is_no_new_shrinkage() -> None:
    """The rest of an approved removal, at another setting; more than that is refused still."""
    base, goal = IpRanges.parse(TODAY), IpRanges.parse(TODAY[:2])
    step = Step("list", Phase.REMOVE, Action.UPDATE, "write", "a", "b", ABSENT, "t")
    draft = Draft(base=base, goal=goal, steps=(step,))
    wish = Desired("Worldwide", "1", goal)
    limits = Limits(min_ranges=1)

    def refused(granted: IpRanges) -> list[str]:
        found = guard(draft, wish, limits=limits, feed_age=timedelta(), granted=granted)
        return rules(list(found))

    assert [] == refused(base - goal)
    assert "shrink" in refused(IpRanges.parse(TODAY[2]))
