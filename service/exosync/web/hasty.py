"""HTTP/1.1 that waits only so long for the whole of a request, and for none where others come.

uvicorn waits for ever, and refuses everybody while too many connections are open: whoever sends
headers drop by drop over many of them would keep all others out, those who probe the health
among them.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

PATIENCE = 15.0  # seconds
MOST_AT_ONCE = 200


class HastyProtocol(H11Protocol):
    """uvicorn's own protocol, and a clock for what is not a request yet.

    Where more than `most` connections are open, the one that was waited for the longest is cut.
    `since` is when the connection was opened, or got its last answer, on the loop's clock.
    """

    patience = PATIENCE
    most = MOST_AT_ONCE
    since = 0.0
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody came: from now on a request is waited for."""
        super().connection_made(transport)
        self.since = self.loop.time()
        self._wait()
        if len(self.connections) > self.most:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        """A part of a request came, or all of it."""
        super().data_received(data)
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            self._wait_no_more()
        elif self._waiting is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Somebody left."""
        self._wait_no_more()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """An answer is written: from now on the next request is waited for."""
        self.since = self.loop.time()
        super().on_response_complete()

    def is_waited_for(self) -> bool:
        """Whether the other side has the word: to send its request, or to take the answer."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete or cycle.more_body:
            return True
        return self.flow.write_paused

    def _make_room(self) -> None:
        """Cut the connection that was waited for the longest; what is at work stays."""
        others = (one for one in self.connections if isinstance(one, HastyProtocol))
        idle = [one for one in others if one is not self and one.is_waited_for()]
        if idle:
            longest = min(idle, key=lambda one: one.since)
            # It is told that it is gone only later, when more may have come.
            self.connections.discard(longest)
            longest.transport.abort()

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(self.patience, self.timeout_keep_alive_handler)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
