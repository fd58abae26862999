"""The service that never stops, as it tells of itself in the state: heartbeat, turns, pauses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from exosync.store import PauseRecord, ServiceRecord, TurnRecord
from exosync.views.moments import iso

Json = dict[str, Any]


def service_json(one: ServiceRecord | None, now: datetime) -> Json | None:
    """The service as it last told of itself; `stopped_at` is set once it ended as it should."""
    if one is None:
        return None
    return {
        "pid": one.pid,
        "host": one.host,
        "version": one.version,
        "started_at": iso(one.started_at),
        "beat_at": iso(one.beat_at),
        "stopped_at": iso(one.stopped_at),
        "lives": one.lives(now),
    }


def turn_json(one: TurnRecord | None) -> Json | None:
    """When a job comes next, since when it is at work, and how many seconds it took last."""
    if one is None:
        return None
    return {
        "next_at": iso(one.next_at),
        "started_at": iso(one.started_at),
        "seconds": one.seconds,
    }


def pause_json(one: PauseRecord | None) -> Json | None:
    """Who holds all writing, since when and why."""
    if one is None:
        return None
    return {"by": one.by, "at": iso(one.at), "why": one.why}
