"""What a run leaves in the state: plans, how each target stands, what happened, the run."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from exosync.core.target import State, digest
from exosync.core.tasks import REPEAT, TaskRules
from exosync.desk import Look
from exosync.forms import Json
from exosync.news import News
from exosync.people import keep_tasks
from exosync.reconcile import Outcome
from exosync.report import plan_id, report, target_json
from exosync.stages import keep_plan
from exosync.store import Store, TargetState


def remember(
    store: Store,
    run_id: int,
    outcome: Outcome,
    *,
    instance: str,
    tasks: TaskRules,
    repeat: tuple[timedelta, ...] = REPEAT,
    at: datetime,
) -> tuple[int, Json]:
    """Write down a finished run in one transaction; gives the run's number and its report.

    A run that found all as the one before it did is counted there and not kept by itself.
    `repeat` says when people are told once more of a target that goes on failing.
    """
    told = report(outcome, instance=instance)
    with store.transaction():
        for look in outcome.looks:
            _keep_plan(store, look, outcome, at)
            if look.plan is None or not look.plan.adopting:
                _keep_target(store, look, outcome, run_id, repeat, at)
            keep_tasks(store, look, tasks, run_id, at)
        kept = store.finish_run(
            run_id,
            outcome=told["outcome"],
            version=told["version"],
            report=told,
            fingerprint=_fingerprint(told, run_id),
            at=at,
        )
    return kept, told


def _fingerprint(told: Json, run_id: int) -> str:
    did_something = told["feed"]["adopted"] or any(
        step["status"] == "done" for target in told["targets"] for step in target["steps"]
    )
    lasting = {name: value for name, value in told.items() if name != "feed"}
    return digest([lasting, told["feed"]["error"], run_id if did_something else None])


def _keep_plan(store: Store, look: Look, outcome: Outcome, at: datetime) -> None:
    if look.applied is not None and look.applied.id is not None:
        left = look.applied.standing or look.applied.own_steps_left(look.done)
        whole = look.error is None and not left
        store.mark_plan(look.applied.id, "applied" if whole else "partly", at=at)
    if look.plan is None or outcome.wanted is None:
        return
    if look.plan.id is None:
        store.close_plans(look.job.name, at=at, adopting=not look.plan.standing)
    else:
        keep_plan(store, look.job, look.plan, outcome.wanted.desired, at)


def _keep_target(
    store: Store,
    look: Look,
    outcome: Outcome,
    run_id: int,
    repeat: tuple[timedelta, ...],
    at: datetime,
) -> None:
    name, state = look.job.name, look.state
    before = store.target_state(name)
    failures = (before.failures if before else 0) + 1 if state is State.FAILED else 0
    verified = look.verification is not None and look.verification.ok is True
    settled = look.verification is not None and look.verification.ok is not False
    if look.observed is not None and look.observed.remember != store.memory(name):
        store.save_memory(name, look.observed.remember)
    store.save_target_state(
        TargetState(
            name=name,
            kind=look.job.kind,
            mode=look.job.mode.value,
            state=state.value,
            since=at,
            version=outcome.pulled.version,
            resources=_resources(look, before),
            plan=plan_id(look) if look.plan and look.plan.id else None,
            verified=look.verification.ok if look.verification else None,
            verified_at=at if verified else before.verified_at if before else None,
            seen_at=at if look.observed else before.seen_at if before else None,
            failures=failures,
            error=str(look.error) if look.error else "",
            report={**target_json(look), "proven": _proven(look, before, settled=settled)},
        )
    )
    news = News(store, before, look, repeat, at)
    for kind, severity, title, more in news.told():
        body = {**_short(look), **more, "version": outcome.pulled.version}
        store.add_event(kind, severity, target=name, title=title, body=body, run_id=run_id, at=at)


def _resources(look: Look, before: TargetState | None) -> dict[str, str]:
    if look.observed is None:
        return dict(before.resources) if before else {}
    written = {one.resource: one.gives for one in look.done} if look.error else {}
    return {**look.observed.resources, **written}


def _proven(look: Look, before: TargetState | None, *, settled: bool) -> list[str]:
    """The ranges of the last state that was proven right, or asserted to be: see the guards."""
    if settled and look.observed is not None:
        return list(look.observed.owned.cidrs())
    return list(before.report.get("proven", ())) if before else []


def _short(look: Look) -> dict[str, Any]:
    told = target_json(look)
    return {name: told[name] for name in ("state", "plan", "changes", "refusals", "error")}
