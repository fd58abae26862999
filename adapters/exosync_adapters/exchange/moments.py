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


def is_over(text: str, now: datetime | None) -> bool:
    """Whether a moment has passed, by whoever's clock it was written."""
    at = written(text) if text else None
    return at is not None and now is not None and at + _ANY_CLOCK <= now


def _iso(raw: object) -> datetime | None:
    try:
        return datetime.fromisoformat(raw) if isinstance(raw, str) else None
    except ValueError:
        return None
