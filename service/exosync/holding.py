"""Whether a run may write now what it otherwise would: pauses, windows, other targets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from exosync.core import holds
from exosync.core.plan import Plan
from exosync.core.target import Finding, Phase, State
from exosync.desk import Desk, Job, Look
from exosync.store import Store


def hold(desk: Desk, seen: Look, phase: Phase) -> Look:
    """Find out whether the plan's own steps of a phase must wait, and say why."""
    if seen.plan is None or seen.held is not None or not seen.plan.own_steps(phase):
        return seen
    found = _pause(desk, seen.job) or holds.outside(seen.job.windows, desk.now())
    if found is None and phase is Phase.REMOVE and seen.job.lists_ranges:
        found = _others_behind(desk)
    return seen if found is None else replace(seen, held=found, findings=(*seen.findings, found))


def behind(
    store: Store, receivers: Iterable[str], looks: Mapping[str, Look], *, version: str
) -> tuple[str, ...]:
    """The targets that do not let in all that is desired, by this run or else by their last one.

    A run against another version than the one in force does not count. What is only still to be
    removed is let in meanwhile.
    """
    return tuple(
        name
        for name in receivers
        if not (_settles(looks[name]) if name in looks else _was_settled(store, name, version))
    )


def _settles(seen: Look) -> bool:
    return seen.error is None and seen.plan is not None and not _lacks(seen.plan)


def _was_settled(store: Store, name: str, version: str) -> bool:
    known = store.target_state(name)
    if known is None or known.version != version or known.state == State.FAILED:
        return False
    return not _lacked(known.report)


def _lacks(plan: Plan) -> bool:
    adding = any(one.phase is Phase.ADD for one in plan.draft.steps)
    return adding or any(one.phase is not Phase.REMOVE for one in plan.standing)


def _lacked(report: Mapping[str, Any]) -> bool:
    """The same of a report: of a plan that is waited with, or of what a run left undone."""
    left = (one for one in report["steps"] if one["status"] != "done")
    adding = any(one["phase"] == Phase.ADD for one in left)
    return adding or any(one["phase"] != Phase.REMOVE for one in report["refusals"])


def _pause(desk: Desk, job: Job) -> Finding | None:
    pause = desk.store.pause_of(job.name)
    return holds.paused(by=pause.by, why=pause.why, at=pause.at) if pause else None


def _others_behind(desk: Desk) -> Finding | None:
    known = {name: desk.store.target_state(name) for name in desk.others}
    others = {
        name: holds.Standing(one.version, one.state) if one else None for name, one in known.items()
    }
    return holds.behind(
        others,
        version=desk.wanted.desired.version,
        adopted_at=desk.wanted.adopted_at,
        now=desk.now(),
    )
