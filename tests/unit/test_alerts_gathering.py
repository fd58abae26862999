"""What belongs together is told together, and not too often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync.alerts.gathering import (
    DIGEST,
    MOST_IN_A_DIGEST,
    PATIENCE,
    Draft,
    Limits,
    gather,
    is_ripe,
)
from exosync.alerts.kinds import KINDS
from exosync.store import EventRecord
from tests.alerts.kit import AT, event

GROUP = timedelta(minutes=2)
LIMITS = Limits(group=GROUP, max_per_hour=30)
VERSION = "version:Worldwide:2026112500"


def gathered(
    events: Sequence[EventRecord],
    *,
    drafts: Sequence[Draft] = (),
    versions: dict[int, str | None] | None = None,
    recent: Sequence[datetime] = (),
    limits: Limits = LIMITS,
    now: datetime = AT,
) -> tuple[Draft, ...]:
    """The drafts that come of some events."""
    return gather(
        drafts, events, run_versions=versions or {}, recent=recent, limits=limits, now=now
    )


def draft(thread: str = VERSION, **values: Any) -> Draft:
    """A draft that is stored already."""
    known: dict[str, Any] = {"severity": "info", "events": (1,), "opened_at": AT, "due_at": AT}
    return Draft(thread, **{**known, "number": 7, **values})


def test_a_new_version_is_one_message_with_what_its_runs_did() -> None:
    """At whatever target."""
    events = [
        event("ranges_changed", 1),
        event("applied", 2, target="edge", run=9),
        event("refused", 3, target="spf", run=9),
        event("person_needed", 4, target="google", run=9),
    ]
    (made,) = gathered(events, versions={9: "2026112500"})
    assert (VERSION, (1, 2, 3, 4), "warning") == (made.thread, made.events, made.severity)
    assert AT + GROUP == made.due_at


def test_runs_that_come_later_join_the_open_message() -> None:
    """It keeps the time at which it closes."""
    open_one = draft(due_at=AT + GROUP)
    events = [event("target_failed", 5, run=9)]
    (made,) = gathered(events, drafts=[open_one], versions={9: "2026112500"}, now=AT + GROUP / 2)
    assert replace(open_one, events=(1, 5), severity="error") == made


def test_a_run_of_another_version_does_not_join() -> None:
    """It has a message of its own."""
    (made,) = gathered([event("applied", 5, run=9)], drafts=[draft()], versions={9: "2026081400"})
    assert ("target:edge:plan", None) == (made.thread, made.number)


def test_a_run_that_nothing_is_known_of_joins_the_newest_version() -> None:
    """It may have gone by it."""
    older = draft("version:Worldwide:2026081400", number=6)
    (made,) = gathered([event("target_failed", 5, run=9)], drafts=[older, draft()])
    assert 7 == made.number


def test_what_a_person_did_does_not_join_a_version() -> None:
    """It is no part of a run."""
    (made,) = gathered([event("acknowledged", 5)], drafts=[draft()])
    assert "target:edge:todo:inbound_gateway" == made.thread


def test_what_one_run_found_at_one_target_is_one_message() -> None:
    """In the conversation of what matters most, due at once."""
    events = [
        event("applied", 1, run=9),
        event("drift", 2, run=9),
        event("drift_repaired", 3, run=9),
    ]
    (made,) = gathered(events, versions={9: "2026081400"})
    assert ("target:edge:drift", (1, 2, 3), AT) == (made.thread, made.events, made.due_at)


def test_several_steps_for_a_person_of_one_run_are_one_message() -> None:
    """Not a mail for each setting."""
    events = [
        event("person_needed", number, run=9, body={"setting": f"s{number}"}) for number in (1, 2)
    ]
    (made,) = gathered(events)
    assert ("target:edge:todo:s1", (1, 2)) == (made.thread, made.events)


def test_different_targets_have_messages_of_their_own() -> None:
    """Also of the same run."""
    events = [event("target_failed", 1, run=9), event("target_failed", 2, target="spf", run=9)]
    assert ["target:edge:failing", "target:spf:failing"] == [one.thread for one in gathered(events)]


def test_events_of_one_moment_and_conversation_are_one_message() -> None:
    """Where no run holds them together."""
    events = [
        event("config_refused", 1),
        event("service_started", 2),
        event("config_changed", 3),
    ]
    assert [(1, 3), (2,)] == [one.events for one in gathered(events)]


def test_what_is_above_the_limit_comes_in_one_message_when_there_is_room_again() -> None:
    """An hour after the oldest of those that fill the hour."""
    limits = Limits(GROUP, max_per_hour=2)
    recent = [AT - timedelta(minutes=5), AT - timedelta(minutes=50)]
    events = [event("refused", 1), event("feed_stale", 2), event("paused", 3)]
    (made,) = gathered(events, recent=recent, limits=limits)
    assert (DIGEST, (1, 2, 3), "warning") == (made.thread, made.events, made.severity)
    assert AT + timedelta(minutes=10) == made.due_at


def test_a_window_that_opens_for_many_targets_brings_no_more_than_the_limit_and_one() -> None:
    """Hours after the version was told each target's run has a message; the rest comes in one."""
    events = [event("applied", one, target=f"t{one}", run=one) for one in range(100)]
    *own, digest = gathered(events, versions=dict.fromkeys(range(100), "2026112500"))
    assert [f"target:t{one}:plan" for one in range(30)] == [one.thread for one in own]
    assert (DIGEST, 70) == (digest.thread, len(digest.events))
    assert AT + timedelta(hours=1) == digest.due_at


