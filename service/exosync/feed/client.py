"""The client: which questions are asked, how often they are tried, and what an answer means.

Microsoft Learn, "Microsoft 365 IP Address and URL web service", has the contract: GET alone,
a `ClientRequestId` in every request (one GUID a machine, kept), 429 to whom asks too often.
No service area is asked for: the whole answer is some 60 kB, and the sets of the others are
what tells an address of client access from one of mail. Nothing here decides what is
adopted, and nothing ever sleeps out a wait that the service asks for.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from uuid import UUID

from exosync import __version__
from exosync.core.answers import is_version, refuse_html, shown
from exosync.core.endpoints import instance_name, parse_version
from exosync.core.meter import Meter, metered, unmetered
from exosync.core.urls import check_http_url
from exosync.errors import ConfigError, FeedUnreachable, UsageError
from exosync.feed.verdicts import TryAgainError, Way, backoff, refusal


class FeedClient:
    """Asks the web service. Times are in seconds, sizes in bytes (decompressed).

    Every question may take `deadline` in all, its `attempts` included; `pause` waits between
    them. `proxy` and `ca_bundle` come before what the environment says (HTTPS_PROXY,
    NO_PROXY, REQUESTS_CA_BUNDLE); a service on loopback is never asked through a proxy of
    the environment. `requests_made` counts the requests that were sent or tried; `meter` is told
    of each.

    Every method raises FeedUnreachable, FeedThrottled or FeedRejected; the constructor
    raises ConfigError.
    """

    def __init__(  # noqa: PLR0913  one for each setting of feed, told apart by name
        self,
        *,
        base_url: str,
        client_id: str,
        pause: Callable[[float], None],
        clock: Callable[[], datetime],
        connect_timeout: float = 10,
        read_timeout: float = 30,
        deadline: float = 120,
        attempts: int = 3,
        max_bytes: int = 8 * 1024**2,
        proxy: str | None = None,
        ca_bundle: Path | None = None,
        user_agent: str = f"exosync/{__version__}",
        monotonic: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
        meter: Meter = unmetered,
    ) -> None:
        self.requests_made = 0
        self._base_url = _checked_url(base_url)
        self._params = {"ClientRequestId": _checked_guid(client_id)}
        self._deadline = _positive("feed.deadline", deadline)
        self._attempts = attempts
        self._way = Way(
            connect_timeout=_positive("feed.connect_timeout", connect_timeout),
            read_timeout=_positive("feed.read_timeout", read_timeout),
            max_bytes=max_bytes,
            proxy=proxy,
            ca_bundle=ca_bundle,
            user_agent=user_agent,
        )
        self._pause = pause
        self._clock = clock
        self._monotonic = monotonic
        self._chance = chance
        self._meter = meter

    def version(self, instance: str) -> str:
        """The newest version of an instance. To be asked once an hour at most."""
        name = instance_name(instance)
        return parse_version(self._get(f"/version/{name}"), instance=name)

    def endpoints(self, instance: str) -> bytes:
        """The full answer of the newest version of an instance, unread."""
        return self._get(f"/endpoints/{instance_name(instance)}")

    def changes(self, instance: str, version: str) -> bytes:
        """What Microsoft says it changed after a version, unread; 0000000000 asks for all.

        Raises UsageError if the version is not ten digits.
        """
        if not is_version(version):
            message = f"{shown(version)} is no version: it has ten digits, like 2024073100"
            raise UsageError(message)
        return self._get(f"/changes/{instance_name(instance)}/{version}")

    def _get(self, path: str) -> bytes:
        """The body of a good answer; tried again while that may help and there is time."""
        url = self._base_url + path
        end = self._monotonic() + self._deadline
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._exchange(url, end - self._monotonic())
            except TryAgainError as error:
                wait = backoff(attempt, self._chance())
                if attempt >= self._attempts or self._monotonic() + wait >= end:
                    raise FeedUnreachable(f"{error} (tried {_times(attempt)})") from error
                self._pause(wait)

    def _exchange(self, url: str, seconds: float) -> bytes:
        # Here, since requests alone takes longer to import than `exosync --help` may take.
        from exosync.feed.transport import get

        self.requests_made += 1
        with metered(self._meter, time.monotonic) as answered:
            answer = get(url, self._params, self._way, seconds=seconds)
            answered.status = answer.status
        if answer.status != 200:
            raise refusal(answer, url, self._clock())
        refuse_html(answer.body, url)
        return answer.body


def _checked_url(text: str) -> str:
    try:
        return check_http_url(text).rstrip("/")
    except ValueError as error:
        raise ConfigError(f"feed.url: {error}") from None


def _checked_guid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        message = f"the client id {shown(text)} is no GUID, which the service demands"
        raise ConfigError(message) from None


def _positive(setting: str, seconds: float) -> float:
    if seconds <= 0:
        raise ConfigError(f"{setting}: must be more than 0")
    return seconds


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
