"""What the service's jobs do. Each opens the state itself: a `Store` belongs to one thread."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from exosync.alerts import build_channels, heartbeat_event, tick
from exosync.assembly import Assembly, assembled
from exosync.core.meter import FEED
from exosync.core.pace import Pace
from exosync.core.target import State
from exosync.daemon.endings import endings
from exosync.daemon.turns import SOON, Turn, after_feed, after_target
from exosync.errors import ExosyncError, LockHeldError
from exosync.log import get_logger
from exosync.reconcile import Outcome, Rules, reconcile
from exosync.running import run_once
from exosync.secrets import redact
from exosync.store import Store, over
from exosync.watch import watch_endings, watch_feed, watch_slow, watch_targets

if TYPE_CHECKING:
    from exosync.config import Config, Loaded, TargetConfig
    from exosync.metrics import Metrics

COMMAND = "exosync serve"
CHANNEL = ":alerts "
"""What the name of a channel's job begins with."""

SLOW = 10
"""So many times schedule.slow_after, and people are told that a run is still at work."""
FEED_JITTER = timedelta(minutes=5)
SETTLING = timedelta(minutes=15)
"""How long a service that has just started may take to hear of everything."""


class Stopping(BaseException):
    """The service is told to stop: what is at work ends after the step in hand."""


