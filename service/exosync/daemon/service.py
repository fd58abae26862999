"""The service as a whole: from its start to its end, and the configuration in force."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from importlib import import_module
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TYPE_CHECKING

from exosync import __version__
from exosync.alerts import enrol
from exosync.checking import check_web
from exosync.core.target import Check
from exosync.core.words import plural
from exosync.daemon.jobs import COMMAND, Jobs
from exosync.daemon.notify import Notifier
from exosync.daemon.reload import check_fits, differing
from exosync.daemon.scheduling import Scheduling
from exosync.errors import ConfigError, ExosyncError, LockHeldError
from exosync.log import get_logger
from exosync.metrics import Metrics
from exosync.store import RunLock, ServiceRecord, Store, over

if TYPE_CHECKING:
    from exosync.config import Loaded
    from exosync.web.serving import PageServer

HEART_STOPS = 60
"""Seconds without a beat after which the service does not count as alive."""

_BEATS = timedelta(seconds=30)
"""How often the state is told that the service lives."""

_SET_BACK = timedelta(minutes=1)
"""A clock that is so much earlier than it was has been set back."""

_LISTENS = 2
"""Seconds between two looks at what people ask for through the state."""


class Service:
    """What `exosync serve` is while it runs; the page sees it as `exosync.web.port.Service`.

    `read` reads the configuration anew, for SIGHUP.
    """

    def __init__(
        self,
        loaded: Loaded,
        *,
        read: Callable[[], Loaded],
        environ: Mapping[str, str],
        now: Callable[[], datetime],
    ) -> None:
        self._loaded = loaded
        self._read = read
        self._environ = environ
        self._now = now
        # Signals come in the midst of anything, one within another; an Event has a lock, which
        # whoever they interrupt may hold.
        self._is_stopping = self._is_to_read = False
        self._wakes: SimpleQueue[None] = SimpleQueue()
        self._beat_at = time.monotonic()
        self._ear: Store | None = None
        self._complaint = ""
        self._listens_at = 0.0
        self._listened_at = now()
        self._told_at: datetime | None = None
        self._metrics = Metrics(loaded, now=now)
        self._notifier = Notifier(environ)
        self._jobs = Jobs(
            loaded=self.loaded,
            metrics=self._metrics,
            now=now,
            stopping=lambda: self._is_stopping,
            environ=environ,
            started_at=now(),
        )
        self._scheduling = Scheduling(self._jobs, loaded.config, self._beat)

    def loaded(self) -> Loaded:
        """The configuration in force."""
        return self._loaded

    def now(self) -> datetime:
        """The time, in UTC."""
        return self._now()

    def alive(self) -> Check:
        """Whether the scheduler still starts what is due."""
        age = time.monotonic() - self._beat_at
        return Check("loop", ok=age < HEART_STOPS, message=f"last heard of {age:.0f} s ago")

    def ready(self) -> Sequence[Check]:
        """Whether the state can be used and each target was turned to once."""
        try:
            with self._jobs.open() as store:
                state = Check("state", ok=True, message=f"{store.path.name} can be read")
        except ExosyncError as error:
            state = Check("state", ok=False, message=str(error))
        left = self._scheduling.first_round_left(self._loaded.config)
        told = f"{plural(len(left), 'job')} to go" if left else "done"
        first = Check("first_run", ok=not left, message=told)
        configuration = Check("configuration", ok=True, message=str(self._loaded.path))
        return configuration, state, first

    def metrics(self) -> bytes:
        """The figures for Prometheus."""
        return self._metrics.render()

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT; gives the exit code.

        Raises ConfigError if the web server cannot listen, and LockHeldError if another
        service is at work on the same state.
        """
        config = self._loaded.config
        for check in check_web(self._loaded, self._environ):
            if check.ok is False:
                raise ConfigError(f"{check.name}: {check.message}; {check.remedy}")
        # Not first in two threads at once: its import turns warnings off and on.
        import_module("requests")
        with self._alone(), self._signals():
            web = self._page() if config.web.listen else None
            url = web.start(config.web.listen) if web and config.web.listen else ""
            self._begin()
            self._scheduling.start(config)
            get_logger().info("serving", targets=len(config.targets), page=url)
            targets = plural(len(config.targets), "target")
            page = f", page at {url}" if url else ""
            self._notifier.tell("READY=1", f"STATUS=serving {targets}{page}")
            self._loop()
            return self._end(web)

    def _page(self) -> PageServer:
        from exosync.web.app import create_app
        from exosync.web.serving import PageServer

        return PageServer(create_app(self, environ=self._environ))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One service on a state."""
        with self._jobs.open() as store:
            path = store.path
        with RunLock(path, command=COMMAND, what="serve").held(at=self._now()):
            yield

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def stop(_number: int, _frame: FrameType | None) -> None:
            self._is_stopping = True
            self._wakes.put(None)

        def read_again(_number: int, _frame: FrameType | None) -> None:
            self._is_to_read = True
            self._wakes.put(None)

        wanted = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: read_again}
        before = {number: signal.signal(number, handler) for number, handler in wanted.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _begin(self) -> None:
        """Write down that the service starts, and what an earlier process left behind."""
        now = self._now()
        with self._jobs.open() as store:
            enrol(store, self._loaded.config)
            # One transaction: killed in its midst, the next start finds and tells the same.
            with store.transaction():
                runs = self._found(store, now)
        if runs is not None:
            get_logger().warning("recovering", runs=runs)

    def _found(self, store: Store, now: datetime) -> list[str] | None:
        """Take over from an earlier process; the runs that it left behind, None if it ended well."""
        before = store.service()
        dead = self._interrupted(store, now)
        store.save_service(ServiceRecord(os.getpid(), os.uname().nodename, __version__, now, now))
        if not dead and (before is None or before.stopped_at is not None):
            return None
        runs = [f"r-{run_id}" for run_id in dead]
        told = f"; it left {', '.join(runs)} unfinished" if runs else ""
        last = f" (last heard of {before.beat_at:%Y-%m-%d %H:%M} UTC)" if before else ""
        store.add_event(
            "service_started",
            "warning",
            target=None,
            title=f"service started after an earlier one died{last}{told}",
            body={"runs": runs},
            run_id=None,
            at=now,
        )
        return runs

    def _interrupted(self, store: Store, now: datetime) -> list[int]:
        """The runs that died, if nobody else is at work and could be taken for dead."""
        try:
            with over(store.path, "", command=COMMAND, wait=0, at=now):
                found = store.interrupted(now)
        except LockHeldError:
            return []
        return [one.id for one in found]

    def _loop(self) -> None:
        watchdog = self._notifier.watchdog_seconds
        pause = min(1.0, watchdog / 3) if watchdog else 1.0
        while not self._is_stopping:
            with suppress(Empty):
                self._wakes.get(timeout=pause)
            if self._is_to_read:
                self._is_to_read = False
                self._read_again()
            if time.monotonic() >= self._listens_at and not self._is_stopping:
                self._listens_at = time.monotonic() + _LISTENS
                self._listen()
            if self.alive().ok:
                self._notifier.tell("WATCHDOG=1")
            _reap()
        self._deafen()

    def _listen(self) -> None:
        """Do what was asked for through the state, and tell it that the service lives."""
        try:
            if self._ear is None:
                self._ear = self._jobs.open()
            now = self._now()
            if now < self._listened_at - _SET_BACK:
                get_logger().warning("clock set back", by=str(self._listened_at - now))
                self._scheduling.rewind()
                # Else there is no heartbeat until the clock comes to where it was.
                self._told_at = None
            self._listened_at = now
            self._scheduling.wake(self._jobs.asked(self._ear))
            if self.alive().ok and (self._told_at is None or now - self._told_at >= _BEATS):
                self._ear.beat(now)
                self._told_at = now
            self._complaint = ""
        except ExosyncError as error:
            # Every other second, so it is said once for as long as it is the same.
            if str(error) != self._complaint:
                get_logger().error("failed", job="listening", error=str(error))
            self._complaint = str(error)
            self._deafen()
        except Exception:  # noqa: BLE001  (the service must outlive a fault of its own)
            get_logger().exception("fault", job="listening")
            self._deafen()

    def _deafen(self) -> None:
        ear, self._ear = self._ear, None
        if ear is not None:
            with suppress(ExosyncError):
                ear.close()

    def _beat(self) -> None:
        self._beat_at = time.monotonic()

    def _read_again(self) -> None:
        """Take a new configuration if it is whole and fits; else keep the old one and say so."""
        self._notifier.tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            fresh = self._read()
            check_fits(self._loaded, fresh)
            with self._jobs.open() as store:
                enrol(store, fresh.config)
        except ExosyncError as error:
            self._metrics.config_refused()
            get_logger().error("configuration refused", error=str(error))
            self._tell("config_refused", "error", "configuration refused", str(error))
            status = "serving with the configuration of before: the new one is refused"
        else:
            self._take(fresh)
            status = f"serving {plural(len(fresh.config.targets), 'target')}"
        self._notifier.tell("READY=1", f"STATUS={status}")

    def _take(self, fresh: Loaded) -> None:
        changed = differing(self._loaded, fresh)
        self._loaded = fresh
        self._metrics.configured(fresh)
        try:
            self._scheduling.configure(fresh.config)
        except ExosyncError as error:
            # All is in force but for what the state would tell of it.
            get_logger().error("failed", job="configuration", error=str(error))
        get_logger().info("configuration read again", changed=changed)
        if changed:
            told = f"configuration read again; changed: {', '.join(changed)}"
            self._tell("config_changed", "info", told, "")
            self._scheduling.wake(tuple(one.name for one in fresh.config.targets))

    def _tell(self, kind: str, severity: str, title: str, error: str) -> None:
        first = error.splitlines()[0] if error else ""
        try:
            with self._jobs.open() as store:
                store.add_event(
                    kind,
                    severity,
                    target=None,
                    title=f"{title}: {first}" if first else title,
                    body={"error": error} if error else {},
                    run_id=None,
                    at=self._now(),
                )
        except ExosyncError as failure:
            get_logger().error("failed", error=str(failure))

    def _end(self, web: PageServer | None) -> int:
        self._notifier.tell("STOPPING=1", "STATUS=finishing the steps in hand")
        within = self._loaded.config.schedule.stop_within.total_seconds()
        working = self._scheduling.pool.working()
        get_logger().info("stopping", at_work=working)
        if not self._scheduling.stop(within):
            left = self._scheduling.pool.working()
            get_logger().warning("left at work", jobs=left, told="the next start looks first")
        if web:
            web.stop()
        with suppress(ExosyncError), self._jobs.open() as store:
            known = store.service()
            if known is not None:
                store.save_service(replace(known, stopped_at=self._now()))
        get_logger().info("stopped")
        return 0


def _reap() -> None:
    """As the first process of a container, bury the children of those that left them to us."""
    if os.getpid() != 1:
        return
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
