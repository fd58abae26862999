"""The values of the core as JSON values, one function each: the shapes that users rely on."""

from __future__ import annotations

from typing import Any

from exosync.core.desired import Desired
from exosync.core.plan import Plan
from exosync.core.target import Check, Finding, Foreign, Refusal, Step
from exosync.core.tasks import Asserted, Task
from exosync.core.units import duration_text

Json = dict[str, Any]


def ranges_json(desired: Desired) -> Json:
    """What is desired, each part by its origin."""
    return {
        "microsoft": list(desired.microsoft.cidrs()),
        "extra": [
            {"cidrs": list(one.ranges.cidrs()), "name": one.name, "reason": one.reason}
            for one in desired.extras
        ],
        "excluded": [
            {"cidrs": list(one.ranges.cidrs()), "name": one.name, "reason": one.reason}
            for one in desired.exclusions
        ],
        "leaving": [
            {
                "cidrs": list(one.ranges.cidrs()),
                "since": one.since.isoformat(),
                "until": one.until.isoformat(),
            }
            for one in desired.leaving
        ],
    }


def step_json(step: Step, status: str) -> Json:
    """One step; `status` is done, planned or refused."""
    return {
        "resource": step.resource,
        "phase": step.phase.value,
        "action": step.action.value,
        "by": step.by.value,
        "summary": step.summary,
        "before": step.before,
        "after": step.after,
        "status": status,
        "task": task_json(step.task) if step.task else None,
    }


def planned_json(plan: Plan, step: Step) -> Json:
    """One step of a plan that is not done yet."""
    return step_json(step, "refused" if plan.is_refused(step) else "planned")


def task_json(task: Task) -> Json:
    """What a person is asked to do."""
    return {
        "setting": task.setting,
        "title": task.title,
        "place": task.place,
        "box": task.box,
        "found": task.found,
        "fields": [{"name": name, "value": value} for name, value in task.fields],
        "instructions": list(task.instructions),
        "reasons": list(task.reasons),
        "who": task.who,
        "confirmation": task.confirmation.value,
        "delay": duration_text(task.delay),
        "ranges": list(task.ranges.cidrs()),
        "added": list(task.added.cidrs()),
        "removed": list(task.removed.cidrs()),
    }


def asserted_json(one: Asserted) -> Json:
    """What was asserted and cannot be proven."""
    return {
        "setting": one.setting,
        "by": one.by,
        "at": one.at.isoformat(),
        "ranges": list(one.ranges.cidrs()),
    }


def refusal_json(refusal: Refusal) -> Json:
    """One refusal."""
    return {
        "rule": refusal.rule,
        "message": refusal.message,
        "seen": refusal.seen,
        "limit": refusal.limit,
        "setting": refusal.setting,
        "approvable": refusal.approvable,
        "phase": refusal.phase.value if refusal.phase else None,
        "resources": list(refusal.resources),
    }


def finding_json(finding: Finding) -> Json:
    """One finding."""
    return {
        "rule": finding.rule,
        "message": finding.message,
        "severity": finding.severity.value,
    }


def foreign_json(foreign: Foreign) -> Json:
    """What is there and not ours."""
    return {
        "where": foreign.where,
        "text": foreign.text,
        "ranges": list(foreign.ranges.cidrs()),
    }


def check_json(check: Check) -> Json:
    """One thing that was tried."""
    return {
        "name": check.name,
        "ok": check.ok,
        "message": check.message,
        "remedy": check.remedy,
    }


def plan_json(plan: Plan, *, kind: str, mode: str, desired: Desired) -> Json:
    """A plan by itself, as it is kept in the state."""
    return {
        "id": plan.id,
        "target": plan.target,
        "kind": kind,
        "mode": mode,
        "version": desired.version,
        "instance": desired.instance,
        "adopting": plan.adopting,
        "changes": [one.as_json() for one in plan.changes],
        "steps": [planned_json(plan, one) for one in plan.draft.steps],
        "refusals": [refusal_json(one) for one in plan.refusals],
        "findings": [finding_json(one) for one in plan.findings],
    }
