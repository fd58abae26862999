"""Opening the state for one request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from exosync.assembly import range_rules
from exosync.store import Store
from exosync.views import Shelf, Source
from exosync.web.port import Service


class Reader:
    """Hands out sources. A store belongs to one thread, so each request opens its own."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._shelf = Shelf()

    @contextmanager
    def source(self) -> Iterator[Source]:
        """The state and the configuration in force, for one request. Raises StoreError."""
        loaded = self._service.loaded()
        config = loaded.config
        with Store.open(config.state, base=loaded.base) as store:
            yield Source(store, config, range_rules(config), self._service.now(), self._shelf)
