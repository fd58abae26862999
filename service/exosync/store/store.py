"""The state as the rest of exosync sees it.

Every method is one transaction of its own, or part of the `transaction()` around it. The
store never looks at a clock: whoever calls says when. Whatever goes wrong in the database
comes out as a StoreError.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, select

from exosync.store.controls import Controls
from exosync.store.engine import connect, database_path
from exosync.store.messages import Messages
from exosync.store.migrate import bring_up_to_date
from exosync.store.plans import Plans
from exosync.store.records import TargetState
from exosync.store.runs import Runs
from exosync.store.session import put
from exosync.store.snapshots import Snapshots
from exosync.store.tables import targets
from exosync.store.tasks import Tasks


class Store(Snapshots, Plans, Runs, Tasks, Controls, Messages):
    """The state, opened. A context manager that closes it; it belongs to one thread."""

    @classmethod
    def open(cls, url: str, *, base: Path) -> Self:
        """Open `sqlite:///FILE`, making or migrating the file if need be.

        A relative FILE starts from `base`, the folder of the configuration. Raises ConfigError
        for any other URL, and StoreError if the file cannot be used as it is.
        """
        path = database_path(url, base=base)
        connection = connect(path)
        store = cls(path, connection)
        try:
            bring_up_to_date(connection, path)
        except BaseException:
            store.close()
            raise
        return store

    def target_state(self, name: str) -> TargetState | None:
        """How a target stood last; None if no run has looked at it."""
        with self._reading() as connection:
            return _target(connection, name)

    def target_states(self) -> list[TargetState]:
        """How every target stood last, by name; also those that are no longer configured."""
        with self._reading() as connection:
            rows = connection.execute(select(targets).order_by(targets.c.name)).mappings()
            return [TargetState(**row) for row in rows]

    def save_target_state(self, state: TargetState) -> None:
        """Replace what is known of a target; `since` stays as it was if the state does."""
        with self._writing() as connection:
            before = _target(connection, state.name)
            if before is not None and before.state == state.state:
                state = replace(state, since=before.since)
            values = asdict(state)
            put(connection, targets, {"name": values.pop("name")}, values)


def _target(connection: Connection, name: str) -> TargetState | None:
    row = connection.execute(select(targets).where(targets.c.name == name)).mappings().first()
    return TargetState(**row) if row else None
