"""What a run does for one target, stage by stage: look, write, settle.

Each stage takes a `Look` and gives back a further one. A failure stays with its target: it
becomes the look's `error`, and the other targets go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from exosync.core.desired import Desired
from exosync.core.guards import receivers
from exosync.core.plan import Drafting, Plan, decide, ingredients
from exosync.core.ranges import IpRanges
from exosync.core.target import Draft, Finding, Observed, Phase, Refusal, Step, Target
from exosync.desk import Desk, Job, Look
from exosync.errors import ExosyncError, StepDeclined, StoreError, TargetConflict
from exosync.forms import plan_json
from exosync.recall import recall
from exosync.recover import drift, recover
from exosync.store import PlanRecord, StepOutcome, Store, TaskRecord

_NOTHING = IpRanges()


def look(desk: Desk, job: Job, *, adopting: bool = False) -> Look:
    """Observe one target and plan for it."""
    if job.target is None:
        return Look(job, error=job.error)
    desk.progress(f"{job.name}: looking")
    try:
        observed = _observe(desk, job, job.target)
        told = recover(desk, job, observed) + drift(desk, job, observed)
        plan = _plan(desk, job, job.target, observed, adopting=adopting)
    except StoreError:
        # No failure of the target's: the run cannot go on.
        raise
    except ExosyncError as error:
        return Look(job, error=error)
    return Look(job, observed, plan, findings=told)


def write(desk: Desk, seen: Look, phase: Phase) -> Look:
    """Do the plan's own steps of one phase, each recorded before and after."""
    if seen.plan is None or seen.job.target is None or seen.error is not None:
        return seen
    keep_plan(desk.store, seen.job, seen.plan, desk.wanted.desired, desk.now())
    done = list(seen.done)
    for step in seen.plan.own_steps(phase):
        desk.progress(f"{seen.job.name}: {step.summary}")
        try:
            _do(desk, seen.job, seen.job.target, seen.plan, step)
        except StepDeclined:
            seen = replace(seen, declined=True)
            continue
        except StoreError:
            raise
        except ExosyncError as error:
            return replace(seen, done=tuple(done), error=error)
        done.append(step)
    return replace(seen, done=tuple(done))


def keep_plan(store: Store, job: Job, plan: Plan, desired: Desired, at: datetime) -> None:
    """Write a plan down: before its steps are done, and for a person who may approve it."""
    if plan.id is None:
        return
    record = PlanRecord(
        id=plan.id,
        target=plan.target,
        version=desired.version,
        adopting=plan.adopting,
        ingredients=dict(plan.ingredients),
        body=plan_json(plan, kind=job.kind, mode=job.mode.value, desired=desired),
        refused=bool(plan.standing),
    )
    store.save_plan(record, at=at)


def settle(desk: Desk, seen: Look) -> Look:
    """Look again at what was written, and prove that what should be there is there."""
    job, target = seen.job, seen.job.target
    if target is None or seen.plan is None or seen.observed is None:
        return seen
    try:
        if seen.done or seen.declined:
            seen = _look_again(desk, seen, target)
        if seen.error is None and seen.plan is not None and not _left(seen.plan):
            desk.progress(f"{job.name}: proving")
            desired = desk.wanted.desired.only(job.families)
            assert seen.observed is not None
            seen = replace(seen, verification=target.verify(desired, seen.observed))
    except StoreError:
        raise
    except ExosyncError as error:
        # The first error is the cause; what fails after it is a consequence.
        return replace(seen, error=seen.error or error)
    return seen


def _look_again(desk: Desk, seen: Look, target: Target) -> Look:
    observed = _observe(desk, seen.job, target)
    first = seen.plan
    granted = first.draft.base - first.draft.goal if first and first.approved else IpRanges()
    plan = _plan(desk, seen.job, target, observed, granted=granted)
    return replace(seen, observed=observed, plan=plan, applied=seen.plan)


def _observe(desk: Desk, job: Job, target: Target) -> Observed:
    return target.observe(recall(desk.store, job.name, desk.tasks, desk.now()))


def _left(plan: Plan) -> bool:
    return bool(plan.draft.steps or plan.standing)


def _plan(
    desk: Desk,
    job: Job,
    target: Target,
    observed: Observed,
    *,
    adopting: bool = False,
    granted: IpRanges = _NOTHING,
) -> Plan:
    """Plan anew; `granted` are removals that a person approved for this very run."""
    configuration = {**target.configuration(), "families": job.families, "owner": job.owner}

    def draft_for(desired: Desired) -> Draft:
        draft = target.plan(desired, observed, adopting=adopting)
        return target.rehearse(desired, observed, draft)

    draft, refusals, findings = _decided(desk, job, draft_for, adopting=adopting, granted=granted)
    plan = Plan(
        target=job.name,
        draft=draft,
        refusals=refusals,
        ingredients=ingredients(
            desk.wanted.desired, observed, draft, configuration, lists_ranges=job.lists_ranges
        ),
        adopting=adopting,
        findings=observed.findings + draft.findings + findings,
    )
    approved = plan.id is not None and desk.store.approval(plan.id) is not None
    return replace(plan, approved=approved)


def _decided(
    desk: Desk, job: Job, draft_for: Drafting, *, adopting: bool, granted: IpRanges
) -> tuple[Draft, tuple[Refusal, ...], tuple[Finding, ...]]:
    if not job.lists_ranges:
        draft = draft_for(desk.wanted.desired)
        return draft, draft.refusals + receivers(draft, desk.behind), ()
    tasks = desk.store.open_tasks(job.name)
    return decide(
        draft_for,
        desk.wanted.desired,
        families=job.families,
        limits=desk.limits,
        feed_age=desk.now() - desk.wanted.confirmed_at,
        proven=_proven(desk.store, job.name).union(*_ranges(tasks, "ranges")),
        granted=granted.union(*_ranges(tasks, "removed")),
        adopting=adopting,
    )


def _proven(store: Store, name: str) -> IpRanges:
    known = store.target_state(name)
    return IpRanges.parse(known.report.get("proven", ())) if known else IpRanges()


def _ranges(tasks: Iterable[TaskRecord], key: str) -> Iterator[IpRanges]:
    """What people are asked for already: it passed the guards, or was approved."""
    return (IpRanges.parse(one.body[key]) for one in tasks)


def _do(desk: Desk, job: Job, target: Target, plan: Plan, step: Step) -> None:
    """One outside write: the intent is on disk before it, the outcome after it."""
    assert plan.id is not None, "a plan with steps has an id"
    with desk.store.transaction():
        row = desk.store.intend(
            desk.run_id,
            plan.id,
            job.name,
            resource=step.resource,
            summary=step.summary,
            expects=step.expects,
            gives=step.gives,
            at=desk.now(),
        )
        if step.remember is not None:
            desk.store.save_memory(job.name, step.remember)
    try:
        target.apply(step)
    except ExosyncError as error:
        outcome = _OUTCOMES.get(type(error), StepOutcome.FAILED)
        desk.store.conclude(row, outcome, at=desk.now(), error=str(error))
        raise
    desk.store.conclude(row, "done", at=desk.now())


_OUTCOMES: dict[type[ExosyncError], StepOutcome] = {
    TargetConflict: StepOutcome.CONFLICT,
    StepDeclined: StepOutcome.DECLINED,
}
