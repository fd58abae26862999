"""What the stand-in's tenant holds in truth: plain records that tests and mail flow may change.

A record has the properties of Get-AcceptedDomain, Get-OutboundConnector, Get-TransportRule or
Get-Recipient by their names, without what only an answer adds. Names that begin with `_` are
never shown.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from tests.standins.exchange_records import new_connector, new_domain, new_rule

Record = dict[str, Any]
_GUIDS = UUID("5d0c7a34-0c5e-4a0b-9a53-6f0e6f2b8a11")
Validate = Callable[[Record, list[str]], list[tuple[str, bool]]]


class Org:
    """A tenant. `rules` are in the order of their priorities; `groups` map an address to members.

    `recipients` are what Get-Recipient knows: mailboxes, mail users, groups. `traces` are the
    messages that Graph tells of (see `tests.standins.exchange_graph`). `validate` tries a
    connector with a message to each recipient, and gives tasks with whether they worked; `send`
    takes a message that a user's mailbox sends by Graph, into `sent` unless somebody else does.
    """

    def __init__(
        self, domain: str, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._domain, self._made = domain, 0
        self.guid = self._next_guid()
        self.initial_domain = f"{domain.partition('.')[0]}.onmicrosoft.com"
        self.domains: list[Record] = []
        self.connectors: list[Record] = []
        self.rules: list[Record] = []
        self.groups: dict[str, list[str]] = {}
        self.recipients: list[Record] = []
        self.traces: list[Record] = []
        self.sent: list[tuple[str, bytes]] = []
        self.validate: Validate = _all_works
        self.send: Callable[[str, bytes], object] = lambda user, mime: self.sent.append(
            (user, mime)
        )
        self._now = now
        self.add_domain(self.initial_domain, InitialDomain=True)
        self.add_domain(domain, Default=True)

    def add_domain(self, name: str, type_: str = "Authoritative", /, **properties: Any) -> Record:
        """Accept a domain."""
        return _kept(self.domains, {**new_domain(name, type_), **self._stamps(), **properties})

    def add_connector(self, name: str, /, **properties: Any) -> Record:
        """Make an outbound connector as another administrator would."""
        return _kept(self.connectors, {**new_connector(name), **self._stamps(), **properties})

    def add_rule(self, name: str, /, *, at: int | None = None, **properties: Any) -> Record:
        """Make a transport rule as another administrator would; `at` is its priority."""
        made = {**new_rule(name), **self._stamps(), **properties}
        self.rules.insert(len(self.rules) if at is None else at, made)
        return made

    def add_group(self, address: str, members: Iterable[str] = ()) -> Record:
        """Make a distribution group; members are addresses."""
        self.groups[address.lower()] = list(members)
        return self.add_recipient(address, "MailUniversalDistributionGroup")

    def add_recipient(
        self, address: str, type_: str = "UserMailbox", aliases: Iterable[str] = ()
    ) -> Record:
        """Make a recipient: UserMailbox, MailUser, MailContact or another type."""
        addresses = [f"SMTP:{address}", *(f"smtp:{one}" for one in aliases)]
        name = address.partition("@")[0]
        made = {
            "Name": name,
            "DisplayName": name,
            "Alias": name,
            "DistinguishedName": f"CN={name},OU=contoso.example,DC=prod,DC=outlook,DC=com",
            "LegacyExchangeDN": f"/o=ExchangeLabs/ou=Exchange/cn=Recipients/cn={name}",
            "PrimarySmtpAddress": address,
            "EmailAddresses": addresses,
            "RecipientType": type_,
            "RecipientTypeDetails": type_,
            "ExternalEmailAddress": None,
        }
        return _kept(self.recipients, {**made, **self._stamps()})

    def domain(self, name: str) -> Record | None:
        """An accepted domain."""
        return next((one for one in self.domains if _same(one["DomainName"], name)), None)

    def connector(self, identity: str) -> Record | None:
        """A connector by name or Guid."""
        return _found(self.connectors, identity)

    def rule(self, identity: str) -> Record | None:
        """A rule by name or Guid."""
        return _found(self.rules, identity)

    def routed(self, rule: Record) -> Record | None:
        """The connector that a rule routes to, if there is one of that name."""
        name = rule.get("RouteMessageOutboundConnector")
        return next((one for one in self.connectors if name and _same(one["Name"], name)), None)

    def recipient(self, address: str) -> Record | None:
        """The recipient that has an address, be it its first or another."""
        wanted = f"smtp:{address}".lower()
        return next(
            (one for one in self.recipients if wanted in map(str.lower, one["EmailAddresses"])),
            None,
        )

    def snapshot(self) -> Callable[[], None]:
        """Keep everything as it is now; gives what puts it back."""
        kept = copy.deepcopy(self.held())

        def put_back() -> None:
            self.__dict__.update(copy.deepcopy(kept))

        return put_back

    def held(self) -> Record:
        """Everything that the tenant holds, by what it is."""
        names = ("domains", "connectors", "rules", "groups", "recipients", "traces")
        return {name: self.__dict__[name] for name in names}

    def copied(self) -> Org:
        """The tenant as it is now, to be kept."""
        other = copy.copy(self)
        other.__dict__.update(copy.deepcopy(self.held()))
        return other

    def changed(self, record: Record) -> None:
        """Note when a record was changed."""
        record["WhenChangedUTC"] = self._now().astimezone(UTC)

    def _stamps(self) -> Record:
        now = self._now().astimezone(UTC)
        return {"Guid": self._next_guid(), "WhenCreatedUTC": now, "WhenChangedUTC": now}

    def _next_guid(self) -> str:
        """One that was never given here, and is the same in every tenant of the same life."""
        self._made += 1
        return str(uuid5(_GUIDS, f"{self._domain} {self._made}"))


def _all_works(connector: Record, recipients: list[str]) -> list[tuple[str, bool]]:
    """A connector whose smart hosts answer and whose messages arrive. The tasks' names are ours."""
    hosts = [(f"Check connectivity to '{one}'", True) for one in connector["SmartHosts"]]
    return [*hosts, *((f"Send test email to '{one}'", True) for one in recipients)]


def _kept(among: list[Record], made: Record) -> Record:
    among.append(made)
    return made


def _found(among: list[Record], identity: str) -> Record | None:
    """By Guid, else by name; names are told apart without regard to case."""
    by_guid = next((one for one in among if _same(one["Guid"], identity)), None)
    return by_guid or next((one for one in among if _same(one["Name"], identity)), None)


def _same(one: str, other: str) -> bool:
    return one.casefold() == str(other).casefold()
