"""What the service and the one-shot commands call: one turn of a channel, or of all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from exosync.alerts.building import build_channels
from exosync.alerts.channel import ChannelJob
from exosync.alerts.delivery import Sent, deliver
from exosync.alerts.heartbeat import heartbeat_event
from exosync.alerts.outbox import collect, counter_of
from exosync.errors import LockHeldError
from exosync.store import RunLock, Store
from exosync.watch import watch_feed, watch_targets

if TYPE_CHECKING:
    from exosync.config import Config, Loaded

LONGEST_TRY = timedelta(seconds=20)
"""How long one try may take at the end of a command, whatever the configuration says."""


@dataclass(frozen=True, slots=True)
class Ticked:
    """What one turn of a channel came to.

    `collected` events were new, `sent`, `failed` and `given_up` messages went so, and `error`
    is the last failure. `next_at` is when there is next something to do, as far as is known.
    `busy`: another process has the channel in hand, so nothing was done here.
    """

    channel: str
    collected: int = 0
    sent: int = 0
    failed: int = 0
    given_up: int = 0
    error: str = ""
    next_at: datetime | None = None
    busy: bool = False


def tick(
    store: Store,
    job: ChannelJob,
    config: Config,
    now: datetime,
    *,
    go_on: Callable[[], bool] = lambda: True,
) -> Ticked:
    """Collect, close and send for one channel. No failure of the channel is raised.

    Only a state that cannot be used is (StoreError).
    """
    if store.is_channel_idle(job.name, now):
        return Ticked(job.name, next_at=store.next_due(job.name))
    lock = RunLock(store.path, command=f"alerts by {job.name}", what=f"alerts {job.name}")
    try:
        with lock.held(at=now):
            counter = counter_of(config, job.route, job.max_per_hour)
            collected = collect(store, counter, now)
            keep_trying = config.alerts.keep_trying
            sent = deliver(store, job, keep_trying=keep_trying, now=now, go_on=go_on)
            return _told(job.name, collected, sent, store.next_due(job.name))
    except LockHeldError:
        return Ticked(job.name, busy=True)


def _told(name: str, collected: int, sent: Sent, next_at: datetime | None) -> Ticked:
    return Ticked(
        channel=name,
        collected=collected,
        sent=sent.sent,
        failed=sent.failed,
        given_up=sent.given_up,
        error=sent.error,
        next_at=next_at,
    )


def enrol(store: Store, config: Config) -> None:
    """See that every configured channel is known, so that what happens from now on is told.

    To be called before a run: a channel that is seen for the first time starts there.
    """
    for one in config.alerts.channels:
        if store.channel_state(one.name) is None:
            store.enrol_channel(one.name)


def flush(
    store: Store,
    loaded: Loaded,
    environ: Mapping[str, str],
    now: datetime,
    *,
    seconds: float = 10,
    monotonic: Callable[[], float] = time.monotonic,
) -> tuple[Ticked, ...]:
    """One turn of everything, at the end of a one-shot command.

    No try is begun after `seconds`; one that was begun may take its time, but no more than
    `LONGEST_TRY`. What does not leave stays in the outbox for the next command or the service.
    """
    config = loaded.config
    if not config.alerts.channels:
        return ()
    enrol(store, config)
    _watch(store, config, now)
    end = monotonic() + seconds

    def in_time() -> bool:
        return monotonic() < end

    known = {one.name: one.failures for one in store.channel_states()}
    jobs = build_channels(loaded, environ, most=LONGEST_TRY)
    # One that hangs takes all of the time: those that work come before it.
    jobs = tuple(sorted(jobs, key=lambda one: known.get(one.name, 0)))
    return tuple(tick(store, job, config, now, go_on=in_time) for job in jobs)


def _watch(store: Store, config: Config, now: datetime) -> None:
    """Tell of silence, and of the opposite; no service does it where commands run alone."""
    since, after = store.first_run_at() or now, config.alerts.stale_after
    names = [one.name for one in config.targets]
    watch_feed(store, config.feed.instance, after=after, since=since, now=now)
    watch_targets(store, names, after=after, since=since, now=now)
    heartbeat_event(store, config, now)


def try_channel(job: ChannelJob, owner: str, now: datetime) -> str:
    """Send a test message at once, past the outbox; gives its key. Raises AlertError or ConfigError."""
    from exosync.alerts.channel import Message
    from exosync.alerts.composing import Scene, trial
    from exosync.alerts.outbox import new_key

    key = new_key(now)
    scene = Scene(now=now, key=key, channel=job.name, owner=owner, thread=f"test:{key}")
    job.channel.send(Message(trial(scene)))
    return key
