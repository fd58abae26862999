"""What people tell a running service through the state, and what it tells of itself there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from exosync.store.records import PauseRecord, ServiceRecord, TriggerRecord, TurnRecord
from exosync.store.session import Session, new_id, put
from exosync.store.tables import pauses, service, triggers, turns

_SERVE = "serve"


class Controls(Session):
    """The part of the store about pauses, triggers, turns and the service's heartbeat.

    An empty target stands for all of them.
    """

    def pause(self, target: str, *, by: str, why: str, at: datetime) -> bool:
        """Hold all writing at a target; False if it is paused already, which stays as it is."""
        with self._writing() as connection:
            where = pauses.c.target == target
            if connection.execute(select(pauses.c.at).where(where)).first() is not None:
                return False
            put(connection, pauses, {"target": target}, {"by": by, "why": why, "at": at})
            return True

    def resume(self, target: str) -> bool:
        """End a pause; False if there is none."""
        with self._writing() as connection:
            where = pauses.c.target == target
            return connection.execute(delete(pauses).where(where)).rowcount > 0

    def pauses(self) -> list[PauseRecord]:
        """All pauses, that of all targets first."""
        with self._reading() as connection:
            rows = connection.execute(select(pauses).order_by(pauses.c.target)).mappings()
            return [PauseRecord(**row) for row in rows]

    def pause_of(self, target: str) -> PauseRecord | None:
        """What holds a target: its own pause, else that of all."""
        return next((one for one in reversed(self.pauses()) if one.target in ("", target)), None)

    def trigger(self, target: str, *, by: str, at: datetime) -> int:
        """Ask the service to run a target now; gives the request's id."""
        with self._writing() as connection:
            return new_id(connection, triggers, target=target, by=by, at=at)

    def take_triggers(self, at: datetime) -> list[TriggerRecord]:
        """The requests that nobody has taken, oldest first; they are taken now."""
        waiting = triggers.c.taken_at.is_(None)
        query = select(triggers).where(waiting).order_by(triggers.c.id)
        with self._reading() as connection:
            if connection.execute(query.limit(1)).first() is None:
                return []
        with self._writing() as connection:
            found = [TriggerRecord(**row) for row in connection.execute(query).mappings()]
            connection.execute(update(triggers).where(waiting).values(taken_at=at))
            return found

    def service(self) -> ServiceRecord | None:
        """The service as it last told of itself; None if there never was one."""
        with self._reading() as connection:
            row = connection.execute(select(service)).mappings().first()
            if row is None:
                return None
            return ServiceRecord(**{key: value for key, value in row.items() if key != "name"})

    def save_service(self, record: ServiceRecord) -> None:
        """Write down that a service started, lives or stopped."""
        with self._writing() as connection:
            put(connection, service, {"name": _SERVE}, asdict(record))

    def beat(self, at: datetime) -> None:
        """Write down that the service lives."""
        with self._writing() as connection:
            connection.execute(update(service).where(service.c.name == _SERVE).values(beat_at=at))

    def turns(self) -> dict[str, TurnRecord]:
        """When each of the service's jobs is at work, by name (a target's, or feed)."""
        with self._reading() as connection:
            rows = connection.execute(select(turns).order_by(turns.c.name)).mappings()
            return {row["name"]: _turn(row) for row in rows}

    def begin_turn(self, name: str, at: datetime) -> None:
        """A job is at work from now on."""
        with self._writing() as connection:
            put(connection, turns, {"name": name}, {"started_at": at})

    def end_turn(self, name: str, *, seconds: float) -> None:
        """A job is done; one that is none any more stays forgotten."""
        self._change_turn(name, started_at=None, took_ms=round(seconds * 1000))

    def plan_turn(self, name: str, next_at: datetime | None) -> None:
        """When a job comes next; one that is none any more stays forgotten."""
        self._change_turn(name, next_at=next_at)

    def _change_turn(self, name: str, **values: Any) -> None:
        with self._writing() as connection:
            connection.execute(update(turns).where(turns.c.name == name).values(**values))

    def plan_turns(self, next_at: Mapping[str, datetime | None]) -> None:
        """When each job comes next; whatever else was a job or at work is none any more."""
        with self._writing() as connection:
            connection.execute(delete(turns).where(turns.c.name.not_in(next_at)))
            for name, at in next_at.items():
                put(connection, turns, {"name": name}, {"next_at": at, "started_at": None})


def _turn(row: Mapping[Any, Any]) -> TurnRecord:
    took = row["took_ms"]
    return TurnRecord(
        name=row["name"],
        next_at=row["next_at"],
        started_at=row["started_at"],
        seconds=None if took is None else took / 1000,
    )
