"""What was planned, who approved it, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from exosync.errors import UsageError
from exosync.store.records import Approval, PlanRecord, PlanStatus
from exosync.store.session import Session, new_id
from exosync.store.tables import approvals, plans

_SHOWN = 5
"""How many plans an ambiguous prefix is told with."""


class Plans(Session):
    """The part of the store about plans."""

    def save_plan(self, record: PlanRecord, at: datetime) -> None:
        """Store a plan as its target's open one; the target's other open plans are superseded.

        A plan that adopts and one that does not stand side by side: a run between `adopt` and
        `apply` must not take away what a person is about to do.

        One that is stored already is seen again: it is open (once more), from the same run and
        time on. Its body and whether it is refused are taken anew, for the limits of the guards
        are no part of what its id stands for.
        """
        with self._writing() as connection:
            values = {
                "body": dict(record.body),
                "refused": record.refused,
                "status": PlanStatus.OPEN.value,
                "last_seen_at": at,
                "closed_at": None,
                "superseded_by": None,
            }
            again = update(plans).where(plans.c.id == record.id).values(**values)
            if connection.execute(again).rowcount == 0:
                connection.execute(
                    insert(plans).values(**_lasting(record), created_at=at, **values)
                )
            others = _open_of(record.target) & (plans.c.id != record.id)
            others &= plans.c.adopting == record.adopting
            _end(connection, others, PlanStatus.SUPERSEDED, at, superseded_by=record.id)

    def find_plan(self, prefix: str) -> PlanRecord:
        """The plan with that id, or the only one whose id begins so. Raises UsageError."""
        begins = func.substr(plans.c.id, 1, len(prefix)) == prefix
        query = select(plans).where(begins).order_by(plans.c.id).limit(_SHOWN + 1)
        with self._reading() as connection:
            found = connection.execute(query).mappings().all() if prefix else []
        exact = [row for row in found if row["id"] == prefix] or found
        if len(exact) == 1:
            return _plan(exact[0])
        if not exact:
            message = (
                f"there is no plan {prefix!r}: `exosync status` and `exosync history` list them"
            )
            raise UsageError(message)
        names = ", ".join(row["id"] for row in exact[:_SHOWN]) + (
            " …" if len(exact) > _SHOWN else ""
        )
        message = f"{prefix!r} may be any of several plans ({names}): give more of its id"
        raise UsageError(message)

    def mark_plan(self, plan_id: str, status: str, at: datetime) -> None:
        """Write down what became of a plan: one of PlanStatus. UsageError if it is unknown.

        An applied plan has used up its approval: should the very same plan come up again,
        because somebody undid it, a person has to approve it again.
        """
        status = PlanStatus(status)
        closed_at = None if status is PlanStatus.OPEN else at
        with self._writing() as connection:
            where = plans.c.id == plan_id
            values = {"status": status.value, "closed_at": closed_at, "superseded_by": None}
            if connection.execute(update(plans).where(where).values(**values)).rowcount == 0:
                raise UsageError(f"there is no plan {plan_id!r}")
            if status is PlanStatus.APPLIED:
                spent = update(approvals).where(_unspent(plan_id))
                connection.execute(spent.values(spent_at=at))

    def close_plans(self, target: str, at: datetime, *, adopting: bool = True) -> None:
        """Close the open plans of a target that needs none any more; those that adopt only if so."""
        which = _open_of(target)
        if not adopting:
            which &= plans.c.adopting.is_(False)
        query = select(plans.c.id).where(which).limit(1)
        with self._reading() as connection:
            if connection.execute(query).first() is None:
                return
        with self._writing() as connection:
            _end(connection, which, PlanStatus.CLOSED, at)

    def open_plans(self) -> list[PlanRecord]:
        """The plans that wait, by target and age."""
        query = select(plans).where(plans.c.status == "open")
        with self._reading() as connection:
            rows = connection.execute(query.order_by(plans.c.target, plans.c.created_at)).mappings()
            return [_plan(row) for row in rows]

    def approve(self, plan_id: str, *, by: str, why: str, at: datetime) -> Approval:
        """Approve a plan; gives the approval that counts.

        That is the earlier one if it was approved before: compare its `at`, `by` and `why`.
        Raises UsageError if the plan is unknown.
        """
        with self._writing() as connection:
            earlier = _approval(connection, plan_id)
            if earlier is not None:
                return earlier
            if connection.execute(select(plans.c.id).where(plans.c.id == plan_id)).first() is None:
                raise UsageError(f"there is no plan {plan_id!r}")
            new_id(connection, approvals, plan_id=plan_id, by=by, why=why, at=at)
            approval = _approval(connection, plan_id)
            assert approval is not None
            return approval

    def approval(self, plan_id: str) -> Approval | None:
        """The approval that counts for a plan: not one that is spent."""
        with self._reading() as connection:
            return _approval(connection, plan_id)

    def approvals(self, plan_id: str) -> list[Approval]:
        """All approvals that a plan ever had, in order."""
        query = select(*_APPROVAL).where(approvals.c.plan_id == plan_id).order_by(approvals.c.id)
        with self._reading() as connection:
            return [Approval(**row) for row in connection.execute(query).mappings()]


_APPROVAL = [column for column in approvals.c if column.name != "id"]


def _lasting(record: PlanRecord) -> dict[str, Any]:
    """What never changes of a plan."""
    names = ("id", "target", "version", "adopting", "run_id")
    return {
        **{name: getattr(record, name) for name in names},
        "ingredients": dict(record.ingredients),
    }


def _plan(row: Mapping[Any, Any]) -> PlanRecord:
    return PlanRecord(**{**row, "status": PlanStatus(row["status"])})


def _open_of(target: str) -> ColumnElement[bool]:
    return (plans.c.target == target) & (plans.c.status == "open")


def _end(
    connection: Connection,
    where: ColumnElement[bool],
    status: PlanStatus,
    at: datetime,
    *,
    superseded_by: str | None = None,
) -> None:
    values = {"status": status.value, "closed_at": at, "superseded_by": superseded_by}
    connection.execute(update(plans).where(where).values(**values))


def _unspent(plan_id: str) -> ColumnElement[bool]:
    return (approvals.c.plan_id == plan_id) & approvals.c.spent_at.is_(None)


def _approval(connection: Connection, plan_id: str) -> Approval | None:
    query = select(*_APPROVAL).where(_unspent(plan_id)).order_by(approvals.c.id).limit(1)
    row = connection.execute(query).mappings().first()
    return Approval(**row) if row else None
