"""From what was read of the state to gauges. Pure."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Iterator
from datetime import datetime

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from exosync.config import TargetConfig
from exosync.core.meter import FEED
from exosync.core.target import Actor, Mode, State
from exosync.metrics.reading import Reading
from exosync.store import MessageState, PlanRecord, TargetState

Samples = Iterable[tuple[tuple[str, ...], float | None]]
"""The values of the labels, each with a figure; None where there is none."""


def store_up(*, up: bool) -> Metric:
    """Whether the state could be read."""
    return _gauge("store_up", "Whether the state can be read", (), [((), up)])


def gauges(reading: Reading) -> Iterator[Metric]:
    """Everything that the state tells."""
    yield from _standing(reading)
    yield from _proof(reading)
    yield from _turns(reading)
    yield from _waiting(reading)
    yield from _feed(reading)
    yield from _channels(reading)
    beat = reading.service.beat_at if reading.service else None
    yield _gauge(
        "heartbeat_timestamp_seconds",
        "When the service last told that its loop is alive",
        (),
        [((), _seconds(beat))],
    )


def last_success(state: TargetState) -> datetime | None:
    """When a run last looked at a target and did not fail: the best that is known.

    Of one that fails only since when is known, if it could be read at all in that time.
    """
    if state.state != State.FAILED or state.seen_at is None:
        return state.seen_at
    return min(state.seen_at, state.since)


def waits(plan: PlanRecord, mode: Mode) -> bool:
    """Whether a plan waits for a person to approve or apply it.

    What people have to do themselves is a task. In mode apply the next run does what is not
    refused; in mode watch nothing is ever written.
    """
    if mode is Mode.WATCH:
        return False
    own = any(step.get("by") == Actor.EXOSYNC for step in plan.body["steps"])
    return plan.refused or (own and (plan.adopting or mode is Mode.PLAN))


def _standing(reading: Reading) -> Iterator[Metric]:
    targets = reading.config.targets
    yield _gauge(
        "target_info",
        "The configured targets",
        ("target", "kind", "mode"),
        [((one.name, one.kind, one.mode.value), 1) for one in targets],
    )
    yield _gauge(
        "target_state",
        "1 for the state that a target is in; none is before its first run",
        ("target", "state"),
        [((name, one.value), state == one) for name, state in _states(reading) for one in State],
    )
    known = [(one, reading.states.get(one.name)) for one in targets]
    yield _by_target(
        "target_state_since_timestamp_seconds",
        "Since when a target is in its state",
        ((one, _seconds(state.since) if state else None) for one, state in known),
    )
    yield _by_target(
        "consecutive_failures",
        "Runs in a row in which a target failed",
        ((one, state.failures if state else 0) for one, state in known),
    )
    yield _by_target(
        "paused",
        "Whether a person has paused a target",
        ((one, bool(reading.paused & {"", one.name})) for one in targets),
    )


def _proof(reading: Reading) -> Iterator[Metric]:
    known = [(one, reading.states.get(one.name)) for one in reading.config.targets]
    yield _by_target(
        "last_success_timestamp_seconds",
        "When a run last looked at a target and did not fail",
        ((one, _seconds(last_success(state)) if state else None) for one, state in known),
    )
    yield _by_target(
        "target_last_verified_timestamp_seconds",
        "When a target was last proven to be as desired",
        ((one, _seconds(state.verified_at) if state else None) for one, state in known),
    )
    yield _by_target(
        "drift_entries",
        "Entries that the last run found changed by somebody else",
        ((one, _drifted(state) if state else 0) for one, state in known),
    )


def _turns(reading: Reading) -> Iterator[Metric]:
    names = [*(one.name for one in reading.config.targets), FEED]
    turns = [(name, reading.turns[name]) for name in names if name in reading.turns]
    yield _gauge(
        "next_run_timestamp_seconds",
        "When the next run is due",
        ("target",),
        [((name,), _seconds(turn.next_at)) for name, turn in turns],
    )
    yield _gauge(
        "run_started_timestamp_seconds",
        "Since when a run is at work; there is none while none is",
        ("target",),
        [((name,), _seconds(turn.started_at)) for name, turn in turns],
    )


def _waiting(reading: Reading) -> Iterator[Metric]:
    modes = {one.name: one.mode for one in reading.config.targets}
    plans = Tally(
        one.target for one in reading.plans if one.target in modes and waits(one, modes[one.target])
    )
    tasks = Tally(one.target for one in reading.tasks)
    overdue = Tally(one.target for one in reading.tasks if one.due_at <= reading.now)
    for name, told, found in (
        ("plans_waiting", "Plans that wait for a person to apply or approve them", plans),
        ("tasks_open", "Steps that wait for a person to do them", tasks),
        ("tasks_overdue", "Steps for a person that are overdue", overdue),
    ):
        yield _by_target(name, told, ((one, found[one.name]) for one in reading.config.targets))


def _feed(reading: Reading) -> Iterator[Metric]:
    instance, adopted = reading.config.feed.instance, reading.adopted
    moments = [reading.feed.checked_at, adopted.adopted_at if adopted else None]
    confirmed = max(filter(None, moments), default=None)
    age = (reading.now - confirmed).total_seconds() if confirmed else None
    yield _gauge(
        "feed_version_info",
        "The adopted version of Microsoft's list",
        ("feed_instance", "version"),
        [((instance, adopted.version), 1)] if adopted else [],
    )
    yield _gauge(
        "feed_last_confirmed_timestamp_seconds",
        "When Microsoft last told which version is the newest",
        (),
        [((), _seconds(confirmed))],
    )
    yield _gauge(
        "feed_age_seconds", "How long ago that was, at the time of the scrape", (), [((), age)]
    )
    yield _gauge(
        "feed_consecutive_failures",
        "How often in a row the feed gave no usable answer",
        (),
        [((), reading.feed.failures)],
    )
    yield _gauge(
        "ranges",
        "CIDRs that are desired, by why they are",
        ("family", "source"),
        reading.sizes.items(),
    )


def _channels(reading: Reading) -> Iterator[Metric]:
    configured = {one.name for one in reading.config.alerts.channels}
    known = {one.name: one for one in reading.channels}
    names = sorted(configured | {one.channel for one in reading.backlogs})
    pending: Tally[str] = Tally()
    given_up: Tally[str] = Tally()
    for one in reading.backlogs:
        found = given_up if one.state is MessageState.GIVEN_UP else pending
        found[one.channel] += one.count
    yield _gauge(
        "alerts_pending",
        "Messages that are not sent yet",
        ("channel",),
        [((one,), pending[one]) for one in names],
    )
    yield _gauge(
        "alerts_given_up",
        "Messages that are not tried any more",
        ("channel",),
        [((one,), given_up[one]) for one in names],
    )
    down = {name for name, one in known.items() if one.down_since is not None}
    yield _gauge(
        "channel_up",
        "Whether messages arrive",
        ("channel",),
        [((one,), one not in down) for one in sorted(configured)],
    )
    yield _gauge(
        "alerts_last_sent_timestamp_seconds",
        "When a message last arrived",
        ("channel",),
        [((one,), _seconds(known[one].sent_at)) for one in names if one in known],
    )


def _states(reading: Reading) -> Iterator[tuple[str, str]]:
    for one in reading.config.targets:
        known = reading.states.get(one.name)
        yield one.name, known.state if known else ""


def _drifted(state: TargetState) -> int:
    return sum(one["rule"] == "drift" for one in state.report.get("findings", ()))


def _by_target(
    name: str, told: str, figures: Iterable[tuple[TargetConfig, float | None]]
) -> Metric:
    return _gauge(name, told, ("target",), [((one.name,), figure) for one, figure in figures])


def _gauge(name: str, told: str, labels: tuple[str, ...], samples: Samples) -> Metric:
    family = GaugeMetricFamily(f"exosync_{name}", told, labels=labels)
    for values, figure in samples:
        if figure is not None:
            family.add_metric(values, float(figure))
    return family


def _seconds(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