def test_an_error_waits_behind_twice_as_many() -> None:
    """What wakes somebody at night must not wait for an hour behind what does not."""
    limits = Limits(GROUP, max_per_hour=2)
    recent = [AT - timedelta(minutes=one) for one in (5, 10, 20)]
    error, other = event("target_failed", 1, target="edge", run=3), event("paused", 2)
    first, digest = gathered([error, other], recent=recent, limits=limits)
    assert ((1,), (2,)) == (first.events, digest.events)
    (digest,) = gathered([error], recent=[AT, *recent], limits=limits)
    assert DIGEST == digest.thread


def test_messages_of_the_moment_count_for_the_limit_too() -> None:
    """The rest goes into the digest."""
    events = [event("feed_stale", 1), event("paused", 2), event("config_changed", 3)]
    made = gathered(events, limits=Limits(GROUP, max_per_hour=2))
    assert ["feed:stale", "paused:", DIGEST] == [one.thread for one in made]
    assert AT + timedelta(hours=1) == made[-1].due_at


def test_a_new_version_is_told_at_once_however_much_there_is_to_tell() -> None:
    """It is what exosync is for."""
    recent = [AT - timedelta(minutes=1)]
    (made,) = gathered(
        [event("ranges_changed", 1)], recent=recent, limits=Limits(GROUP, max_per_hour=1)
    )
    assert VERSION == made.thread


def test_the_digest_grows_until_it_is_full() -> None:
    """Then there is another one: nothing is left out, and none is endless."""
    limits = Limits(GROUP, max_per_hour=1)
    full = draft(DIGEST, events=tuple(range(MOST_IN_A_DIGEST - 1)), due_at=AT + timedelta(hours=1))
    events = [event("feed_stale", 1001), event("paused", 1002)]
    grown, fresh = gathered(events, drafts=[full], recent=[AT], limits=limits)
    assert (7, MOST_IN_A_DIGEST) == (grown.number, len(grown.events))
    assert (DIGEST, (1002,), None) == (fresh.thread, fresh.events, fresh.number)


def test_a_clock_that_was_set_back_puts_nothing_off_for_long() -> None:
    """Messages of the future count as of now."""
    limits = Limits(GROUP, max_per_hour=1)
    (made,) = gathered([event("paused")], recent=[AT + timedelta(days=400)], limits=limits)
    assert AT + timedelta(hours=1) == made.due_at


@given(
    kinds=st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.integers(0, 3)), max_size=40),
    most=st.integers(1, 5),
    recent=st.lists(st.integers(0, 90), max_size=5),
)
def test_every_event_is_in_exactly_one_message(
    kinds: list[tuple[str, int]], most: int, recent: list[int]
) -> None:
    """Whatever happens, and however often."""
    events = [event(kind, number, run=run or None) for number, (kind, run) in enumerate(kinds)]
    opened = sorted((AT - timedelta(minutes=one) for one in recent), reverse=True)
    made = gathered(events, recent=opened, limits=Limits(GROUP, most), drafts=[draft(events=())])
    told = [number for one in made for number in one.events]
    assert list(range(len(events))) == sorted(told)
    fresh = [one for one in made if one.number is None and one.version is None]
    assert len([one for one in fresh if one.thread != DIGEST]) <= most * 2
    assert all(one.thread for one in made)


@pytest.mark.parametrize(
    ("after", "done", "at_work", "ripe"),
    [
        (timedelta(0), True, True, True),
        (timedelta(0), False, False, False),
        (GROUP, False, False, True),
        (GROUP, False, True, False),
        (GROUP * PATIENCE, False, True, True),
        (-timedelta(days=1), False, True, True),
    ],
    ids=["all run", "too early", "in time", "a run at work", "at the latest", "clock set back"],
)
def test_a_version_closes_when_all_is_run_or_after_a_while(
    after: timedelta, *, done: bool, at_work: bool, ripe: bool
) -> None:
    """A run at work is waited for, but not for ever."""
    one = draft(opened_at=AT, due_at=AT + GROUP)
    assert ripe == is_ripe(one, AT + after, done=done, at_work=at_work, group=GROUP)


def test_anything_else_closes_when_it_is_due() -> None:
    """No run is waited for."""
    one = draft("target:edge:plan", due_at=AT + GROUP)
    ripe = [
        is_ripe(one, AT + wait, done=False, at_work=True, group=GROUP)
        for wait in (timedelta(0), GROUP)
    ]
    assert [False, True] == ripe
