"""From the events in the state to messages in the outbox: collected, gathered, closed.

A channel's cursor and what it brings are written in one transaction, and so is a message that
is closed with how things stood at that moment. A crash at any point loses no event and takes
none twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from exosync.alerts.composing import Json, Scene, bare, compose
from exosync.alerts.delays import delay
from exosync.alerts.gathering import ERRORS, Draft, Limits, gather, is_ripe
from exosync.alerts.kinds import kind_of
from exosync.alerts.routing import Route
from exosync.alerts.standing import Named
from exosync.log import get_logger
from exosync.store import EventRecord, MessageRecord, StepOutcome, Store

if TYPE_CHECKING:
    from exosync.config import Config

AT_ONCE = 500
"""So many events are taken in one transaction, so that nobody waits long for the database."""

_LOOKED_BACK = 20
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


@dataclass(frozen=True, slots=True)
class Counter:
    """What the outbox of one channel goes by."""

    route: Route
    limits: Limits
    owner: str
    grace: timedelta
    targets: tuple[Named, ...]


def counter_of(config: Config, route: Route, max_per_hour: int) -> Counter:
    """The rules that the configuration makes for a channel."""
    targets = (Named(one.name, one.kind, one.mode.value) for one in config.targets)
    return Counter(
        route=route,
        limits=Limits(config.alerts.group, max_per_hour),
        owner=config.owner,
        grace=config.ranges.grace,
        targets=tuple(one for one in targets if route.covers(one.name)),
    )


def new_key(
    now: datetime, *, chance: Callable[[int], bytes] = secrets.token_bytes, prefix: str = "msg_"
) -> str:
    """A key that no other message has: 48 bits of time, 80 of chance, in Crockford's base 32."""
    number = int(now.timestamp() * 1000) << 80 | int.from_bytes(chance(10), "big")
    return prefix + "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def collect(store: Store, counter: Counter, now: datetime) -> int:
    """Put all new events into messages, and close those that are ripe; gives how many events.

    A channel that is seen for the first time starts at the newest event.
    """
    taken = 0
    while True:
        with store.transaction():
            events = _next_events(store, counter, now)
            taken += len(events)
            if len(events) < AT_ONCE:
                _close_ripe(store, counter, now)
                return taken


def _next_events(store: Store, counter: Counter, now: datetime) -> list[EventRecord]:
    name = counter.route.channel
    state = store.enrol_channel(name)
    events = store.events_after(state.collected, AT_ONCE)
    if events:
        wanted = [one for one in events if counter.route.takes(one)]
        if wanted:
            _put(store, counter, wanted, now)
        store.save_channel(replace(state, collected=events[-1].id))
    return events


def _put(store: Store, counter: Counter, events: Sequence[EventRecord], now: datetime) -> None:
    name = counter.route.channel
    grown = gather(
        [_draft(one) for one in store.open_messages(name)],
        events,
        run_versions=_versions(store, events),
        recent=store.opened_at(name, counter.limits.max_per_hour * ERRORS),
        limits=counter.limits,
        now=now,
    )
    for one in grown:
        if one.number is not None:
            store.extend_message(one.number, events=one.events, severity=one.severity)
        else:
            store.add_message(
                key=new_key(now),
                channel=name,
                thread=one.thread,
                severity=one.severity,
                events=one.events,
                opened_at=one.opened_at,
                due_at=one.due_at,
            )


def _versions(store: Store, events: Iterable[EventRecord]) -> dict[int, str | None]:
    """The version that each run of these events went by."""
    runs = {one.run_id for one in events if one.run_id is not None}
    found = (store.run(one) for one in runs)
    return {one.id: one.version for one in found if one is not None}


def _close_ripe(store: Store, counter: Counter, now: datetime) -> None:
    for message in store.open_messages(counter.route.channel):
        draft = _draft(message)
        done = draft.version is not None and _all_at(store, counter, draft.version)
        at_work = draft.version is not None and store.is_a_run_at_work()
        if is_ripe(draft, now, done=done, at_work=at_work, group=counter.limits.group):
            body = composed(store, counter, message, now)
            due_at = _next_try(store, counter.route.channel, now)
            store.close_message(message.id, body=body, severity=body["severity"], due_at=due_at)


def _next_try(store: Store, channel: str, now: datetime) -> datetime:
    """When a channel is tried next: now, unless it fails; then its backlog waits as one."""
    known = store.channel_state(channel)
    if known is None or not known.failures:
        return now
    waiting = store.first_waiting(channel)
    own = now + delay(1, known.failures, permanent=False)
    return max(now, min(own, waiting or now))


def _all_at(store: Store, counter: Counter, version: str) -> bool:
    """Whether every target that the channel tells of has been run against a version, or a newer."""
    states = {one.name: one for one in store.target_states()}
    found = [states.get(one.name) for one in counter.targets]
    return all(one is not None and (one.version or "") >= version for one in found)


def composed(store: Store, counter: Counter, message: MessageRecord, now: datetime) -> Json:
    """The message as it is sent. Whatever its events hold, it comes out as something."""
    events = store.events_of(message.events)
    scene = _scene(store, counter, message, events, now)
    try:
        return compose(events, scene)
    except Exception as error:  # noqa: BLE001  (an alert that is ugly beats one that is lost)
        get_logger().error("alert_not_composed", message=message.key, exc_info=error)
        return bare(events, scene, type(error).__name__)


def _scene(
    store: Store,
    counter: Counter,
    message: MessageRecord,
    events: Sequence[EventRecord],
    now: datetime,
) -> Scene:
    return Scene(
        now=now,
        key=message.key,
        channel=message.channel,
        owner=counter.owner,
        thread=message.thread,
        reply_to=_first_of(store, message, events),
        targets=counter.targets,
        states={one.name: one for one in store.target_states()},
        tasks=store.open_tasks(),
        done=_done(store, events),
        grace=counter.grace,
    )


def _first_of(store: Store, message: MessageRecord, events: Sequence[EventRecord]) -> str | None:
    """The key of the message that began the conversation; None for one that begins it."""
    if any(kind_of(one.kind).begins for one in events):
        return None
    earlier = store.conversation(message.channel, message.thread, _LOOKED_BACK)
    firsts = (one.key for one in earlier if one.body and not one.body.get("reply_to"))
    return next(firsts, None)


def _done(store: Store, events: Iterable[EventRecord]) -> dict[tuple[int, str], tuple[str, ...]]:
    """What the runs of these events did at each target, in words."""
    done: dict[tuple[int, str], tuple[str, ...]] = {}
    for run in dict.fromkeys(one.run_id for one in events if one.kind == "applied"):
        for step in store.steps(run) if run is not None else ():
            if step.outcome in (StepOutcome.DONE, StepOutcome.FOUND_DONE):
                place = (step.run_id, step.target)
                done[place] = (*done.get(place, ()), step.summary)
    return done


def _draft(message: MessageRecord) -> Draft:
    return Draft(
        thread=message.thread,
        severity=message.severity,
        events=tuple(message.events),
        opened_at=message.opened_at,
        due_at=message.due_at,
        number=message.id,
    )
