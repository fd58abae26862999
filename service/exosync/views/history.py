"""What happened: runs, events and plans."""

from __future__ import annotations

from typing import Any

from exosync.core.words import STATE_WORDS
from exosync.errors import UsageError
from exosync.store import EventRecord, PlanRecord, RunRecord, StepRecord, Store
from exosync.views.moments import iso
from exosync.views.source import Source
from exosync.views.versions import version_view

Json = dict[str, Any]


def history_rows(store: Store, limit: int) -> list[Json]:
    """Runs and events, newest first, at most `limit`."""
    rows = run_rows(store, limit) + event_rows(store, limit)
    return sorted(rows, key=lambda one: one["at"], reverse=True)[:limit]


def run_rows(store: Store, limit: int, before: int | None = None) -> list[Json]:
    """Runs alone, newest first, from before the number `before` on."""
    return [_run_row(one) for one in store.runs(limit, before)]


def event_rows(store: Store, limit: int, before: int | None = None) -> list[Json]:
    """Events alone, newest first, from before the number `before` on."""
    return [event_row(one) for one in store.events(limit, before)]


def _run_row(run: RunRecord) -> Json:
    outcome = STATE_WORDS.get(run.outcome or "", run.outcome or "not finished")
    why = f": {run.error}" if run.error else ""
    times = f", {run.repeats + 1:,} times since {run.started_at:%Y-%m-%d}" if run.repeats else ""
    return {
        "id": f"r-{run.id}",
        "at": run.last_at.isoformat(),
        "what": run.command,
        "text": f"{outcome}{times}{why}",
        "outcome": run.outcome,
        "repeats": run.repeats,
        "version": run.version,
        "error": run.error or None,
    }


def event_row(event: EventRecord) -> Json:
    """One event in a line."""
    plan = event.body.get("plan")
    also = f" (plan {plan})" if plan and plan not in event.title else ""
    return {
        "id": f"e-{event.id}",
        "at": event.at.isoformat(),
        "what": event.kind,
        "text": f"{event.title}{also}",
        "severity": event.severity,
        "target": event.target,
    }


def found_view(source: Source, what: str) -> Json:
    """One thing by its id, and its `type`: run, event, plan or version. Raises UsageError."""
    if what[:2] in ("r-", "e-") and what[2:].isdigit():
        number = int(what[2:])
        return (run_view if what[0] == "r" else event_view)(source.store, number)
    is_version = len(what) == 10 and what.isdigit()
    if is_version and source.store.snapshot(source.instance, what):
        return {"type": "version", **version_view(source, what)}
    return plan_view(source.store, source.store.find_plan(what))


def run_view(store: Store, number: int) -> Json:
    """One run, what it reported and what it did. Raises UsageError if there is none."""
    run = store.run(number)
    if run is None:
        raise _unknown(f"r-{number}")
    return {
        "type": "run",
        "id": f"r-{run.id}",
        "command": run.command,
        "started_at": run.started_at.isoformat(),
        "last_at": run.last_at.isoformat(),
        "repeats": run.repeats,
        "outcome": run.outcome,
        "version": run.version,
        "error": run.error or None,
        "report": run.report,
        "journal": [step_view(one) for one in store.steps(run.id)],
    }


def event_view(store: Store, number: int) -> Json:
    """One event with all that it tells. Raises UsageError if there is none."""
    event = store.event(number)
    if event is None:
        raise _unknown(f"e-{number}")
    return {"type": "event", **event_row(event), "body": event.body}


def plan_view(store: Store, plan: PlanRecord) -> Json:
    """One plan, who approved it, and what became of it."""
    given = store.approvals(plan.id)
    approval = given[-1] if given else None
    return {
        "type": "plan",
        **plan.body,
        "status": plan.status,
        "approval": {
            "by": approval.by,
            "at": approval.at.isoformat(),
            "why": approval.why,
        }
        if approval
        else None,
        "journal": [step_view(one) for one in store.steps_of_plan(plan.id)],
    }


def step_view(step: StepRecord) -> Json:
    """One outside write: what was intended, and what became of it."""
    return {
        "plan": step.plan_id,
        "target": step.target,
        "resource": step.resource,
        "summary": step.summary,
        "intended_at": step.intended_at.isoformat(),
        "outcome": step.outcome,
        "concluded_at": iso(step.concluded_at),
        "error": step.error,
    }


def _unknown(what: str) -> UsageError:
    return UsageError(f"there is no {what}; exosync history lists what there is")
