"""The figures of `exosync serve` for Prometheus; docs/reference/metrics.md explains each.

What the state knows (how every target stands, what waits) is read anew at each scrape. What
only this process knows (runs, requests, refusals) is counted, from zero at each start.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from exosync import __version__
from exosync.config import Loaded
from exosync.core.meter import Meter
from exosync.metrics.counters import (
    ConfigGauges,
    Makers,
    RequestCounters,
    RunCounters,
    Seen,
    forget,
)
from exosync.metrics.scrape import StateCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""The type of what `render` gives: Prometheus' text format."""

__all__ = ["CONTENT_TYPE", "Metrics", "Seen"]


class Metrics:
    """All figures of one process. Its methods may be called from any thread."""

    def __init__(self, loaded: Loaded, *, now: Callable[[], datetime]) -> None:
        # Else every counter had a second series that says since when it counts, which the
        # start of the process tells for all of them.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        make = Makers(self._registry)
        self._runs = RunCounters(make, now)
        self._requests = RequestCounters(make)
        self._config = ConfigGauges(make, now)
        self._state = StateCollector(loaded, now)
        self._targets: frozenset[str] = frozenset()
        build = Info(
            "build", "The version of exosync", namespace="exosync", registry=self._registry
        )
        build.info({"version": __version__})
        self._registry.register(self._state)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self.configured(loaded)

    def configured(self, loaded: Loaded) -> None:
        """A configuration is in force from now on: its targets, and no others, have figures."""
        targets = frozenset(one.name for one in loaded.config.targets)
        forget((*self._runs.of_targets, *self._requests.of_targets), self._targets - targets)
        for name in sorted(targets):
            self._runs.begin(name)
        self._targets = targets
        self._state.loaded = loaded
        self._config.tell(good=True)

    def config_refused(self) -> None:
        """A configuration that was read again cannot be used; the old one stays in force."""
        self._config.tell(good=False)

    def run(self, target: str) -> AbstractContextManager[Seen]:
        """Count and time one run over a target, or over FEED.

        Its outcome is to be handed through what this gives. A run that raises, or hands no
        outcome through, counts as abandoned.
        """
        return self._runs.run(target)

    def meter(self, name: str) -> Meter:
        """What counts the HTTP requests for a target, or to FEED."""
        return self._requests.meter(name)

    def render(self) -> bytes:
        """All figures in Prometheus' text format, with the state as it is now."""
        return generate_latest(self._registry)
