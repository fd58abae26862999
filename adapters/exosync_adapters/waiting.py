"""Looking again and again for what takes its time to show."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

_FIRST, _LONGEST = 2.0, 30.0
"""Seconds until it is looked again at first, and at most: far below the vendors' limits."""

Found = TypeVar("Found")


def look_until(
    look: Callable[[], Found],
    *,
    within: timedelta,
    pause: Callable[[float], None],
    clock: Callable[[], float] = time.monotonic,
) -> Found:
    """Look until that finds something or the time is over; once at least, and once in the end.

    What looking itself takes counts, too.
    """
    begun, paused, step = clock(), 0.0, _FIRST
    while True:
        found = look()
        left = within.total_seconds() - max(paused, clock() - begun)
        if found or left <= 0:
            return found
        step = min(step, left)
        pause(step)
        paused, step = paused + step, min(step * 2, _LONGEST)
