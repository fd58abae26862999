"""A `sync` that kills itself at its n-th point: `python -m tests.support.crash_child FOLDER N`.

A point is reached just before every commit that changes the state, and before and after every
outside write. With N = 0 the run goes through, and says how many points there were.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

from exosync.assembly import assembled
from exosync.config import load
from exosync.reconcile import reconcile
from exosync.running import run_once


class Points:
    """Counts, and ends the process without a word at the one that was asked for."""

    def __init__(self, last: int) -> None:
        self.count = 0
        self._last = last
        self._changes = 0

    def tick(self, *_: Any) -> None:
        """One more point."""
        self.count += 1
        if self.count == self._last:
            os.kill(os.getpid(), signal.SIGKILL)

    def commit(self, connection: Connection) -> None:
        """A point if the commit is of anything: SQLite counts the rows that were changed."""
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        if driver.total_changes != self._changes:
            self._changes = driver.total_changes
            self.tick()

    def around(self, work: Callable[[Any], None]) -> Callable[[Any], None]:
        """The same work with a point before and after it."""

        def done(step: Any) -> None:
            self.tick()
            work(step)
            self.tick()

        return done


class Ticking:
    """A target whose writes are points; everything else goes to the real one."""

    def __init__(self, target: Any, points: Points) -> None:
        self._target = target
        self.apply = points.around(target.apply)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


def main() -> None:
    """Run once."""
    folder, last, now = Path(sys.argv[1]), int(sys.argv[2]), datetime.fromisoformat(sys.argv[3])
    points = Points(last)
    event.listen(Engine, "commit", points.commit)
    loaded = load(folder / "exosync.yaml", environ={})
    with assembled(loaded, environ={}, progress=lambda _: None, now=lambda: now) as one:
        for job in one.rules.jobs:
            object.__setattr__(job, "target", Ticking(job.target, points))
        run_once(
            one.store,
            one.rules,
            "sync",
            lambda run_id: reconcile(one.rules, one.store, run_id, writing=True),
        )
    sys.stdout.write(str(points.count))


if __name__ == "__main__":
    main()
