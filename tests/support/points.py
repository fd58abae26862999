"""What lets a run kill itself at its n-th point (see tests/support/zygote.py).

A point is reached just before every commit that changes the state, and before and after every
outside write. With none to end at, the run goes through.
"""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection


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
