"""Telling an open page that something has changed: server-sent events (WHATWG HTML, 9.2)."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import AsyncIterator, Callable

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from exosync.errors import ExosyncError
from exosync.views import Source
from exosync.web.problems import problem
from exosync.web.reading import Reader

EVERY = 2.0  # seconds between two looks at the state, however many pages are open
QUIET = 15.0  # seconds after which a stream says that it is still there
LASTS = 600.0  # seconds; the browser then comes again, and shows its session again
MOST_STREAMS = 64


class Pulse:
    """A short text that changes whenever there is something new to show."""

    def __init__(self, reader: Reader, clock: Callable[[], float] = time.monotonic) -> None:
        self._reader, self._clock = reader, clock
        self._lock = threading.Lock()
        self._known = ("", float("-inf"))

    def now(self) -> str:
        """The pulse, looked up at most every `EVERY` seconds; empty if the state cannot be read."""
        with self._lock:
            text, at = self._known
            if self._clock() >= at + EVERY:
                text = self._look()
                self._known = (text, self._clock())
            return text

    def _look(self) -> str:
        try:
            with self._reader.source() as source:
                return pulse(source)
        except ExosyncError:
            return ""


def pulse(source: Source) -> str:
    """A digest over what changes when something happens; the heartbeat is no part of it."""
    store = source.store
    seen = (
        [one.id for one in store.events(1)],
        [(one.id, one.last_at, one.outcome) for one in store.runs(1)],
        list(store.turns().values()),
        store.pauses(),
        store.feed_state(source.instance),
        id(source.config),
    )
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:16]


class Streams:
    """The streams that are open. They end when the server closes, or after a while."""

    def __init__(self, pulse: Pulse, closing: threading.Event) -> None:
        self._pulse, self._closing = pulse, closing
        self._count = 0

    def is_full(self) -> bool:
        """Whether no further one is let in."""
        return self._count >= MOST_STREAMS

    async def stream(self) -> AsyncIterator[str]:
        """The pulse now, and each one that differs from the last."""
        self._count += 1
        try:
            end = time.monotonic() + LASTS
            last, spoke = None, 0.0
            yield "retry: 5000\n\n"
            while not self._closing.is_set() and time.monotonic() < end:
                found = await run_in_threadpool(self._pulse.now)
                if found != last:
                    last, spoke = found, time.monotonic()
                    yield f"event: pulse\ndata: {found}\n\n"
                elif time.monotonic() > spoke + QUIET:
                    spoke = time.monotonic()
                    yield ": still there\n\n"
                await self._pause()
        finally:
            self._count -= 1

    async def _pause(self) -> None:
        for _ in range(int(EVERY / 0.25)):
            if self._closing.is_set():
                return
            await asyncio.sleep(0.25)


def router(streams: Streams) -> APIRouter:
    """/live."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/live")
    async def live() -> Response:
        if streams.is_full():
            return problem(503, "too many pages are open already", {"Retry-After": "60"})
        return StreamingResponse(streams.stream(), media_type="text/event-stream")

    return routes
