"""From a pace to APScheduler's triggers."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from exosync.core.pace import Pace


def trigger(pace: Pace, jitter: timedelta) -> Any:
    """What says when a job comes next. The jitter is at most a tenth of an interval."""
    if pace.cron is not None:
        return CronTrigger(**pace.fields(), timezone=UTC, jitter=_seconds(jitter))
    every = pace.every
    assert every is not None
    seconds = every.total_seconds()
    return IntervalTrigger(
        seconds=round(seconds), timezone=UTC, jitter=_seconds(min(jitter, every / 10))
    )


def _seconds(span: timedelta) -> int | None:
    return round(span.total_seconds()) or None
