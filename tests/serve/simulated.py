"""The service's work without its threads: a clock that jumps from one due job to the next.

The jobs are the service's own (`exosync.daemon.jobs.Jobs`), and so are the triggers that say when
each comes. What is left out is waiting: one job is at work at a time, and the clock stands still
but for a millisecond at each look, so that a month takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any

from exosync.alerts import enrol
from exosync.config import Loaded
from exosync.core.meter import FEED
from exosync.core.pace import Pace
from exosync.daemon.jobs import CHANNEL, Jobs, pace_of
from exosync.daemon.triggers import trigger
from exosync.daemon.turns import Turn
from exosync.metrics import Metrics
from exosync.store import Store

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
LOOK = timedelta(milliseconds=1)
LISTENS = timedelta(seconds=2)
"""How soon the service hears of what it is asked for through the state."""

WATCH = ":watch"
WATCH_EVERY = timedelta(hours=3)
"""The service looks for silence more often; that finds nothing else, and takes its time."""


@dataclass
class Clock:
    """A clock that a test moves. It never stands quite still, as no clock does."""

    at: datetime = START

    def __call__(self) -> datetime:
        """The time, in UTC."""
        self.at += LOOK
        return self.at


@dataclass
class Simulated:
    """One installation's service, started, ended and started again on the same state.

    `between` is asked before each step of a run whether the service is told to stop; `after`
    is told of each job that is done.
    """

    loaded: Loaded
    environ: Mapping[str, str]
    chance: Random
    clock: Clock = field(default_factory=Clock)
    watch_every: timedelta = WATCH_EVERY
    between: Callable[[], bool] = lambda: False
    after: Callable[[str], None] = lambda _name: None
    done: int = 0
    stopped: bool = False
    _due: dict[str, datetime] = field(default_factory=dict)
    _triggers: dict[str, Any] = field(default_factory=dict)
    _first: bool = True

    def start(self) -> None:
        """Begin anew: nothing is known but what the state has. The feed comes first."""
        now, config = self.clock(), self.loaded.config
        self.stopped = False
        self.metrics = Metrics(self.loaded, now=self.clock)
        self.jobs = Jobs(
            loaded=lambda: self.loaded,
            metrics=self.metrics,
            now=self.clock,
            stopping=self._asked_to_stop,
            environ=self.environ,
            started_at=now,
            chance=self.chance.random,
        )
        paces = {one.name: pace_of(config, one.name) for one in config.targets}
        self._triggers = {
            FEED: trigger(Pace(every=config.schedule.feed), timedelta()),
            WATCH: trigger(Pace(every=self.watch_every), timedelta()),
            **{name: trigger(pace, config.schedule.jitter) for name, pace in paces.items()},
        }
        later = now + config.feed.deadline * 2
        self._due = {FEED: now, WATCH: now, **dict.fromkeys(paces, later)}
        self._first = True
        with self.jobs.open() as store:
            enrol(store, config)
        self.jobs.planned({FEED: now, **dict.fromkeys(paces, later)})

    def run_until(self, end: datetime) -> None:
        """Do all that is due before that moment, in its order, or until it is stopped."""
        with self.jobs.open() as ear:
            while not self.stopped:
                name = min(self._due, key=lambda one: self._due[one])
                if self._due[name] >= end:
                    self.clock.at = max(self.clock.at, end)
                    return
                self.clock.at = max(self.clock.at, self._due[name])
                self._do(name)
                self._listen(ear)

    def hold(self, name: str) -> None:
        """A job does not come any more, as where its last run hangs."""
        del self._due[name]

    def let_go(self, name: str) -> None:
        """It comes at once."""
        self._wake((name,))

    def store(self) -> Store:
        """The state, as another process sees it."""
        return self.jobs.open()

    def _asked_to_stop(self) -> bool:
        self.stopped = self.stopped or self.between()
        return self.stopped

    def _do(self, name: str) -> None:
        """What the service's scheduling does around a job."""
        came = self._due.pop(name)
        turn = self.jobs.safely(name, partial(self._work, name))
        if name in self._triggers:
            regular = self._triggers[name].get_next_fire_time(came, self.clock.at)
            self._due[name] = max(regular, self.clock.at)
        if turn.next_at is not None and name != WATCH:
            known = self._due.get(name, turn.next_at)
            self._due[name] = min(known, turn.next_at) if turn.at_latest else turn.next_at
        if name == FEED or not name.startswith(":"):
            self.jobs.comes(name, self._due[name])
        everything = name == FEED and self._first
        self._first = self._first and not everything
        self._wake(self._targets if everything else turn.wake)
        self.done += 1
        self.after(name)

    @property
    def _targets(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.loaded.config.targets)

    def _work(self, name: str) -> Turn:
        if name.startswith(CHANNEL):
            return self.jobs.channel(name.removeprefix(CHANNEL))
        own = {FEED: self.jobs.feed, WATCH: self.jobs.watch}
        return own[name]() if name in own else self.jobs.target(name)

    def _wake(self, names: tuple[str, ...]) -> None:
        self._due.update(dict.fromkeys(names, self.clock.at))

    def _listen(self, ear: Store) -> None:
        """Channels come when they have something to send; the service looks every minute too."""
        soon = self.clock.at + LISTENS * self.chance.random()
        asked = self.jobs.asked(ear)
        for name in asked:
            self._due[name] = min(soon, self._due.get(name, soon))
        for channel in self.loaded.config.alerts.channels:
            name, at = f"{CHANNEL}{channel.name}", ear.next_due(channel.name)
            if at is not None and name not in self._due:
                self._due[name] = max(at, soon)
