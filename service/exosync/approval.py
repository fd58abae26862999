"""Lifting the refusals of one plan."""

from __future__ import annotations

from datetime import datetime

from exosync.core.words import can_be_approved
from exosync.errors import RefusedError
from exosync.store import Approval, PlanRecord, Store


def approve_plan(
    store: Store, record: PlanRecord, *, by: str, why: str, at: datetime
) -> tuple[Approval, bool]:
    """Approve a plan that is open; gives the approval and whether it is a new one.

    Raises RefusedError if the plan is no longer open, or if a rule stands against it that no
    approval can lift.
    """
    if record.status != "open":
        message = (
            f"plan {record.id} for {record.target} is {record.status}: there is nothing to approve"
        )
        raise RefusedError(message, rule="stale_plan")
    refusals = record.body["refusals"]
    if refusals and not can_be_approved(refusals):
        hard = [one for one in refusals if not one["approvable"]]
        told = "; ".join(f"{one['rule']}: {one['message']}" for one in hard)
        message = (
            f"plan {record.id} for {record.target} cannot be approved, mend this first: {told}"
        )
        raise RefusedError(message, rule=hard[0]["rule"])
    earlier = store.approval(record.id)
    if earlier is not None:
        return earlier, False
    with store.transaction():
        approval = store.approve(record.id, by=by, why=why, at=at)
        store.add_event(
            "approved",
            "info",
            target=record.target,
            title=f"plan {record.id} for {record.target} approved by {by}",
            body={"plan": record.id, "by": by, "why": why},
            run_id=None,
            at=at,
        )
        # A running service does it now, not when the target's turn comes.
        store.trigger(record.target, by=by, at=at)
    return approval, True
