"""A stand-in of the Mimecast API 2.0: real HTTP on loopback, the shapes that are known of it.

    python -m tests.standins.mimecast --port 8081

prints its address and serves until it is stopped. In a test:

    with MimecastStandIn(switches=Switches(prefix_limit=24)) as account:
        ...
        assert [] == account.dangerous

What is unknown of the vendor is a switch, see `tests.standins.mimecast_switches`, which also
explains the short names of the sources. Ready-made faults are in
`tests.standins.endpoints_replies`: account.script(None, hang(), reset()).
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from urllib.parse import unquote

from tests.standins.mimecast_access import Access, forbidden
from tests.standins.mimecast_compat import CompatFunctions
from tests.standins.mimecast_date import dated
from tests.standins.mimecast_forms import taken
from tests.standins.mimecast_policies import FAMILIES, Entry, Policies, Policy, with_defaults
from tests.standins.mimecast_replies import Refused, Wrong, function_error
from tests.standins.mimecast_requests import violations_of
from tests.standins.mimecast_rest import PolicyFunctions
from tests.standins.mimecast_routes import Route, find_route
from tests.standins.mimecast_senders import ManagedSender, outbound_addresses, permit_or_block
from tests.standins.mimecast_switches import ALL_PRODUCTS, ALL_ROLES, READ_ONLY, Switches
from tests.standins.web import Reply, Request, Server

__all__ = [
    "ALL_PRODUCTS",
    "ALL_ROLES",
    "READ_ONLY",
    "ManagedSender",
    "MimecastStandIn",
    "Policy",
    "Switches",
    "seed_thousands",
]

Json = Any


def _utc_now() -> datetime:
    return datetime.now(UTC)


class MimecastStandIn:
    """An account. `requests` are all that came; `script` sets what the next ones get.

    `strict` refuses each request whose body or query goes against the schemas, and keeps why in
    `violations`. `dangerous` has a line for each call that left a policy holding for every
    source. `managed_senders` and `outbound` are what the account holds of those. `access` has
    the application's `client_secret`, `roles` and `products`, which may change at any time.
    """

    def __init__(
        self,
        *,
        client_id: str = "the-id",
        client_secret: str = "the-secret-of-mimecast",
        roles: AbstractSet[str] = ALL_ROLES,
        products: AbstractSet[str] = ALL_PRODUCTS,
        switches: Switches = Switches(),  # noqa: B008  (immutable)
        now: Callable[[], datetime] = _utc_now,
        port: int = 0,
        strict: bool = True,
    ) -> None:
        self.requests: list[Request] = []
        self.violations: list[str] = []
        self.dangerous: list[str] = []
        self.managed_senders: list[ManagedSender] = []
        self.outbound: list[str] = []
        self.strict = strict
        self.now = now
        self.access = Access(
            client_id=client_id,
            client_secret=client_secret,
            roles=roles,
            products=products,
            now=now,
        )
        self._policies = Policies(now)
        self._functions = PolicyFunctions(self._policies, self.dangerous)
        self._compat = CompatFunctions(self._policies)
        self._script: deque[Reply | None] = deque()
        self._hooks: list[tuple[str, str, Callable[[], object]]] = []
        self._lock = threading.RLock()
        self.switches = switches
        self._server = dated(Server(port, self.reply), self._date)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    @property
    def url(self) -> str:
        """The base address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def switches(self) -> Switches:
        """How the account behaves; setting it starts the counts of faults anew."""
        return self._switches

    @switches.setter
    def switches(self, switches: Switches) -> None:
        self._switches = switches
        self._drops = {
            "POST": switches.post_commits_then_drops,
            "PATCH": switches.patch_commits_then_drops,
            "DELETE": switches.delete_commits_then_drops,
        }

    def switch(self, **changed: Any) -> None:
        """Change some of the switches from now on."""
        self.switches = replace(self.switches, **changed)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def policies(self) -> Mapping[str, list[Policy]]:
        """What the account holds in truth, by family, oldest first."""
        with self._lock:
            return {family: self._policies.held(family) for family in FAMILIES}

    def add_policy(self, family: str, **fields: Json) -> str:
        """Make a policy as another administrator would, and give its id; `from_` is `from`."""
        with self._lock:
            made = with_defaults(family, taken(family, _named(fields)))
            return self._policies.add(family, made).id

    def edit_policy(self, family: str, policy_id: str, **fields: Json) -> None:
        """Change fields of a policy as another administrator would."""
        with self._lock:
            entry, held = self._known(family, policy_id)
            self._policies.change(entry, {**held.fields, **taken(family, _named(fields))})

    def remove_policy(self, family: str, policy_id: str) -> None:
        """Delete a policy as another administrator would."""
        with self._lock:
            self._policies.change(self._known(family, policy_id)[0], None)

    def expire_tokens(self) -> None:
        """End the life of every token that was given so far."""
        self.access.expire_tokens()

    def script(self, *replies: Reply | None) -> None:
        """What the next requests get, in order, token requests too; None is an honest answer."""
        self._script.extend(replies)

    def before(self, method: str, path_prefix: str, then: Callable[[], object]) -> None:
        """Do something once, just before the next such request is looked at and answered."""
        self._hooks.append((method, path_prefix, then))

    def calls(self) -> list[str]:
        """The method and unquoted path of each request, in order."""
        return [f"{one.method} {unquote(one.path)}" for one in self.requests]

    def reply(self, request: Request) -> Reply:
        """The answer to a request, after it was written down."""
        self.requests.append(request)
        self._run_hooks(request)
        if self.switches.latency_seconds:
            self._server.closing.wait(self.switches.latency_seconds)
        scripted = self._script.popleft() if self._script else None
        if scripted:
            return scripted
        with self._lock:
            return self._honest(request)

    def _run_hooks(self, request: Request) -> None:
        for hook in list(self._hooks):
            method, prefix, then = hook
            if method == request.method and unquote(request.path).startswith(prefix):
                self._hooks.remove(hook)
                then()

    def _honest(self, request: Request) -> Reply:
        route = find_route(request)
        if route and route.name == "token":
            return self._strictly(request, route) or self.access.token(request, self.switches)
        refusal = self.access.refusal(request)
        if refusal:
            return refusal
        if route is None or not self.access.allows(route.product, route.role):
            return forbidden(self.switches)
        over = self.access.quota(f"{request.method} {route.name}", self.switches)
        return over or self._strictly(request, route) or self._carried_out(request, route)

    def _strictly(self, request: Request, route: Route) -> Reply | None:
        found = violations_of(request, route) if self.strict else []
        if not found:
            return None
        self.violations += [f"{request.method} {unquote(request.path)}: {one}" for one in found]
        refused = Refused(400, [Wrong("err_validation_schema", one) for one in found])
        return function_error("fail_flat", refused)

    def _carried_out(self, request: Request, route: Route) -> Reply:
        try:
            reply = self._function(request, route)
        except Refused as refused:
            return function_error(self.switches.error_shape, refused)
        if self._drops.get(request.method, 0) > 0:
            self._drops[request.method] -= 1
            return Reply(manner="reset")
        return reply

    def _function(self, request: Request, route: Route) -> Reply:
        match route.name:
            case "managed-senders":
                return permit_or_block(request, self.managed_senders)
            case "outbound":
                return outbound_addresses(request, self.outbound, self.switches)
            case "compat":
                return self._compat.answer(request, route.wanted, self.switches)
        return self._functions.answer(request, route.name, route.wanted, self.switches)

    def _known(self, family: str, policy_id: str) -> tuple[Entry, Policy]:
        entry = self._policies.find(family, policy_id)
        held = entry.held if entry else None
        if entry is None or held is None:
            raise KeyError(f"there is no {family} policy {policy_id}")
        return entry, held

    def _date(self) -> datetime:
        return self.now() + timedelta(seconds=self.switches.clock_offset_seconds)


