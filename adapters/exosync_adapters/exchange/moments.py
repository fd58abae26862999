"""Moments that are written as texts, by exosync itself or by Exchange Online. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_ANY_CLOCK = timedelta(hours=14)
"""By how much clocks of the world differ at most."""


def remembered(raw: object) -> datetime | None:
    """A moment that was kept; what is none, or names no zone, was never known."""
    found = _iso(raw)
    return found if found is not None and found.tzinfo is not None else None


def written(text: str) -> datetime | None:
    """A moment that Exchange Online writes, in UTC where it names no zone; None if it is none."""
    found = _iso(text.strip())
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


def is_past(text: str, now: datetime | None) -> bool | None:
    """Whether a moment is over; None if that cannot be told.

    Near one that names no zone, it depends on whose clock it was written by.
    """
    at, moment = _iso(text.strip()), written(text)
    if at is None or moment is None or now is None:
        return None
    if at.tzinfo is None and abs(now - moment) < _ANY_CLOCK:
        return None
    return moment <= now


def _iso(raw: object) -> datetime | None:
    try:
        return datetime.fromisoformat(raw) if isinstance(raw, str) else None
    except ValueError:
        return None
