"""Maintenance windows: read, asked whether they are open, and when they open next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync.core.windows import DAYS, Window, is_open, next_opening

BERLIN = ZoneInfo("Europe/Berlin")


def berlin(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    """A moment of 2026 on the clocks of Berlin."""
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("text", "moment", "expected"),
    [
        ("Mon-Fri 09:00-17:00 Europe/Berlin", berlin(23, 9), True),
        ("Mon-Fri 09:00-17:00 Europe/Berlin", berlin(23, 8, 59), False),
        ("Mon-Fri 09:00-17:00 Europe/Berlin", berlin(23, 17), False),
        ("Mon-Fri 09:00-17:00 Europe/Berlin", berlin(28, 12), False),
        ("09:00-17:00", datetime(2026, 11, 28, 12, tzinfo=UTC), True),
        ("fri-mon 00:00-24:00 utc", datetime(2026, 11, 29, 23, 59, tzinfo=UTC), True),
        ("Sat,Wed 00:00-24:00", datetime(2026, 11, 25, 0, 0, tzinfo=UTC), True),
        ("Sat,Wed 00:00-24:00", datetime(2026, 11, 26, 0, 0, tzinfo=UTC), False),
        ("Fri 22:00-04:00 Europe/Berlin", berlin(28, 3, 59), True),
        ("Fri 22:00-04:00 Europe/Berlin", berlin(27, 3, 59), False),
    ],
)
def test_a_window_is_open_on_its_days_at_its_hours(
    text: str, moment: datetime, expected: bool
) -> None:
    """Its end is no part of it; past midnight it belongs to the day on which it began."""
    assert expected == is_open([Window.parse(text)], moment)


def test_hours_are_those_of_the_places_clock_in_summer_and_winter() -> None:
    """Nine in Berlin is 07:00 UTC in July and 08:00 UTC in November."""
    windows = [Window.parse("09:00-10:00 Europe/Berlin")]
    july, november = datetime(2026, 7, 1, 7, tzinfo=UTC), datetime(2026, 11, 2, 8, tzinfo=UTC)
    assert (True, True) == (is_open(windows, july), is_open(windows, november))
    assert (False, False) == (
        is_open(windows, july + timedelta(hours=1)),
        is_open(windows, november - timedelta(hours=1)),
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is written like"),
        ("Mon-Fri", "is written like"),
        ("Mon-Fri 9-17", "is written like"),
        ("Mon-Fri 09:00-17:00 Berlin Germany", "is written like"),
        ("Mon-Fri 09:00-24:30", "no time of the day"),
        ("Mon-Fri 25:00-26:00", "no time of the day"),
        ("Mon-Fri 09:00-09:00", "must last some time"),
        ("Mon-Fri 24:00-09:00", "must last some time"),
        ("Mo-Fr 09:00-17:00", "is no day"),
        ("Mon-Fri 09:00-17:00 Europe/Bonn", "Europe/Bonn is no time zone"),
        ("Mon-Fri 09:00-17:00 ../etc/passwd", "is written like"),
    ],
)
def test_what_is_no_window_is_told(text: str, words: str) -> None:
    """With what is wrong."""
    with pytest.raises(ValueError, match=words):
        Window.parse(text)


def test_without_windows_it_is_always_open() -> None:
    """And nothing opens."""
    at = berlin(23, 9)
    assert (True, None) == (is_open([], at), next_opening([], at))


quarters = st.integers(0, 95).map(lambda one: f"{one // 4:02}:{one % 4 * 15:02}")
moments = st.integers(0, 96 * 400).map(
    lambda one: datetime(2026, 1, 1, tzinfo=UTC) + one * timedelta(minutes=15)
)


@given(
    st.sets(st.sampled_from(DAYS), min_size=1),
    quarters,
    quarters,
    st.sampled_from(["UTC", "Asia/Kathmandu"]),
    moments,
)
def test_the_next_opening_is_the_first_moment_at_which_it_opens(
    days: set[str], start: str, end: str, zone: str, after: datetime
) -> None:
    """Looked for step by step, in places where no clock is ever put forward or back."""
    if start == end:
        return
    window = Window.parse(f"{','.join(sorted(days))} {start}-{end} {zone}")
    step, at = timedelta(minutes=15), after + timedelta(minutes=15)
    while window.contains(at - step) or not window.contains(at):
        at += step
    assert at == next_opening([window], after)
