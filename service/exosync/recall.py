"""What the state knows of a target, as `observe` is handed it."""

from __future__ import annotations

from datetime import datetime

from exosync.core.ranges import IpRanges
from exosync.core.tasks import Asked, Asserted, Known, TaskRules
from exosync.store import Acknowledgement, Store, TaskRecord


def recall(store: Store, target: str, rules: TaskRules, now: datetime) -> Known:
    """What people acknowledged and were asked, and what the target asked to remember."""
    return Known(
        now=now,
        acknowledged={
            one.setting: _asserted(one, rules, now) for one in store.acknowledged(target)
        },
        asked={one.setting: _asked(one) for one in store.last_tasks(target)},
        remembered=store.memory(target),
    )


def peoples_doing(store: Store, target: str) -> set[tuple[str, str]]:
    """Resources with the token that a person's doing gives them: such a change is no drift."""
    asked = {(one.resource, one.gives) for one in store.last_tasks(target)}
    return asked | {(one.resource, one.gives) for one in store.acknowledged(target)}


def _asserted(one: Acknowledgement, rules: TaskRules, now: datetime) -> Asserted:
    return Asserted(
        setting=one.setting,
        by=one.by,
        at=one.at,
        ranges=IpRanges.parse(one.cidrs),
        due_again=rules.is_due_again(now, one.at),
        gives=one.gives,
    )


def _asked(one: TaskRecord) -> Asked:
    return Asked(
        added=IpRanges.parse(one.body["added"]),
        since=one.opened_at,
        is_open=one.closed_at is None,
    )
