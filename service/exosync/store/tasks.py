"""What people are asked to do, what they acknowledged, and what targets asked to remember."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, insert, select, update

from exosync.store.records import Acknowledgement, Json, TaskOutcome, TaskRecord
from exosync.store.session import Session, new_id, put
from exosync.store.tables import acknowledgements, memories, tasks


class Tasks(Session):
    """The part of the store about people."""

    def open_tasks(self, target: str | None = None) -> list[TaskRecord]:
        """The tasks that wait, of one target or of all, by target and setting."""
        where: ColumnElement[bool] = tasks.c.closed_at.is_(None)
        if target is not None:
            where &= tasks.c.target == target
        return self._tasks(where)

    def last_tasks(self, target: str) -> list[TaskRecord]:
        """The newest task of every setting of a target, open or not."""
        newest = (
            select(func.max(tasks.c.id))
            .where(tasks.c.target == target)
            .group_by(tasks.c.setting)
            .scalar_subquery()
        )
        return self._tasks(tasks.c.id.in_(newest))

    def _tasks(self, where: ColumnElement[bool]) -> list[TaskRecord]:
        query = select(tasks).where(where).order_by(tasks.c.target, tasks.c.setting, tasks.c.id)
        with self._reading() as connection:
            return [_task(row) for row in connection.execute(query).mappings()]

    def add_task(
        self,
        *,
        target: str,
        setting: str,
        plan_id: str,
        resource: str,
        gives: str,
        body: Json,
        at: datetime,
        due_at: datetime,
    ) -> int:
        """Open a task; gives its id. Its plan must be stored."""
        with self._writing() as connection:
            return new_id(
                connection,
                tasks,
                target=target,
                setting=setting,
                plan_id=plan_id,
                resource=resource,
                gives=gives,
                body=dict(body),
                opened_at=at,
                changed_at=at,
                due_at=due_at,
                reminders=0,
            )

    def renew_task(self, task_id: int, *, plan_id: str, body: Json) -> None:
        """Another plan asks for the very same."""
        self._change(task_id, plan_id=plan_id, body=dict(body))

    def change_task(
        self, task_id: int, *, plan_id: str, gives: str, body: Json, at: datetime, due_at: datetime
    ) -> None:
        """An open task asks for something else from now on: nobody has claimed that yet."""
        self._change(
            task_id,
            plan_id=plan_id,
            gives=gives,
            body=dict(body),
            changed_at=at,
            due_at=due_at,
            reminded_at=None,
            reminders=0,
            claimed_by=None,
            claimed_at=None,
        )

    def remind_task(self, task_id: int, at: datetime) -> None:
        """A person was reminded."""
        self._change(task_id, reminded_at=at, reminders=tasks.c.reminders + 1)

    def claim_task(self, task_id: int, *, by: str, at: datetime, due_at: datetime) -> None:
        """A person says that it is done; until `due_at` it should be seen."""
        self._change(task_id, claimed_by=by, claimed_at=at, due_at=due_at, reminded_at=None)

    def close_task(self, task_id: int, outcome: TaskOutcome, at: datetime) -> None:
        """A task is over."""
        self._change(task_id, closed_at=at, outcome=outcome.value)

    def _change(self, task_id: int, **values: Any) -> None:
        with self._writing() as connection:
            connection.execute(update(tasks).where(tasks.c.id == task_id).values(**values))

    def acknowledge(self, record: Acknowledgement) -> None:
        """Write down a person's word. Its plan must be stored."""
        values = {**asdict(record), "cidrs": list(record.cidrs)}
        with self._writing() as connection:
            connection.execute(insert(acknowledgements).values(**values))

    def acknowledged(self, target: str) -> list[Acknowledgement]:
        """The newest acknowledgement of every setting of a target."""
        table = acknowledgements
        newest = (
            select(func.max(table.c.id))
            .where(table.c.target == target)
            .group_by(table.c.setting)
            .scalar_subquery()
        )
        columns = [column for column in table.c if column.name != "id"]
        query = select(*columns).where(table.c.id.in_(newest)).order_by(table.c.setting)
        with self._reading() as connection:
            return [Acknowledgement(**row) for row in connection.execute(query).mappings()]

    def memory(self, target: str) -> Mapping[str, Any]:
        """What a target asked to remember the last time; empty if nothing."""
        query = select(memories.c.value).where(memories.c.target == target)
        with self._reading() as connection:
            found: Mapping[str, Any] | None = connection.execute(query).scalar()
            return found or {}

    def save_memory(self, target: str, value: Mapping[str, Any]) -> None:
        """Replace what is remembered for a target."""
        with self._writing() as connection:
            put(connection, memories, {"target": target}, {"value": dict(value)})


def _task(row: Mapping[Any, Any]) -> TaskRecord:
    outcome = row["outcome"]
    return TaskRecord(**{**row, "outcome": None if outcome is None else TaskOutcome(outcome)})
