"""A stand-in of Exchange Online's admin interface, of Microsoft Entra and of Graph's traces.

    python -m tests.standins.exchange --port 8095 --tenant busy

prints its address and serves until it is stopped. In a test:

    with ExchangeStandIn("example.com") as exchange:
        exchange.org.add_connector("To the other side", IsTransportRuleScoped=True)
        ...
        assert [] == exchange.dangerous

All of Microsoft's hosts answer at one address, told apart by path. `exchange.org` is what the
tenant holds, to be changed at will; what is unknown of the vendor, and what may go wrong, is in
`tests.standins.exchange_switches`. Ready-made tenants: `tests.standins.exchange_tenants`.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Self

from tests.standins.exchange_access import Access
from tests.standins.exchange_admin import Faults, Gate
from tests.standins.exchange_commands import Commands
from tests.standins.exchange_danger import dangers
from tests.standins.exchange_graph import Graph
from tests.standins.exchange_keys import Certificate
from tests.standins.exchange_org import Org
from tests.standins.exchange_requests import Command, command_of, is_write
from tests.standins.exchange_switches import ALL_APP_ROLES, EXCHANGE_ADMINISTRATOR, Switches
from tests.standins.exchange_tenants import busy, empty
from tests.standins.web import Reply, Request, Server

__all__ = ["CLIENT_ID", "TENANT", "ExchangeStandIn", "Switches"]

Record = dict[str, Any]

TENANT = "8a3bd10e-5b2c-4f6d-9a11-0c6f7e2d1b34"
CLIENT_ID = "2f9c1d77-4e0a-4c53-8f0e-6f1f5a9b7c21"


class ExchangeStandIn:
    """A tenant behind its interfaces.

    `requests` are all that came, `asked` the commands among them with their parameters, `writes`
    how many of these set out to change something, refused ones too. `access` has the
    application's credentials and roles, `org` what the tenant holds. `before_write` is called
    just before each write is carried out: the place for a second administrator. `dangerous` has
    a line for each write that left mail worse off than before.
    """

    def __init__(
        self,
        domain: str = "example.com",
        *,
        org: Org | None = None,
        client_secret: str = "the-secret-of-exchange",
        certificates: Iterable[Certificate] = (),
        app_roles: Iterable[str] = ALL_APP_ROLES,
        roles: Iterable[str] = (EXCHANGE_ADMINISTRATOR,),
        switches: Switches = Switches(),  # noqa: B008  (immutable)
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        port: int = 0,
    ) -> None:
        self.requests: list[Request] = []
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.dangerous: list[str] = []
        self.writes = 0
        self.before_write: Callable[[Command], object] | None = None
        self.tenant, self.client_id = TENANT, CLIENT_ID
        self.access = Access(
            tenant=TENANT,
            client_id=CLIENT_ID,
            client_secret=client_secret,
            certificates=certificates,
            app_roles=app_roles,
            roles=roles,
        )
        self.org = org or Org(domain, now=now)
        self._now = now
        self._commands = Commands(self.org, now)
        self._gate = Gate(self.access, self._commands)
        self._graph = Graph(self.org, self.access, now)
        self._scripts: list[tuple[str, deque[Reply | None]]] = []
        self._fails_from: int | None = None
        self._lock = threading.RLock()
        self.switches = switches
        self._server = Server(port, self.reply)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    @property
    def url(self) -> str:
        """The base address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def switches(self) -> Switches:
        """How the tenant behaves; setting it starts the counts of faults anew."""
        return self._switches

    @switches.setter
    def switches(self, switches: Switches) -> None:
        self._switches = switches
        self._faults = Faults(switches)

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
    def cmdlets(self) -> list[str]:
        """The names of the commands that came, in order."""
        return [cmdlet for cmdlet, _ in self.asked]

    @property
    def effective_rules(self) -> list[Record]:
        """The rules that mail is handled by; changes of a test's own hold at once.

        Takes no lock: mail is also handled while a command that sends some waits for it.
        """
        return self._commands.effective_rules(self.switches)

    # What a test does

    def switch(self, **changes: Any) -> None:
        """Change switches from now on."""
        self.switches = replace(self.switches, **changes)

    def catch_up(self) -> None:
        """Let readings lag no longer behind the writes."""
        with self._lock:
            self._commands.catch_up()

    def script(self, *replies: Reply | None, path: str = "") -> None:
        """What the next requests get, in order; None is an honest answer.

        With a path, only requests whose path begins so count.
        """
        self._scripts.append((path, deque(replies)))

    @contextmanager
    def failing(self, number: int) -> Iterator[None]:
        """Let write `number` from now on fail with 503, and every later one."""
        self._fails_from = self.writes + number
        try:
            yield
        finally:
            self._fails_from = None

    def snapshot(self) -> Callable[[], None]:
        """Keep what the tenant holds; gives what puts it back."""
        with self._lock:
            return self.org.snapshot()

    # The server

    def reply(self, request: Request) -> Reply:
        """The answer to a request, after it was written down."""
        with self._lock:
            self._note(request)
            scripted = self._scripted(request)
        self._server.closing.wait(self.switches.latency_seconds)
        if scripted is not None:
            return scripted
        with self._lock:
            return self._honest(request)

    def _note(self, request: Request) -> None:
        self.requests.append(request)
        command = command_of(request)
        if command is not None:
            self.asked.append((command.cmdlet, dict(command.parameters)))
        self.writes += is_write(request)

    def _scripted(self, request: Request) -> Reply | None:
        for path, waiting in self._scripts:
            if waiting and request.path.startswith(path):
                return waiting.popleft()
        return None

    def _honest(self, request: Request) -> Reply:
        login = self.access.answer(request, self.switches)
        if login is not None:
            return login
        fault = self._faults.reply(request, self.switches, self._now())
        if fault is not None:
            return fault
        if is_write(request) and self._fails_from is not None and self.writes >= self._fails_from:
            return Reply(503)
        if request.path.lower().startswith("/adminapi/"):
            return self._gate.answer(request, self.switches, self._run)
        return self._graph.answer(request, self.switches)

    def _run(self, command: Command, base: str) -> Reply:
        if not command.is_write:
            return self._commands.run(command, base, self.switches)
        if self.before_write is not None:
            self.before_write(command)
        if self._faults.takes("drop_before"):
            return Reply(manner="reset")
        before = set(dangers(self.org))
        reply = self._commands.run(command, base, self.switches)
        worse = [one for one in dangers(self.org) if one not in before]
        self.dangerous += [f"{command.cmdlet}: {one}" for one in worse]
        return Reply(manner="reset") if self._faults.takes("drop_after") else reply


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description="A stand-in of Exchange Online.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--domain", default="example.com")
    parser.add_argument("--tenant", choices=("empty", "busy"), default="empty")
    told = parser.parse_args()
    org = {"empty": empty, "busy": busy}[told.tenant](told.domain)
    with ExchangeStandIn(org=org, port=told.port) as exchange:
        sys.stdout.write(f"{exchange.url}\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
