"""What this process counts: its runs and what came of them, its requests, its configuration."""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from exosync.core import guards, intake
from exosync.core.changes import Change, ChangeKind, changes
from exosync.core.meter import FEED, Meter
from exosync.core.target import Action, State
from exosync.desk import Look
from exosync.errors import (
    ConfigError,
    ExosyncError,
    FeedError,
    FeedRejected,
    FeedThrottled,
    FeedUnreachable,
    TargetConflict,
    TargetDenied,
    TargetUnreachable,
)
from exosync.reconcile import Outcome
from exosync.report import outcome_of
from exosync.store import ABANDONED

if TYPE_CHECKING:
    from prometheus_client.metrics import MetricWrapperBase

Seen: TypeAlias = Callable[[Outcome], Outcome]
"""Takes the outcome of a run, and gives it back."""

FEED_ERRORS: dict[type[ExosyncError], str] = {
    FeedUnreachable: "unreachable",
    FeedThrottled: "throttled",
    FeedRejected: "rejected",
    FeedError: "other",
}
"""What keeps the feed from being used, as a label: the first that fits."""

TARGET_ERRORS: dict[type[ExosyncError], str] = {
    TargetUnreachable: "unreachable",
    TargetDenied: "denied",
    TargetConflict: "conflict",
    ConfigError: "configuration",
    FeedError: "feed",
    ExosyncError: "other",
}
"""What makes a target fail, as a label: the first that fits."""

NOT_VERIFIED = "not_verified"
"""The same where nothing failed but the proof."""

RUN_SECONDS = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
REQUEST_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Makers:
    """Makes counters, gauges and histograms of one registry, all under our prefix."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def counter(self, name: str, told: str, *labels: str) -> Counter:
        """A counter; `_total` is added to its name."""
        return Counter(name, told, labels, namespace="exosync", registry=self._registry)

    def gauge(self, name: str, told: str, *labels: str) -> Gauge:
        """A gauge."""
        return Gauge(name, told, labels, namespace="exosync", registry=self._registry)

    def seconds(self, name: str, told: str, buckets: tuple[float, ...]) -> Histogram:
        """A histogram of times, for each target."""
        return Histogram(
            name,
            told,
            ["target"],
            namespace="exosync",
            registry=self._registry,
            buckets=buckets,
        )


class RunCounters:
    """Runs, and what came of them."""

    def __init__(self, make: Makers, now: Callable[[], datetime]) -> None:
        self._now = now
        self._runs = make.counter(
            "run", "Runs of this process that ended, by their outcome", "target", "outcome"
        )
        self._seconds = make.seconds(
            "run_duration_seconds", "How long the runs of this process took", RUN_SECONDS
        )
        self._last = make.gauge(
            "last_run_timestamp_seconds", "When a run of this process last ended", "target"
        )
        self._changes = make.counter(
            "changes",
            "Ranges that this process changed, by what became of them",
            "target",
            "action",
        )
        self._steps = make.counter(
            "steps", "Steps that this process did, by what they do", "target", "action"
        )
        self._refused = make.counter(
            "refused", "How often a rule said no in a run of this process", "rule"
        )
        self._target_errors = make.counter(
            "target_errors", "Runs of this process in which a target failed", "target", "kind"
        )
        self._feed_errors = make.counter(
            "feed_errors", "Runs of this process in which the feed could not be used", "kind"
        )
        for kind in FEED_ERRORS.values():
            self._feed_errors.labels(kind)
        for rule in (*guards.RULES, *intake.RULES):
            self._refused.labels(rule)

    @property
    def of_targets(self) -> tuple[MetricWrapperBase, ...]:
        """Those that have a series for each target."""
        by_target = (self._changes, self._steps, self._target_errors)
        return (self._runs, self._seconds, self._last, *by_target)

    def begin(self, target: str) -> None:
        """Let a target's counters start at zero: a first increase could not be seen else."""
        for change in ChangeKind:
            self._changes.labels(target, change.value)
        for action in Action:
            self._steps.labels(target, action.value)
        for kind in (*TARGET_ERRORS.values(), NOT_VERIFIED):
            self._target_errors.labels(target, kind)

    @contextmanager
    def run(self, target: str) -> Iterator[Seen]:
        """Count and time one run; see `Metrics.run`."""
        started, ended = time.monotonic(), ABANDONED

        def seen(outcome: Outcome) -> Outcome:
            nonlocal ended
            ended = outcome_of(outcome)
            self._count(outcome)
            return outcome

        try:
            yield seen
        except BaseException:
            ended = ABANDONED
            raise
        finally:
            self._runs.labels(target, ended).inc()
            self._seconds.labels(target).observe(time.monotonic() - started)
            self._last.labels(target).set(self._now().timestamp())

    def _count(self, outcome: Outcome) -> None:
        error = outcome.pulled.error
        if error is not None:
            self._feed_errors.labels(kind_of(error, FEED_ERRORS)).inc()
        if isinstance(error, FeedRejected):
            self._refused.labels(error.rule).inc()
        for look in outcome.looks:
            self._count_look(look)

    def _count_look(self, look: Look) -> None:
        name = look.job.name
        for change, number in Tally(one.kind for one in changed(look)).items():
            self._changes.labels(name, change.value).inc(number)
        for action, number in Tally(one.action for one in look.done).items():
            self._steps.labels(name, action.value).inc(number)
        for refusal in look.plan.standing if look.plan else ():
            self._refused.labels(refusal.rule).inc()
        if look.state is State.FAILED:
            kind = kind_of(look.error, TARGET_ERRORS) if look.error else NOT_VERIFIED
            self._target_errors.labels(name, kind).inc()


