"""How often things are done: intervals, cron expressions, and waits after failures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync.core.pace import Pace, back_off
from exosync.daemon.triggers import trigger
from exosync.daemon.turns import after_feed
from exosync.store import FeedState

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SUNDAY = 6


def next_time(pace: Pace, after: datetime = NOW) -> datetime:
    """When APScheduler would come next, without jitter."""
    found: datetime = trigger(pace, timedelta()).get_next_fire_time(None, after)
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 13 * * *", datetime(2026, 11, 25, 13, tzinfo=UTC)),
        ("*/20 * * * *", datetime(2026, 11, 25, 12, tzinfo=UTC)),
        ("30 2 1 * *", datetime(2026, 12, 1, 2, 30, tzinfo=UTC)),
        ("0 0 * * 0", datetime(2026, 11, 29, tzinfo=UTC)),
        ("0 0 * * 7", datetime(2026, 11, 29, tzinfo=UTC)),
        ("0 0 * * sun", datetime(2026, 11, 29, tzinfo=UTC)),
        ("0 0 * * 1-5", datetime(2026, 11, 26, tzinfo=UTC)),
        ("0 0 * * 6-7", datetime(2026, 11, 28, tzinfo=UTC)),
        ("@daily", datetime(2026, 11, 26, tzinfo=UTC)),
        ("@weekly", datetime(2026, 11, 29, tzinfo=UTC)),
    ],
)
def test_a_cron_expression_means_what_cron_means(text: str, expected: datetime) -> None:
    """0 and 7 are Sunday, whatever the scheduler counts from."""
    assert expected == next_time(Pace.parse(text))


@given(st.sets(st.integers(0, 7), min_size=1, max_size=7))
def test_days_of_the_week_are_counted_from_sunday(days: set[int]) -> None:
    """For every list of numbers, held against Python's own calendar."""
    at = next_time(Pace.parse(f"0 0 * * {','.join(map(str, sorted(days)))}"))
    wanted = {SUNDAY if day in (0, 7) else day - 1 for day in days}
    ahead = (datetime(2026, 11, 26, tzinfo=UTC) + timedelta(days=n) for n in range(8))
    assert next(one for one in ahead if one.weekday() in wanted) == at


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("30s", "must be at least 1m"),
        ("15", "needs its unit"),
        ("* * * *", "five fields"),
        ("@yearly", "five fields"),
        ("0 0 1 * 1", "not both"),
        ("0 0 * * funday", "no day of the week"),
        ("0 0 * * 8", "no day of the week"),
        ("0 0 ? * *", "no day of a cron expression"),
    ],
)
def test_what_is_no_pace_is_told(text: str, words: str) -> None:
    """With what is wrong."""
    with pytest.raises(ValueError, match=words):
        Pace.parse(text).fields()


def test_the_jitter_is_at_most_a_tenth_of_the_interval() -> None:
    """Else a short interval would come at any time at all."""
    made = trigger(Pace.parse("10m"), timedelta(minutes=5))
    times = [made.get_next_fire_time(NOW, NOW) - NOW for _ in range(200)]
    assert timedelta(minutes=9) <= min(times) < max(times) <= timedelta(minutes=11)


def test_the_wait_doubles_from_a_minute_up_to_an_hour() -> None:
    """Or up to the interval, if that is longer."""
    hourly, daily = Pace(every=HOUR), Pace(every=24 * HOUR)
    waits = [back_off(failures, hourly) // timedelta(minutes=1) for failures in range(1, 10)]
    assert [1, 2, 4, 8, 16, 32, 60, 60, 60] == waits
    assert (24 * HOUR, HOUR) == (back_off(10_000, daily), back_off(10_000, Pace(cron="0 * * * *")))


def test_the_feed_is_not_asked_before_an_hour_is_over() -> None:
    """Whatever chance adds; a question that would not be sent is not made a job of."""
    state = FeedState(latest="1", checked_at=NOW - timedelta(minutes=10))
    due = NOW + timedelta(minutes=50)
    assert due == after_feed(state, interval=HOUR, now=NOW, late=timedelta())
    assert due + HOUR / 20 == after_feed(state, interval=HOUR, now=NOW, late=HOUR / 20)


def test_a_failed_question_is_repeated_sooner_and_less_and_less() -> None:
    """But never before the service said that it may be asked again."""
    waits = [
        (after_feed(FeedState(failures=n), interval=HOUR, now=NOW, late=timedelta()) - NOW)
        // timedelta(minutes=1)
        for n in range(1, 8)
    ]
    assert [5, 10, 20, 40, 60, 60, 60] == waits
    told = FeedState(failures=1, not_before=NOW + 3 * HOUR)
    assert NOW + 3 * HOUR == after_feed(told, interval=HOUR, now=NOW, late=timedelta())
