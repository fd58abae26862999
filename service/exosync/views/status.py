"""How everything stood when it was last looked at."""

from __future__ import annotations

from typing import Any

from exosync.config import TargetConfig
from exosync.store import TargetState
from exosync.views.moments import iso
from exosync.views.source import Source
from exosync.views.todo import task_rows

Json = dict[str, Any]


def status_view(source: Source) -> Json:
    """The feed, every configured target, and what waits."""
    store, instance = source.store, source.instance
    feed = store.feed_state(instance)
    adopted = store.adopted(instance)
    known = {one.name: one for one in store.target_states()}
    return {
        "now": source.now.isoformat(),
        "instance": instance,
        "version": adopted.version if adopted else None,
        "adopted_at": adopted.adopted_at.isoformat() if adopted else None,
        "feed": {
            "checked_at": iso(feed.checked_at),
            "not_before": iso(feed.not_before),
            "failures": feed.failures,
            "error": feed.error or None,
        },
        "targets": [target_row(one, known.get(one.name)) for one in source.config.targets],
        "plans": [
            {"id": one.id, "target": one.target, "refused": one.refused, "adopting": one.adopting}
            for one in store.open_plans()
        ],
        "todo": task_rows(source),
    }


def target_row(target: TargetConfig, known: TargetState | None) -> Json:
    """How one target stands; `known` is None if no run has looked at it."""
    base = {"name": target.name, "kind": target.kind, "mode": target.mode.value}
    if known is None:
        return {
            **base,
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
    return {
        **base,
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
