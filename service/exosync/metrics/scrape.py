"""The figures that are read from the state when Prometheus asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from prometheus_client.registry import Collector

from exosync.config import Loaded
from exosync.errors import ExosyncError
from exosync.log import get_logger
from exosync.metrics.gauges import gauges, store_up
from exosync.metrics.reading import Reader, Reading
from exosync.store import Store

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric


class StateCollector(Collector):
    """Opens the state for each scrape, since a store belongs to one thread.

    A state that cannot be read makes one figure say so, and leaves the others out.
    """

    def __init__(self, loaded: Loaded, now: Callable[[], datetime]) -> None:
        self.loaded = loaded
        self._now = now
        self._reader = Reader()

    def collect(self) -> Iterator[Metric]:
        """All gauges, as the state is now."""
        try:
            reading = self._read()
        except ExosyncError as error:
            get_logger().warning("metrics", error=str(error))
            yield store_up(up=False)
        else:
            yield store_up(up=True)
            yield from gauges(reading)

    def _read(self) -> Reading:
        loaded = self.loaded
        with Store.open(loaded.config.state, base=loaded.base) as store:
            return self._reader.read(store, loaded.config, self._now())
