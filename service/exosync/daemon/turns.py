"""When a job of the service comes again: pure, from what its last run came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from exosync.core.holds import OUTSIDE_WINDOW, WAITS_FOR_OTHERS
from exosync.core.pace import Pace, back_off
from exosync.core.target import State
from exosync.core.windows import Window, next_opening
from exosync.store import FeedState

SOON = timedelta(minutes=1)
"""When a thing is tried again that somebody else kept from being done."""

PAUSE = timedelta(seconds=1)
"""Even a mirror that may be asked at any time is asked once a second at most."""

FEED_RETRY = timedelta(minutes=5)
"""The first wait after a question to Microsoft that failed; it doubles up to the interval."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a job wants after its work.

    `next_at` is when it comes again (None: as its schedule says), or `at_latest`, if its
    schedule says sooner. `wake` are the targets that are to be run at once. `idle`: there was
    nothing to go by yet.
    """

    next_at: datetime | None = None
    at_latest: bool = False
    wake: tuple[str, ...] = ()
    idle: bool = False


def after_target(
    target: Mapping[str, Any],
    *,
    failures: int,
    pace: Pace,
    windows: tuple[Window, ...],
    now: datetime,
) -> Turn:
    """When a target comes again; `target` is its part of the run's report."""
    if target["state"] == State.FAILED:
        return Turn(now + back_off(failures, pace))
    rules = {one["rule"] for one in target["findings"]}
    if WAITS_FOR_OTHERS in rules:
        return Turn(now + SOON, at_latest=True)
    if OUTSIDE_WINDOW in rules:
        # Looking goes on meanwhile.
        return Turn(next_opening(windows, now), at_latest=True)
    return Turn()


def after_feed(
    state: FeedState, *, interval: timedelta, now: datetime, late: timedelta
) -> datetime:
    """When the feed is asked again; `late` is added by chance, never taken away.

    Microsoft asks to be asked at most hourly: sooner than the interval after the last answer
    would only be a question that is not sent.
    """
    if state.failures:
        doubled: timedelta = FEED_RETRY * 2 ** min(state.failures - 1, 10)
        wanted = now + min(doubled, max(interval, FEED_RETRY))
    else:
        wanted = (state.checked_at or now) + interval
    return max(wanted, state.not_before or wanted, now + PAUSE) + late
