"""A run as one JSON object: what `--json` prints, `show` shows and the schema describes."""

from __future__ import annotations

from collections.abc import Sequence

from exosync.core.changes import Change, changes
from exosync.core.target import Finding, State
from exosync.desk import Look
from exosync.forms import (
    Json,
    asserted_json,
    check_json,
    finding_json,
    foreign_json,
    planned_json,
    ranges_json,
    refusal_json,
    step_json,
)
from exosync.pull import Pulled
from exosync.reconcile import Outcome

EXIT_CODES: dict[str, int] = {
    "in_sync": 0,
    "applied": 0,
    "asserted": 0,
    "pending": 2,
    "waiting": 2,
    "refused": 3,
    "failed": 4,
}
"""What a run's outcome makes the command end with."""

_WORST_FIRST = (
    State.FAILED,
    State.REFUSED,
    State.PENDING,
    State.WAITING,
    State.APPLIED,
    State.ASSERTED,
    State.IN_SYNC,
)


def outcome_of(outcome: Outcome) -> str:
    """The one word for a whole run: that of the target which needs a person most."""
    if outcome.pulled.error is not None:
        return State.FAILED.value
    states = {one.state for one in outcome.looks}
    return next((one for one in _WORST_FIRST if one in states), State.IN_SYNC).value


def worst(states: Sequence[str | None], *, failing: bool) -> int:
    """The exit code for targets that stand so; `failing` tells whether the feed fails."""
    if failing:
        return EXIT_CODES["failed"]
    return max((EXIT_CODES[one] for one in states if one), default=0)


def report(outcome: Outcome, *, instance: str) -> Json:
    """The run as JSON values; lists are in the order of the configuration."""
    desired = outcome.wanted.desired if outcome.wanted else None
    findings = outcome.pulled.findings + (outcome.wanted.findings if outcome.wanted else ())
    return {
        "version": outcome.pulled.version,
        "instance": instance,
        "outcome": outcome_of(outcome),
        "feed": feed_json(outcome.pulled),
        "ranges": ranges_json(desired) if desired else None,
        "findings": [finding_json(one) for one in dict.fromkeys(findings)],
        "targets": [target_json(one) for one in outcome.looks],
    }


def feed_json(pulled: Pulled) -> Json:
    """What asking Microsoft came to."""
    return {
        "asked": pulled.asked,
        "requests": pulled.requests,
        "adopted": pulled.adopted_now,
        "previous": pulled.previous,
        "changes": [one.as_json() for one in pulled.news],
        "error": str(pulled.error) if pulled.error else None,
    }


def target_json(look: Look) -> Json:
    """One target's part."""
    plan = look.plan
    return {
        "name": look.job.name,
        "kind": look.job.kind,
        "mode": look.job.mode.value,
        "state": look.state.value,
        "plan": plan_id(look),
        "approved": bool(plan and plan.approved),
        "changes": [one.as_json() for one in _changes(look)],
        "steps": _steps(look),
        "refusals": [refusal_json(one) for one in plan.standing] if plan else [],
        "findings": [finding_json(one) for one in _findings(look)],
        "foreign": [foreign_json(one) for one in look.observed.foreign] if look.observed else [],
        "owned": list(look.observed.owned.cidrs()) if look.observed else None,
        "verified": look.verification.ok if look.verification else None,
        "checks": [check_json(one) for one in look.verification.checks]
        if look.verification
        else [],
        "asserted": [asserted_json(one) for one in look.verification.asserted]
        if look.verification
        else [],
        "error": str(look.error) if look.error else None,
    }


def plan_id(look: Look) -> str | None:
    """The plan that is open, else the one that was applied."""
    open_id = look.plan.id if look.plan else None
    return open_id or (look.applied.id if look.applied else None)


def _changes(look: Look) -> tuple[Change, ...]:
    if look.plan is None:
        return ()
    first = look.applied or look.plan
    return changes(first.draft.base, look.plan.draft.goal)


def _findings(look: Look) -> tuple[Finding, ...]:
    own = look.plan.findings if look.plan else ()
    return tuple(dict.fromkeys(look.findings + own))


def _steps(look: Look) -> list[Json]:
    done = [step_json(one, "done") for one in look.done]
    if look.plan is None:
        return done
    left = [one for one in look.plan.draft.steps if one not in look.done]
    return done + [planned_json(look.plan, one) for one in left]
