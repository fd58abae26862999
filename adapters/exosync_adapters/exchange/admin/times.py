"""The clock, where an answer does not tell the time itself."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The time as it is, in UTC."""
    return datetime.now(UTC)
