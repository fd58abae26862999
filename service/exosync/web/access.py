"""Who may read: everybody where no token is set, else whoever shows it or a session."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from http.cookies import CookieError, SimpleCookie

from exosync.errors import ConfigError
from exosync.web.bearer import Token
from exosync.web.port import Service
from exosync.web.session import COOKIE, is_session, is_token, new_session
from exosync.web.tries import Tries


class Standing(Enum):
    """What a request has shown."""

    TRUSTED = auto()
    STRANGER = auto()
    WRONG = auto()
    TOO_OFTEN = auto()
    UNREADABLE = auto()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a request has shown; `wait` is for how many seconds a further try is refused.

    `session` is set for who has just shown the token on the sign-in page, `by_session` for who
    came with one.
    """

    standing: Standing
    wait: int = 0
    session: str = ""
    by_session: bool = False

    @property
    def trusted(self) -> bool:
        """Whether it may read."""
        return self.standing is Standing.TRUSTED


class Access:
    """Tells who may read. Wrong tries count by the place that they come from."""

    def __init__(
        self, service: Service, environ: Mapping[str, str], clock: Callable[[], float]
    ) -> None:
        self._service = service
        self._token = Token(environ, clock)
        self._tries = Tries(clock)

    def judge(self, headers: Mapping[str, str], place: str) -> Verdict:
        """What the headers of a request show."""
        try:
            token = self._token.read(self._service.loaded())
        except ConfigError:
            return Verdict(Standing.UNREADABLE)
        if token is None:
            return Verdict(Standing.TRUSTED)
        session = _cookie(headers.get("cookie", ""))
        if session and is_session(session, token, now=self._service.now()):
            return Verdict(Standing.TRUSTED, by_session=True)
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return Verdict(Standing.STRANGER)
        return self._try(given.strip(), token, place)

    def sign_in(self, given: str, place: str) -> Verdict:
        """What a token typed on the sign-in page opens: a session, if it is right."""
        try:
            token = self._token.read(self._service.loaded())
        except ConfigError:
            return Verdict(Standing.UNREADABLE)
        if token is None:
            return Verdict(Standing.TRUSTED)
        verdict = self._try(given.strip(), token, place)
        if not verdict.trusted:
            return verdict
        made = new_session(token, now=self._service.now(), nonce=secrets.token_hex(16))
        return Verdict(Standing.TRUSTED, session=made)

    def _try(self, given: str, token: str, place: str) -> Verdict:
        wait = self._tries.wait(place)
        if wait:
            # A right one is not let pass either: trying on would still tell which it is.
            return Verdict(Standing.TOO_OFTEN, wait=wait)
        if is_token(given, token.strip()):
            self._tries.right(place)
            return Verdict(Standing.TRUSTED)
        self._tries.wrong(place)
        return Verdict(Standing.WRONG)


def _cookie(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""
