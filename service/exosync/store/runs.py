"""What was done: runs, the steps that they intended, and the events that people are told of."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, or_, select, true, update

from exosync.errors import StoreError
from exosync.store.columns import sha256_of
from exosync.store.records import (
    ABANDONED,
    INTERRUPTED,
    EventRecord,
    Json,
    RunRecord,
    StepOutcome,
    StepRecord,
)
from exosync.store.session import Session, new_id
from exosync.store.tables import events, plans, runs, steps

_PERHAPS_WRITTEN = (
    StepOutcome.DONE.value,
    StepOutcome.FOUND_DONE.value,
    StepOutcome.FAILED.value,
)


class Runs(Session):
    """The part of the store about runs."""

    def begin_run(self, command: str, at: datetime, *, scope: str = "") -> int:
        """Write down that a run begins; gives its id, shown as r-ID.

        `scope` names the target, or the feed, that it is over; all of them if it is empty.
        """
        with self._writing() as connection:
            run_id = new_id(
                connection,
                runs,
                command=command,
                started_at=at,
                last_at=at,
                fingerprint="",
                repeats=0,
                error="",
                scope=scope,
            )
        self._begun.add(run_id)
        return run_id

    def finish_run(
        self,
        run_id: int,
        *,
        outcome: str,
        version: str | None,
        report: Json,
        fingerprint: str,
        at: datetime,
    ) -> int:
        """Write down what came of a run; gives the id under which it is kept.

        A run that found exactly what the last one of its command found (the same non-empty
        `fingerprint`) is counted in that one's `repeats` and not kept itself. A run that a
        plan, a step or an event points to did something, and is always kept.
        """
        found: dict[str, Any] = {"outcome": outcome, "version": version, "report": report}
        return self._end(run_id, {**found, "error": "", "fingerprint": fingerprint}, at)

    def abandon_run(self, run_id: int, error: str, at: datetime) -> int:
        """Write down that an error ended a run; gives the id under which it is kept.

        The same error again in the next run of that command is counted, as in `finish_run`.
        """
        fingerprint = sha256_of(f"{ABANDONED} {error!a}")
        found: dict[str, Any] = {"outcome": ABANDONED, "version": None, "report": None}
        return self._end(run_id, {**found, "error": error, "fingerprint": fingerprint}, at)

    def _end(self, run_id: int, values: dict[str, Any], at: datetime) -> int:
        with self._writing() as connection:
            run = _run(connection, run_id)
            # One that another process took for dead may still have been alive.
            if run is None or run.outcome not in (None, INTERRUPTED):
                state = "is not in the state" if run is None else "is finished already"
                raise StoreError(f"run r-{run_id} {state}")
            values = {**values, "finished_at": at, "last_at": at}
            earlier = _same_before(connection, run, values["fingerprint"])
            if earlier is None:
                connection.execute(update(runs).where(runs.c.id == run_id).values(**values))
                return run_id
            counted = {"repeats": runs.c.repeats + 1, "last_at": at}
            connection.execute(update(runs).where(runs.c.id == earlier).values(counted))
            connection.execute(delete(runs).where(runs.c.id == run_id))
            return earlier

    def interrupted(self, at: datetime, *, scope: str = "") -> list[RunRecord]:
        """Mark the runs that never ended, and that this store did not begin, as interrupted.

        Gives them, oldest first. Only who holds the run lock can know that they are dead: all
        of them, or with a `scope` those over just that or over everything.
        """
        open_runs = select(runs).where(runs.c.finished_at.is_(None)).order_by(runs.c.id)
        if scope:
            open_runs = open_runs.where(runs.c.scope.in_(("", scope)))
        values = {"outcome": INTERRUPTED, "finished_at": at, "last_at": at}
        with self._reading() as connection:
            found = connection.execute(open_runs).all()
        dead = [row.id for row in found if row.id not in self._begun]
        if not dead:
            return []
        with self._writing() as connection:
            connection.execute(update(runs).where(runs.c.id.in_(dead)).values(**values))
            query = select(runs).where(runs.c.id.in_(dead)).order_by(runs.c.id)
            return [RunRecord(**row) for row in connection.execute(query).mappings()]

    def run(self, run_id: int) -> RunRecord | None:
        """One run; None if there is none of that id, or if it was counted in an earlier one."""
        with self._reading() as connection:
            return _run(connection, run_id)

    def runs(self, limit: int, before_id: int | None = None) -> list[RunRecord]:
        """The newest runs first, at most `limit`, from before `before_id` on."""
        query = select(runs).order_by(runs.c.id.desc()).limit(limit)
        if before_id is not None:
            query = query.where(runs.c.id < before_id)
        with self._reading() as connection:
            return [RunRecord(**row) for row in connection.execute(query).mappings()]

    def intend(
        self,
        run_id: int,
        plan_id: str,
        target: str,
        *,
        resource: str,
        summary: str,
        expects: str,
        gives: str,
        at: datetime,
    ) -> int:
        """Write down a step before it is done; gives its id. Its plan must be stored."""
        with self._writing() as connection:
            known = select(plans.c.id).where(plans.c.id == plan_id)
            if connection.execute(known).first() is None:
                raise StoreError(f"plan {plan_id} must be stored before its steps are done")
            return new_id(
                connection,
                steps,
                run_id=run_id,
                plan_id=plan_id,
                target=target,
                resource=resource,
                summary=summary,
                expects=expects,
                gives=gives,
                intended_at=at,
                error="",
            )

    def conclude(self, step_id: int, outcome: str, at: datetime, error: str = "") -> None:
        """Write down what became of a step: one of StepOutcome. It is concluded only once."""
        values = {"outcome": StepOutcome(outcome).value, "concluded_at": at, "error": error}
        unfinished = (steps.c.id == step_id) & steps.c.outcome.is_(None)
        with self._writing() as connection:
            if connection.execute(update(steps).where(unfinished).values(**values)).rowcount != 1:
                raise StoreError(f"step {step_id} is not in the state, or concluded already")

    def unfinished(self, target: str) -> list[StepRecord]:
        """The steps of a target whose outcome was never written down, in order."""
        return self._steps((steps.c.target == target) & steps.c.outcome.is_(None))

    def steps(self, run_id: int) -> list[StepRecord]:
        """The steps of a run, in order."""
        return self._steps(steps.c.run_id == run_id)

    def steps_of_plan(self, plan_id: str) -> list[StepRecord]:
        """The steps of a plan, in order, of all runs that did some of it."""
        return self._steps(steps.c.plan_id == plan_id)

    def steps_since(self, target: str, since: datetime) -> list[StepRecord]:
        """The steps of a target intended after `since` that were done or may have been, in order."""
        later = (steps.c.target == target) & (steps.c.intended_at > since)
        return self._steps(later & steps.c.outcome.in_(_PERHAPS_WRITTEN))

    def steps_of_runs_since(self, target: str, since: datetime) -> list[StepRecord]:
        """The same of the runs that ended at `since` or later."""
        of_target = steps.c.target == target
        before = (
            select(steps.c.intended_at)
            .join(runs, runs.c.id == steps.c.run_id)
            .where(of_target & (runs.c.finished_at < since))
            .order_by(steps.c.intended_at.desc())
            .limit(1)
        )
        with self._reading() as connection:
            last = connection.execute(before).scalar()
        later = true() if last is None else steps.c.intended_at > last
        return self._steps(of_target & later & steps.c.outcome.in_(_PERHAPS_WRITTEN))

    def _steps(self, where: ColumnElement[bool]) -> list[StepRecord]:
        with self._reading() as connection:
            rows = connection.execute(select(steps).where(where).order_by(steps.c.id)).mappings()
            return [_step(row) for row in rows]

    def add_event(
        self,
        kind: str,
        severity: str,
        *,
        target: str | None,
        title: str,
        body: Json,
        run_id: int | None,
        at: datetime,
    ) -> int:
        """Write down that something happened; gives the event's id."""
        values = {"kind": kind, "severity": severity, "target": target, "title": title}
        with self._writing() as connection:
            return new_id(connection, events, **values, body=body, run_id=run_id, at=at)

    def event(self, event_id: int) -> EventRecord | None:
        """One event; None if there is none of that id."""
        with self._reading() as connection:
            query = select(events).where(events.c.id == event_id)
            row = connection.execute(query).mappings().first()
            return EventRecord(**row) if row else None

    def last_event(self, target: str | None, kinds: Collection[str]) -> EventRecord | None:
        """The newest event of these kinds about a target (about none, for None)."""
        about = events.c.target.is_(None) if target is None else events.c.target == target
        query = select(events).where(about, events.c.kind.in_(kinds))
        with self._reading() as connection:
            found = connection.execute(query.order_by(events.c.id.desc()).limit(1))
            row = found.mappings().first()
            return EventRecord(**row) if row else None

    def events(
        self, limit: int, before_id: int | None = None, kinds: Collection[str] | None = None
    ) -> list[EventRecord]:
        """The newest events first, at most `limit`, from before `before_id` on."""
        query = select(events).order_by(events.c.id.desc()).limit(limit)
        if before_id is not None:
            query = query.where(events.c.id < before_id)
        # Kind by kind, each along its index: a rare kind among many events is found at once.
        asked = (
            [query] if kinds is None else [query.where(events.c.kind == one) for one in set(kinds)]
        )
        with self._reading() as connection:
            rows = [row for one in asked for row in connection.execute(one).mappings()]
        newest = sorted(rows, key=lambda row: row["id"], reverse=True)
        return [EventRecord(**row) for row in islice(newest, limit)]


def _run(connection: Connection, run_id: int) -> RunRecord | None:
    row = connection.execute(select(runs).where(runs.c.id == run_id)).mappings().first()
    return RunRecord(**row) if row else None


def _step(row: Mapping[Any, Any]) -> StepRecord:
    outcome = row["outcome"]
    return StepRecord(**{**row, "outcome": None if outcome is None else StepOutcome(outcome)})


def _same_before(connection: Connection, run: RunRecord, fingerprint: str) -> int | None:
    """The last finished run of the command, if this one may be counted in it."""
    query = select(runs.c.id, runs.c.fingerprint).where(
        runs.c.command == run.command, runs.c.id < run.id, runs.c.finished_at.is_not(None)
    )
    earlier = connection.execute(query.order_by(runs.c.id.desc()).limit(1)).first()
    if not fingerprint or earlier is None or earlier.fingerprint != fingerprint:
        return None
    pointing = or_(
        *(
            select(table.c.id).where(table.c.run_id == run.id).exists()
            for table in (plans, steps, events)
        )
    )
    return None if connection.execute(select(pointing)).scalar() else int(earlier.id)
