"""One HTTP request, bounded in time and size. This alone touches the network, by requests."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress

import requests
from requests.utils import get_environ_proxies

from exosync.core.answers import rejected
from exosync.core.units import size_text
from exosync.core.urls import is_loopback_url
from exosync.feed.faults import OverdueError, feed_error
from exosync.feed.verdicts import Answer, Way
from exosync.watchdog import Watchdog
from exosync.wire import CAUGHT, WatchedAdapter

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
        session.mount(scheme, WatchedAdapter(watchdog))
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
