"""The values of the core as JSON values, one function each: the shapes that users rely on."""

from __future__ import annotations

from typing import Any

from exosync.core.desired import Desired
from exosync.core.plan import Plan
from exosync.core.target import Check, Finding, Foreign, Refusal, Step

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
        "steps": [
            step_json(one, "refused" if plan.standing else "planned") for one in plan.draft.steps
        ],
        "refusals": [refusal_json(one) for one in plan.refusals],
        "findings": [finding_json(one) for one in plan.findings],
    }
