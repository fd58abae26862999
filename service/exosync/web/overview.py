"""The first screen: is all as desired, since when, which version, and what waits for a person."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from exosync.core.words import cleaned
from exosync.views import Source
from exosync.views.alerts import alerts_view
from exosync.views.history import event_rows
from exosync.views.status import status_view
from exosync.web.asks import asks
from exosync.web.verdict import by_urgency, freshness, tally, verdict

Json = dict[str, Any]

RECENT = 8


def overview(source: Source, state: str) -> Json:
    """Everything on the first screen; `state` narrows the table of targets to one state."""
    status = cleaned(status_view(source))
    targets = by_urgency(status["targets"])
    counts = tally(targets)
    chosen = state if any(state == (one["state"] or "none") for one in counts) else ""
    return {
        "status": status,
        "verdict": verdict(status),
        "tally": counts,
        "chosen": chosen,
        "targets": [one for one in targets if not chosen or (one["state"] or "none") == chosen],
        "asks": asks(status),
        "fresh": _fresh(source, status),
        "offline": source.config.feed.offline,
        "silent": _is_silent(status),
        "channels": alerts_view(source, 1)["channels"],
        "events": event_rows(source.store, RECENT),
    }


def _fresh(source: Source, status: Json) -> Any:
    checked_at = status["feed"]["checked_at"]
    return freshness(
        datetime.fromisoformat(checked_at) if checked_at else None,
        now=source.now,
        every=source.config.schedule.feed,
        stale_after=source.config.alerts.stale_after,
    )


def _is_silent(status: Json) -> bool:
    """Whether the service that should be running has not told of itself for a while."""
    service = status["service"]
    if service is None or service["stopped_at"]:
        return False
    return not service["lives"]
