"""Removals age, and what comes back stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from exosync.core.ageing import Held, leaving
from exosync.core.ranges import IpRanges

DAY = timedelta(days=1)
START = datetime(2018, 7, 28, tzinfo=UTC)
GRACE = 30 * DAY


def held(day: int, *cidrs: str) -> Held:
    """A version adopted on a day."""
    return Held(f"{day:010d}", START + day * DAY, IpRanges.parse(cidrs))


def test_a_removed_range_is_leaving_until_the_grace_time_is_over() -> None:
    """Grace counts from the moment when the range was first seen gone."""
    history = [held(0, "10.0.0.0/8", "11.0.0.0/8"), held(5, "10.0.0.0/8")]

    (one,) = leaving(history, grace=GRACE, now=START + 34 * DAY)

    assert one.ranges == IpRanges.parse("11.0.0.0/8")
    assert one.since == START + 5 * DAY
    assert one.until == START + 35 * DAY


def test_nothing_is_leaving_once_the_grace_time_is_over() -> None:
    """At the very moment of `until` the range is gone."""
    history = [held(0, "10.0.0.0/8", "11.0.0.0/8"), held(5, "10.0.0.0/8")]

    assert () == leaving(history, grace=GRACE, now=START + 35 * DAY)


def test_a_range_that_comes_back_ends_its_leaving() -> None:
    """23.103.144.0/20 left in 2018072800 and was back five days later."""
    history = [
        held(0, "23.103.144.0/20", "40.92.0.0/14"),
        held(1, "40.92.0.0/14"),
        held(6, "23.103.144.0/20", "40.92.0.0/14"),
    ]

    assert () == leaving(history, grace=GRACE, now=START + 7 * DAY)


def test_a_range_that_goes_again_starts_its_grace_time_anew() -> None:
    """The second removal counts, not the first."""
    history = [held(0, "10.0.0.0/8"), held(1), held(2, "10.0.0.0/8"), held(20)]

    (one,) = leaving(history, grace=GRACE, now=START + 40 * DAY)

    assert START + 20 * DAY == one.since


def test_a_part_that_comes_back_ends_only_that_part() -> None:
    """Ageing is address-wise."""
    history = [held(0, "10.0.0.0/8"), held(1), held(2, "10.0.0.0/9")]

    (one,) = leaving(history, grace=GRACE, now=START + 3 * DAY)

    assert IpRanges.parse("10.128.0.0/9") == one.ranges


def test_without_grace_nothing_is_ever_leaving() -> None:
    """A grace time of nothing removes at once."""
    history = [held(0, "10.0.0.0/8"), held(1)]

    assert () == leaving(history, grace=timedelta(), now=START + DAY)


SMALL = st.sets(st.integers(0, 15), max_size=8)


@given(st.lists(SMALL, min_size=1, max_size=8), st.integers(0, 6), st.integers(0, 12))
def test_an_address_is_desired_if_it_was_there_within_the_grace_time(
    versions: list[set[int]], grace: int, late: int
) -> None:
    """The same answer as asking, day by day, which version was current."""
    history = [
        held(day, *(f"10.0.0.{one}" for one in addresses)) for day, addresses in enumerate(versions)
    ]
    today = len(versions) - 1 + late
    expected = set(versions[-1])
    for day in range(today - grace + 1, today + 1):
        # Gone at the start of a day means: last there the day before.
        before = max(0, min(day - 1, len(versions) - 1))
        if day >= 1:
            expected |= versions[before]

    told = leaving(history, grace=grace * DAY, now=START + today * DAY)

    actual = history[-1].ranges.union(*(one.ranges for one in told))
    assert IpRanges.parse(f"10.0.0.{one}" for one in expected) == actual
