"""What an HTTP answer means, and how long to wait. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from exosync.core.answers import one_line, rejected, shown
from exosync.core.urls import masked_url
from exosync.errors import FeedError, FeedThrottled, FeedUnreachable

HOUR = timedelta(hours=1)
LONGEST_WAIT = timedelta(hours=24)
"""However much later the service asks to be asked again, after a day it is asked."""

_FIRST_WAIT = 1.0
_LONGEST_BACKOFF = 20.0


class TryAgainError(FeedUnreachable):
    """No answer this time; the next attempt may go better."""


@dataclass(frozen=True, slots=True)
class Way:
    """How the service is reached. Times in seconds; `max_bytes` counts decompressed ones."""

    connect_timeout: float
    read_timeout: float
    max_bytes: int
    proxy: str | None
    ca_bundle: Path | None
    user_agent: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; the header names are in lower case. Of a refusal only the start is read."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def refusal(answer: Answer, url: str, now: datetime) -> FeedError:
    """The error for an answer whose status is not 200. `now` is in UTC.

    429 is an hour's wait at least (Microsoft's page says so), 503 with Retry-After that
    wait; neither is tried again now. Other server errors are.
    """
    status, says = answer.status, _says(answer.body)
    wait = retry_after(answer.headers.get("retry-after", ""), now)
    if status == 429:
        return _throttled(url, status, max(HOUR, wait), now)
    if status == 503 and wait:
        return _throttled(url, status, wait, now)
    if status >= 500 or status == 408:
        return TryAgainError(f"{url} failed with status {status}{says}")
    if 300 <= status < 400:
        return _redirected(answer, url)
    rule, means = _MEANINGS.get(status, ("http_status", "this is not how the service answers"))
    return rejected(rule, url, f"status {status}{says}: {means}")


def retry_after(text: str, now: datetime) -> timedelta:
    """The wait that a Retry-After header asks for (RFC 9110 section 10.2.3), a day at most.

    Zero if there is none, it lies in the past, or it is neither seconds nor a date.
    """
    # It takes longer to import than all the rest here, and is hardly ever needed.
    from email.utils import parsedate_to_datetime

    plain = text.strip()
    if plain.isascii() and plain.isdecimal():
        # A number that is too long for an int is a long wait all the same.
        return LONGEST_WAIT if len(plain) > 9 else min(timedelta(seconds=int(plain)), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(plain)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return min(max(moment - now, timedelta()), LONGEST_WAIT)
    except (TypeError, ValueError, OverflowError):
        return timedelta()


def backoff(attempt: int, chance: float) -> float:
    """Seconds to wait after a failed attempt (from 1): doubling, half of it left to chance."""
    whole = min(_FIRST_WAIT * 2.0 ** (attempt - 1), _LONGEST_BACKOFF)
    return whole * (0.5 + chance / 2)


_MEANINGS: Mapping[int, tuple[str, str]] = {
    400: (
        "bad_request",
        "the service did not like the question; look at feed.instance and feed.url",
    ),
    401: ("denied", "the service asks for no credentials, so a proxy or firewall answered"),
    403: (
        "denied",
        "a proxy or firewall, or the service for this address, does not let us through",
    ),
    404: ("not_found", "there is no such instance or page; look at feed.instance and feed.url"),
    407: ("denied", "the proxy wants credentials; look at feed.proxy"),
}


def _throttled(url: str, status: int, wait: timedelta, now: datetime) -> FeedThrottled:
    not_before = now + min(wait, LONGEST_WAIT)
    message = (
        f"{url} answered with status {status}: it asks to be left alone "
        f"until {not_before:%Y-%m-%d %H:%M} UTC"
    )
    return FeedThrottled(message, not_before=not_before)


def _redirected(answer: Answer, url: str) -> FeedError:
    to = shown(masked_url(one_line(answer.headers.get("location", ""))))
    what = (
        f"status {answer.status} leads to {to}, and redirects are not followed: a proxy or a "
        "sign-in page stands in between, or feed.url is not the service's address"
    )
    return rejected("redirect", url, what)


def _says(body: bytes) -> str:
    text = one_line(body.decode("utf-8", "replace"))
    if not text:
        return ""
    return " (a web page)" if text.startswith("<") else f" ({shown(text)})"
