"""The service's jobs in APScheduler: one pulls the feed, one runs each target, the rest tells."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from exosync.core.meter import FEED
from exosync.core.pace import Pace
from exosync.daemon.jobs import CHANNEL, Jobs, account_of, pace_of
from exosync.daemon.pool import Pool
from exosync.daemon.triggers import trigger
from exosync.daemon.turns import Turn

if TYPE_CHECKING:
    from exosync.config import Config

HOUSEKEEPING: Mapping[str, timedelta] = {
    ":beat": timedelta(seconds=5),
    ":watch": timedelta(minutes=5),
}
"""The jobs that are always there, beside the feed's, and how often each comes."""

CHANNEL_EVERY = timedelta(minutes=1)
"""At the latest: the loop wakes a channel as soon as it has something to send."""

_WORKERS = "targets"
_OTHERS = "default"


class Scheduling:
    """Starts jobs when they are due, and keeps what each wants next.

    A job that is due more often than it could be run comes once (`coalesce`), never beside
    itself (`max_instances`), and however late (no misfire grace time): what was missed while
    the machine slept is done when it wakes.
    """

    def __init__(self, jobs: Jobs, config: Config, beat: Callable[[], None]) -> None:
        self._jobs = jobs
        self._beat = beat
        self._guard = threading.Lock()
        self._turns: dict[str, Turn] = {}
        self._done: set[str] = set()
        self._idle: set[str] = set()
        self._paces: dict[str, tuple[Pace, timedelta]] = {}
        self.pool = Pool(
            places=config.schedule.workers,
            slow_after=config.schedule.slow_after.total_seconds(),
            group_of=lambda name: account_of(jobs.loaded().config, name),
        )
        self._others = Pool(places=128, slow_after=60, group_of=lambda _name: "")
        self.pool.done = self._others.done = self._settle
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={_WORKERS: self.pool, _OTHERS: self._others},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            daemon=True,
        )

    def start(self, config: Config) -> None:
        """Begin: the feed at once, and the targets after it.

        A state that was restored from an older copy must not bring an older version to a
        target while a newer one is only a question away.
        """
        for name, every in HOUSEKEEPING.items():
            self._add(name, IntervalTrigger(seconds=round(every.total_seconds()), timezone=UTC))
        self.configure(config, after=config.feed.deadline * 2)
        self._scheduler.start()

    def configure(self, config: Config, *, after: timedelta = timedelta()) -> None:
        """Bring the jobs in line with a configuration; new targets are due `after` that."""
        self.pool.places = config.schedule.workers
        self.pool.slow_after = config.schedule.slow_after.total_seconds()
        wanted: dict[str, tuple[Pace, timedelta]] = {
            FEED: (Pace(every=config.schedule.feed), timedelta())
        }
        for one in config.targets:
            wanted[one.name] = (pace_of(config, one.name), config.schedule.jitter)
        for channel in config.alerts.channels:
            wanted[f"{CHANNEL}{channel.name}"] = (Pace(every=CHANNEL_EVERY), timedelta())
        for job in self._scheduler.get_jobs():
            if job.id not in wanted and job.id not in HOUSEKEEPING:
                job.remove()
        for name, way in wanted.items():
            if self._paces.get(name) != way:
                self._add(name, trigger(*way), timedelta() if name.startswith(":") else after)
        self._paces = wanted
        self._jobs.planned({name: self.next_at(name) for name in (FEED, *_targets(config))})

    def wake(self, names: tuple[str, ...]) -> None:
        """Run jobs at once; one that is at work comes again as soon as it is done."""
        now = datetime.now(UTC)
        for name in names:
            pool = self._others if name.startswith(":") else self.pool
            if not pool.again(name):
                self._come(name, now)

    def rewind(self) -> None:
        """The clock was set back: what is due by the old one is due now."""
        now = datetime.now(UTC)
        for job in self._scheduler.get_jobs():
            self._come(job.id, now)

    def next_at(self, name: str) -> datetime | None:
        """When a job comes next."""
        job = self._scheduler.get_job(name)
        # Before the scheduler is started a job has no time yet.
        found: datetime | None = getattr(job, "next_run_time", None)
        return found

    def first_round_left(self, config: Config) -> list[str]:
        """The targets (and the feed) that have not been run since the start.

        One that cannot be run, since no version can be had, is not waited for.
        """
        with self._guard:
            over = self._done | (self._idle if FEED in self._done else set())
            return [one for one in (FEED, *_targets(config)) if one not in over]

    def stop(self, seconds: float) -> bool:
        """Start nothing any more, and wait for what is at work; False if some still is."""
        self._scheduler.remove_all_jobs()
        self.pool.close()
        self._others.close()
        end = time.monotonic() + seconds
        idle = self.pool.wait_idle(seconds)
        idle = self._others.wait_idle(max(end - time.monotonic(), 0)) and idle
        self._scheduler.shutdown(wait=False)
        return idle

    def _add(self, name: str, when: Any, after: timedelta = timedelta()) -> None:
        self._scheduler.add_job(
            partial(self._do, name),
            when,
            id=name,
            name=name,
            executor=_OTHERS if name.startswith(":") else _WORKERS,
            next_run_time=datetime.now(UTC) + after,
            replace_existing=True,
        )

    def _do(self, name: str) -> None:
        self._turns[name] = self._jobs.safely(name, partial(self._work, name))

    def _settle(self, name: str, again: bool) -> None:  # noqa: FBT001  (as the pool calls it)
        """A job is done, and may be started anew."""
        turn = self._turns.pop(name, Turn())
        with self._guard:
            first = name not in self._done | self._idle
            self._idle.difference_update(turn.wake)
            (self._idle if turn.idle else self._done).add(name)
        if again:
            self._come(name, datetime.now(UTC))
        elif turn.next_at is not None and name not in HOUSEKEEPING:
            # Housekeeping comes as often as ever, whatever went wrong: the heart must beat on.
            self._come(name, turn.next_at, at_latest=turn.at_latest)
        if name == FEED or not name.startswith(":"):
            self._jobs.comes(name, self.next_at(name))
        if name == FEED and first:
            self.wake(_targets(self._jobs.loaded().config))
        elif turn.wake:
            self.wake(turn.wake)

    def _work(self, name: str) -> Turn:
        if name == ":beat":
            self._beat()
            return Turn()
        if name.startswith(CHANNEL):
            return self._jobs.channel(name.removeprefix(CHANNEL))
        own = {FEED: self._jobs.feed, ":watch": self._jobs.watch}
        return own[name]() if name in own else self._jobs.target(name)

    def _come(self, name: str, at: datetime, *, at_latest: bool = False) -> None:
        """Let a job come at that time, unless it is due already."""
        known = self.next_at(name)
        if known is not None and (known <= datetime.now(UTC) or (at_latest and known <= at)):
            return
        try:
            self._scheduler.modify_job(name, next_run_time=at)
        except JobLookupError:
            # Gone with a new configuration in the meantime.
            return


def _targets(config: Config) -> tuple[str, ...]:
    return tuple(one.name for one in config.targets)
