"""One run: fetch, select, age, observe, plan, guard, apply, verify, record, tell.

The daemon and the one-shot command call `reconcile` alike. What it does for one target
(`look`, `write`, `settle`) stands by itself in `exosync.stages`, so that targets can be
spread over workers without another code path.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from exosync.core.guards import Limits
from exosync.core.holds import PAUSED, paused
from exosync.core.plan import may_write, nothing_to_adopt
from exosync.core.target import Mode, Phase
from exosync.core.tasks import REPEAT, TaskRules
from exosync.desire import RangeRules, Wanted, wanted
from exosync.desk import Desk, Job, Look
from exosync.errors import FeedError, RefusedError, UsageError
from exosync.holding import behind, hold
from exosync.pull import FeedRules, Pulled, pull
from exosync.stages import look, settle, write
from exosync.store import PlanRecord, Store


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that a run goes by; `progress` is told in words what is being done.

    `others` are the targets in mode apply that are no part of this run, `receivers` all that
    list ranges; `repeat` says when people are told again of a target that goes on failing.
    """

    feed: FeedRules
    ranges: RangeRules
    limits: Limits
    tasks: TaskRules
    jobs: tuple[Job, ...]
    now: Callable[[], datetime]
    progress: Callable[[str], None]
    others: tuple[str, ...] = ()
    receivers: tuple[str, ...] = ()
    repeat: tuple[timedelta, ...] = REPEAT


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run did. `wanted` is None before the first version is adopted."""

    pulled: Pulled
    wanted: Wanted | None
    looks: tuple[Look, ...]


def reconcile(rules: Rules, store: Store, run_id: int, *, writing: bool) -> Outcome:
    """One run over all targets; without `writing` nothing outside is changed."""
    rules.progress("asking Microsoft")
    pulled = pull(rules.feed, store, rules.now())
    if pulled.version is None:
        return Outcome(
            pulled, None, tuple(Look(job, error=_nothing_yet(pulled)) for job in rules.jobs)
        )

    desk = _desk(rules, store, run_id)
    desk, looks = _looked(desk, rules)
    if writing:
        for phase in Phase:
            looks = tuple(_written(desk, one, phase) for one in looks)
    return Outcome(pulled, desk.wanted, tuple(settle(desk, one) for one in looks))


def apply_plan(rules: Rules, store: Store, run_id: int, record: PlanRecord) -> Outcome:
    """Do one plan on a person's word, if it is still exactly what would be planned now.

    Raises RefusedError (`stale_plan`, `watched`, or the first rule that stands against it).
    """
    job = next((one for one in rules.jobs if one.name == record.target), None)
    if job is None:
        message = (
            f"plan {record.id} is for target {record.target}, which is not configured any more"
        )
        raise UsageError(message)
    desk = _desk(rules, store, run_id)
    seen = look(desk, job, adopting=record.adopting)
    if seen.error is None:
        _still_good(record, seen)
        _not_paused(store, seen)
        for phase in Phase:
            seen = write(desk, seen, phase)
        seen = settle(desk, seen)
    return Outcome(Pulled(desk.wanted.desired.version), desk.wanted, (seen,))


def adopt_target(rules: Rules, store: Store, run_id: int, name: str) -> Outcome:
    """Plan to take over what is there at one target; nothing is written.

    Where nothing waits to be taken over, the target is told as it is.
    """
    job = next((one for one in rules.jobs if one.name == name), None)
    if job is None:
        known = ", ".join(one.name for one in rules.jobs)
        message = f"there is no target {name!r}; configured are: {known}"
        raise UsageError(message)
    desk = _desk(rules, store, run_id)
    seen = look(desk, job, adopting=True)
    if seen.plan is not None and seen.plan.id is None and not seen.plan.standing:
        told = (*seen.findings, nothing_to_adopt())
        seen = replace(look(desk, job), findings=told)
    return Outcome(Pulled(desk.wanted.desired.version), desk.wanted, (seen,))


def _nothing_yet(pulled: Pulled) -> FeedError:
    message = "no version of Microsoft's list has been adopted yet"
    if pulled.error is not None:
        return FeedError(f"{message}: {pulled.error}")
    return FeedError(f"{message}: feed.offline is set, so bring one in with `exosync feed import`")


def _desk(rules: Rules, store: Store, run_id: int) -> Desk:
    if store.adopted(rules.feed.instance) is None:
        raise _nothing_yet(Pulled(None))
    needed = wanted(rules.ranges, store, rules.feed.instance, rules.now())
    return Desk(
        store,
        run_id,
        needed,
        rules.limits,
        rules.tasks,
        rules.now,
        rules.progress,
        rules.others,
        behind(store, rules.receivers, {}, version=needed.desired.version),
    )


def _looked(desk: Desk, rules: Rules) -> tuple[Desk, tuple[Look, ...]]:
    """Those that list ranges first: what decides where mail goes depends on what they let in."""
    found = {job.name: look(desk, job) for job in rules.jobs if job.lists_ranges}
    version = desk.wanted.desired.version
    desk = replace(desk, behind=behind(desk.store, rules.receivers, found, version=version))
    found |= {job.name: look(desk, job) for job in rules.jobs if not job.lists_ranges}
    return desk, tuple(found[job.name] for job in rules.jobs)


def _written(desk: Desk, seen: Look, phase: Phase) -> Look:
    if seen.plan is None or not may_write(seen.job.mode, seen.plan):
        return seen
    seen = hold(desk, seen, phase)
    return seen if seen.held else write(desk, seen, phase)


def _not_paused(store: Store, seen: Look) -> None:
    pause = store.pause_of(seen.job.name)
    if pause is not None:
        which = f" {pause.target}" if pause.target else ""
        message = f"{seen.job.name}: {paused(by=pause.by, why=pause.why, at=pause.at).message}; first exosync resume{which}"
        raise RefusedError(message, rule=PAUSED)


def _still_good(record: PlanRecord, seen: Look) -> None:
    plan, name = seen.plan, seen.job.name
    assert plan is not None
    if plan.id != record.id:
        moved = plan.differs(record.ingredients) or ["what was asked for"]
        message = (
            f"plan {record.id} for {name} is stale: {' and '.join(moved)} changed since it was made; "
            f"nothing was written; see `exosync plan` for what would be done now"
        )
        raise RefusedError(message, rule="stale_plan")
    if seen.job.mode is Mode.WATCH:
        message = f"target {name} is in mode watch, which is never written; set mode: plan to apply"
        raise RefusedError(message, rule="watched")
    if plan.standing and not plan.own_steps():
        first = plan.standing[0]
        remedy = (
            f"approve it with `exosync approve {plan.id}`"
            if first.approvable
            else "mend this first"
        )
        message = f"plan {plan.id} for {name} is refused by {first.rule}: {first.message}; {remedy}"
        raise RefusedError(message, rule=first.rule)
