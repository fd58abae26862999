"""One HTTP request, bounded in time and size. This alone touches the network, by requests.

The timeouts of sockets count from one received byte to the next; the overall time is kept by
a timer that cuts the connections when it is over, whatever is being waited for.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock, Timer
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectTimeout, ContentDecodingError, ProxyError
from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError, NewConnectionError

from exosync.core.causes import causes
from exosync.core.meter import Meter, metered, unmetered
from exosync.core.urls import is_loopback_url, masked_url
from exosync.core.words import one_line, short

MOST_BYTES = 32 * 1024 * 1024
"""The largest answer that is read: far above a page of a hundred policies."""

_CAUGHT = (OSError, HTTPError, http.client.HTTPException, ValueError)
_CHUNK = 64 * 1024
_CONNECT = 10.0


class NoAnswerError(Exception):
    """There is no whole answer.

    `sent`: the request may have arrived all the same. `hopeless`: asking again will not help.
    """

    def __init__(self, message: str, *, sent: bool, hopeless: bool = False) -> None:
        super().__init__(message)
        self.sent = sent
        self.hopeless = hopeless


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its status, its headers by names in lower case, and its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire:
    """The connections to one host. `timeout` is for one whole answer, in seconds."""

    def __init__(self, base: str, *, timeout: float, meter: Meter = unmetered) -> None:
        self._base = base
        self._timeout = timeout
        self._meter = meter
        self._sockets = _Sockets()
        self._session = _session(base, self._sockets)

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None = None,
        data: bytes | None = None,
    ) -> Reply:
        """Ask once, following no redirect. Raises NoAnswerError."""
        with metered(self._meter, time.monotonic) as answered:
            reply = self._in_time(method, path, headers, query, data)
            answered.status = reply.status
        return reply

    def _in_time(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None,
        data: bytes | None,
    ) -> Reply:
        timer = Timer(self._timeout, self._sockets.cut)
        timer.daemon = True
        self._sockets.start()
        timer.start()
        try:
            try:
                return self._asked(method, path, headers, query, data)
            finally:
                timer.cancel()
                timer.join()
                # A cut connection can look like the end of an answer.
                if self._sockets.was_cut:
                    raise TimeoutError
        except _CAUGHT as error:
            raise self._no_answer(error) from error

    def _asked(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None,
        data: bytes | None,
    ) -> Reply:
        with self._session.request(
            method,
            self._base + path,
            params=query,
            data=data,
            headers=headers,
            # A second more than the timer's, so that it is always the timer that ends a wait.
            timeout=(min(_CONNECT, self._timeout), self._timeout + 1),
            stream=True,
            allow_redirects=False,
        ) as response:
            told = {name.lower(): value for name, value in response.headers.items()}
            return Reply(response.status_code, told, _whole(response))

    def _no_answer(self, error: Exception) -> NoAnswerError:
        host = urlsplit(self._base).hostname or self._base
        chain = causes(error)
        if self._sockets.was_cut:
            return NoAnswerError(f"{host} gave no whole answer in {self._timeout:g} s", sent=True)
        last = chain[-1]
        reason = getattr(last, "strerror", None) or str(last) or type(last).__name__
        told = masked_url(one_line(short(str(reason), 200)))
        if any(isinstance(one, ssl.SSLCertVerificationError) for one in chain):
            remedy = "name the CA certificates of a proxy that looks into TLS in REQUESTS_CA_BUNDLE"
            return NoAnswerError(
                f"{host} cannot be trusted: {told}; {remedy}", sent=False, hopeless=True
            )
        if any(isinstance(one, (ConnectTimeout, NewConnectionError, ProxyError)) for one in chain):
            return NoAnswerError(f"{host} cannot be reached: {told}", sent=False)
        return NoAnswerError(f"{host} gave no whole answer: {told}", sent=True)


class _Sockets:
    """Every connection of a session, so that all can be cut."""

    def __init__(self) -> None:
        self.was_cut = False
        self._found: list[Any] = []
        self._lock = Lock()

    def start(self) -> None:
        """Another request begins."""
        with self._lock:
            self.was_cut = False
            self._found = [one for one in self._found if _is_open(one)]

    def add(self, connection: Any) -> None:
        """A connection was made; it is cut at once if the time is over already."""
        with self._lock:
            self._found.append(connection)
            if self.was_cut:
                _cut(connection)

    def cut(self) -> None:
        """The time is over."""
        with self._lock:
            self.was_cut = True
            for one in self._found:
                _cut(one)


class _WatchedAdapter(HTTPAdapter):
    """An adapter that shows every connection it makes."""

    def __init__(self, sockets: _Sockets) -> None:
        self._shown = sockets
        super().__init__()

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        base = pool.ConnectionCls
        if not hasattr(base, "shown_to"):
            shown = self._shown

            class Watched(base):  # type: ignore[misc, valid-type]  # plain or TLS, as it is
                shown_to = shown

                def connect(self) -> None:
                    super().connect()
                    shown.add(self.sock)

            pool.ConnectionCls = Watched
        return pool


def _session(base: str, sockets: _Sockets) -> requests.Session:
    session = requests.Session()
    # Left to itself requests would also send the credentials of a .netrc file.
    session.trust_env = False
    session.proxies.update({} if is_loopback_url(base) else get_environ_proxies(base))
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    session.verify = bundle or True
    session.headers.update({"User-Agent": "exosync", "Accept-Encoding": "gzip"})
    for scheme in ("https://", "http://"):
        session.mount(scheme, _WatchedAdapter(sockets))
    return session


def _whole(response: requests.Response) -> bytes:
    try:
        return _decoded(response)
    except ContentDecodingError:
        # Exchange Online declares a refusal of nothing but NUL bytes to be gzip. The status says
        # what it is. A part of any other answer must not be taken for the whole.
        if response.status_code < 400:
            raise
        return b""


def _decoded(response: requests.Response) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in response.iter_content(_CHUNK):
        size += len(part)
        if size > MOST_BYTES:
            raise ValueError(f"the answer is larger than {MOST_BYTES // 1024**2} MiB")
        parts.append(part)
    return b"".join(parts)


def _is_open(connection: Any) -> bool:
    try:
        return bool(connection.fileno() >= 0)
    except (OSError, AttributeError):
        return False


def _cut(connection: Any) -> None:
    # TLS through a TLS proxy has its socket inside. The base class's method, since that of a TLS
    # socket would take the cipher away from the thread that is reading.
    raw = getattr(connection, "socket", connection)
    if isinstance(raw, socket.socket):
        with suppress(OSError):
            socket.socket.shutdown(raw, socket.SHUT_RDWR)
