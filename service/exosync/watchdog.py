"""Keeping an overall time for what goes over a connection.

The timeouts of sockets count from one received byte to the next, so that a server that drips
its answer would never meet them. A watchdog cuts the connection when the time is over,
whatever is being waited for.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Lock, Timer
from typing import Any, Self


class Watchdog:
    """Cuts the connections that it watches once the time is over."""

    def __init__(self, seconds: float) -> None:
        self.fired = False
        self._sockets: list[Any] = []
        self._lock = Lock()
        self._timer = Timer(max(seconds, 0), self._cut_all)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()

    def watch(self, connection: Any) -> None:
        """Cut this socket when the time is over, at once if it is over already."""
        with self._lock:
            self._sockets.append(connection)
            if self.fired:
                _cut(connection)

    def _cut_all(self) -> None:
        with self._lock:
            self.fired = True
            for connection in self._sockets:
                _cut(connection)


def _cut(connection: Any) -> None:
    # TLS through a TLS proxy has its socket inside. The base class's method, since that of
    # a TLS socket would take the cipher away from the thread that is reading.
    raw = getattr(connection, "socket", connection)
    with suppress(OSError):
        socket.socket.shutdown(raw, socket.SHUT_RDWR)
