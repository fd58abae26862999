"""The conversation with API 2.0: a token, questions that are asked again, writes that are not.

A token is fetched when it is first needed, is shared by all that the target does, and is
renewed a minute before its life ends, or once when Mimecast says that it is over. A read is
asked again after status 429, 5xx or no answer, until the deadline. A write is sent once: only
where Mimecast says that it was not carried out (a token that is over, status 429:
integrations.mimecast.com) it is sent again.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from exosync.core.meter import Meter, unmetered
from exosync.errors import TargetDenied, TargetError, TargetUnreachable
from exosync_adapters.mask import Mask
from exosync_adapters.mimecast.faults import (
    Fault,
    MissingError,
    Needs,
    RejectedError,
    Trouble,
    UnansweredError,
    forbidden,
    judge,
)

if TYPE_CHECKING:
    from exosync_adapters.wire import Reply, Wire

TOKEN_PATH = "/oauth/token"  # noqa: S105  (a path)

_EARLY = 60.0
_LIFE = 1799.0
"""Seconds that a token lives where the answer does not say (captivatortechnologies/veltrix-apps)."""

_Asked = tuple[str, str, Mapping[str, str] | None]
"""The method, the path and the query of a request."""

_LEAST_PAUSE, _FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0, 30.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an application proves itself with."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Token:
    text: str = field(repr=False)
    until: float


class Patience:
    """How long one question is asked again. Pauses count as long as they were asked for.

    A pause that Mimecast asks for is kept to, but if it did not help, the next is not shorter:
    a wait of nothing, asked for again and again, must not make a flood of requests.
    """

    def __init__(
        self, seconds: float, pause: Callable[[float], None], clock: Callable[[], float]
    ) -> None:
        self._seconds, self._pause, self._clock = seconds, pause, clock
        self._started, self._paused = clock(), 0.0
        self._next, self._least = _FIRST_PAUSE, _LEAST_PAUSE

    def wait(self, asked: float | None) -> bool:
        """Pause as long as was asked for, or ever longer; false if there is no time for it."""
        seconds = self._next if asked is None else max(asked, self._least)
        spent = max(self._paused, self._clock() - self._started)
        if spent + seconds > self._seconds:
            return False
        self._pause(seconds)
        self._paused += seconds
        self._next = min(self._next * 2, _LONGEST_PAUSE)
        self._least = min(self._least * 2, _LONGEST_PAUSE)
        return True


class Client:
    """One application at one host."""

    def __init__(
        self,
        url: str,
        credentials: Callable[[], Credentials],
        *,
        timeout: float,
        deadline: float,
        pause: Callable[[float], None],
        clock: Callable[[], float] = time.monotonic,
        meter: Meter = unmetered,
    ) -> None:
        self.url = url
        self.clock_off: float | None = None
        self._credentials = credentials
        self._timeout, self._deadline = timeout, deadline
        self._pause, self._clock, self._meter = pause, clock, meter
        self._token: _Token | None = None
        self._wire: Wire | None = None
        self._mask = Mask()

    def read(self, path: str, query: Mapping[str, str] | None = None, *, needs: Needs) -> Any:
        """The JSON of a GET; `needs` is told where that is missing.

        Raises TargetDenied, TargetUnreachable, MissingError, RejectedError or TargetError.
        """
        return self._authorised(("GET", path, query), None, needs)

    def write(self, method: str, path: str, body: Mapping[str, Any] | None, *, needs: Needs) -> Any:
        """The JSON that a POST, PATCH or DELETE is answered with, None where there is none.

        Raises UnansweredError where it may have been carried out, TargetUnreachable where it
        was not, and what `read` raises.
        """
        return self._authorised((method, path, None), body, needs)

    def called(self, method: str, path: str) -> str:
        """A call as messages name it, with the host."""
        return f"{urlsplit(self.url).hostname}: {method} {path}"

    def authorise(self) -> None:
        """Fetch a token if there is none that lives. Raises TargetDenied, TargetUnreachable."""
        self._bearer(self._patience())

    def _authorised(self, asked: _Asked, body: Mapping[str, Any] | None, needs: Needs) -> Any:
        data = None if body is None else json.dumps(body).encode()
        patience, renewed = self._patience(), False
        what = self.called(asked[0], asked[1])
        while True:
            headers = {"Accept": "application/json", "Authorization": self._bearer(patience)}
            if data is not None:
                headers["Content-Type"] = "application/json"
            value, fault = self._once(what, patience, asked, headers, data)
            if fault is None:
                return value
            if fault.trouble is Trouble.EXPIRED and not renewed:
                renewed, self._token = True, None
                continue
            raise self._error(what, fault, value, needs)

    def _once(
        self,
        what: str,
        patience: Patience,
        asked: _Asked,
        headers: Mapping[str, str],
        data: bytes | None,
        *,
        harmless: bool = False,
    ) -> tuple[Any, Fault | None]:
        """Send until there is an answer that waiting does not change. `harmless`: writes nothing."""
        from exosync_adapters.wire import NoAnswerError

        method, path, query = asked
        reads = harmless or method == "GET"
        while True:
            try:
                reply = self._connection().ask(
                    method, path, headers=headers, query=query, data=data
                )
            except NoAnswerError as error:
                told = self._mask.clean(f"{what}: {error}")
                if error.sent and not reads:
                    raise UnansweredError(told) from None
                if error.hopeless or not reads or not patience.wait(None):
                    raise TargetUnreachable(told) from None
                continue
            value, fault = judge(reply.status, reply.headers, reply.body)
            self._look_at_clock(reply)
            if fault is None or not self._again(what, fault, patience, reads=reads):
                return value, fault

    def _again(self, what: str, fault: Fault, patience: Patience, *, reads: bool) -> bool:
        """Whether to ask again, after a pause. Raises where waiting would help and time is over."""
        if fault.trouble is Trouble.THROTTLED:
            if patience.wait(fault.wait):
                return True
            asked = "" if fault.wait is None else f", for {fault.wait:g} s more"
            told = f"{what}: Mimecast asks to be left alone{asked} (its rate limit): {fault.told}"
            raise TargetUnreachable(self._mask.clean(told))
        if fault.trouble is not Trouble.BROKEN:
            return False
        told = self._mask.clean(f"{what}: Mimecast fails: {fault.told}")
        if not reads:
            raise UnansweredError(told)
        if not patience.wait(None):
            raise TargetUnreachable(told)
        return True

    def _error(self, what: str, fault: Fault, value: Any, needs: Needs) -> TargetError:
        told = self._mask.clean(f"{what}: {fault.told}")
        match fault.trouble:
            case Trouble.EXPIRED:
                return TargetDenied(f"{told}; a new token did not help")
            case Trouble.DENIED:
                return TargetDenied(f"{told}; {forbidden(needs)}")
            case Trouble.MISSING:
                return MissingError(told, fault=fault, answer=value)
        return RejectedError(told, fault=fault, answer=value)

    def _bearer(self, patience: Patience) -> str:
        if self._token is None or self._clock() >= self._token.until:
            self._token = self._fetch_token(patience)
        return f"Bearer {self._token.text}"

    def _fetch_token(self, patience: Patience) -> _Token:
        """A new token (form of RFC 6749, section 4.4.2; the scraped developer portal)."""
        proof = self._credentials()
        self._mask.add(proof.client_id, proof.client_secret)
        form = {
            "client_id": proof.client_id,
            "client_secret": proof.client_secret,
            "grant_type": "client_credentials",
        }
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        what = self.called("POST", TOKEN_PATH)
        asked: _Asked = ("POST", TOKEN_PATH, None)
        value, fault = self._once(
            what, patience, asked, headers, urlencode(form).encode(), harmless=True
        )
        if fault is not None:
            raise TargetDenied(
                self._mask.clean(
                    f"{what}: Mimecast gives no token: {fault.told}; see whether client_id and "
                    "client_secret are those of an application of API 2.0 that is enabled"
                )
            )
        text = value.get("access_token") if isinstance(value, dict) else None
        if not isinstance(text, str) or not re.fullmatch(r"[\x21-\x7e]+", text):
            raise TargetError(f"{what}: the answer holds no access_token that can be sent back")
        self._mask.add(text)
        life = _seconds(value.get("expires_in"))
        return _Token(text, self._clock() + max(life - _EARLY, life / 2))

    def _look_at_clock(self, reply: Reply) -> None:
        try:
            theirs = parsedate_to_datetime(reply.headers["date"])
        except (KeyError, ValueError, OverflowError):
            return
        if theirs.tzinfo is not None:
            self.clock_off = (theirs - datetime.now(UTC)).total_seconds()

    def _connection(self) -> Wire:
        from exosync_adapters.wire import Wire

        if self._wire is None:
            self._wire = Wire(self.url, timeout=self._timeout, meter=self._meter)
        return self._wire

    def _patience(self) -> Patience:
        return Patience(self._deadline, self._pause, self._clock)


def _seconds(value: object) -> float:
    """A life in seconds, as a number or as text."""
    try:
        life = float(value) if isinstance(value, (int, float, str)) else _LIFE
    except ValueError:
        return _LIFE
    return life if 0 < life < 1e6 else _LIFE
