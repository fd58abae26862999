"""One target with everything that is known of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from exosync.config import TargetConfig
from exosync.errors import FeedError, UsageError
from exosync.store import EventRecord, TargetState
from exosync.views.coverage import coverage_of
from exosync.views.history import event_row, step_view
from exosync.views.source import Source
from exosync.views.status import target_row
from exosync.views.todo import task_view

Json = dict[str, Any]

EVENTS = 1000
"""How many of the newest events are looked through for those of a target."""

JOURNAL = timedelta(days=365)


def target_view(source: Source, name: str) -> Json:
    """How a target stands, what its last run reported, what waits, and what happened there.

    Raises UsageError if no target of that name is configured.
    """
    config = next((one for one in source.config.targets if one.name == name), None)
    if config is None:
        known = ", ".join(one.name for one in source.config.targets)
        raise UsageError(f"there is no target {name!r}; configured are: {known}")
    store = source.store
    state = store.target_state(name)
    turn, pauses = store.turns().get(name), {one.target: one for one in store.pauses()}
    events = [one for one in store.events(EVENTS) if one.target == name]
    steps = store.steps_since(name, source.now - JOURNAL)
    return {
        **target_row(config, state, turn, pauses.get(name)),
        "families": config.families,
        "labels": list(config.labels),
        "report": dict(state.report) if state else None,
        "coverage": _coverage(source, config, state),
        "plans": [
            {"id": one.id, "refused": one.refused, "adopting": one.adopting}
            for one in store.open_plans()
            if one.target == name
        ],
        "todo": [task_view(one, source.now) for one in store.open_tasks(name)],
        "events": [event_row(one) for one in events],
        "course": [_point(one) for one in reversed(events) if _stood(one)],
        "journal": [step_view(one) for one in reversed(steps)],
    }


def _coverage(source: Source, config: TargetConfig, state: TargetState | None) -> Json | None:
    """Which desired ranges it knows; null before the first version is adopted, or if it lists none."""
    if not config.lists_ranges:
        return None
    try:
        desired = source.desired()
    except FeedError:
        return None
    return coverage_of(config, state, desired)


_STATES = {"person_needed": "waiting", "step_seen": "in_sync"}
"""How a target stands after events that do not say so themselves."""


def _stood(event: EventRecord) -> str | None:
    return event.body.get("state") or _STATES.get(event.kind)


def _point(event: EventRecord) -> Json:
    """How the target stood at an event: its state, and how many ranges were not as desired."""
    body = event.body
    task = body.get("task") or {}
    found = body.get("changes") or [*task.get("added", ()), *task.get("removed", ())]
    return {
        "id": f"e-{event.id}",
        "at": event.at.isoformat(),
        "what": event.kind,
        "state": _stood(event),
        "changes": len(found),
    }
