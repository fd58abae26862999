"""How everything stood when it was last looked at."""

from __future__ import annotations

from typing import Any

from exosync.config import TargetConfig
from exosync.core.meter import FEED
from exosync.store import PauseRecord, TargetState, TurnRecord
from exosync.views.moments import iso
from exosync.views.service import pause_json, service_json, turn_json
from exosync.views.source import Source
from exosync.views.todo import task_rows

Json = dict[str, Any]


def status_view(source: Source) -> Json:
    """The service, the feed, every configured target, and what waits."""
    store, instance = source.store, source.instance
    adopted = store.adopted(instance)
    known = {one.name: one for one in store.target_states()}
    turns, pauses = store.turns(), {one.target: one for one in store.pauses()}
    return {
        "now": source.now.isoformat(),
        "instance": instance,
        "version": adopted.version if adopted else None,
        "adopted_at": adopted.adopted_at.isoformat() if adopted else None,
        "service": service_json(store.service(), source.now),
        "paused": pause_json(pauses.get("")),
        "feed": feed_json(source, turns.get(FEED)),
        "targets": [
            target_row(one, known.get(one.name), turns.get(one.name), pauses.get(one.name))
            for one in source.config.targets
        ],
        "plans": [
            {"id": one.id, "target": one.target, "refused": one.refused, "adopting": one.adopting}
            for one in store.open_plans()
        ],
        "todo": task_rows(source),
    }


def feed_json(source: Source, turn: TurnRecord | None) -> Json:
    """When Microsoft's list was last confirmed, and what asking for it came to."""
    feed = source.store.feed_state(source.instance)
    return {
        "checked_at": iso(feed.checked_at),
        "not_before": iso(feed.not_before),
        "failures": feed.failures,
        "error": feed.error or None,
        "turn": turn_json(turn),
    }


def target_row(
    target: TargetConfig,
    known: TargetState | None,
    turn: TurnRecord | None,
    pause: PauseRecord | None,
) -> Json:
    """How one target stands; `known` is None if no run has looked at it."""
    return {
        "name": target.name,
        "kind": target.kind,
        "mode": target.mode.value,
        **(_looked_at(known) if known else _NOT_LOOKED_AT),
        "paused": pause_json(pause),
        "turn": turn_json(turn),
    }


_NOT_LOOKED_AT: Json = {
    "state": None,
    "since": None,
    "version": None,
    "plan": None,
    "refusals": [],
    "verified": None,
    "verified_at": None,
    "seen_at": None,
    "failures": 0,
    "asserted": [],
    "error": None,
}


def _looked_at(known: TargetState) -> Json:
    return {
        "state": known.state,
        "since": iso(known.since),
        "version": known.version,
        "plan": known.plan,
        "refusals": known.report.get("refusals", []),
        "verified": known.verified,
        "verified_at": iso(known.verified_at),
        "seen_at": iso(known.seen_at),
        "failures": known.failures,
        "asserted": known.report.get("asserted", []),
        "error": known.error or None,
    }
