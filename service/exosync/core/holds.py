"""Why a run does not write now what it otherwise would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from exosync.core.target import Finding, Severity, State
from exosync.core.windows import Window, is_open

PATIENCE = timedelta(hours=1)
"""How long removals wait for other targets to come to know a new version."""

OUTSIDE_WINDOW = "outside_window"
PAUSED = "paused"
WAITS_FOR_OTHERS = "waits_for_others"


@dataclass(frozen=True, slots=True)
class Standing:
    """How another target stood last: the version that it was held against, and its state."""

    version: str | None
    state: str


def paused(*, by: str, why: str, at: datetime) -> Finding:
    """A person holds all writing."""
    reason = f": {why}" if why else ""
    message = f"nothing is written, paused by {by} since {at:%Y-%m-%d %H:%M} UTC{reason}"
    return Finding(PAUSED, message, Severity.WARNING)


def outside(windows: tuple[Window, ...], now: datetime) -> Finding | None:
    """A maintenance window is waited for."""
    if is_open(windows, now):
        return None
    told = ", ".join(one.text for one in windows)
    return Finding(OUTSIDE_WINDOW, f"waits for a maintenance window ({told})", Severity.INFO)


def behind(
    others: Mapping[str, Standing | None], *, version: str, adopted_at: datetime, now: datetime
) -> Finding | None:
    """Removals wait while another target has not been run against the newest version.

    One that fails has been tried, and is not waited for; nor is any longer than `PATIENCE`.
    """
    if now >= adopted_at + PATIENCE:
        return None
    late = [
        name
        for name, one in others.items()
        if one is None or (one.version != version and one.state != State.FAILED)
    ]
    if not late:
        return None
    message = f"removals wait until version {version} has been added at {', '.join(late)}"
    return Finding(WAITS_FOR_OTHERS, message, Severity.INFO)
