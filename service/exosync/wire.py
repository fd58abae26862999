"""HTTP connections that a watchdog can cut, whatever is being waited for."""

from __future__ import annotations

import http.client
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from exosync.watchdog import Watchdog

CAUGHT = (OSError, HTTPError, http.client.HTTPException, ValueError)
"""All that requests and what lies below it may raise: RequestException is an OSError."""


class WatchedAdapter(HTTPAdapter):
    """An adapter that shows every connection it makes to a watchdog."""

    def __init__(self, watchdog: Watchdog) -> None:
        self._watchdog = watchdog
        super().__init__()

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """The pool, whose connections tell of themselves."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        watch, base = self._watchdog.watch, pool.ConnectionCls

        class Watched(base):  # type: ignore[misc, valid-type]  # plain or TLS, as the pool has it
            def connect(self) -> None:
                super().connect()
                watch(self.sock)

        pool.ConnectionCls = Watched
        return pool
