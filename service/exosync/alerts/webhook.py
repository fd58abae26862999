"""A channel by a signed POST of JSON, bounded in time; this alone of the alerts uses requests."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from exosync import __version__
from exosync.alerts.channel import Message, failed
from exosync.alerts.signing import headers
from exosync.core.causes import causes
from exosync.core.target import Check
from exosync.core.urls import check_http_url, is_loopback_url, masked_url
from exosync.core.words import one_line, short
from exosync.errors import AlertError, ConfigError, ExosyncError
from exosync.secrets import redact

if TYPE_CHECKING:
    import requests

    from exosync.watchdog import Watchdog

AGENT = f"exosync/{__version__}"
PASSING = (408, 425, 429)
"""The client errors (RFC 9110, RFC 8470, RFC 6585) after which the same may be sent again."""

LONGEST_WAIT = timedelta(hours=24)
SOON = 14
_MOST_READ = 2 * 1024


@dataclass(frozen=True, slots=True)
class WebhookChannel:
    """One receiver. `url` and `secret` read what they name; times are in seconds."""

    url: Callable[[], str]
    secret: Callable[[], str]
    seconds: float
    clock: Callable[[], datetime]
    ca_bundle: Path | None = None
    proxy: str | None = None

    def send(self, message: Message) -> None:
        """Send the published object; any answer of 2xx is enough. Raises AlertError."""
        url = self._address()
        payload = json.dumps(message.alert, separators=(",", ":")).encode()
        timestamp = int(self.clock().timestamp())
        signed = headers(self.secret(), key=message.key, timestamp=timestamp, payload=payload)
        content = {"Content-Type": "application/json; charset=utf-8", "User-Agent": AGENT}
        status, told, words = self._posted(url, payload, {**content, **signed})
        if not 200 <= status < 300:
            raise _refusal(status, told, words, _host(url), self.clock())

    def check(self) -> Iterator[Check]:
        """Look the receiver up and open a connection to it; nothing is sent."""
        from exosync.wire import CAUGHT

        try:
            url = self._address()
            self.secret()
        except ExosyncError as error:
            yield failed("receiver", error)
            return
        try:
            yield _connected(urlsplit(url), self._proxy(url), self.seconds, self.ca_bundle)
        except CAUGHT as error:
            yield failed("receiver", self._fault(error, url, overdue=False))

    def _address(self) -> str:
        """Raises ConfigError if what stands in its file is no such address."""
        try:
            return check_http_url(self.url().strip())
        except ValueError as error:
            raise ConfigError(f"the address of the webhook cannot be used: {error}") from None

    def _posted(
        self, url: str, payload: bytes, extra: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], str]:
        from exosync.watchdog import Watchdog
        from exosync.wire import CAUGHT

        fired = False
        try:
            with Watchdog(self.seconds) as watchdog, self._session(url, watchdog) as session:
                try:
                    answer = _answer(session, url, payload, extra, self.seconds)
                finally:
                    fired = watchdog.fired
                if fired:
                    # A cut connection can look like the end of an answer.
                    raise TimeoutError
                return answer
        except CAUGHT as error:
            raise self._fault(error, url, overdue=fired) from error

    def _session(self, url: str, watchdog: Watchdog) -> requests.Session:
        import requests

        from exosync.wire import WatchedAdapter

        session = requests.Session()
        # Left to itself requests would also send the credentials of a .netrc file.
        session.trust_env = False
        proxy = self._proxy(url)
        if proxy:
            session.proxies.update({"http": proxy, "https": proxy})
        bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
        session.verify = str(self.ca_bundle) if self.ca_bundle else bundle or True
        for scheme in ("https://", "http://"):
            session.mount(scheme, WatchedAdapter(watchdog))
        return session

    def _proxy(self, url: str) -> str | None:
        from requests.utils import get_environ_proxies

        if self.proxy or is_loopback_url(url):
            return self.proxy
        found = get_environ_proxies(url)
        return found.get(urlsplit(url).scheme) or found.get("all")

    def _fault(self, error: Exception, url: str, *, overdue: bool) -> AlertError:
        host = _host(url)
        if overdue or any(isinstance(one, TimeoutError) for one in causes(error)):
            return AlertError(f"{host} gave no answer within {self.seconds:g} s")
        cause = causes(error)[-1]
        text = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
        # The way within the host may be a secret, and libraries tell it.
        way = url.removeprefix(host)
        hidden = str(text).replace(way, "/…") if len(way) > 1 else str(text)
        reason = short(one_line(redact(masked_url(hidden))), 200)
        if any(isinstance(one, ssl.SSLCertVerificationError) for one in causes(error)):
            return AlertError(f"{host} cannot be trusted: {reason}")
        return AlertError(f"{host} cannot be reached: {reason}")


def _answer(
    session: requests.Session, url: str, payload: bytes, extra: Mapping[str, str], seconds: float
) -> tuple[int, Mapping[str, str], str]:
    """The status, the headers and the beginning of the text of what comes back."""
    from exosync.wire import CAUGHT

    with session.post(
        url, data=payload, headers=extra, timeout=seconds, stream=True, allow_redirects=False
    ) as response:
        words = b""
        if not response.ok:
            with suppress(*CAUGHT):
                words = next(response.iter_content(_MOST_READ), b"")
        told = {name.lower(): value for name, value in response.headers.items()}
        return response.status_code, told, words.decode("utf-8", "replace")


def _refusal(
    status: int, told: Mapping[str, str], words: str, host: str, now: datetime
) -> AlertError:
    if 300 <= status < 400:
        return AlertError(f"{host} answers {status}: redirects are not followed", permanent=True)
    said = short(one_line(redact(" ".join(words.split()))), 200)
    permanent = status < 500 and status not in PASSING
    name = http.client.responses.get(status, "")
    message = ": ".join(filter(None, (f"{host} answers {status} {name}".strip(), said)))
    return AlertError(
        message, permanent=permanent, retry_after=retry_after(told.get("retry-after", ""), now)
    )


def retry_after(text: str, now: datetime) -> timedelta | None:
    """How long a Retry-After header (RFC 9110 section 10.2.3) asks to wait, a day at most."""
    plain = text.strip()
    if plain.isascii() and plain.isdecimal():
        return min(timedelta(seconds=int(plain[:9])), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(plain)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(moment - now, timedelta(0)), LONGEST_WAIT)


def _host(url: str) -> str:
    """The address without its way, which is a secret with some services."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _connected(
    parts: SplitResult, proxy: str | None, seconds: float, ca_bundle: Path | None
) -> Check:
    """Open a connection as a message would: through the proxy, and with TLS if it has it."""
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    context = ssl.create_default_context(cafile=str(ca_bundle) if ca_bundle else None)
    through = f" through the proxy {masked_url(proxy)}" if proxy else ""
    told = f"{_host(parts.geturl())} can be reached{through}"
    if parts.scheme == "http" or (proxy and "@" in proxy):
        where = urlsplit(proxy) if proxy else parts
        address = (where.hostname or host, where.port or port)
        socket.create_connection(address, timeout=seconds).close()
        return Check("receiver", ok=True, message=told)
    connection = _tunnel(host, port, proxy, seconds, context)
    try:
        connection.connect()
        return _certificate(connection.sock, told)
    finally:
        connection.close()


def _tunnel(
    host: str, port: int, proxy: str | None, seconds: float, context: ssl.SSLContext
) -> http.client.HTTPSConnection:
    if not proxy:
        return http.client.HTTPSConnection(host, port, timeout=seconds, context=context)
    way = urlsplit(proxy)
    connection = http.client.HTTPSConnection(
        way.hostname or "", way.port or 3128, timeout=seconds, context=context
    )
    connection.set_tunnel(host, port)
    return connection


def _certificate(secured: Any, told: str) -> Check:
    ends = str((secured.getpeercert() or {}).get("notAfter", ""))
    days = int((ssl.cert_time_to_seconds(ends) - datetime.now(UTC).timestamp()) // 86400)
    remedy = "its owner should renew it in time" if days < SOON else ""
    message = f"{told}; its certificate ends in {days} days"
    return Check("receiver", ok=None if days < SOON else True, message=message, remedy=remedy)
