"""How the channels and their outbox stand: for `check`, `alerts list`, the page and the metrics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from exosync.alerts.building import route_of
from exosync.alerts.channel import ChannelJob
from exosync.alerts.composing import Scene, trial
from exosync.alerts.rendering import Pages
from exosync.core.target import Check
from exosync.core.words import plural
from exosync.store import ChannelRecord, MessageState, Store

if TYPE_CHECKING:
    from exosync.config import Config, Loaded


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """How one channel stands.

    `kind` is None for a channel that is no longer configured but has messages left. `open`
    messages still gather events, `waiting` ones are to be sent, `given_up` ones are tried only
    on `alerts retry`. `oldest_at` is when the oldest of all these was opened.
    """

    name: str
    kind: str | None
    open: int = 0
    waiting: int = 0
    given_up: int = 0
    oldest_at: datetime | None = None
    down_since: datetime | None = None
    failures: int = 0
    error: str = ""
    sent_at: datetime | None = None

    @property
    def is_down(self) -> bool:
        """Whether messages do not arrive."""
        return self.down_since is not None


def pending(store: Store, config: Config) -> tuple[ChannelHealth, ...]:
    """Every configured channel, then those that are no longer configured and have messages left."""
    kinds = {one.name: one.kind for one in config.alerts.channels}
    known = {one.name: one for one in store.channel_states()}
    counts: dict[str, dict[MessageState, int]] = {}
    oldest: dict[str, datetime] = {}
    for one in store.backlogs():
        counts.setdefault(one.channel, {})[one.state] = one.count
        oldest[one.channel] = min(one.oldest, oldest.get(one.channel, one.oldest))
    names = dict.fromkeys([*kinds, *counts])
    return tuple(
        _health(
            known.get(name) or ChannelRecord(name, 0),
            kinds.get(name),
            counts.get(name, {}),
            oldest.get(name),
        )
        for name in names
    )


def _health(
    state: ChannelRecord,
    kind: str | None,
    counts: dict[MessageState, int],
    oldest: datetime | None,
) -> ChannelHealth:
    return ChannelHealth(
        name=state.name,
        kind=kind,
        open=counts.get(MessageState.OPEN, 0),
        waiting=counts.get(MessageState.WAITING, 0),
        given_up=counts.get(MessageState.GIVEN_UP, 0),
        oldest_at=oldest,
        down_since=state.down_since,
        failures=state.failures,
        error=state.error,
        sent_at=state.sent_at,
    )


def check_channel(job: ChannelJob) -> Iterator[Check]:
    """Whether a channel can be reached, secured and signed in to; nothing is sent."""
    yield from job.channel.check()


def check_outbox(store: Store, config: Config) -> Iterator[tuple[str, Check]]:
    """What has not arrived, and what cannot ever go out, as pairs of channel and check."""
    for one in pending(store, config):
        yield one.name, _outbox(one)
    for channel in config.alerts.channels:
        route = route_of(config, channel)
        narrowed = channel.targets or channel.labels
        if narrowed and not any(route.covers(one.name) for one in config.targets):
            told = "targets and labels together fit no target that is configured"
            remedy = "correct targets or labels of the channel, or the labels of the targets"
            yield channel.name, Check("routing", ok=None, message=told, remedy=remedy)


def _outbox(one: ChannelHealth) -> Check:
    counted = [
        plural(count, "message") + f" {word}"
        for count, word in (
            (one.open, "gathering events"),
            (one.waiting, "waiting"),
            (one.given_up, "given up"),
        )
        if count
    ]
    told = ", ".join(counted) or "nothing waits"
    if one.kind is None:
        remedy = f"configure {one.name} again and run exosync alerts retry {one.name}"
        return Check("outbox", ok=None, message=f"no longer configured: {told}", remedy=remedy)
    if one.down_since is not None:
        since = f"{one.down_since:%Y-%m-%d %H:%M} UTC"
        message = f"down since {since}: {one.error}; {told}"
        remedy = f"mend this, then exosync alerts test {one.name}"
        return Check("outbox", ok=False, message=message, remedy=remedy)
    if one.given_up:
        remedy = f"exosync alerts retry {one.name}"
        return Check("outbox", ok=None, message=told, remedy=remedy)
    return Check("outbox", ok=True, message=told)


def check_templates(loaded: Loaded, now: datetime) -> Iterator[Check]:
    """Whether each template of the configured folder can be filled."""
    config = loaded.config
    if config.alerts.templates is None:
        return
    pages = Pages(loaded.base / config.alerts.templates)
    scene = Scene(now=now, key="msg_0", channel="check", owner=config.owner, thread="test")
    for name, fault in pages.faults(trial(scene)):
        remedy = "the built-in template is used in its place" if fault else ""
        message = fault or "can be filled"
        yield Check(name, ok=None if fault else True, message=message, remedy=remedy)
