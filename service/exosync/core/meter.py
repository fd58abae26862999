"""Counting what is asked of outside systems: one call of a meter for each HTTP request.

Who asks need not know who counts, or whether anybody does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from exosync.core.causes import causes

Meter: TypeAlias = Callable[[str, float], None]
"""Told of one request: its outcome (one of OUTCOMES), and the seconds that it took."""

OUTCOMES = ("2xx", "3xx", "4xx", "5xx", "timeout", "error")
"""The class of the answer's status; or no whole answer in time, or none for another reason."""

Meters: TypeAlias = Callable[[str], Meter]
"""Gives the meter of a target by its name, and that of the feed by FEED."""

FEED = ":feed"
"""What the feed is called beside targets; no target can have this name."""


def unmetered(_outcome: str, _seconds: float) -> None:
    """The meter of those that nobody counts."""


def no_meters(_name: str) -> Meter:
    """Nobody counts anything."""
    return unmetered


@dataclass(slots=True)
class Answered:
    """The status of an answer, set once there is one."""

    status: int = 0

    @property
    def outcome(self) -> str:
        """The class of the status; what is none of an answer counts as an error."""
        return f"{self.status // 100}xx" if 200 <= self.status < 600 else "error"


@contextmanager
def metered(meter: Meter, clock: Callable[[], float]) -> Iterator[Answered]:
    """Tell a meter of the one request that is made inside; `clock` gives seconds.

    The status must be set on what this gives; an error that leaves the block is no answer.
    """
    answered, started = Answered(), clock()
    try:
        yield answered
    except BaseException as error:
        late = any(isinstance(one, TimeoutError) for one in causes(error))
        meter("timeout" if late else "error", clock() - started)
        raise
    meter(answered.outcome, clock() - started)
