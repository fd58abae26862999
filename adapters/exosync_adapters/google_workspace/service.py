"""Asking Google: a service object for each thread and scope, and our own patience.

googleapiclient's own repetition is never used: it would repeat 501 and writes, and heeds no
Retry-After (`num_retries`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from exosync.core.meter import Meter, unmetered
from exosync.errors import TargetDenied
from exosync_adapters.google_workspace import faults, libraries
from exosync_adapters.google_workspace.credentials import Identity, Reveal, identity
from exosync_adapters.google_workspace.faults import Fault
from exosync_adapters.google_workspace.http import StrangeError, TokenRequest, Transport
from exosync_adapters.google_workspace.scopes import (
    GMAIL,
    POLICIES,
    READ_AUDIT,
    READ_HEADERS,
    READ_POLICIES,
    REPORTS,
    WRITE_POLICIES,
    Api,
    Caller,
)
from exosync_adapters.google_workspace.settings import GoogleSettings

WAITS_WHEN_BUSY = (2.0, 10.0, 30.0)
"""Seconds before a further attempt when asked too often; the quota is one a minute."""

WAITS_WHEN_BROKEN = (1.0, 4.0)
"""The same after a fault of the server or of the network."""

LONGEST_WAIT = 60.0
"""Seconds beyond which it is left to the next run."""

MOST_PAGES = 1000

Ask = Callable[[Any], Any]
"""Makes one request of googleapiclient from a service object."""


class AskPage(Protocol):
    """Makes the request for one page; the first has no token."""

    def __call__(self, service: Any, /, *, page_token: str | None) -> Any:
        """The request."""
        ...


@dataclass(frozen=True, slots=True)
class Session:
    """One API with one scope, for one thread alone (httplib2 is not thread-safe)."""

    caller: Caller
    identity: Identity
    token_request: TokenRequest
    service: Any

    def sign_in(self) -> None:
        """Get a token, unless there is one that holds."""
        if not self.identity.credentials.valid:
            self.renew()

    def renew(self) -> None:
        """Get a token, whatever there is."""
        try:
            self.identity.credentials.refresh(self.token_request)
        except (AttributeError, KeyError, TypeError) as error:
            # google-auth takes it for granted that a token comes in a JSON object.
            raise StrangeError from error


class Google:
    """What a target asks Google with. Nothing is loaded or asked before the first call."""

    def __init__(
        self,
        settings: GoogleSettings,
        *,
        reveal: Reveal,
        pause: Callable[[float], None],
        meter: Meter = unmetered,
    ) -> None:
        self._settings = settings
        self._reveal = reveal
        self.pause = pause
        self._meter = meter
        self._of_thread = threading.local()

    @property
    def policies_scope(self) -> str:
        """The scope for policies: to read, or to write as well if that is to be tried."""
        return WRITE_POLICIES if self._settings.write == "probe" else READ_POLICIES

    def policies(self) -> Session:
        """This thread's session with the Policy API."""
        return self._session(POLICIES, self.policies_scope)

    def reports(self) -> Session:
        """This thread's session with the Reports API; its scope is a token's of its own."""
        return self._session(REPORTS, READ_AUDIT)

    def mailbox(self, address: str) -> Session:
        """This thread's session with Gmail in the name of a mailbox's owner, for headers alone.

        Raises TargetDenied where the credentials cannot act for that user.
        """
        session = self._session(GMAIL, READ_HEADERS, subject=address)
        admin = self._settings.admin
        if not session.identity.delegates and address.lower() != admin.lower():
            raise TargetDenied(
                f"these credentials act for nobody but {admin}: to look into the mailbox of "
                f"{address}, a service account with domain-wide delegation is needed"
            )
        return session

    def ask(self, session: Session, make: Ask) -> Any:
        """The answer to a request that may be repeated. Raises the errors of targets."""
        answer, fault = self.answered(session, make)
        if fault is not None:
            raise fault.error
        return answer

    def find(self, session: Session, make: Ask) -> Any | None:
        """The same of something that may be gone: None then (404)."""
        answer, fault = self.answered(session, make)
        if fault is not None and fault.kind != "not_found":
            raise fault.error
        return answer

    def answered(self, session: Session, make: Ask) -> tuple[Any, Fault | None]:
        """The same, with what went wrong in the end instead of an error."""
        attempt = 0
        while True:
            answer, fault = self.try_once(session, make)
            wait = None if fault is None else _wait(fault, attempt)
            if wait is None:
                return answer, fault
            self.pause(wait)
            attempt += 1

    def try_once(self, session: Session, make: Ask) -> tuple[Any, Fault | None]:
        """One attempt: the answer, or what went wrong."""
        try:
            session.sign_in()
            answer = _sent(session, make)
        except faults.kinds() as error:
            return None, faults.read(error, session.caller)
        # Of a page that a proxy puts in its place, googleapiclient gives the text.
        if not isinstance(answer, dict):
            return None, faults.strange(session.caller)
        return answer, None

    def sign_in(self, session: Session) -> Fault | None:
        """Get a token of this session's own; what went wrong, if anything."""
        try:
            session.sign_in()
        except faults.kinds() as error:
            return faults.read(error, session.caller)
        return None

    def pages(self, session: Session, make: AskPage) -> Iterator[Any]:
        """Every page of an answer, with a pause between two; empty pages too.

        Raises TargetError where the pages do not end: what was read so far is not the whole,
        and must not be taken for it.
        """
        seen: set[str] = set()
        token: str | None = None
        while True:
            page = self.ask(session, partial(make, page_token=token))
            yield page
            token = page.get("nextPageToken") or None
            if token is None:
                return
            if token in seen or len(seen) >= MOST_PAGES:
                raise faults.endless(session.caller)
            seen.add(token)
            self.pause_between()

    def pause_between(self) -> None:
        """Let the time go by that there must be between two requests."""
        self.pause(self._settings.page_pause.total_seconds())

    def _session(self, api: Api, scope: str, *, subject: str = "") -> Session:
        """Made at its first use, in the administrator's name or another's.

        Raises ConfigError, or TargetDenied without credentials.
        """
        held: dict[str, Session] = self._of_thread.__dict__
        who = subject or self._settings.admin
        key = f"{api.name} {scope} {who}"
        if key not in held:
            libraries.load()
            held[key] = self._made(api, scope, who)
        return held[key]

    def _made(self, api: Api, scope: str, subject: str) -> Session:
        from google_auth_httplib2 import AuthorizedHttp
        from googleapiclient.discovery import build

        settings = self._settings
        caller = Caller(subject, scope, api, host=settings.url or "")
        assert settings.credentials is not None, "settings.py sees to it"
        try:
            who = identity(settings.credentials, scope, admin=subject, reveal=self._reveal)
        except faults.kinds() as error:
            raise faults.read(error, caller).error from None
        transport = Transport(
            timeout=settings.timeout.total_seconds(), base=settings.url, meter=self._meter
        )
        # The discovery document is the one in the wheel: no request is made for it.
        service = build(
            api.name,
            api.version,
            # A token that died is renewed by `_sent`: here it would be by google-auth's own ways.
            http=AuthorizedHttp(who.credentials, http=transport, max_refresh_attempts=0),
            cache_discovery=False,
            static_discovery=True,
        )
        caller = replace(caller, account=who.account, client_id=who.client_id)
        return Session(caller, who, TokenRequest(transport), service)


def _sent(session: Session, make: Ask) -> Any:
    """The answer; where the token has died meanwhile (401: nothing was done), with another."""
    from googleapiclient.errors import HttpError

    try:
        return make(session.service).execute(num_retries=0)
    except HttpError as error:
        if error.status_code != 401:
            raise
    session.renew()
    return make(session.service).execute(num_retries=0)


def _wait(fault: Fault, attempt: int) -> float | None:
    """How long to wait before asking again; None: no more."""
    waits = WAITS_WHEN_BUSY if fault.status in (403, 429) else WAITS_WHEN_BROKEN
    if not fault.again or attempt >= len(waits):
        return None
    if fault.after is None:
        return waits[attempt]
    return fault.after if fault.after <= LONGEST_WAIT else None
