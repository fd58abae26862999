"""How often Microsoft is asked again, and after which pauses."""

from __future__ import annotations

from collections.abc import Callable

WAITS_WHEN_BUSY = (2.0, 10.0, 30.0)
"""Seconds before a further attempt when asked too often."""

WAITS_WHEN_BROKEN = (1.0, 4.0)
"""The same after a fault of the server or of the network."""

LONGEST_WAIT = 60.0
"""Seconds beyond which it is left to the next run."""

_LEAST = 1.0


class Patience:
    """The attempts at one request."""

    def __init__(self, pause: Callable[[float], None]) -> None:
        self._pause = pause
        self._busy, self._broken = iter(WAITS_WHEN_BUSY), iter(WAITS_WHEN_BROKEN)

    def wait(self, asked: float | None = None, *, busy: bool = False) -> bool:
        """Pause as long as was asked for, or as is usual; false if that is no use any more.

        A wait of nothing is as none: asked for again and again, it must not make a flood of
        requests.
        """
        usual = next(self._busy if busy else self._broken, None)
        if usual is None:
            return False
        seconds = max(asked, _LEAST) if asked else usual
        if seconds > LONGEST_WAIT:
            return False
        self._pause(seconds)
        return True
