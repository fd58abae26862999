"""Where targets are run: a few at a time, and none kept waiting by one that hangs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apscheduler.executors.base import BaseExecutor, run_job


@dataclass(eq=False, slots=True)
class _Ticket:
    """A job that waits for a place, or has one."""

    job: Any
    run_times: list[datetime]
    group: str
    has_place: bool = False
    again: bool = False
    lease: threading.Timer | None = field(default=None)


class Pool(BaseExecutor):  # type: ignore[misc]  # APScheduler has no types
    """An executor of APScheduler with `places` for jobs at work.

    `group_of` gives the group of a job's id: of one group (a vendor's account) one job is at
    work at a time; those of the group "" are free of each other. A job that takes longer than
    `slow_after` seconds loses its place, though not its thread: it works on beside the
    others, and is not started anew before it is done. Threads are daemons, so one that
    hangs keeps no process alive. `done` is called with a job's id, and whether it was asked
    for `again` meanwhile, once it may be started anew.
    """

    def __init__(self, *, places: int, slow_after: float, group_of: Callable[[str], str]) -> None:
        super().__init__()
        self.places = places
        self.slow_after = slow_after
        self.done: Callable[[str, bool], None] = lambda _name, _again: None
        self._group_of = group_of
        self._guard = threading.Condition()
        self._waiting: list[_Ticket] = []
        self._at_work: list[_Ticket] = []
        self._telling = 0
        self._open = True

    def working(self) -> list[str]:
        """The ids of the jobs at work."""
        with self._guard:
            return [one.job.id for one in self._at_work]

    def again(self, name: str) -> bool:
        """Remember that a job is to be done once more; False if it is neither at work nor waits.

        One that waits for its place need not be done more often than it will be.
        """
        with self._guard:
            if any(one.job.id == name for one in self._waiting):
                return True
            working = [one for one in self._at_work if one.job.id == name]
            for one in working:
                one.again = True
            return bool(working)

    def close(self) -> None:
        """Start nothing any more; what waits is dropped."""
        with self._guard:
            self._open = False
            self._waiting.clear()

    def wait_idle(self, seconds: float) -> bool:
        """Wait until no job is at work and `done` was called for all; False if time is over."""
        with self._guard:
            return self._guard.wait_for(
                lambda: not self._at_work and not self._telling, timeout=seconds
            )

    def shutdown(self, wait: bool = True) -> None:  # noqa: FBT001, FBT002  (APScheduler's)
        """What APScheduler calls at its end."""
        self.close()
        if wait:
            self.wait_idle(threading.TIMEOUT_MAX)

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        with self._guard:
            if not self._open:
                return
            self._waiting.append(_Ticket(job, run_times, self._group_of(job.id)))
            self._fill()

    def _fill(self) -> None:
        """Start what may start, in the order of asking. The guard is held."""
        for ticket in list(self._waiting):
            holding = [one for one in self._at_work if one.has_place]
            if len(holding) >= self.places:
                return
            if ticket.group and any(one.group == ticket.group for one in holding):
                continue
            self._waiting.remove(ticket)
            self._start(ticket)

    def _start(self, ticket: _Ticket) -> None:
        ticket.has_place = True
        ticket.lease = threading.Timer(self.slow_after, self._lose_place, [ticket])
        ticket.lease.daemon = True
        ticket.lease.start()
        self._at_work.append(ticket)
        name = f"exosync {ticket.job.id}"
        threading.Thread(target=self._work, args=[ticket], name=name, daemon=True).start()

    def _work(self, ticket: _Ticket) -> None:
        job, logger = ticket.job, self._logger.name
        events = run_job(job, job._jobstore_alias, ticket.run_times, logger)  # noqa: SLF001  (as its own executors do)
        assert ticket.lease is not None
        ticket.lease.cancel()
        # From here on the job may be started anew; only then is it none that is at work, so
        # that whoever asks for it is never told to come later by both.
        self._run_job_success(job.id, events)
        with self._guard:
            self._at_work.remove(ticket)
            self._telling += 1
            self._fill()
        try:
            self.done(job.id, ticket.again)
        finally:
            with self._guard:
                self._telling -= 1
                self._guard.notify_all()

    def _lose_place(self, ticket: _Ticket) -> None:
        with self._guard:
            ticket.has_place = False
            self._fill()
