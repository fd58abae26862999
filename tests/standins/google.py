"""A stand-in of Google's services: real HTTP on loopback, the vendor's shapes.

    python -m tests.standins.google --port 8090 --folder /tmp/google

prints its address and serves until it is stopped; the folder gets a service account's key file
and the file of a source for keyless delegation. A line typed on its standard input is what a
person pastes into the box of the email allowlist; the line "gateway" is a save of the inbound
gateway. In a test:

    with GoogleStandIn(allowlist=["192.0.2.1"]) as google:
        ...
        google.set_allowlist(["192.0.2.1", "198.51.100.0/24"])

All hosts answer at one address, told apart by path: the token endpoint (oauth2.googleapis.com),
signJwt and its like (iamcredentials), the Policy API (cloudidentity), the Reports API (admin) and
Gmail's (gmail).
What may go wrong is in `tests.standins.google_switches` and `tests.standins.google_replies`.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from tests.standins.google_audit import AuditLog
from tests.standins.google_auth import Authority
from tests.standins.google_gmail import Gmail
from tests.standins.google_identity import PolicyApi
from tests.standins.google_keys import TOKEN_URI, key_file_text
from tests.standins.google_policies import Policies, Policy
from tests.standins.google_routes import Routes, source_text
from tests.standins.google_switches import ALL_SCOPES, Switches
from tests.standins.web import Reply, Request, Server

PERSON = "postmaster@example.com"


class GoogleStandIn:
    """The services. `requests` are all that came; `script` sets what the next ones get.

    `now` is the clock of the audit log and of what takes effect later; tokens and JWTs go by the
    machine's. `strict` checks everything against the discovery documents into `violations`.
    """

    def __init__(
        self,
        *,
        customer: str = "C01abcdef",
        admin: str = PERSON,
        service_account: str = "exosync@project.iam.gserviceaccount.com",
        delegated: Iterable[str] = ALL_SCOPES,
        super_admin: bool = True,
        switches: Switches = Switches(),  # noqa: B008  (immutable)
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        allowlist: Iterable[str] | None = None,
        port: int = 0,
    ) -> None:
        self.requests: list[Request] = []
        self.strict = True
        self.switches = switches
        self.gateway: set[str] = set()
        self.authority = Authority(
            account=service_account, users={admin, PERSON}, delegated=delegated
        )
        self.gmail = Gmail()
        self.authority.mailboxes = lambda: self.gmail.mailboxes
        self.audit = AuditLog(admin.partition("@")[2], now())
        self._now = now
        self._policies = Policies(allowlist)
        api = PolicyApi(self._policies, self.audit)
        admins = {admin, PERSON} if super_admin else set()
        self.routes = Routes(customer, self.authority, api, self.audit, self.gmail, admins)
        self._lock = threading.RLock()
        self._scripts: list[tuple[str, deque[Reply | None]]] = []
        self._before: list[tuple[str, str, Callable[[], object]]] = []
        self._server = Server(port, self.reply)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    @property
    def url(self) -> str:
        """The base address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # What a test asks

    @property
    def violations(self) -> list[str]:
        """Where a request or an answer was not as the discovery documents say."""
        return self.routes.violations

    def calls(self, prefix: str = "") -> list[str]:
        """What was asked for, in order: "GET /v1/policies"; with the prefix of a path, only that."""
        return [f"{one.method} {one.path}" for one in self.requests if one.path.startswith(prefix)]

    @property
    def allowlist(self) -> list[str] | None:
        """What the one ADMIN policy of the allowlist holds; None: there is no such policy."""
        with self._lock:
            return self._policies.entries(self._now())

    @allowlist.setter
    def allowlist(self, entries: Iterable[str] | None) -> None:
        with self._lock:
            self._policies.change(entries, self._now())

    @property
    def other_policies(self) -> list[Policy]:
        """The policies of other settings, and whatever a test adds."""
        return self._policies.others

    # What a test does

    def switch(self, **changes: Any) -> None:
        """Change switches from now on."""
        self.switches = replace(self.switches, **changes)

    def script(self, *replies: Reply | None, path: str = "") -> None:
        """What the next requests get, in order; None is an honest answer.

        With a path, only requests whose path begins so count.
        """
        self._scripts.append((path, deque(replies)))

    def before(self, method: str, path_prefix: str, action: Callable[[], object]) -> None:
        """Do something once, just before the next such request is answered."""
        self._before.append((method, path_prefix, action))

    def expire_tokens(self, *, source: bool = False) -> None:
        """Let no access token that was given hold any longer; the source's too if asked.

        When the source's is gone as well, signJwt answers 401, and google-auth gives up.
        """
        self.authority.expire(source=source)

    def set_allowlist(self, entries: Iterable[str], actor: str = PERSON) -> None:
        """Save the email allowlist, as a person does in the console."""
        with self._lock:
            now, switches = self._now(), self.switches
            before = self._policies.saved(now)
            # Help: what an inbound gateway has "won't be added to the allowlist".
            after: list[str] | None = [one for one in entries if one not in self.gateway]
            if not after and switches.emptied == "absent":
                after = None
            self._policies.change(after, now + switches.propagation)
            self.audit.allowlist_changed(before, after, actor, now, switches)

    def set_inbound_gateway(self, actor: str = PERSON, entries: Iterable[str] = ()) -> None:
        """Save the inbound gateway, which no API shows: the audit log has it alone."""
        with self._lock:
            self.gateway = set(entries)
            self.audit.gateway_changed(actor, self._now(), self.switches)

    def key_file(self, folder: Path, *, own_token_uri: bool = False) -> Path:
        """Write a service account's key file; its token_uri is Google's, or this server's own."""
        token_uri = f"{self.url}/token" if own_token_uri else TOKEN_URI
        path = folder / "service-account.json"
        key = self.authority.file_key
        path.write_text(key_file_text(key, self.authority.account, token_uri=token_uri))
        return path

    def source_credentials_file(self, folder: Path) -> Path:
        """Write an authorized_user file for GOOGLE_APPLICATION_CREDENTIALS."""
        path = folder / "application_default_credentials.json"
        path.write_text(source_text())
        return path

    # The server

    def reply(self, request: Request) -> Reply:
        """The answer to a request, after it was written down."""
        with self._lock:
            self.requests.append(request)
            actions = self._due(request)
        for action in actions:
            action()
        self._server.closing.wait(self.switches.latency_seconds)
        with self._lock:
            scripted = self._scripted(request)
            if scripted is not None:
                return scripted
            return self.routes.answer(request, self.switches, self._now(), strict=self.strict)

    def _due(self, request: Request) -> list[Callable[[], object]]:
        due = [
            one
            for one in self._before
            if one[0] == request.method and request.path.startswith(one[1])
        ]
        self._before = [one for one in self._before if one not in due]
        return [action for _, _, action in due]

    def _scripted(self, request: Request) -> Reply | None:
        for path, waiting in self._scripts:
            if waiting and request.path.startswith(path):
                return waiting.popleft()
        return None


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description="A stand-in of Google's services.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where to write the credentials' files")
    parser.add_argument("--allowlist", help="the entries to begin with, parted by commas")
    parser.add_argument("--mutate", default="unimplemented", help="what policies.patch does")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    told = parser.parse_args()
    entries = None if told.allowlist is None else _entries(told.allowlist)
    switches = Switches(mutate=told.mutate, latency_seconds=told.latency)
    with GoogleStandIn(port=told.port, allowlist=entries, switches=switches) as google:
        if told.folder is not None:
            google.key_file(told.folder)
            google.source_credentials_file(told.folder)
        sys.stdout.write(f"{google.url}\n")
        sys.stdout.flush()
        try:
            for line in sys.stdin:
                _obey(google, line.strip())
            threading.Event().wait()
        except KeyboardInterrupt:
            return


def _obey(google: GoogleStandIn, line: str) -> None:
    if line == "gateway":
        google.set_inbound_gateway()
    else:
        google.set_allowlist(_entries(line))


def _entries(text: str) -> list[str]:
    """The box's text: help says that commas part the entries."""
    return [part.strip() for part in text.split(",") if part.strip()]


if __name__ == "__main__":
    main()
