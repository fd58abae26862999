"""Moments as JSON values."""

from __future__ import annotations

from datetime import datetime


def iso(moment: datetime | None) -> str | None:
    """A moment as ISO 8601; None stays None."""
    return moment.isoformat() if moment else None