def seed_thousands(standin: MimecastStandIn, n: int) -> None:
    """Fill an account with anti-spoofing policies of other people."""
    for number in range(n):
        standin.add_policy(
            "anti-spoofing",
            description=f"Branch {number}",
            option="no_action" if number % 3 else "apply",
            from_={"type": "email_domain", "domain": f"branch{number}.example"},
            to={"type": "internal_addresses"},
            sourceIPs=[f"10.{number >> 8 & 255}.{number & 255}.0/24"] if number % 3 else [],
        )


def _named(fields: Mapping[str, Json]) -> dict[str, Json]:
    return {name.removesuffix("_"): value for name, value in fields.items()}


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description="A stand-in of the Mimecast API 2.0.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--client-id", default="the-id")
    parser.add_argument("--client-secret", default="the-secret-of-mimecast")
    parser.add_argument("--read-only", action="store_true", help="the role may change nothing")
    parser.add_argument("--foreign", type=int, default=0, help="policies of other people")
    told = parser.parse_args()
    with MimecastStandIn(
        client_id=told.client_id,
        client_secret=told.client_secret,
        roles=READ_ONLY if told.read_only else ALL_ROLES,
        port=told.port,
    ) as account:
        seed_thousands(account, told.foreign)
        sys.stdout.write(f"{account.url}\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