class RequestCounters:
    """HTTP requests: to Microsoft, and to what stands behind the targets."""

    def __init__(self, make: Makers) -> None:
        self._requests = make.counter(
            "http_requests", "HTTP requests of this process, by their outcome", "target", "outcome"
        )
        self._seconds = make.seconds(
            "http_request_duration_seconds",
            "How long the HTTP requests of this process took, to the end of the answer",
            REQUEST_SECONDS,
        )

    @property
    def of_targets(self) -> tuple[MetricWrapperBase, ...]:
        """Those that have a series for each target."""
        return self._requests, self._seconds

    def meter(self, target: str) -> Meter:
        """What counts the requests for a target."""

        def count(outcome: str, seconds: float) -> None:
            self._requests.labels(target, outcome).inc()
            self._seconds.labels(target).observe(seconds)

        return count


class ConfigGauges:
    """Whether the configuration that was last read could be used."""

    def __init__(self, make: Makers, now: Callable[[], datetime]) -> None:
        self._now = now
        self._good = make.gauge(
            "config_last_reload_successful",
            "Whether the configuration could be used when it was last read",
        )
        self._at = make.gauge(
            "config_last_reload_success_timestamp_seconds",
            "When a configuration was last read that could be used",
        )

    def tell(self, *, good: bool) -> None:
        """A configuration was read."""
        self._good.set(good)
        if good:
            self._at.set(self._now().timestamp())


def forget(families: Collection[MetricWrapperBase], targets: Collection[str]) -> None:
    """Take out the series of targets that are not configured any more."""
    for family in families:
        for target in targets:
            if target != FEED:
                family.remove_by_labels({"target": target})


def kind_of(error: ExosyncError, kinds: dict[type[ExosyncError], str]) -> str:
    """The label of an error."""
    return next((word for kind, word in kinds.items() if isinstance(error, kind)), "other")


def changed(look: Look) -> tuple[Change, ...]:
    """What a run changed at a target, once that was read back."""
    if not look.done or look.applied is None or look.observed is None:
        return ()
    return changes(look.applied.draft.base, look.observed.owned)