@dataclass(frozen=True, slots=True)
class Jobs:
    """The work, done on the thread that calls. `loaded` gives the configuration in force.

    `stopping` tells whether no further step is to be begun; `chance` is a number from 0 to 1.
    """

    loaded: Callable[[], Loaded]
    metrics: Metrics
    now: Callable[[], datetime]
    stopping: Callable[[], bool]
    environ: Mapping[str, str]
    started_at: datetime
    chance: Callable[[], float] = random.random

    def safely(self, name: str, work: Callable[[], Turn]) -> Turn:
        """Do a job; whatever goes wrong is written down, and it comes again soon."""
        try:
            return work()
        except Stopping:
            get_logger().info("stopped", job=name)
            return Turn()
        except LockHeldError as error:
            get_logger().info("waits", job=name, why=str(error))
        except ExosyncError as error:
            get_logger().error("failed", job=name, error=str(error))
        except Exception as error:  # noqa: BLE001  (the service must outlive a fault of its own)
            get_logger().exception("fault", job=name)
            self._tell_fault(name, error)
        return Turn(self.now() + SOON)

    def _tell_fault(self, name: str, error: Exception) -> None:
        told = redact(f"{type(error).__name__}: {error}")
        title = f"{name}: a fault of exosync ended the job: {told}"
        about = name if target_of(self.loaded().config, name) else None
        try:
            with self.open() as store:
                last = store.last_event(about, ("target_failed", "target_recovered"))
                if last is None or last.title != title:
                    store.add_event(
                        "target_failed",
                        "error",
                        target=about,
                        title=title,
                        body={"error": title},
                        run_id=None,
                        at=self.now(),
                    )
        except ExosyncError as second:
            get_logger().error("failed", job=name, error=str(second))

    def _tell_over(self, store: Store, name: str) -> None:
        """The end of a fault: no run had written it down, so none sees that it is over."""
        last = store.last_event(name, ("target_failed", "still_failing", "target_recovered"))
        if last is not None and last.kind != "target_recovered":
            store.add_event(
                "target_recovered",
                "info",
                target=name,
                title=f"{name} works again",
                body={},
                run_id=None,
                at=self.now(),
            )

    def feed(self) -> Turn:
        """Ask Microsoft if it is time to; a new version wakes all targets."""
        with self._at_work(FEED) as (assembly, rules):
            told = self._run(assembly, rules, "feed", FEED, writing=False)
            state = assembly.store.feed_state(assembly.instance)
        config = assembly.config
        jitter = min(FEED_JITTER, config.schedule.jitter, config.schedule.feed / 10)
        next_at = after_feed(
            state,
            interval=config.schedule.feed,
            now=self.now(),
            late=jitter * self.chance(),
        )
        return Turn(next_at, wake=_names(config) if told["feed"]["adopted"] else ())

    def target(self, name: str) -> Turn:
        """Run one target: observe, plan, guard, apply, verify, record."""
        with self._at_work(name) as (assembly, rules):
            if not rules.jobs:
                # Taken out of the configuration just now.
                return Turn()
            if assembly.store.adopted(assembly.instance) is None:
                return Turn(self.now() + SOON, idle=True)
            told = self._run(assembly, rules, f"sync {name}", name, writing=True)
            known = assembly.store.target_state(name)
            if known is not None and known.state != State.FAILED:
                self._tell_over(assembly.store, name)
        pace, windows = pace_of(assembly.config, name), rules.jobs[0].windows
        failures = known.failures if known else 0
        target = told["targets"][0]
        return after_target(target, failures=failures, pace=pace, windows=windows, now=self.now())

    def asked(self, store: Store) -> tuple[str, ...]:
        """The jobs that are to be done at once: asked for by a person, or with alerts to send."""
        config, now = self.loaded().config, self.now()
        asked = {one.target for one in store.take_triggers(now)}
        names = (FEED, *_names(config))
        telling = [
            f"{CHANNEL}{one.name}"
            for one in config.alerts.channels
            if not store.is_channel_idle(one.name, now)
        ]
        return (*(one for one in names if "" in asked or one in asked), *telling)

    def watch(self) -> Turn:
        """Look for silence, and for what comes to its end."""
        config, now = self.loaded().config, self.now()
        with self.open() as store:
            self._watch_silence(store, config, now)
            watch_slow(store, after=config.schedule.slow_after * SLOW, now=now)
            watch_endings(store, endings(self.loaded(), self.environ), now=now)
            heartbeat_event(store, config, now)
        return Turn()

    def _watch_silence(self, store: Store, config: Config, now: datetime) -> None:
        """Silence counts from the last word, whichever process heard it.

        A service that has just started has time to ask first, and what is done seldom by its
        schedule is not silent in between.
        """
        after, feed = config.alerts.stale_after, config.feed.instance
        long = max(after, config.schedule.feed * 2)
        watch_feed(store, feed, after=long, since=self._heard_since(long), now=now)
        turns = store.turns()
        for name in _names(config):
            known, turn = store.target_state(name), turns.get(name)
            if known is None:
                since = (turn.started_at if turn else None) or now
            elif known.state != State.FAILED and turn and turn.next_at and turn.next_at > now:
                since = now
            else:
                since = self._heard_since(after) if known.seen_at else known.since
            watch_targets(store, (name,), after=after, since=since, now=now)

    def _heard_since(self, after: timedelta) -> datetime:
        return self.started_at - max(after - SETTLING, timedelta())

    def channel(self, name: str) -> Turn:
        """Collect what is to be told by one channel, and send what is due."""
        loaded = self.loaded()
        job = next((one for one in build_channels(loaded, self.environ) if one.name == name), None)
        if job is not None:
            with self.open() as store:
                tick(store, job, loaded.config, self.now())
        return Turn()

    def planned(self, turns: Mapping[str, datetime | None]) -> None:
        """Write down when each job comes next, after a start or a new configuration."""
        with self.open() as store:
            store.plan_turns(turns)

    def comes(self, name: str, next_at: datetime | None) -> None:
        """Write down when a job comes next."""
        try:
            with self.open() as store:
                store.plan_turn(name, next_at)
        except ExosyncError as error:
            get_logger().error("failed", job=name, error=str(error))

    def open(self) -> Store:
        """The state, for what is no run; a context manager that closes it."""
        loaded = self.loaded()
        return Store.open(loaded.config.state, base=loaded.base)

    @contextmanager
    def _at_work(self, name: str) -> Iterator[tuple[Assembly, Rules]]:
        """All that one run goes by, over one thing alone, under its lock and marked as at work."""
        only = () if name == FEED else (name,)
        with assembled(
            self.loaded(),
            environ=self.environ,
            progress=self._progress,
            now=self.now,
            meters=self.metrics.meter,
            only=only,
        ) as assembly:
            store, rules = assembly.store, assembly.rules
            if name == FEED:
                rules = replace(rules, others=())
            else:
                rules = replace(rules, feed=replace(rules.feed, feed=None))
            with over(store.path, name, command=COMMAND, wait=5, at=self.now()):
                store.begin_turn(name, self.now())
                started = time.monotonic()
                try:
                    yield assembly, rules
                finally:
                    store.end_turn(name, seconds=time.monotonic() - started)

    def _progress(self, _words: str) -> None:
        if self.stopping():
            raise Stopping("the service was told to stop")

    def _run(
        self, assembly: Assembly, rules: Rules, command: str, scope: str, *, writing: bool
    ) -> dict[str, Any]:
        store, started = assembly.store, time.monotonic()
        with self.metrics.run(scope) as seen:

            def work(run_id: int) -> Outcome:
                return seen(reconcile(rules, store, run_id, writing=writing))

            kept, told = run_once(store, rules, command, work, scope=scope)
        get_logger().info(
            "run",
            command=command,
            run=f"r-{kept}",
            version=told["version"],
            outcome=told["outcome"],
            seconds=round(time.monotonic() - started, 3),
        )
        return told


def pace_of(config: Config, name: str) -> Pace:
    """How often a target is run."""
    found = target_of(config, name)
    return (found.schedule if found else None) or config.schedule.targets


def target_of(config: Config, name: str) -> TargetConfig | None:
    """A target's configuration; None if there is none of that name any more."""
    return next((one for one in config.targets if one.name == name), None)


def account_of(config: Config, name: str) -> str:
    """The vendor account that a target's requests go to; empty if that is not to be minded."""
    found = target_of(config, name)
    account = getattr(found.kind_object, "account", None) if found else None
    return f"{found.kind} {account(found.settings)}" if found and account else ""


def _names(config: Config) -> tuple[str, ...]:
    return tuple(one.name for one in config.targets)
