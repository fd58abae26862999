"""One HTTP request, bounded in time and size. This alone touches the network, by requests.

The timeouts of sockets count from one received byte to the next, so that a server that drips
its answer would never meet them. The overall time is kept by a watchdog, which cuts the
connection when it is over, whatever is being waited for.
"""

from __future__ import annotations

import http.client
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from threading import Lock, Timer
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError

from exosync.core.answers import rejected
from exosync.core.units import size_text
from exosync.core.urls import is_loopback_url
from exosync.feed.faults import OverdueError, feed_error
from exosync.feed.verdicts import Answer, Way

CAUGHT = (OSError, HTTPError, http.client.HTTPException, ValueError)
"""All that requests and what lies below it may raise: RequestException is an OSError."""

_CHUNK = 16 * 1024
_START = 2 * 1024


def get(url: str, params: Mapping[str, str], way: Way, *, seconds: float) -> Answer:
    """Ask once, following no redirect; the whole answer must be there within `seconds`.

    Raises FeedRejected (rule too_large) and what `exosync.feed.faults.feed_error` gives.
    """
    try:
        with Watchdog(seconds) as watchdog, _session(url, way, watchdog) as session:
            # Only what is connected already can be cut.
            timeout = (max(min(way.connect_timeout, seconds), 0.001), way.read_timeout)
            try:
                return _asked(session, url, params, way, timeout)
            finally:
                # A cut connection can look like the end of an answer, so this comes first.
                if watchdog.fired:
                    raise OverdueError
    except CAUGHT as error:
        raise feed_error(error, url, way) from error


class Watchdog:
    """Cuts the connections that it watches once the time is over."""

    def __init__(self, seconds: float) -> None:
        self.fired = False
        self._sockets: list[Any] = []
        self._lock = Lock()
        self._timer = Timer(max(seconds, 0), self._cut_all)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()

    def watch(self, connection: Any) -> None:
        """Cut this socket when the time is over, at once if it is over already."""
        with self._lock:
            self._sockets.append(connection)
            if self.fired:
                _cut(connection)

    def _cut_all(self) -> None:
        with self._lock:
            self.fired = True
            for connection in self._sockets:
                _cut(connection)


class _WatchedAdapter(HTTPAdapter):
    """An adapter that shows every connection it makes to a watchdog."""

    def __init__(self, watchdog: Watchdog) -> None:
        self._watchdog = watchdog
        super().__init__()

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        watch, base = self._watchdog.watch, pool.ConnectionCls

        class Watched(base):  # type: ignore[misc, valid-type]  # plain or TLS, as the pool has it
            def connect(self) -> None:
                super().connect()
                watch(self.sock)

        pool.ConnectionCls = Watched
        return pool


def _session(url: str, way: Way, watchdog: Watchdog) -> requests.Session:
    session = requests.Session()
    # Left to itself requests would also send the credentials of a .netrc file.
    session.trust_env = False
    session.proxies.update(_proxies(url, way.proxy))
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    session.verify = str(way.ca_bundle) if way.ca_bundle else bundle or True
    session.headers.update(
        {"User-Agent": way.user_agent, "Accept": "application/json", "Accept-Encoding": "gzip"}
    )
    for scheme in ("https://", "http://"):
        session.mount(scheme, _WatchedAdapter(watchdog))
    return session


def _proxies(url: str, proxy: str | None) -> dict[str, str]:
    if proxy:
        return {"http": proxy, "https": proxy}
    return {} if is_loopback_url(url) else get_environ_proxies(url)


def _asked(
    session: requests.Session,
    url: str,
    params: Mapping[str, str],
    way: Way,
    timeout: tuple[float, float],
) -> Answer:
    with session.get(
        url, params=params, timeout=timeout, stream=True, allow_redirects=False
    ) as response:
        headers = {name.lower(): value for name, value in response.headers.items()}
        good = response.status_code == 200
        body = _whole(response, url, way.max_bytes) if good else _start(response)
        return Answer(response.status_code, headers, body)


def _whole(response: requests.Response, url: str, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in response.iter_content(_CHUNK):
        size += len(part)
        if size > most:
            what = f"the answer is larger than {size_text(most)} (feed.max_size)"
            raise rejected("too_large", url, what)
        parts.append(part)
    return b"".join(parts)


def _start(response: requests.Response) -> bytes:
    """The start of a body that is only told to a person; its loss is no further error."""
    with suppress(*CAUGHT):
        return next(response.iter_content(_START), b"")
    return b""


def _cut(connection: Any) -> None:
    # TLS through a TLS proxy has its socket inside. The base class's method, since that of
    # a TLS socket would take the cipher away from the thread that is reading.
    raw = getattr(connection, "socket", connection)
    with suppress(OSError):
        socket.socket.shutdown(raw, socket.SHUT_RDWR)
